"""The grid over a box on which a field is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from ..geometry.frames import WORKING_BOX
from ..runtime.errors import InputError

__all__ = ["Box", "Grid", "bounds"]

Box = tuple[float | Sequence[float], float | Sequence[float]]
"""The lower and the upper bound, each one number for all axes or three."""


def bounds(box: Box) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper corner of a box, float64 [3] each."""
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), (3,)) for bound in box)
    return low, high


@dataclass(frozen=True)
class Grid:
    """Points at the corners of equal cells that fill `box`: `shape` points along x, y and z.

    Point (x, y, z) has the linear index (x * shape[1] + y) * shape[2] + z.
    """

    shape: tuple[int, int, int]
    box: Box = WORKING_BOX

    def __post_init__(self) -> None:
        low, high = bounds(self.box)
        if min(self.shape) < 2:
            raise InputError(
                f"a grid needs 2 points or more along each axis, not {self.shape}",
                "resolution",
                "Take a resolution of 1 cell or more.",
            )
        if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high)) and np.all(low < high)):
            raise InputError(
                f"the box from {low.tolist()} to {high.tolist()} is empty or not finite",
                "box",
                "Give a lower bound that is below the upper one on every axis.",
            )
        for axis, points in enumerate(self.axes):
            nearest = np.float32(np.diff(points).min() / 2**11)  # vertices keep 1e-3 cells from grid points
            if not np.all(points + nearest > points):
                raise InputError(
                    f"float32 cannot tell the points of a grid of {self.shape[axis]} apart in the box "
                    f"from {low[axis]} to {high[axis]}",
                    "resolution",
                    "Take a lower resolution, or a box nearer to the origin.",
                )

    @classmethod
    def cubic(cls, resolution: int, box: Box = WORKING_BOX) -> "Grid":
        """The grid of `resolution` cells along every axis."""
        return cls((resolution + 1,) * 3, box)

    @cached_property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates of the planes along x, y and z, low + (high - low) i / cells rounded to float32."""
        return tuple(
            (low + (high - low) * (np.arange(n) / (n - 1))).astype(np.float32)
            for low, high, n in zip(*bounds(self.box), self.shape)
        )

    @property
    def cell(self) -> float:
        """Longest edge of a cell."""
        low, high = bounds(self.box)
        return float(np.max((high - low) / (np.array(self.shape) - 1)))

    def split(self, points: Int64[np.ndarray, " points"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The integer coordinates x, y, z of linear indices."""
        row, z = np.divmod(points, self.shape[2])
        x, y = np.divmod(row, self.shape[1])
        return x, y, z
