"""Compiled counts of edges and fans, and union-find."""

import numpy as np
from numba import njit

from ...runtime.threads import run_pieces, split, threads

__all__ = ["components", "edges_and_fans"]

_SMALL = 20_000  # faces; below this, starting a thread costs more than the work


def edges_and_fans(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """As `kernels.topology.edges_and_fans`."""
    faces = np.ascontiguousarray(faces)
    starts = np.zeros(vertex_count + 1, np.int32)
    corners = np.empty(faces.size, np.int32)
    _group_corners(faces, starts, corners)
    largest = int(np.diff(starts).max(initial=0))
    pieces = split(vertex_count, threads() if len(faces) > _SMALL else 1)
    counts = np.zeros((len(pieces), 6), np.int64)
    run_pieces(
        _count, [(faces, starts, corners, largest, *piece, counts[n]) for n, piece in enumerate(pieces)]
    )
    return counts.sum(axis=0)


def components(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """As `kernels.topology.components`."""
    names = np.arange(vertex_count, dtype=np.int32)
    _join(np.ascontiguousarray(faces), names)
    return names


@njit(nogil=True, cache=True)
def _group_corners(faces, starts, corners):
    """Corners 3 f + k grouped by their vertex: those of vertex v are corners[starts[v] : starts[v + 1]]."""
    for f in range(faces.shape[0]):
        for k in range(3):
            starts[faces[f, k]] += 1
    total = 0
    for v in range(starts.shape[0]):
        total += starts[v]
        starts[v] = total
    for f in range(faces.shape[0] - 1, -1, -1):
        for k in range(2, -1, -1):
            v = faces[f, k]
            starts[v] -= 1
            corners[starts[v]] = 3 * f + k


@njit(nogil=True, cache=True)
def _count(faces, starts, corners, largest, first, last, counts):
    """Add the counts of vertices first..last; an edge is counted at its smaller vertex."""
    slot = np.empty(starts.shape[0] - 1, np.int32)  # neighbour -> its place in the lists below
    for v in range(slot.shape[0]):
        slot[v] = -1
    neighbours = np.empty(2 * largest, np.int32)
    leaving, arriving = np.empty(2 * largest, np.int32), np.empty(2 * largest, np.int32)
    parent = np.empty(2 * largest, np.int32)
    for v in range(first, last):
        if starts[v] == starts[v + 1]:
            continue
        found, fans = 0, 0
        for n in range(starts[v], starts[v + 1]):
            f, k = corners[n] // 3, corners[n] % 3
            a, b = faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]
            for w in (a, b):
                if slot[w] < 0:
                    slot[w] = found
                    neighbours[found], leaving[found], arriving[found], parent[found] = w, 0, 0, found
                    found += 1
                    fans += 1
            i, j = slot[a], slot[b]
            leaving[i] += 1
            arriving[j] += 1
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            while parent[j] != j:
                parent[j] = parent[parent[j]]
                j = parent[j]
            if i != j:
                parent[i] = j
                fans -= 1
        for n in range(found):
            w = neighbours[n]
            slot[w] = -1
            if w > v:
                uses = leaving[n] + arriving[n]
                counts[0] += 1
                counts[1] += uses == 1
                counts[2] += uses == 2 and leaving[n] != 1
                counts[3] += uses > 2
        counts[4] += 1
        counts[5] += fans > 1


@njit(nogil=True, cache=True)
def _join(faces, names):
    """Union-find; a root is always the smallest vertex of its part."""
    for f in range(faces.shape[0]):
        for k in range(2):
            i, j = faces[f, k], faces[f, k + 1]
            while names[i] != i:
                names[i] = names[names[i]]
                i = names[i]
            while names[j] != j:
                names[j] = names[names[j]]
                j = names[j]
            if i < j:
                names[j] = i
            elif j < i:
                names[i] = j
    for v in range(names.shape[0]):
        names[v] = names[names[v]]  # smaller vertices are done already
