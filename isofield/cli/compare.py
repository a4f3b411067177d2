"""`isofield compare SHAPE`: representations side by side at equal bytes."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..runtime.errors import InputError
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """What is a good output representation? Voxels, points, a mesh, an occupancy network and an SDF
network, each within the same number of bytes, turned back into surfaces and measured against the shape.

Writes comparison.json, comparison.md, figure.png and page.html. With several sizes the page draws rate
against distortion. About a minute for each size.

Examples: isofield compare bunny.ply
          isofield compare bunny.ply --bytes 4096,16384,65536,262144 --out runs/compare-bunny"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield compare`."""

    source: tyro.conf.Positional[Path]
    """a file of a mesh or of voxels"""
    bytes: str = "65536"
    """of payload; several, separated by commas, make a sweep (64KiB is understood)"""
    out: Path | None = None
    """folder for the results (default: runs/NNNN-compare-NAME); one begun there is gone on with"""
    seed: int = 0
    """of samples and of training"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, compare, print the table."""
    a = parse(Arguments, arguments, "compare", DESCRIPTION)
    from ..runtime.memory import parse_size  # after parsing: --help need not wait for torch
    from ..verbs.compare import compare

    a.shared.apply()
    try:
        sizes = [parse_size(text) for text in a.bytes.split(",")]
    except InputError as error:
        raise InputError(error.what, "--bytes", "Write 4096,16384 or 4KiB,16KiB.") from None
    result = compare(a.source, sizes, a.out, a.seed, shlex.join(["isofield", "compare", *arguments]))
    folder = Path(result["folder"])
    text = (folder / "comparison.md").read_text(encoding="utf-8")
    show(result, a.shared.json, f"{text}\npage: {folder / 'page.html'}")
