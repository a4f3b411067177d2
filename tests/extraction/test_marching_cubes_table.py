"""Every property of the derived table that makes surfaces closed and manifold, over all 256 cases."""

from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest

from isofield.kernels.marching_cubes.table import (
    EDGE_LISTS,
    EDGES,
    FACE_COUNTS,
    OWNED_AXES,
    OWNED_COUNTS,
    polygons,
    triangles,
)

CASES = range(256)
ENDS = [(corner, corner | 1 << axis) for corner, axis in EDGES]


def crossed(case):
    return {edge for edge, (a, b) in enumerate(ENDS) if (case >> a ^ case >> b) & 1}


def faces_of(edge):
    """The two faces (axis, side) of the cube in which an edge lies."""
    corner, along = EDGES[edge]
    return {(axis, corner >> axis & 1) for axis in range(3) if axis != along}


def sides(polygon):
    return list(zip(polygon, polygon[1:] + polygon[:1]))


def test_polygons_visit_each_crossed_edge_once():
    for case in CASES:
        visited = Counter(edge for polygon in polygons(case) for edge in polygon)
        assert visited == Counter(crossed(case))


def test_every_side_of_a_polygon_lies_in_one_face_of_the_cube():
    for case in CASES:
        for polygon in polygons(case):
            assert all(len(faces_of(a) & faces_of(b)) == 1 for a, b in sides(polygon))


def test_neighbouring_cells_agree_on_their_common_face():
    # what lies in a face depends on the face's four corners alone, and the cell on its other side has the
    # same segments reversed
    segments = defaultdict(set)
    for case in CASES:
        found = defaultdict(set)
        for polygon in polygons(case):
            for a, b in sides(polygon):
                ((axis, side),) = faces_of(a) & faces_of(b)
                on_face = tuple((EDGES[e][0] & ~(1 << axis), EDGES[e][1]) for e in (a, b))  # whichever side
                found[axis, side].add(on_face)
        for axis in range(3):
            for side in range(2):
                corners = [case >> corner & 1 for corner in range(8) if corner >> axis & 1 == side]
                segments[axis, side, tuple(corners)].add(frozenset(found[axis, side]))
    for (axis, side, corners), variants in segments.items():
        assert len(variants) == 1
        (reverse,) = segments[axis, 1 - side, corners]
        assert {(b, a) for a, b in next(iter(variants))} == reverse


def test_inside_corners_of_an_ambiguous_face_are_separated():
    (polygon_a,), (polygon_b,) = (
        polygons(0b0001),
        polygons(0b1000),
    )  # corners 0 and 3: a diagonal of the face z = 0
    both = polygons(0b1001)
    assert sorted(map(sorted, both)) == sorted(map(sorted, [polygon_a, polygon_b]))


def test_no_diagonal_lies_in_a_face_of_the_cube():
    for case in CASES:
        outline = {frozenset(side) for polygon in polygons(case) for side in sides(polygon)}
        for triangle in triangles(case):
            for pair in combinations(triangle, 2):
                assert frozenset(pair) in outline or not faces_of(pair[0]) & faces_of(pair[1])


def test_triangles_fill_their_polygons_with_consistent_orientation():
    for case in CASES:
        outline = Counter(side for polygon in polygons(case) for side in sides(polygon))
        directed = Counter(side for triangle in triangles(case) for side in sides(list(triangle)))
        assert max(directed.values(), default=1) == 1
        assert Counter({side: 1 for side in directed if side[::-1] not in directed}) == outline
        assert len(triangles(case)) == sum(len(polygon) - 2 for polygon in polygons(case))


def test_faces_of_single_corners_look_outward():
    for corner in range(8):
        ((a, b, c),) = triangles(1 << corner)
        middle = [np.add(*([[e >> k & 1 for k in range(3)] for e in ENDS[edge]])) / 2 for edge in (a, b, c)]
        outward = np.cross(middle[1] - middle[0], middle[2] - middle[0])
        assert outward @ (middle[0] - [corner >> k & 1 for k in range(3)]) > 0


def test_arrays_repeat_the_table():
    for case in CASES:
        assert FACE_COUNTS[case] == len(triangles(case))
        assert EDGE_LISTS[case, : 3 * FACE_COUNTS[case]].tolist() == [e for t in triangles(case) for e in t]
        owned = {EDGES[edge][1] for edge in crossed(case) if EDGES[edge][0] == 0}
        assert {axis for axis in range(3) if OWNED_AXES[case] >> axis & 1} == owned
        assert OWNED_COUNTS[case] == len(owned)


@pytest.mark.parametrize("extreme", [False, True])
def test_triangles_of_a_cell_never_pierce_each_other(extreme):
    # wherever the vertices lie on their edges; at the extremes most come as near to the corners as they may
    random = np.random.default_rng(7)
    share = (
        random.choice([1e-3, 0.02, 0.5, 0.98, 1 - 1e-3], (500, 12))
        if extreme
        else random.uniform(1e-3, 1 - 1e-3, (500, 12))
    )
    positions = np.array([[corner >> k & 1 for k in range(3)] for corner, _ in EDGES], float) + np.zeros(
        (500, 1, 1)
    )
    for edge, (_, axis) in enumerate(EDGES):
        positions[:, edge, axis] += share[:, edge]

    def side(a, b, c, d):
        a, b, c, d = (positions[:, edge] for edge in (a, b, c, d))
        return np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)

    def pierces(start, end, triangle):
        a, b, c = triangle
        turns = np.stack([side(start, end, a, b), side(start, end, b, c), side(start, end, c, a)])
        through = np.all(turns > 1e-12, axis=0) | np.all(turns < -1e-12, axis=0)
        return through & (side(*triangle, start) * side(*triangle, end) < -1e-12)

    checked = set()
    for case in CASES:
        for first in triangles(case):
            for second in triangles(case):
                for start, end in sides(list(first)):
                    if not {start, end} & set(second) and (start, end, second) not in checked:
                        checked.add((start, end, second))
                        assert not pierces(start, end, second).any()
