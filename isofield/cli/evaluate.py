"""`isofield evaluate RUN`: the numbers, by name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import tyro

from ..runtime.progress import say
from ..verbs.evaluate import evaluate
from ..verbs.evaluate_views import Judging
from ..verbs.run import open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Compare what a run holds with its input.

Of a shape: intersection over union, distances, normals, F-score. Of a picture: PSNR. Of a scene: PSNR,
structural similarity, perceptual distance of its views of the test frames. Each by its full name.
What belongs to the run's own input is written to RUN/metrics.json, and RUN/page.html is made anew.

Examples: isofield evaluate runs/0001-sdf-bunny
          isofield evaluate runs/0001-sdf-bunny --mesh small.stl --data truth.ply
          isofield evaluate runs/0002-ngp-lego --background black --out views"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield evaluate`."""

    run: tyro.conf.Positional[Path]
    """folder of the run"""
    mesh: Path | None = None
    """another mesh in the input's coordinates (default: RUN/mesh.ply)"""
    data: Path | None = None
    """what to compare with (default: the run's input, by the path in the run)"""
    seed: int = 0
    """of the sampled points"""
    downscale: int | None = None
    """of a scene: size of the photographs to compare with, as for train (default: the run's)"""
    holdout: int | None = None
    """of a scene: which frames are for tests, as for train (default: the run's)"""
    background: Literal["white", "black"] | None = None
    """of a scene: what is behind it (default: white where the photographs have alpha, else black)"""
    views: int | None = None
    """of a scene: so many of the views, evenly chosen (default: all)"""
    out: Path | None = None
    """of a scene: folder for the views as PNG files (default: they are not kept)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, compare, print the table."""
    a = parse(Arguments, arguments, "evaluate", DESCRIPTION)
    a.shared.apply()
    run = open_run(a.run)
    judging = Judging(a.downscale, a.holdout, a.background, a.views, a.out)
    result = evaluate(run, a.mesh, a.data, a.seed, judging)
    if a.mesh is None and a.data is None and run.folder.page.is_file():
        say(f"page: {run.folder.page}")
    width = max(map(len, result["figures"]))
    lines = [f"against {result['truth']}{_of_views(result)}"]
    lines += [
        f"  {name:<{width}}  {value:<12.6g} {result['meaning'].get(name, '')}"
        for name, value in result["figures"].items()
    ]
    show(result, a.shared.json, "\n".join(lines))


def _of_views(result: dict[str, Any]) -> str:
    """What views were compared, in words."""
    if "compared" not in result:
        return ""
    compared, images = result["compared"], result["images"]
    return f", {len(images)} {compared['frames']} views, over {compared['background']}"
