"""`isofield extract RUN`: a certified mesh from a trained field."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from ..geometry.certificate import in_words
from ..runtime.progress import say
from ..verbs.extract import extract
from ..verbs.run import open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Extract the surface of a trained field, in the input's own coordinates, with a certificate.

Examples: isofield extract runs/0001-sdf-bunny --resolution 512
          isofield extract runs/0001-sdf-bunny --resolution 1024 --max-memory 1GiB --out bunny.glb
          isofield extract runs/0001-sdf-bunny --faces 20000 --out small.stl
          isofield extract runs/0002-ngp-lego --resolution 256 --out lego.glb"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield extract`."""

    run: tyro.conf.Positional[Path]
    """folder of the run"""
    out: Path | None = None
    """file of the mesh: .ply .obj .stl .off .glb (default: RUN/mesh.ply)"""
    resolution: int | None = None
    """cells of the grid along an axis (default: by the run's quality; standard: 384, of a scene 256)"""
    search: Literal["mise", "dense"] = "mise"
    """mise: refine a coarse grid where the surface passes; dense: read every grid point"""
    faces: int | None = None
    """simplify the mesh to about so many faces"""
    open: bool = False
    """leave out surface that no input supports: holes stay holes"""
    refine: bool = False
    """move the vertices onto the level of the field, which marching cubes only interpolates"""
    level: float | None = None
    """of a scene: the density at which its surface lies (default: where the training cameras see it)"""
    max_memory: str | None = None
    """bound on the memory of the search, such as 1GiB; the mesh is the same"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, extract, print the certificate's findings."""
    a = parse(Arguments, arguments, "extract", DESCRIPTION)
    a.shared.apply()
    run = open_run(a.run)
    judged = run.folder.metrics.is_file()
    _, certificate = extract(
        run, a.resolution, a.search, a.faces, a.open, a.refine, a.max_memory, a.out, level=a.level
    )
    volume = "" if certificate["volume"] is None else f", volume {certificate['volume']:.6g}"
    text = f"{a.out or run.folder.mesh}: {in_words(certificate)}, area {certificate['area']:.6g}{volume}"
    show(certificate, a.shared.json, text)
    if judged and not run.folder.metrics.is_file():
        say(f"metrics.json and page.html were those of the mesh before; next: isofield evaluate {run.path}")
