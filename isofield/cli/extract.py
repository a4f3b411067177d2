"""`isofield extract RUN`: a certified mesh from a trained field."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from ..runtime.progress import say
from ..verbs.extract import extract
from ..verbs.run import open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Extract the surface of a trained field, in the input's own coordinates, with a certificate.

Examples: isofield extract runs/0001-sdf-bunny --resolution 512
          isofield extract runs/0001-sdf-bunny --resolution 1024 --max-memory 1GiB --out bunny.glb
          isofield extract runs/0001-sdf-bunny --faces 20000 --out small.stl"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield extract`."""

    run: tyro.conf.Positional[Path]
    """folder of the run"""
    out: Path | None = None
    """file of the mesh: .ply .obj .stl .off .glb (default: RUN/mesh.ply)"""
    resolution: int = 256
    """cells of the grid along an axis"""
    method: Literal["mise", "dense"] = "mise"
    """mise: refine a coarse grid where the surface passes; dense: read every grid point"""
    faces: int | None = None
    """simplify the mesh to about so many faces"""
    open: bool = False
    """leave out surface that no input supports: holes stay holes"""
    max_memory: str | None = None
    """bound on the memory of the extraction, such as 1GiB; the mesh is the same"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, extract, print the certificate's findings."""
    a = parse(Arguments, arguments, "extract", DESCRIPTION)
    a.shared.apply()
    run = open_run(a.run)
    _, certificate = extract(run, a.resolution, a.method, a.faces, a.open, a.max_memory, a.out)
    findings = [name for name in ("closed", "manifold", "oriented") if certificate[name]] or [
        "neither closed nor manifold"
    ]
    text = (
        f"{a.out or run.path / 'mesh.ply'}: {certificate['faces']:,} faces, {', '.join(findings)}, "
        f"{certificate['components']} component(s), "
        f"volume {certificate['volume']}, area {certificate['area']:.6g}"
    )
    show(certificate, a.shared.json, text)
    if a.out is None and (run.path / "page.html").is_file():
        say(f"metrics.json and page.html tell of the mesh before; next: isofield evaluate {run.path}")
