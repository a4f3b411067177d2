"""Sculpting with fields: union, difference, blends, offsets of runs, files and plain bodies."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..geometry.closed_forms import box_distance, sphere_distance, torus_distance
from ..geometry.combine import OPERATIONS, Operation
from ..geometry.frames import Frame
from ..geometry.level import Below
from ..methods.choice import QUALITIES
from ..runtime.errors import InputError
from ..training.method import Surface
from .field import Field
from .lengths import length_of
from .representation import as_field, opened

__all__ = ["combine"]

WALL_CELLS = 3  # across the wall of a shell, where the resolution is not given
FINEST = 1024  # cells along an axis that are chosen unasked


@dataclass(frozen=True, eq=False)
class _Part:
    """A solid to combine. distance: points [N, 3], float64 in its own coordinates -> signed distances
    [N]. box: of the solid, [2, 3]."""

    name: str
    distance: Callable[[Tensor], Tensor]
    box: np.ndarray


def combine(parts: list[Any], op: str, length: float | str | None = None) -> Field:
    """The field of the solid that an operation makes of `parts`, in their coordinates.

    parts: runs, files, Shapes, Fields, and plain bodies as text: "sphere:X,Y,Z,RADIUS",
    "box:X,Y,Z,X,Y,Z" (two corners), "torus:X,Y,Z,MAJOR,MINOR" (around z). op: a name in OPERATIONS. length:
    radius, amount or thickness in their units, or "2%" of the first part's longest edge.

    Trained fields are taken by their surface, to which distances are exact near and far: the trained values
    are cut off beside it. Raises InputError for parts, operations and lengths that do not go together.
    """
    if op not in OPERATIONS:
        raise InputError(f"there is no operation {op!r}", "--op", f"Choose {', '.join(OPERATIONS)}.")
    operation = OPERATIONS[op]
    wanted = operation.parts
    if len(parts) != wanted if wanted else len(parts) < 2:
        count = "one solid" if wanted else "two solids or more"
        raise InputError(f"{op} takes {count}, not {len(parts)}", "--op", "Name other parts, or another one.")
    solids = [_part(part) for part in parts]
    amount = _length(length, op, operation, solids[0])

    def distance(points: Tensor) -> Tensor:
        result = solids[0].distance(points)
        if wanted == 1:
            return operation.apply(result, None, amount)
        for solid in solids[1:]:
            result = operation.apply(result, solid.distance(points), amount)
        return result

    frame = Frame.around(_box(op, operation, amount, solids))

    def in_working_box(points: Tensor) -> Tensor:
        return (distance(torch.from_numpy(frame.to_input(points.numpy()))) * frame.scale).float()

    surface = Surface(in_working_box, Below(0.0), "signed distance", is_length=True)
    detail = amount * frame.scale if op == "shell" else 0.0
    resolution = QUALITIES["standard"].resolution
    if detail:
        resolution = min(max(resolution, ceil(WALL_CELLS * 2 / detail)), FINEST)
    name = f"{op}-{'-'.join(solid.name for solid in solids)}"
    return Field(name, surface, frame, resolution, detail=detail)


def _length(given: float | str | None, op: str, operation: Operation, first: _Part) -> float:
    if not operation.length:
        if given is not None:
            raise InputError(f"{op} takes no length", "--length", "Leave it out.")
        return 0.0
    if given is None:
        raise InputError(f"{op} needs its {operation.length}", "--length", "Add for example --length 2%.")
    amount = length_of(str(given), float(np.max(np.ptp(first.box, axis=0))))
    if amount == 0 or (amount < 0 and op != "offset"):
        raise InputError(
            f"the {operation.length} of {op} must be above 0, not {given}", "--length", "Give one."
        )
    return amount


def _box(op: str, operation: Operation, amount: float, solids: list[_Part]) -> np.ndarray:
    """A box around the result, [2, 3]."""
    boxes = np.stack([solid.box for solid in solids])
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    if "intersection" in op:
        low, high = boxes[:, 0].max(axis=0), boxes[:, 1].min(axis=0)
    elif "difference" in op:
        low, high = boxes[0]
    growth = operation.growth * amount * max(len(solids) - 1, 1)  # each blend adds its own
    low, high = low - growth, high + growth
    if not (high > low).all():
        raise InputError(
            f"nothing is left of {solids[0].name}" if len(solids) == 1 else "the solids do not overlap",
            f"--op {op}",
            "Check their places and the length.",
        )
    return np.stack([low, high])


def _part(source: Any) -> _Part:
    if isinstance(source, str) and ":" in source and not Path(source).exists():
        return _body(source)
    given = opened(source)
    field = as_field(given)
    solid, frame = field.solid, field.frame

    def distance(points: Tensor) -> Tensor:
        values = solid.signed_distance(frame.to_working(points.numpy()), np.inf)
        return torch.from_numpy(values).double() / frame.scale

    vertices = frame.to_input(solid.mesh.vertices[np.unique(solid.mesh.faces)])
    return _Part(field.name, distance, np.stack([vertices.min(axis=0), vertices.max(axis=0)]))


def _sphere(x: float, y: float, z: float, radius: float) -> tuple[Callable, np.ndarray]:
    centre = np.array([x, y, z])
    return sphere_distance(radius, (x, y, z)), np.stack([centre - radius, centre + radius])


def _box_body(*corners: float) -> tuple[Callable, np.ndarray]:
    box = np.sort(np.array(corners).reshape(2, 3), axis=0)
    (x, y, z), (u, v, w) = box.mean(axis=0), np.ptp(box, axis=0) / 2
    return box_distance((u, v, w), (x, y, z)), box


def _torus(x: float, y: float, z: float, major: float, minor: float) -> tuple[Callable, np.ndarray]:
    reach = np.array([major + minor, major + minor, minor])
    centre = np.array([x, y, z])
    return torus_distance(major, minor, (x, y, z)), np.stack([centre - reach, centre + reach])


BODIES: dict[str, tuple[str, Callable[..., tuple[Callable, np.ndarray]]]] = {
    "sphere": ("X,Y,Z,RADIUS", _sphere),
    "box": ("X,Y,Z,X,Y,Z", _box_body),
    "torus": ("X,Y,Z,MAJOR,MINOR", _torus),
}


def _body(text: str) -> _Part:
    name, _, numbers = text.partition(":")
    if name not in BODIES:
        known = ", ".join(f"{body}:{form}" for body, (form, _) in BODIES.items())
        raise InputError(f"{text!r} is neither a file nor a plain body", "combine", f"The bodies: {known}.")
    form, make = BODIES[name]
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if len(values) != form.count(",") + 1 or not np.isfinite(values).all():
        raise InputError(f"{text!r} is not a {name}", "combine", f"Write {name}:{form}.")
    distance, box = make(*values)
    if not (np.ptp(box, axis=0) > 0).all() or (name != "box" and min(values[3:]) <= 0):
        raise InputError(f"{text!r} has no inside", "combine", "Give positive sizes.")
    return _Part(name, distance, box)
