"""Multiresolution hash encoding, the definition (Mueller et al. 2022, "Instant Neural Graphics Primitives",
section 3).

A point x in [0, 1]^D is scaled onto the grid of each level; the 2^D corners of its cell look up feature
vectors in that level's part of the table; they are interpolated D-linearly; the levels are concatenated.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = [
    "Level",
    "corners",
    "encode",
    "nerfstudio_levels",
    "paper_levels",
    "plane_levels",
    "tcnn_levels",
]

PRIMES = (1, 2654435761, 805459861)
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Level:
    """One grid of the pyramid. A point x lies at x * scale + shift in units of its cells.

    stride: of the index sum_d c_d * stride^d modulo rows; vertices along an axis where each has a row of its
    own; 0 means that indices are hashed.
    offset, rows: the level's part of the table, rows [offset, offset + rows).
    """

    scale: float
    shift: float
    stride: int
    offset: int
    rows: int


def paper_levels(
    levels: int, coarsest: int, finest: float, log2_table: int, dimensions: int = 3
) -> tuple[Level, ...]:
    """Levels as the paper writes them: N_l = floor(coarsest * b^l) cells, vertices on [0, N_l], dense where
    they fit (equations 2, 3)."""
    growth = (finest / coarsest) ** (1 / (levels - 1)) if levels > 1 else 1.0
    result, offset = [], 0
    for level in range(levels):
        cells = math.floor(coarsest * growth**level + 1e-6)
        vertices = (cells + 1) ** dimensions
        rows = min(vertices, 2**log2_table)
        result.append(Level(float(cells), 0.0, cells + 1 if rows == vertices else 0, offset, rows))
        offset += rows
    return tuple(result)


def plane_levels(levels: int, coarsest: int, finest: float, rows: int) -> tuple[Level, ...]:
    """Levels for two dimensions, N_l cells as in the paper, with `rows` feature vectors in all.

    Grids are shifted by half a cell, so that the vertices of a grid of one cell a pixel lie on the centres of
    pixels: each is seen by a pixel of its own, and what is interpolated between pixels lies between what is
    at them. Two things more are not the paper's, where every grid may have 2^T vectors and random ones of its
    vertices share one. A grid that needs more than an equal share of what the smaller grids leave gets that
    share, any whole number R, so that the whole budget is used. And its vertex (x, y) takes row
    (x + s y) mod R, with s next to R over the golden ratio: vertices that share a row lie on a lattice, all
    far apart and equally many to a row. Random sharing leaves rows unused and others crowded; at equal bytes
    it loses 1 to 2 dB. Raises ValueError where `rows` is less than one for each level.
    """
    if rows < levels:
        raise ValueError(f"{levels} levels need as many rows or more, not {rows}")
    growth = (finest / coarsest) ** (1 / (levels - 1)) if levels > 1 else 1.0
    cells = [math.floor(coarsest * growth**level + 1e-6) for level in range(levels)]
    result, offset = [], 0
    for level, count in enumerate(cells):  # coarse to fine: what a small grid does not need, finer ones share
        vertices = (count + 2) ** 2
        kept = min(vertices, (rows - offset) // (levels - level))
        stride = count + 2 if kept == vertices else max(round(kept * GOLDEN), 1)
        result.append(Level(float(count), 0.5, stride, offset, kept))
        offset += kept
    return tuple(result)


def tcnn_levels(
    levels: int, coarsest: int, growth: float, log2_table: int, dimensions: int = 3
) -> tuple[Level, ...]:
    """Levels as the published CUDA code (tiny-cuda-nn) has them: scale N b^l - 1, shifted by half a cell,
    rows rounded up to 8."""
    result, offset = [], 0
    for level in range(levels):
        scale = coarsest * growth**level - 1
        resolution = math.ceil(scale) + 1
        rows = min(-(-(resolution**dimensions) // 8) * 8, 2**log2_table)
        result.append(Level(scale, 0.5, resolution if rows >= resolution**dimensions else 0, offset, rows))
        offset += rows
    return tuple(result)


def nerfstudio_levels(levels: int, coarsest: int, finest: int, log2_table: int) -> tuple[Level, ...]:
    """Levels as nerfstudio's torch code has them: every level hashed, 2^log2_table rows each."""
    growth = math.exp((math.log(finest) - math.log(coarsest)) / (levels - 1))
    rows = 2**log2_table
    scales = [math.floor(coarsest * growth**level + 1e-6) for level in range(levels)]
    return tuple(Level(float(scale), 0.0, 0, level * rows, rows) for level, scale in enumerate(scales))


def corners(
    points: Float[Tensor, "points dimensions"], level: Level, smooth: bool = False
) -> tuple[Int[Tensor, "points corners"], Float[Tensor, "points corners"]]:
    """Rows of the table at the corners of each point's cell, and their weights. Corner k has bit d of k added
    along axis d.

    smooth: weights from the smoothstep 3 f^2 - 2 f^3 of the fraction f, for continuous first derivatives
    (appendix A).
    """
    position = points.clamp(0, 1) * level.scale + level.shift
    cell = position.detach().floor()
    fraction = position - cell
    if smooth:
        fraction = fraction * fraction * (3 - 2 * fraction)
    rows, weights = [], []
    for corner in range(2 ** points.shape[1]):
        row = torch.zeros(len(points), dtype=torch.int64, device=points.device)
        weight = torch.ones_like(fraction[:, 0])
        for axis in range(points.shape[1]):
            up = corner >> axis & 1
            coordinate = cell[:, axis].long() + up
            if level.stride:
                row = row + coordinate * level.stride**axis
            else:
                row = row ^ (coordinate * PRIMES[axis] & 0xFFFFFFFF)
            weight = weight * (fraction[:, axis] if up else 1 - fraction[:, axis])
        rows.append(row % level.rows + level.offset)
        weights.append(weight)
    return torch.stack(rows, 1), torch.stack(weights, 1)


def encode(
    points: Float[Tensor, "points dimensions"],
    table: Float[Tensor, "rows features"],
    levels: tuple[Level, ...],
    smooth: bool = False,
) -> Float[Tensor, "points encoded"]:
    """Features of points in [0, 1]^D (points outside are clamped), level major: [points, levels * features].

    Differentiable in the points and the table, as often as wanted.
    """
    encoded = []
    for level in levels:
        rows, weights = corners(points, level, smooth)
        encoded.append((table[rows] * weights[:, :, None]).sum(1))
    return torch.cat(encoded, 1)
