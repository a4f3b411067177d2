"""What an extraction needs to know of a product: where its surface is, which parts of it are true, which
colours it has."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from ..data.readers import as_shape
from ..data.shape import Shape
from ..extraction.floaters import without_floaters
from ..extraction.trim import trim as trim_unsupported
from ..geometry.frames import Frame
from ..geometry.level import Inside
from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .run import Run

__all__ = ["Extractable", "surface_of_shape"]


@dataclass(frozen=True)
class Extractable:
    """A surface to be extracted.

    field, inside: of the working box. frame: from there to the input. cleaned: the mesh found in the working
    box and the edge of a cell -> the mesh without what cannot be right, and the number of parts that were
    left out (None: not known). colours: the final mesh, in the input's coordinates and with normals, and the
    edge of a cell there -> uint8 [V, 3], or None. findings: more for the certificate. heuristic: sentences
    for it.
    """

    field: Callable[[Tensor], Tensor]
    inside: Inside
    frame: Frame
    cleaned: Callable[[Mesh, float], tuple[Mesh, int | None]]
    colours: Callable[[Mesh, float], np.ndarray | None]
    heuristic: tuple[str, ...]
    findings: dict[str, Any] = dataclasses.field(default_factory=dict)


def surface_of_shape(run: Run, shape: Any, trim: bool, level: float | None) -> Extractable:
    """The level set of a run on a shape: floaters are parts away from the input, whose colours it has."""
    if level is not None:
        raise InputError(
            "is for scenes: a shape's field says where its surface is", "--level", "Leave it out."
        )
    surface = run.field.surface

    @cache
    def known() -> Shape | None:
        if shape is not None:
            return as_shape(shape)
        return run.shape() if trim else run.field.input()

    def cleaned(mesh: Mesh, cell: float) -> tuple[Mesh, int | None]:
        truth = known()
        if truth is None:
            return mesh, None
        support, reach = run.field.support(truth, cell)
        mesh, floaters = without_floaters(mesh, support, reach)
        return (trim_unsupported(mesh, support, reach) if trim else mesh), floaters

    def colours(mesh: Mesh, cell: float) -> np.ndarray | None:
        truth = known()
        if truth is None or truth.colours is None:
            return None
        given = truth.colours if truth.kind == "mesh" else truth.colours[truth.used]
        carried = truth.solid.carried(given.astype(np.float32), run.frame.to_working(mesh.vertices))
        return np.rint(carried).astype(np.uint8)

    heuristic = ["that the field follows the input is measured (metrics.json), not proved"]
    if trim:
        heuristic.append("surface farther from the input than twice what the field resolves was left out")
    return Extractable(surface.field, surface.inside, run.frame, cleaned, colours, tuple(heuristic))
