"""The values of a field on a regular grid, to cut through."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..geometry.frames import WORKING_BOX, Frame
from ..geometry.level import Below, Inside

__all__ = ["Slices"]

BATCH = 1 << 16  # points evaluated at once
Corner = tuple[float, float, float]
BOX = ((WORKING_BOX[0],) * 3, (WORKING_BOX[1],) * 3)
BELOW_ZERO = Below()


@dataclass(frozen=True, eq=False)
class Slices:
    """A stack of field values.

    values: float32 [nx, ny, nz], samples at the points of a grid, the box's faces included. low, high: the
    first and the last point, in the coordinates of the page's mesh. inside: which side of which level is the
    solid. name, unit: what the values are.
    """

    values: np.ndarray
    low: Corner
    high: Corner
    inside: Inside = BELOW_ZERO
    name: str = "signed distance"
    unit: str = ""

    @classmethod
    def sample(
        cls,
        field: Callable[[Tensor], Tensor],
        box: tuple[Corner, Corner] = BOX,
        resolution: int = 72,
        *,
        frame: Frame | None = None,
        inside: Inside = BELOW_ZERO,
        name: str = "signed distance",
        unit: str = "",
        scale: float = 1.0,
    ) -> "Slices":
        """Evaluate `field` (float32 points [N, 3] -> values [N]) on a grid over `box` (low and high corner).

        resolution: points along the longest edge; the spacing is nearly the same on all axes. frame: maps the
        field's coordinates to the mesh's where they differ. scale: multiplies the values and the level, to
        give them another unit.
        """
        low, high = np.array(box[0], np.float64), np.array(box[1], np.float64)
        spacing = (high - low).max() / (resolution - 1)
        counts = [max(round(length / spacing), 1) + 1 for length in high - low]
        axes = [torch.linspace(low[axis], high[axis], counts[axis], dtype=torch.float32) for axis in range(3)]
        points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 3)
        with torch.inference_mode():
            values = torch.cat([field(batch).float().cpu() for batch in points.split(BATCH)]).reshape(counts)
        if frame is not None:
            low, high = frame.to_input(low[None])[0], frame.to_input(high[None])[0]
        level = type(inside)(inside.level * scale)
        return cls((values * scale).numpy(), tuple(low.tolist()), tuple(high.tolist()), level, name, unit)
