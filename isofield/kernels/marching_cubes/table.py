"""The 256 cases of marching cubes, derived by code instead of copied.

A corner of a cell has the number dx + 2 dy + 4 dz; bit c of a case says whether corner c is inside. On each
face of the cube every maximal run of inside corners is cut off by one segment. This is one rule for all
faces, ambiguous ones included (there the two inside corners are separated), so that neighbouring cells always
agree. The segments of a cell close to polygons; each polygon is cut into triangles by diagonals that do not
lie in a face of the cube, where a neighbour could have the same diagonal.
"""

from collections.abc import Iterable
from functools import cache
from itertools import combinations

import numpy as np

__all__ = ["EDGES", "EDGE_LISTS", "FACE_COUNTS", "OWNED_AXES", "OWNED_COUNTS", "polygons", "triangles"]

EDGES = tuple((corner, axis) for axis in range(3) for corner in range(8) if not corner >> axis & 1)
"""The twelve edges: the corner that an edge starts from, and the axis along which it runs."""

Triangle = tuple[int, int, int]  # three edges of the cell; a vertex lies on each


def _rings() -> list[list[int]]:
    """The corners of the six faces of the cube, counter-clockwise seen from outside."""
    rings = []
    for axis in range(3):
        u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
        ring = [0, u, u | v, v]
        rings += [[corner | 1 << axis for corner in ring], ring[::-1]]
    return rings


def _edge(a: int, b: int) -> int:
    """The edge between two neighbouring corners."""
    return EDGES.index((a & b, (a ^ b).bit_length() - 1))


_RINGS = _rings()
_FACES_OF_EDGE = [
    {f for f, ring in enumerate(_RINGS) if {c, c | 1 << axis} <= set(ring)} for c, axis in EDGES
]


def polygons(case: int) -> list[list[int]]:
    """The polygons of a case, each a list of edges, counter-clockwise seen from outside the solid."""
    following = {}
    for ring in _RINGS:
        inside = [case >> corner & 1 for corner in ring]
        for last in range(4):
            if inside[last] and not inside[(last + 1) % 4]:  # a run of inside corners ends here
                first = last
                while inside[(first - 1) % 4]:
                    first -= 1
                entry = _edge(ring[(first - 1) % 4], ring[first % 4])
                following[entry] = _edge(ring[last], ring[(last + 1) % 4])
    closed = []
    while following:
        polygon = [min(following)]
        while (edge := following.pop(polygon[-1])) != polygon[0]:
            polygon.append(edge)
        closed.append(polygon)
    return closed


def _triangulations(polygon: list[int]) -> list[list[Triangle]]:
    """All ways to cut a polygon into triangles by diagonals."""
    if len(polygon) < 3:
        return [[]]
    return [
        [(polygon[0], polygon[k], polygon[-1]), *left, *right]
        for k in range(1, len(polygon) - 1)
        for left in _triangulations(polygon[: k + 1])
        for right in _triangulations(polygon[k:])
    ]


def _diagonal_in_face(polygon: list[int], cut: list[Triangle]) -> bool:
    """Whether a diagonal of this triangulation lies in a face of the cube."""
    sides = {frozenset(pair) for pair in zip(polygon, polygon[1:] + polygon[:1])}
    pairs = {frozenset(pair) for triangle in cut for pair in combinations(triangle, 2)}
    return any(set.intersection(*(_FACES_OF_EDGE[edge] for edge in pair)) for pair in pairs - sides)


def _area_at_midpoints(cut: Iterable[Triangle]) -> float:
    """Area of the triangles with every vertex in the middle of its edge."""
    middles = np.array(
        [[(corner >> a & 1) + (0.5 if a == axis else 0) for a in range(3)] for corner, axis in EDGES]
    )
    a, b, c = (middles[[triangle[k] for triangle in cut]] for k in range(3))
    twice_areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return round(float(twice_areas.sum()), 9)  # rounded, so that ties are ties


@cache
def triangles(case: int) -> tuple[Triangle, ...]:
    """The triangles of a case: each polygon in that allowed triangulation which has the least area.

    Of equal ones the first is taken. The least area also leaves out the folded triangulations of heptagons,
    whose triangles can pierce each other.
    """
    found: list[Triangle] = []
    for polygon in polygons(case):
        allowed = [cut for cut in _triangulations(polygon) if not _diagonal_in_face(polygon, cut)]
        found += min(allowed, key=_area_at_midpoints)
    return tuple(found)


FACE_COUNTS = np.array([len(triangles(case)) for case in range(256)], np.uint8)
"""Number of triangles of each case."""

EDGE_LISTS = np.zeros((256, 3 * int(FACE_COUNTS.max())), np.uint8)
"""The edges of the triangles of each case, three a triangle, padded with zeros."""
for _case in range(256):
    EDGE_LISTS[_case, : 3 * FACE_COUNTS[_case]] = np.ravel(triangles(_case))

OWNED_AXES = np.array(
    [sum(((case ^ case >> (1 << axis)) & 1) << axis for axis in range(3)) for case in range(256)], np.uint8
)
"""Bit a: the edge from corner 0 along axis a carries a vertex. So each vertex belongs to one cell."""

OWNED_COUNTS = np.bitwise_count(OWNED_AXES)
"""Number of vertices that belong to a cell of each case."""
