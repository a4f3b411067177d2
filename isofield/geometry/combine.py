"""Solids made from solids: operations on signed distances, negative inside (constructive solid geometry).

The zero level of every result is right wherever those of its parts are. Its values are distances beside the
level, and bounds of them elsewhere: what an operation builds on must have true distances.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["OPERATIONS", "Operation", "smooth_minimum"]

Distances = Float[Tensor, "points"]


def smooth_minimum(a: Distances, b: Distances, radius: float) -> Distances:
    """min(a, b) - h^2 k / 4 with h = max(1 - |a - b| / k, 0), k = radius: the polynomial smooth minimum.

    It equals min(a, b) where they differ by more than k, and is at most k / 4 below it, where they are equal.
    Quilez, "smooth minimum" (2013), the quadratic one; its slope is continuous.
    """
    overlap = (1 - (a - b).abs() / radius).clamp_min(0.0)
    return torch.minimum(a, b) - overlap**2 * radius / 4


@dataclass(frozen=True)
class Operation:
    """One way to make a solid.

    parts: how many solids it takes, None for two or more, one after another. length: what the length that
    goes with it is, or "" where it needs none. apply: (distances of the one, of the other or None, length).
    growth: by how much the solid's box grows at most, in units of the length.
    """

    summary: str
    parts: int | None
    length: str
    apply: Callable[[Distances, Distances | None, float], Distances]
    growth: float = 0.0


def _second(b: Distances | None) -> Distances:
    assert b is not None
    return b


OPERATIONS = {
    "union": Operation("what is in any of them", None, "", lambda a, b, k: torch.minimum(a, _second(b))),
    "intersection": Operation(
        "what is in all of them", None, "", lambda a, b, k: torch.maximum(a, _second(b))
    ),
    "difference": Operation(
        "the first without the others", None, "", lambda a, b, k: torch.maximum(a, -_second(b))
    ),
    "smooth_union": Operation(
        "the union with a fillet where surfaces meet",
        None,
        "radius",
        lambda a, b, k: smooth_minimum(a, _second(b), k),
        growth=0.25,
    ),
    "smooth_intersection": Operation(
        "the intersection with rounded edges",
        None,
        "radius",
        lambda a, b, k: -smooth_minimum(-a, -_second(b), k),
    ),
    "smooth_difference": Operation(
        "the difference with rounded edges",
        None,
        "radius",
        lambda a, b, k: -smooth_minimum(-a, _second(b), k),
    ),
    "offset": Operation(
        "thicker by the amount, or thinner where it is negative",
        1,
        "amount",
        lambda a, b, k: a - k,
        growth=1.0,
    ),
    "shell": Operation(
        "hollow: the part within the thickness of the surface",
        1,
        "thickness",
        lambda a, b, k: torch.maximum(a, -a - k),
    ),
}
