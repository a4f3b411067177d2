"""The compiled kernel of self-intersections."""

import numpy as np
from numba import njit

__all__ = ["crossings"]


@njit(nogil=True, cache=True)
def crossings(start, stop, bounds, boxes, links, order, corners, places, pairs):
    """Write pairs of crossing faces, each of rows[start:stop] with a later row, and return their number.

    The search ends when pairs, int32 [limit, 2], is full. bounds: float32 [F, 6] by row. corners: float64
    [F, 3, 3] and places: int32 [F, 3] by face; corners are the same point where places are equal.
    """
    count = 0
    stack = np.empty(256, np.int64)
    for i in range(start, stop):
        own = bounds[i]
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if not _overlap(own, boxes[node]):
                continue
            first, length = links[node, 0], links[node, 1]
            if length == 0:
                stack[top], stack[top + 1] = first, node + 1
                top += 2
                continue
            for j in range(max(first, i + 1), first + length):
                if not _overlap(own, bounds[j]):
                    continue
                f, g = min(order[i], order[j]), max(order[i], order[j])
                if _cross(corners, places, f, g):
                    if count == pairs.shape[0]:
                        return count
                    pairs[count, 0], pairs[count, 1] = f, g
                    count += 1
    return count


@njit(nogil=True, cache=True)
def _overlap(a, b):
    x = a[0] <= b[3] and b[0] <= a[3]
    y = a[1] <= b[4] and b[1] <= a[4]
    return x and y and a[2] <= b[5] and b[2] <= a[5]


@njit(nogil=True, cache=True)
def _cross(corners, places, f, g):
    """Whether two triangles meet elsewhere than in corners and edges that they share."""
    shared = 0
    apart_f = apart_g = 0  # where one corner is shared: its number in either triangle
    for k in range(3):
        for m in range(3):
            if places[f, k] == places[g, m]:
                shared += 1
                apart_f, apart_g = k, m
    t, u = corners[f], corners[g]
    above = below = 0
    for m in range(3):
        side = 0 if shared == 1 and m == apart_g else _side(t[0], t[1], t[2], u[m])
        above += side > 0
        below += side < 0
    if above == 0 and below == 0:
        return _coplanar_overlap(t, u)
    if shared >= 2 or above == 3 or below == 3:
        return False
    if shared == 1:
        p, q = (apart_f + 1) % 3, (apart_f + 2) % 3
        r, s = (apart_g + 1) % 3, (apart_g + 2) % 3
        return _pierces(t[p], t[q], u) or _pierces(u[r], u[s], t)
    met = False
    for k in range(3):
        met = met or _pierces(t[k], t[(k + 1) % 3], u) or _pierces(u[k], u[(k + 1) % 3], t)
    return met


@njit(nogil=True, cache=True)
def _pierces(p, q, t):
    """Whether the segment pq, which is not in the plane of triangle t, meets t, border included."""
    a, b = _side(t[0], t[1], t[2], p), _side(t[0], t[1], t[2], q)
    if a * b > 0 or (a == 0 and b == 0):
        return False
    ahead = back = 0
    for k in range(3):
        side = _side(p, q, t[k], t[(k + 1) % 3])
        ahead += side > 0
        back += side < 0
    return ahead == 0 or back == 0


@njit(nogil=True, cache=True)
def _side(a, b, c, d):
    """Sign of the determinant of (a - d, b - d, c - d); 0 where rounding could change it.

    The bound is the first filter of Shewchuk 1997, "Adaptive precision floating-point arithmetic and fast
    robust geometric predicates".
    """
    ax, ay, az = a[0] - d[0], a[1] - d[1], a[2] - d[2]
    bx, by, bz = b[0] - d[0], b[1] - d[1], b[2] - d[2]
    cx, cy, cz = c[0] - d[0], c[1] - d[1], c[2] - d[2]
    determinant = az * (bx * cy - cx * by) + bz * (cx * ay - ax * cy) + cz * (ax * by - bx * ay)
    bound = abs(az) * (abs(bx * cy) + abs(cx * by))
    bound += abs(bz) * (abs(cx * ay) + abs(ax * cy)) + abs(cz) * (abs(ax * by) + abs(bx * ay))
    if abs(determinant) <= 7.8e-16 * bound:
        return 0
    return 1 if determinant > 0 else -1


@njit(nogil=True, cache=True)
def _coplanar_overlap(t, u):
    """Whether the interiors of two triangles in one plane overlap: no edge of either has the other beyond
    it.
    """
    drop = 0
    largest = -1.0
    for k in range(3):  # the plane is seen along the axis where the triangle t is largest
        i, j = (k + 1) % 3, (k + 2) % 3
        area = (t[1, i] - t[0, i]) * (t[2, j] - t[0, j]) - (t[1, j] - t[0, j]) * (t[2, i] - t[0, i])
        if abs(area) > largest:
            largest, drop = abs(area), k
    i, j = (drop + 1) % 3, (drop + 2) % 3
    for swap in range(2):
        v, w = (t, u) if swap == 0 else (u, t)
        turn = _turn(v[0, i], v[0, j], v[1, i], v[1, j], v[2, i], v[2, j])
        for k in range(3):
            m = (k + 1) % 3
            inner = 0
            for n in range(3):
                inner += _turn(v[k, i], v[k, j], v[m, i], v[m, j], w[n, i], w[n, j]) * turn > 0
            if inner == 0:
                return False
    return True


@njit(nogil=True, cache=True)
def _turn(ax, ay, bx, by, cx, cy):
    """Sign of the area of the plane triangle abc; 0 where rounding could change it (again Shewchuk 1997)."""
    left, right = (ax - cx) * (by - cy), (ay - cy) * (bx - cx)
    if abs(left - right) <= 3.4e-16 * (abs(left) + abs(right)):
        return 0
    return 1 if left > right else -1
