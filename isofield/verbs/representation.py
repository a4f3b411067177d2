"""Any representation of a shape as what is at hand: a mesh, points, voxels (all a Shape), or a field."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..data.readers import as_shape
from ..data.shape import Shape
from ..geometry.frames import PADDING
from ..geometry.mesh import Mesh
from ..runtime.progress import progress
from .field import Field, field_of_shape
from .field_file import ENDING, open_field
from .run import Run, open_run

__all__ = ["Kind", "Representation", "as_field", "box_of", "in_words", "kind_of", "opened", "surface_of"]

Representation = Shape | Field
Kind = Literal["mesh", "points", "voxels", "field"]


def opened(source: Any) -> Representation:
    """A source as it is: the field of a run (a folder, or a Run) or of a field file; else a Shape, from a
    file or an object with `vertices`. Raises InputError for whatever cannot be read."""
    if isinstance(source, Field):
        return source
    if isinstance(source, Run):
        return source.field
    if isinstance(source, (str, Path)):
        path = Path(source)
        if (path / "run.json").is_file():
            return open_run(path).field
        if path.suffix.lower() == ENDING and not path.is_dir():
            return open_field(path)
    return as_shape(source)


def kind_of(representation: Representation) -> Kind:
    """Which of the four it is."""
    if isinstance(representation, Field):
        return "field"
    return "voxels" if representation.voxels is not None else representation.kind


def in_words(representation: Representation) -> str:
    """What it is and how large, for people."""
    if isinstance(representation, Field):
        return f"field ({representation.network.name if representation.network else 'exact distances'})"
    if representation.voxels is not None:
        counts = " x ".join(map(str, representation.voxels.filled.shape))
        return f"voxels ({counts}, {int(representation.voxels.filled.sum()):,} filled)"
    if representation.kind == "points":
        return f"points ({len(representation.vertices):,})"
    return f"mesh ({len(representation.vertices):,} vertices, {len(representation.faces):,} faces)"


def as_field(representation: Representation) -> Field:
    """The field itself, or the exact field of the shape."""
    return representation if isinstance(representation, Field) else field_of_shape(representation)


def surface_of(representation: Representation, resolution: int | None = None) -> Mesh:
    """The representation as a surface: a mesh as it is, voxels as the faces of filled cells, fields and
    points by marching cubes (`resolution` cells along an axis; None: what suits the field)."""
    if isinstance(representation, Shape) and representation.kind == "mesh":
        return Mesh(
            representation.vertices, representation.faces, representation.normals, representation.colours
        )
    with progress("extracting") as bar:
        return as_field(representation).mesh(resolution, bar.update)


def box_of(representation: Representation) -> np.ndarray:
    """Low and high corner of the solid, float64 [2, 3]: of a field that of its input, made cubic."""
    if isinstance(representation, Field):
        corners = np.array([[-1.0] * 3, [1.0] * 3]) / PADDING
        return representation.frame.to_input(corners)
    used = representation.vertices[representation.used]
    return np.stack([used.min(axis=0), used.max(axis=0)])
