"""`isofield evaluate RUN`: the numbers, by name."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..runtime.progress import say
from ..verbs.evaluate import evaluate
from ..verbs.run import open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Compare a run's mesh with its input.

Intersection over union, distances, normals, F-score, each by its full name.

Examples: isofield evaluate runs/0001-sdf-bunny
          isofield evaluate runs/0001-sdf-bunny --mesh small.stl --data truth.ply"""


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
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, compare, print the table."""
    a = parse(Arguments, arguments, "evaluate", DESCRIPTION)
    a.shared.apply()
    run = open_run(a.run)
    result = evaluate(run, a.mesh, a.data, a.seed)
    if a.mesh is None and a.data is None:
        say(f"page: {run.folder.page}")
    width = max(map(len, result["figures"]))
    lines = [f"against {result['truth']}"]
    lines += [
        f"  {name:<{width}}  {value:<12.6g} {result['meaning'].get(name, '')}"
        for name, value in result["figures"].items()
    ]
    show(result, a.shared.json, "\n".join(lines))
