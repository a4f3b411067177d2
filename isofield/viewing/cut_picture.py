"""A picture of a field on a plane across an axis."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from ..geometry.level import Inside
from .colours import colour_map

__all__ = ["PLANE_AXES", "LiveField", "cut_picture"]

PLANE_AXES = ((1, 2), (2, 0), (0, 1))  # of a plane across x, y, z: along columns, along rows; right-handed
PLATEAU = (
    1.5  # colours reach their ends at so many times the field's reach: where it is cut off, they are mid
)
INK, CHALK = (29, 31, 35), (255, 255, 255)
OUTSIDE_ALPHA = 0.6
LINE = 1.1  # pixels on each side of a level


@dataclass(frozen=True, eq=False)
class LiveField:
    """A field to look at, in the coordinates of the input.

    values: points float64 [N, 3] -> values [N]. surface: a level -> the mesh at that level; raises
    FailedError where there is none. low, high: corners of the box that it fills. inside: which side of which
    level is the solid. reach: within so much of that level its values mean something. name, unit: what they
    are.
    """

    values: Callable
    surface: Callable
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    inside: Inside
    reach: float
    name: str
    unit: str = ""


def cut_picture(
    field: LiveField, axis: int, at: float, level: float, pixels: int = 320
) -> UInt8[np.ndarray, "rows columns 4"]:
    """The field's values on the plane where the coordinate along `axis` is `at`: inside warm, outside cool
    and slightly transparent, a dark line at the field's own level, a white one at `level` where that differs.

    Columns run along the first of PLANE_AXES, rows along the second, both from low to high; pixels are square
    where the box is a cube.
    """
    along, across = PLANE_AXES[axis]
    points = np.empty((pixels, pixels, 3))
    steps = (np.arange(pixels) + 0.5) / pixels
    points[..., axis] = at
    points[..., along] = field.low[along] + steps[None, :] * (field.high[along] - field.low[along])
    points[..., across] = field.low[across] + steps[:, None] * (field.high[across] - field.low[across])
    values = np.asarray(field.values(points.reshape(-1, 3)), np.float64).reshape(pixels, pixels)
    depth = field.inside.depth(values)
    limit = PLATEAU * field.reach
    colours = colour_map(depth, -limit, limit, "diverging").astype(np.float64)
    lines = [(field.inside.level, INK)] + ([(level, CHALK)] if level != field.inside.level else [])
    slope = np.maximum(np.hypot(*np.gradient(values)), np.finfo(float).tiny)  # a pixel
    for value, colour in lines:
        share = np.clip(LINE + 0.5 - np.abs(values - value) / slope, 0, 1)[..., None]
        colours = colours * (1 - share) + np.array(colour) * share
    alpha = np.where(depth > 0, 255, round(OUTSIDE_ALPHA * 255))
    return np.concatenate([np.rint(colours), alpha[..., None]], axis=-1).astype(np.uint8)
