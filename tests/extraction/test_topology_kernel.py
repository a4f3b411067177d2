"""Edges, fans and components: compiled against definition on random triangles, and small meshes by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.kernels.topology import components, edges_and_fans, reference
from isofield.kernels.topology import numba as compiled

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)

corners = st.tuples(*[st.integers(0, 8)] * 3).filter(lambda t: len(set(t)) == 3)


@settings(max_examples=200, deadline=None)
@given(st.lists(corners, min_size=1, max_size=16))
def test_compiled_equals_reference_on_any_triangles(faces):
    faces = np.array(faces, np.int32)
    assert tuple(compiled.edges_and_fans(faces, 9)) == tuple(reference.edges_and_fans(faces, 9))
    np.testing.assert_array_equal(compiled.components(faces, 9), reference.components(faces, 9))


def test_tetrahedron_has_no_fault():
    assert edges_and_fans(TETRAHEDRON, 4) == (6, 0, 0, 0, 4, 0)


def test_missing_face_leaves_three_boundary_edges():
    assert edges_and_fans(TETRAHEDRON[1:], 4) == (6, 3, 0, 0, 4, 0)


def test_turned_face_is_misoriented_along_three_edges():
    turned = TETRAHEDRON.copy()
    turned[0] = turned[0, ::-1]
    assert edges_and_fans(turned, 4) == (6, 0, 3, 0, 4, 0)


def test_two_solids_on_one_edge_make_a_non_manifold_edge():
    other = np.array([0, 1, 4, 5], np.int32)[TETRAHEDRON]
    found = edges_and_fans(np.concatenate([TETRAHEDRON, other]), 6)
    assert (found.edges, found.non_manifold, found.pinched) == (
        11,
        1,
        0,
    )  # around both its ends the faces hang together by it


def test_two_solids_on_one_vertex_pinch_it():
    other = np.array([0, 4, 5, 6], np.int32)[TETRAHEDRON]
    both = np.concatenate([TETRAHEDRON, other])
    assert edges_and_fans(both, 7) == (12, 0, 0, 0, 7, 1)
    assert components(both, 8).tolist() == [0, 0, 0, 0, 0, 0, 0, 7]


def test_vertex_of_very_many_faces_is_one_fan():
    rim = np.arange(1, 20_001, dtype=np.int32)
    fan = np.stack([np.zeros_like(rim), rim, np.roll(rim, -1)], axis=1)
    assert edges_and_fans(fan, 20_001) == (40_000, 20_000, 0, 0, 20_001, 0)
