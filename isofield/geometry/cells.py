"""The cells of the cube [-0.5, 0.5]^3 that a mesh touches or fills, as Occupancy Networks makes its voxels.

Cells are bool [R, R, R], by x, y, z: cell i along an axis is [i / R - 0.5, (i + 1) / R - 0.5], sampled at its
centre (i + 0.5) / R - 0.5. Where a whole grid in any frame is wanted by its centres alone, see
`data.voxels.voxelised`.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_fill_holes

from ..kernels.touched_cells import touched_cells
from .mesh import Mesh

__all__ = ["in_cells", "interior_cells", "occupied_cells", "surface_cells", "without_holes"]

JITTER = 0.1  # of a cell: the width of the interval from which a centre is moved on each axis
_CHUNK = 1 << 20  # centres at a time

Cells = Bool[np.ndarray, "R R R"]
InsideTest = Callable[[Float[np.ndarray, "points 3"]], Bool[np.ndarray, " points"]]
Random = np.random.Generator | np.random.RandomState


def surface_cells(mesh: Mesh, resolution: int) -> Cells:
    """The cells that a face of the mesh touches; what lies outside the cube is left out.

    Cells are closed (see `touched_cells`): a face between two layers of cells marks both. The published code
    computes in single precision and takes the cells of a face's bounding box as half open, which marks one.
    """
    corners = mesh.vertices.astype(np.float64)[mesh.faces]
    return touched_cells((corners + 0.5) * resolution, resolution)


def interior_cells(inside: InsideTest, resolution: int, rng: Random) -> Cells:
    """The cells whose centres, each moved by up to 1/20 of a cell on every axis, are inside.

    inside: of points [N, 3], for a mesh `Solid(mesh).occupancy`. The published code moves the centres because
    its crossing test fails on rays through edges and vertices; winding numbers do not need that, but equal
    draws give equal cells.
    """
    cells = np.empty(resolution**3, bool)
    for start in range(0, len(cells), _CHUNK):
        index = np.arange(start, min(start + _CHUNK, len(cells)))
        centres = np.stack(np.unravel_index(index, (resolution,) * 3), axis=1) + 0.5
        moved = centres + JITTER * (rng.random((len(index), 3)) - 0.5)
        cells[index] = inside(moved / resolution - 0.5)
    return cells.reshape((resolution,) * 3)


def occupied_cells(mesh: Mesh, inside: InsideTest, resolution: int, rng: Random) -> Cells:
    """Surface and interior together: the voxels of the published data (there by the method "ray")."""
    return surface_cells(mesh, resolution) | interior_cells(inside, resolution, rng)


def without_holes(cells: Cells) -> Cells:
    """The cells and all that they enclose: what no path of empty cells, from face to face, joins to the
    outside (published as the method "fill")."""
    return binary_fill_holes(cells)


def in_cells(cells: Cells, points: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
    """Whether each point lies in a filled cell; none outside the cube does. Cells are half open here: a point
    between two of them belongs to the upper one."""
    size = cells.shape[0]
    place = np.floor((points + 0.5) * size)
    found = np.all((place >= 0) & (place < size), axis=1)
    found[found] = cells[tuple(place[found].astype(np.int64).T)]
    return found
