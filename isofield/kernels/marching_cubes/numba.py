"""Compiled marching cubes."""

import numpy as np
from numba import njit

from ...runtime.threads import run_pieces, split, threads
from . import NEAREST, first_vertices
from .table import EDGE_LISTS, EDGES, FACE_COUNTS, OWNED_AXES

__all__ = ["active_cells", "connect", "place_vertices"]

_EDGE_CORNERS = np.array([corner for corner, _ in EDGES])
_EDGE_AXES = np.array([axis for _, axis in EDGES])
_SMALL = 4096  # cells; below this, starting a thread costs more than the work


def active_cells(depth: np.ndarray, first_plane: int) -> tuple[np.ndarray, np.ndarray]:
    """As `kernels.marching_cubes.active_cells`: counted first, then written, by slabs of layers."""
    depth = np.ascontiguousarray(depth)
    pieces = split(len(depth) - 1, 4 * threads())
    counts = np.zeros(len(pieces) + 1, np.int64)
    nothing = np.empty(0, np.int64), np.empty(0, np.uint8)

    def count(piece: int) -> None:
        counts[piece + 1] = _scan(depth, *pieces[piece], first_plane, *nothing, -1)

    run_pieces(count, [(piece,) for piece in range(len(pieces))])
    ends = np.cumsum(counts)
    cells, cases = np.empty(ends[-1], np.int64), np.empty(ends[-1], np.uint8)
    run_pieces(
        _scan,
        [
            (depth, *layers, first_plane, cells, cases, at)
            for layers, at, found in zip(pieces, ends, counts[1:])
            if found
        ],
    )
    return cells, cases


def place_vertices(
    depth: np.ndarray, first_plane: int, cells: np.ndarray, cases: np.ndarray, axes: tuple[np.ndarray, ...]
) -> np.ndarray:
    """As `kernels.marching_cubes.place_vertices`."""
    depth = np.ascontiguousarray(depth)
    first = first_vertices(cases)
    vertices = np.empty((first[-1], 3), np.float32)
    pieces = split(len(cells), 4 * threads() if len(cells) > _SMALL else 1)
    run_pieces(
        _place,
        [(depth, first_plane, cells, cases, OWNED_AXES, first, *axes, *piece, vertices) for piece in pieces],
    )
    return vertices


def connect(cells: np.ndarray, cases: np.ndarray, points: tuple[int, int], faces: np.ndarray) -> None:
    """As `kernels.marching_cubes.connect`."""
    first = first_vertices(cases)
    row, plane = points[1], points[0] * points[1]
    pieces = split(len(cells), 4 * threads() if len(cells) > _SMALL else 1)
    tables = OWNED_AXES, FACE_COUNTS, EDGE_LISTS, _EDGE_CORNERS, _EDGE_AXES
    work, at = [], 0
    for start, stop in pieces:
        ahead = np.searchsorted(cells, cells[start] + np.array([row, plane, plane + row]))
        work.append((cells, cases, first, row, plane, *ahead, start, stop, at, *tables, faces))
        at += int(FACE_COUNTS[cases[start:stop]].sum(dtype=np.int64))
    run_pieces(_connect, work)


@njit(nogil=True, cache=True)
def _scan(depth, first, last, first_plane, cells, cases, at):
    """Count the active cells of layers first..last; where `at` is not negative, write them from there on."""
    rows, columns = depth.shape[1], depth.shape[2]
    count = 0
    for i in range(first, last):
        for j in range(rows - 1):
            base = ((i + first_plane) * rows + j) * columns
            before = 0
            for k in range(columns):
                corners = np.int64(depth[i, j, k] > 0) | np.int64(depth[i + 1, j, k] > 0) << 1
                corners |= np.int64(depth[i, j + 1, k] > 0) << 2 | np.int64(depth[i + 1, j + 1, k] > 0) << 3
                case = before | corners << 4
                before = corners
                if k > 0 and case != 0 and case != 255:
                    if at >= 0:
                        cells[at + count] = base + k - 1
                        cases[at + count] = case
                    count += 1
    return count


@njit(nogil=True, cache=True)
def _place(
    depth, first_plane, cells, cases, owned_axes, first, x_axis, y_axis, z_axis, start, stop, vertices
):
    rows, columns = depth.shape[1], depth.shape[2]
    for c in range(start, stop):
        owned = owned_axes[cases[c]]
        if owned == 0:
            continue
        row = cells[c] // columns
        k = cells[c] - row * columns
        i, j = row // rows, row % rows
        low = np.float64(depth[i - first_plane, j, k])
        vertex = first[c]
        for axis in range(3):
            if not owned >> axis & 1:
                continue
            di, dj, dk = np.int64(axis == 0), np.int64(axis == 1), np.int64(axis == 2)
            high = np.float64(depth[i - first_plane + di, j + dj, k + dk])
            share = min(max(low / (low - high), NEAREST), 1 - NEAREST)
            x, y, z = np.float64(x_axis[i]), np.float64(y_axis[j]), np.float64(z_axis[k])
            vertices[vertex, 0] = x + share * (np.float64(x_axis[i + di]) - x)
            vertices[vertex, 1] = y + share * (np.float64(y_axis[j + dj]) - y)
            vertices[vertex, 2] = z + share * (np.float64(z_axis[k + dk]) - z)
            vertex += 1


@njit(nogil=True, cache=True)
def _connect(
    cells, cases, first, row, plane, next_row, next_plane, next_both, start, stop, face,
    owned_axes, face_counts, edge_lists, edge_corners, edge_axes, faces,
):  # fmt: skip
    """next_row, next_plane, next_both: where the first cell's neighbour stands (or would) in the list."""
    last = cells.shape[0] - 1
    owner = np.empty(8, np.int64)
    for c in range(start, stop):
        cell = cells[c]
        # cells are in order, so their neighbours are met in order too: three marks that only move forward
        while next_row < last and cells[next_row] < cell + row:
            next_row += 1
        while next_plane < last and cells[next_plane] < cell + plane:
            next_plane += 1
        while next_both < last and cells[next_both] < cell + plane + row:
            next_both += 1
        owner[0], owner[4] = c, c + 1
        owner[1], owner[2], owner[3] = next_plane, next_row, next_both
        owner[5] = next_plane + np.int64(cells[next_plane] == cell + plane)
        owner[6] = next_row + np.int64(cells[next_row] == cell + row)
        case = cases[c]
        for n in range(face_counts[case]):
            for m in range(3):
                edge = edge_lists[case, 3 * n + m]
                holder = owner[edge_corners[edge]]
                axis = edge_axes[edge]
                owned = owned_axes[cases[holder]]
                vertex = first[holder]
                if axis > 0:
                    vertex += owned & 1
                if axis > 1:
                    vertex += owned >> 1 & 1
                faces[face, m] = vertex
            face += 1
