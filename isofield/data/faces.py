"""Polygons and strips as triangles, and vertices that are stored once for every corner as shared ones."""

import numpy as np

__all__ = ["fan_triangles", "first_occurrences", "list_places", "strip_triangles"]


def fan_triangles(counts: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles [F, 3] of polygons: corner 0 with each following pair, in the order of the polygons.

    counts: int [P], corners of each polygon; those with fewer than 3 give nothing. corners: [sum(counts)]
    vertex indices, polygon after polygon.
    """
    if len(counts) and np.all(counts == 3):
        return corners.reshape(-1, 3)
    pieces = np.maximum(counts - 2, 0)
    polygon = np.repeat(np.arange(len(counts)), pieces)
    first = (np.cumsum(counts) - counts)[polygon]
    step = np.arange(len(polygon)) - (np.cumsum(pieces) - pieces)[polygon]
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def list_places(places: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """Where each value of many lists is: list i begins at places[i], with counts[i] values of `size`."""
    start = np.repeat(places - (np.cumsum(counts) - counts) * size, counts)
    return start + np.arange(len(start)) * size


def strip_triangles(strip: np.ndarray) -> np.ndarray:
    """Triangles [F, 3] of triangle strips: each index with the two before it, every second one turned over.

    strip: int [N]; an index of -1 ends a strip and starts the next.
    """
    if len(strip) < 3:
        return np.zeros((0, 3), strip.dtype)
    position = np.arange(len(strip))
    start = np.maximum.accumulate(np.where(strip == -1, position + 1, 0))
    triangles = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1)
    odd = (position - start)[:-2] % 2 == 1
    triangles[odd] = triangles[odd][:, [1, 0, 2]]
    # repeated indices only stitch strips together
    distinct = np.all(triangles != np.roll(triangles, 1, axis=1), axis=1)
    return triangles[distinct & np.all(triangles != -1, axis=1)]


def first_occurrences(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of `vertices` [V, 3] are exactly equal: (kept, shared).

    kept: int64 [K], the rows that occur first, ascending. shared: int64 [V], for each row its place among the
    kept ones, so that `vertices[kept][shared]` equals `vertices`. 0.0 and -0.0 are equal.
    """
    if not len(vertices):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # -0.0 + 0.0 is 0.0: equal numbers have equal bits
    rows = np.ascontiguousarray(vertices, np.float64) + 0.0
    key = _mixed(rows.view(np.uint64))
    order = np.argsort(key, kind="stable")  # equal rows become neighbours, the first occurrence in front
    rows, key = rows[order], key[order]
    same_key = key[1:] == key[:-1]
    same = np.all(rows[1:] == rows[:-1], axis=1)
    if not np.array_equal(same_key, same):  # two different rows with one key: sort the numbers themselves
        order = np.lexsort(vertices.T[::-1])
        rows = vertices[order]
        same = np.all(rows[1:] == rows[:-1], axis=1)
    new = np.concatenate([[True], ~same])
    first = order[new]  # both sorts are stable, so each group starts with its lowest row
    kept = np.sort(first)
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    shared = np.empty(len(order), np.int64)
    shared[order] = place[np.cumsum(new) - 1]
    return kept, shared


def _mixed(bits: np.ndarray) -> np.ndarray:
    """A 64-bit key for each row of bits [V, 3]: multiply-and-shift mixing (splitmix64's constants)."""
    key = np.zeros(len(bits), np.uint64)
    for column in bits.T:
        key = (key ^ column) * np.uint64(0xBF58476D1CE4E5B9)
        key ^= key >> np.uint64(31)
        key *= np.uint64(0x94D049BB133111EB)
        key ^= key >> np.uint64(29)
    return key
