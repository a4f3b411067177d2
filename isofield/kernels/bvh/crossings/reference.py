"""Crossing triangles in exact rational arithmetic: the definition that the compiled kernel is compared
with.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np

__all__ = ["crossings"]


def crossings(corners: np.ndarray, places: np.ndarray, limit: int) -> np.ndarray:
    """The first `limit` pairs (f, g), f < g, of crossing triangles; corners [F, 3, 3], places [F, 3].

    Two triangles cross if they meet elsewhere than in corners and edges that they share. In one plane, they
    do if their interiors overlap. Corners are shared where their places are equal.
    """
    low, high = corners.min(axis=1), corners.max(axis=1)
    exact = [[[Fraction(float(x)) for x in corner] for corner in face] for face in corners]
    pairs: list[tuple[int, int]] = []
    for f in range(len(corners)):
        near = (low[f + 1 :] <= high[f]).all(axis=1) & (high[f + 1 :] >= low[f]).all(axis=1)
        for g in f + 1 + np.flatnonzero(near):
            if len(pairs) < limit and _cross(exact[f], exact[g], list(places[f]), list(places[g])):
                pairs.append((f, int(g)))
    return np.array(pairs, np.int32).reshape(-1, 2)


def _cross(t, u, places_t, places_u) -> bool:
    shared = set(places_t) & set(places_u)
    if all(_side(*t, corner) == 0 for corner in u):
        return _coplanar_overlap(t, u)
    if len(shared) >= 2:
        return False  # they meet in the common edge only
    t_edges, u_edges = _edges(t), _edges(u)
    if (
        len(shared) == 1
    ):  # the intersection is a segment that ends there: its other end is on an opposite edge
        t_edges = [t_edges[(places_t.index(*shared) + 1) % 3]]
        u_edges = [u_edges[(places_u.index(*shared) + 1) % 3]]
    return any(_pierces(*edge, u) for edge in t_edges) or any(_pierces(*edge, t) for edge in u_edges)


def _edges(t) -> list:
    return list(pairwise([*t, t[0]]))


def _pierces(p, q, t) -> bool:
    """Whether the segment pq, where it does not lie in the plane of t, meets the closed triangle t."""
    ends = _side(*t, p), _side(*t, q)
    if ends[0] * ends[1] > 0 or ends == (0, 0):
        return False
    sides = {_side(p, q, *edge) for edge in _edges(t)}
    return not {-1, 1} <= sides


def _side(a, b, c, d) -> int:
    """Sign of the determinant of (a - d, b - d, c - d)."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = ([x - y for x, y in zip(v, d)] for v in (a, b, c))
    return _sign(az * (bx * cy - cx * by) + bz * (cx * ay - ax * cy) + cz * (ax * by - bx * ay))


def _coplanar_overlap(t, u) -> bool:
    """Whether no edge of either triangle separates the interiors, seen along an axis where t has an area."""
    for i, j in ((0, 1), (1, 2), (2, 0)):
        flat_t, flat_u = ([(corner[i], corner[j]) for corner in face] for face in (t, u))
        if _turn(*flat_t) != 0:
            return all(
                any(_turn(*edge, corner) == _turn(*v) for corner in w)
                for v, w in ((flat_t, flat_u), (flat_u, flat_t))
                for edge in _edges(v)
            )
    return False


def _turn(a, b, c) -> int:
    """Sign of the area of the plane triangle abc."""
    return _sign((a[0] - c[0]) * (b[1] - c[1]) - (a[1] - c[1]) * (b[0] - c[0]))


def _sign(x) -> int:
    return (x > 0) - (x < 0)
