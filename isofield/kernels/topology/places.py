"""Vertices at the same place."""

import numpy as np

__all__ = ["first_occurrences"]


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
