"""Where a radiance field may hold something: the occupancy grid of instant-ngp (Mueller et al. 2022).

Coordinates are those of `kernels.march`: cascade 0 covers [0, 1]^3, each further one a cube of twice the edge
around the same middle.
"""

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..kernels.march import pack_cells
from .cameras import Cameras

__all__ = ["OccupancyGrid", "unseen_cells", "visible"]

OCCUPIED = 0.01  # optical thickness of a step above which a cell is always occupied


class OccupancyGrid(nn.Module):
    """What was seen in cells of late, and which of them to sample.

    values [cascades, z, y, x]: the largest optical thickness (density times the shortest step) seen in a
    cell, which fades from update to update; -1 where nothing can be. A new grid has 0 everywhere.
    cells: along an axis, a multiple of 4.
    """

    def __init__(self, cells: int, cascades: int = 1) -> None:
        super().__init__()
        self.values: Tensor
        self.register_buffer("values", torch.zeros(cascades, cells, cells, cells))

    def cells_to_sample(
        self, rng: np.random.Generator, most: int
    ) -> tuple[Int[np.ndarray, " points"], Float[np.ndarray, "points 3"]]:
        """Flat numbers of cells, and a random point in each: all cells that can hold something, or where they
        are more than `most`, half as many drawn from all and as many from the occupied ones (a cell may be
        drawn more than once)."""
        values, (cascades, cells) = self.values.view(-1).numpy(), self.values.shape[:2]
        possible = values >= 0
        if np.count_nonzero(possible) <= most:
            chosen = np.flatnonzero(possible)
        else:
            drawn = rng.integers(len(values), size=most // 2)
            occupied = np.flatnonzero(values > self.threshold)
            some = occupied[rng.integers(len(occupied), size=most // 2)] if len(occupied) else occupied
            chosen = np.concatenate([drawn[possible[drawn]], some])
        cascade, *corner = np.unravel_index(chosen, self.values.shape)
        points = rng.random((len(chosen), 3), np.float32)
        for axis in range(3):
            points[:, axis] += corner[2 - axis]
        points /= np.float32(cells)
        if cascades > 1:
            points = (points - np.float32(0.5)) * (2.0**cascade).astype(np.float32)[:, None] + np.float32(0.5)
        return chosen, points

    def update(
        self,
        cells: Int[np.ndarray, " points"],
        optical_thickness: Float[Tensor, " points"],
        decay: float = 0.95,
    ) -> None:
        """Let all values fade by `decay`, and raise those of `cells` (flat numbers) to what was found there.
        Cells of -1 stay."""
        values, impossible = self.values.view(-1), self.values.view(-1) < 0
        values.mul_(decay).scatter_reduce_(0, torch.from_numpy(cells), optical_thickness, "amax")
        values.masked_fill_(impossible, -1)

    @property
    def threshold(self) -> float:
        """The value above which a cell is occupied: 0.01, or the mean over the inner cube where that is
        less."""
        return min(OCCUPIED, float(self.values[0].clamp(min=0).mean()))

    def occupied(self) -> Bool[np.ndarray, "cascades z y x"]:
        """The occupied cells; a coarse one is occupied as well where a finer one in it is."""
        occupied = (self.values > self.threshold).numpy()
        cells = occupied.shape[1]
        middle, half = slice(cells // 4, cells - cells // 4), cells // 2
        for finer, coarser in pairwise(occupied):
            pairs = finer[0::2] | finer[1::2]
            pairs = pairs[:, 0::2] | pairs[:, 1::2]
            coarser[middle, middle, middle] |= pairs.reshape(half, half, half, 2).any(-1)
        return occupied

    def holding(self, points: Float[Tensor, "points 3"]) -> Bool[Tensor, " points"]:
        """Which points of [0, 1]^3 of the outermost cascade lie in an occupied cell of the finest cascade
        that holds them; points outside do not."""
        cascades, cells = self.values.shape[:2]
        occupied, holding = self.occupied(), torch.zeros(len(points), dtype=torch.bool)
        for cascade in range(cascades):  # from the coarsest on, so that the finest has the last word
            inner = (points - 0.5) * 2.0**cascade + 0.5
            inside = ((inner >= 0) & (inner < 1)).all(1)
            x, y, z = (inner[inside] * cells).long().clamp(0, cells - 1).unbind(1)
            holding[inside] = torch.from_numpy(occupied[cascades - 1 - cascade])[z, y, x]
        return holding

    def words(self) -> np.ndarray:
        """The occupied cells as `kernels.march.march` takes them: uint64 [cascades, cells^3 / 64]."""
        return pack_cells(self.occupied())


def visible(
    cameras: Cameras, points: Float[np.ndarray, "points 3"], near: float = 0.0
) -> Bool[np.ndarray, " points"]:
    """Which points of the world lie in the picture of a camera, and in none of them nearer than `near`.

    As nerfacc's `mark_invisible_cells` (Li et al. 2022) has it; depths are along the view axis.
    """
    seen, too_near = np.zeros(len(points), bool), np.zeros(len(points), bool)
    for number in range(len(cameras)):
        asked = np.arange(len(points)) if near > 0 else np.flatnonzero(~seen)
        pixels, depth = cameras.project(number, points[asked])
        shown = (pixels >= 0).all(1) & (pixels < cameras.sizes[number]).all(1)  # NaN: not shown
        seen[asked] |= shown
        too_near[asked] |= shown & (depth < near)
    return seen & ~too_near


def unseen_cells(
    cameras: Cameras, lower: Float[np.ndarray, "3"], side: float, cells: int, cascades: int = 1
) -> Bool[np.ndarray, "cascades z y x"]:
    """Cells of which no camera sees a corner. lower, side: of the inner cube, in the world.

    (Of a cell that a camera stands in it may see a part without a corner; there is nothing to be shown.)
    """
    unseen = []
    for cascade in range(cascades):
        axis = (np.linspace(0, 1, cells + 1) - 0.5) * 2**cascade + 0.5
        z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
        corners = np.stack([x, y, z], axis=-1).reshape(-1, 3) * side + lower
        seen = visible(cameras, corners).reshape((cells + 1,) * 3)
        for _ in range(3):  # along each axis: the lower or the upper corner
            seen = np.moveaxis(seen[:-1] | seen[1:], 0, -1)
        unseen.append(~seen)
    return np.stack(unseen)
