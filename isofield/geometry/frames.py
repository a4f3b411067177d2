"""The frame of an input and the working box [-1, 1]^3."""

from dataclasses import dataclass

import numpy as np

__all__ = ["PADDING", "WORKING_BOX", "Frame"]

WORKING_BOX = (-1.0, 1.0)  # the same on all three axes
PADDING = 1.1  # edge of the working box over the longest edge of the input's box


@dataclass(frozen=True)
class Frame:
    """The similarity between an input's own coordinates and the working box: working = (input - offset) *
    scale.

    offset: centre of the input's bounding box, in the input's units. scale: working units for each unit of
    the input. All arithmetic is in double precision, so that a small shape far from the origin keeps its
    digits.
    """

    offset: tuple[float, float, float]
    scale: float

    @classmethod
    def around(cls, points: np.ndarray) -> "Frame":
        """The frame that centres the bounding box of `points` [N, 3] and maps its longest edge to 2 /
        PADDING."""
        low, high = np.min(points, axis=0).astype(np.float64), np.max(points, axis=0).astype(np.float64)
        x, y, z = (float(c) for c in low / 2 + high / 2)
        return cls((x, y, z), 2.0 / PADDING / float(np.max(high - low)))

    def to_working(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] of the input as float32 points of the working box."""
        return ((np.asarray(points, np.float64) - self.offset) * self.scale).astype(np.float32)

    def to_input(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] of the working box in the input's coordinates, float64."""
        return np.asarray(points, np.float64) / self.scale + self.offset
