"""The definition in plain numpy, one triangle at a time."""

import numpy as np

__all__ = ["mark"]


def mark(start: int, stop: int, triangles: np.ndarray, cells: np.ndarray) -> None:
    """Mark the cells that triangles start .. stop - 1 touch; as `kernels.touched_cells.touched_cells`."""
    most = np.array(cells.shape) - 1
    for triangle in triangles[start:stop]:
        # the shadows on the grid's own axes: all cells that the bounding box touches
        first = np.clip(np.ceil(triangle.min(axis=0)) - 1, 0, most + 1).astype(int)
        last = np.clip(np.floor(triangle.max(axis=0)), -1, most).astype(int)
        ranges = [np.arange(a, b + 1) for a, b in zip(first, last)]
        near = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
        corners = triangle - (near[:, None, :] + 0.5)  # [cells, 3, 3], seen from each cell's centre
        edges = np.roll(triangle, -1, axis=0) - triangle
        axes = [np.cross(edges[0], edges[1]), *(np.cross(axis, e) for axis in np.eye(3) for e in edges)]
        touched = np.ones(len(near), bool)
        for axis in axes:
            shadow, half = corners @ axis, np.abs(axis).sum() / 2
            touched &= (shadow.min(axis=1) <= half) & (shadow.max(axis=1) >= -half)
        cells[tuple(near[touched].T)] = True
