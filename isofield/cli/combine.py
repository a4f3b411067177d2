"""`isofield combine A B --op OPERATION`: sculpting with fields."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Make a solid from solids, and write it in any representation.

Takes runs, portable fields (.safetensors), and files of meshes, points and voxels, in one coordinate system;
and plain bodies: sphere:X,Y,Z,RADIUS  box:X,Y,Z,X,Y,Z (two corners)  torus:X,Y,Z,MAJOR,MINOR (around z).

  union, intersection, difference (the first without the others)
  smooth_union, smooth_intersection, smooth_difference: with a fillet of about --length
  offset: thicker by --length (negative: thinner)    shell: hollow, with walls of --length

The ending of --out says what is written: a mesh (.ply .obj .stl .off .glb), voxels (.binvox),
points (.xyz .pcd), or a field (.safetensors: a network is trained on the result); --to says it where there
are several (.ply, .npz).

Examples: isofield combine bunny.ply sphere:0,0.1,0,0.05 --op smooth_union --length 5% --out blend.ply
          isofield combine runs/0001-sdf-bunny --op shell --length 2% --out hollow.stl"""

Operation = Literal[
    "union",
    "intersection",
    "difference",
    "smooth_union",
    "smooth_intersection",
    "smooth_difference",
    "offset",
    "shell",
]


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield combine`."""

    parts: tyro.conf.Positional[tuple[str, ...]]
    """files, runs, plain bodies"""
    op: Operation
    """what to make of them"""
    out: Path
    """the file to write"""
    to: Literal["mesh", "points", "voxels", "field"] | None = None
    """what to write where the ending allows several"""
    length: str | None = None
    """radius of blends, amount of the offset, thickness of the shell: in the input's units, or in percent of
    the first part's longest edge, such as 2%"""
    resolution: int | None = None
    """cells of the extraction grid along an axis, or of voxels"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, combine, write, print what was made."""
    a = parse(Arguments, arguments, "combine", DESCRIPTION)
    from ..verbs.combine import combine  # after parsing: --help need not wait for torch
    from ..verbs.convert import check_output, convert

    a.shared.apply()
    check_output(a.out, *a.parts)
    made = convert(combine(list(a.parts), a.op, a.length), a.out, a.to, a.resolution)
    lines = [f"{made['file']}: {made['result']}, {made['bytes']:,} bytes"]
    lines += [f"  {note}" for note in made["notes"]]
    show(made, a.shared.json, "\n".join(lines))
