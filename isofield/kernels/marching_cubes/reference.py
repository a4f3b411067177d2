"""The definition of marching cubes in plain numpy."""

import numpy as np

from . import NEAREST
from .table import EDGE_LISTS, EDGES, FACE_COUNTS, OWNED_AXES

__all__ = ["active_cells", "connect", "place_vertices"]


def active_cells(depth: np.ndarray, first_plane: int) -> tuple[np.ndarray, np.ndarray]:
    """As `kernels.marching_cubes.active_cells`."""
    inside = (depth > 0).astype(np.uint8)
    cases = np.zeros([n - 1 for n in depth.shape], np.uint8)
    for corner in range(8):
        window = tuple(slice(corner >> a & 1, n - 1 + (corner >> a & 1)) for a, n in enumerate(depth.shape))
        cases |= inside[window] << np.uint8(corner)
    x, y, z = np.nonzero((cases > 0) & (cases < 255))
    return ((x + first_plane) * depth.shape[1] + y) * depth.shape[2] + z, cases[x, y, z]


def place_vertices(
    depth: np.ndarray, first_plane: int, cells: np.ndarray, cases: np.ndarray, axes: tuple[np.ndarray, ...]
) -> np.ndarray:
    """As `kernels.marching_cubes.place_vertices`."""
    cell, axis = np.nonzero(OWNED_AXES[cases][:, None] >> np.arange(3) & 1)  # in the order of edges
    row, z = np.divmod(cells[cell], depth.shape[2])
    x, y = np.divmod(row, depth.shape[1])
    low = np.stack([x, y, z], axis=1)
    high = low + np.eye(3, dtype=np.int64)[axis]

    def at(points: np.ndarray) -> np.ndarray:
        return depth[points[:, 0] - first_plane, points[:, 1], points[:, 2]].astype(np.float64)

    share = np.clip(at(low) / (at(low) - at(high)), NEAREST, 1 - NEAREST)
    start = np.stack([axes[a][low[:, a]] for a in range(3)], axis=1).astype(np.float64)
    stop = np.stack([axes[a][high[:, a]] for a in range(3)], axis=1).astype(np.float64)
    return (start + share[:, None] * (stop - start)).astype(np.float32)


def connect(cells: np.ndarray, cases: np.ndarray, points: tuple[int, int], faces: np.ndarray) -> None:
    """As `kernels.marching_cubes.connect`."""
    steps = np.array([points[0] * points[1], points[1], 1])
    of_edge = np.array(
        [3 * sum(steps[a] for a in range(3) if corner >> a & 1) + axis for corner, axis in EDGES]
    )
    used = np.arange(EDGE_LISTS.shape[1]) < 3 * FACE_COUNTS[cases][:, None]
    keys = (3 * cells[:, None] + of_edge[EDGE_LISTS[cases]])[used]
    faces[:] = np.searchsorted(np.unique(keys), keys).reshape(-1, 3)
