"""The compiled kernel."""

import numpy as np
from numba import njit

__all__ = ["mark"]


@njit(nogil=True, cache=True, error_model="numpy")
def mark(start, stop, triangles, cells):
    """Mark the cells [R, R, R] that triangles start .. stop - 1 touch.

    A row of cells along the axis on which the normal is longest meets the triangle's plane in a few cells
    only: these are tested, so that a large triangle costs its area, not its bounding box.
    """
    first, last, cell = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    normal, most = np.empty(3), cells.shape[0] - 1
    for t in range(start, stop):
        triangle = triangles[t]
        for k in range(3):
            low = min(triangle[0, k], triangle[1, k], triangle[2, k])
            high = max(triangle[0, k], triangle[1, k], triangle[2, k])
            first[k] = int(min(max(np.ceil(low) - 1.0, 0.0), most + 1.0))
            last[k] = int(max(min(np.floor(high), float(most)), -1.0))
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            normal[k] = (triangle[1, i] - triangle[0, i]) * (triangle[2, j] - triangle[1, j])
            normal[k] -= (triangle[1, j] - triangle[0, j]) * (triangle[2, i] - triangle[1, i])
        w = int(np.argmax(np.abs(normal)))
        u, v = (w + 1) % 3, (w + 2) % 3
        reach = (abs(normal[0]) + abs(normal[1]) + abs(normal[2])) / 2
        for a in range(first[u], last[u] + 1):
            for b in range(first[v], last[v] + 1):
                cell[u], cell[v] = a, b
                low, high = first[w], last[w]
                if normal[w] != 0.0:
                    across = normal[u] * (a + 0.5 - triangle[0, u]) + normal[v] * (b + 0.5 - triangle[0, v])
                    middle = triangle[0, w] - across / normal[w] - 0.5
                    half = reach / abs(normal[w]) + 0.5  # half a cell more than needed, for rounding
                    low = max(low, int(min(max(np.ceil(middle - half), 0.0), most + 1.0)))
                    high = min(high, int(max(min(np.floor(middle + half), float(most)), -1.0)))
                for c in range(low, high + 1):
                    cell[w] = c
                    if not cells[cell[0], cell[1], cell[2]] and _touch(triangle, normal, reach, cell):
                        cells[cell[0], cell[1], cell[2]] = True


@njit(nogil=True, cache=True, error_model="numpy")
def _touch(triangle, normal, reach, cell):
    """Whether none of the axes other than the grid's own parts the triangle from the cell."""
    distance = 0.0
    for k in range(3):
        distance += normal[k] * (triangle[0, k] - cell[k] - 0.5)
    if abs(distance) > reach:
        return False
    for edge in range(3):
        p, q, r = edge, (edge + 1) % 3, (edge + 2) % 3
        for k in range(3):
            # the axis unit_k x (q - p) lies in the plane of i and j, and p and q have one shadow on it
            i, j = (k + 1) % 3, (k + 2) % 3
            along_i, along_j = triangle[p, j] - triangle[q, j], triangle[q, i] - triangle[p, i]
            x, y = cell[i] + 0.5, cell[j] + 0.5
            one = along_i * (triangle[p, i] - x) + along_j * (triangle[p, j] - y)
            other = along_i * (triangle[r, i] - x) + along_j * (triangle[r, j] - y)
            half = (abs(along_i) + abs(along_j)) / 2
            if min(one, other) > half or max(one, other) < -half:
                return False
    return True
