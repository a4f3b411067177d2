"""`isofield convert A B`: from one representation to another."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Write a shape in another representation, and say what was lost.

Meshes (.ply .obj .stl .off .glb), points (.ply .xyz .npz .pcd), voxels (.binvox .npz) and fields
(the folder of a run, or one portable .safetensors file) become one another:
  to a mesh: as it is; the faces of filled cells; the surface of the field, or of the points' solid
  to points: drawn evenly from the surface, with its normals
  to voxels: cells whose centres are inside, in a cube around the shape
  to a field: a network trained on the shape; of a run the weights, in fewer bits

Examples: isofield convert bunny.stl bunny.ply
          isofield convert bunny.ply bunny.binvox --resolution 128
          isofield convert runs/0001-sdf-bunny bunny.safetensors --precision int8
          isofield convert scan.pcd scan.ply --to mesh"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield convert`."""

    source: tyro.conf.Positional[Path]
    """a file or the folder of a run"""
    out: tyro.conf.Positional[Path]
    """the file to write; its ending says the format"""
    to: Literal["mesh", "points", "voxels", "field"] | None = None
    """what to write where the ending allows several (default: what the source is, else what is usual)"""
    resolution: int | None = None
    """cells along an axis: of voxels (default 128), of surfaces of fields and points"""
    points: int | None = None
    """points drawn from a surface (default 100,000)"""
    precision: Literal["float32", "float16", "int8"] | None = None
    """of the weights of a field (default: float16)"""
    quality: Literal["draft", "standard", "high"] | None = None
    """of the field that is trained where a shape becomes a field"""
    seed: int | None = None
    """of drawn points and of training (default: 0)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, convert, print what was made and what was lost."""
    a = parse(Arguments, arguments, "convert", DESCRIPTION)
    from ..verbs.convert import convert  # after parsing: --help need not wait for torch

    a.shared.apply()
    made = convert(a.source, a.out, a.to, a.resolution, a.points, a.precision, a.quality, a.seed)
    lines = [f"{made['file']}: {made['result']}, {made['bytes']:,} bytes, from {made['source']}"]
    if made["exact"]:
        lines.append("  nothing was lost: coordinates, faces, normals, colours, cells or weights bit for bit")
    width = max(map(len, made["figures"]), default=0)
    lines += [
        f"  {name:<{width}}  {value:<10.4g} {made['meaning'][name]}"
        for name, value in made["figures"].items()
    ]
    lines += [f"  note: {note}" for note in made["notes"]]
    show(made, a.shared.json, "\n".join(lines))
