"""Values of a field at many points."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from ..geometry.level import Inside
from ..runtime.errors import FailedError
from .grid import Grid

__all__ = ["Evaluator", "Field", "grid_depth"]

Field = Callable[[Tensor], Tensor]
"""Points float32 [N, 3] to values float [N]. The points come on the CPU; the values may be on any device."""


class Evaluator:
    """Reads a field in padded batches of one fixed size: a point has the same value in any batch.

    evaluations: number of points asked for so far, padding not counted. lowest, highest: range of the values
    so far. batch: points in a batch. Small fields on the CPU are as fast with 2^13 as with 2^17; MISE ends
    with rounds of a few points, each padded to a batch.
    """

    def __init__(self, field: Field, batch: int = 1 << 14) -> None:
        self.evaluations = 0
        self.lowest, self.highest = np.inf, -np.inf
        self.batch = batch
        self._field = field

    @torch.no_grad()
    def __call__(self, points: Float32[np.ndarray, "points 3"]) -> Float32[np.ndarray, " points"]:
        """The field's values; raises FailedError at the first value that is not finite."""
        values = np.empty(len(points), np.float32)
        padded = np.empty((self.batch, 3), np.float32)
        for start in range(0, len(points), self.batch):
            part = points[start : start + self.batch]
            padded[: len(part)], padded[len(part) :] = part, part[-1]
            answer = self._field(torch.from_numpy(padded))
            if answer.shape != (self.batch,):
                raise ValueError(
                    f"a field maps points [{self.batch}, 3] to [{self.batch}], not {list(answer.shape)}"
                )
            values[start : start + len(part)] = answer[: len(part)].to("cpu", torch.float32).numpy()
        self._check(points, values)
        self.evaluations += len(points)
        return values

    def _check(self, points: np.ndarray, values: np.ndarray) -> None:
        if len(values) == 0:
            return
        low, high = float(values.min()), float(values.max())  # nan if any value is
        if not np.isfinite(high - low):
            bad = int(np.argmin(np.isfinite(values)))
            place = ", ".join(f"{c:.6g}" for c in points[bad])
            raise FailedError(
                f"the field is {values[bad]} at ({place})",
                "extraction",
                "A training that diverged gives such a field; so does a formula outside of its domain.",
            )
        self.lowest, self.highest = min(self.lowest, low), max(self.highest, high)


def grid_depth(
    evaluator: Evaluator, grid: Grid, inside: Inside, points: Int64[np.ndarray, " points"]
) -> Float32[np.ndarray, " points"]:
    """Depth of the field at grid points of these linear indices, at most 0 on the border of the box.

    As the border counts as outside, every surface closes: a solid that the box cuts gets a flat cap 1e-3
    cells inside the box.
    """
    x, y, z = grid.split(points)
    coordinates = np.stack([axis[index] for axis, index in zip(grid.axes, (x, y, z))], axis=1)
    depth = inside.depth(evaluator(coordinates))
    border = np.zeros(len(points), bool)
    for index, n in zip((x, y, z), grid.shape):
        border |= (index == 0) | (index == n - 1)
    depth[border] = np.minimum(depth[border], 0)
    return depth
