"""The compiled kernels against their definitions."""

import numpy as np
import pytest

from isofield.kernels.marching_cubes import connect, first_vertices, reference
from isofield.kernels.marching_cubes import numba as compiled
from isofield.kernels.marching_cubes.table import EDGES, FACE_COUNTS, triangles


def padded_noise(shape, seed):
    depth = np.full(shape, -1, np.float32)
    inner = tuple(slice(1, -1) for _ in shape)
    depth[inner] = np.random.default_rng(seed).normal(size=depth[inner].shape)
    return depth


def surface(backend, depth, first_plane=0):
    axes = tuple(np.linspace(-1, 1, n + first_plane).astype(np.float32) for n in depth.shape)
    cells, cases = backend.active_cells(depth, first_plane)
    vertices = backend.place_vertices(depth, first_plane, cells, cases, axes)
    faces = np.empty((int(FACE_COUNTS[cases].sum()), 3), np.int32)
    backend.connect(cells, cases, depth.shape[1:], faces)
    return cells, cases, vertices, faces


@pytest.mark.parametrize("shape", [(9, 9, 9), (3, 17, 5), (30, 3, 3), (3, 3, 3), (26, 31, 29)])
def test_compiled_equals_reference_on_noise(shape):
    for seed in range(3):
        depth = padded_noise(shape, seed)
        for ours, theirs in zip(surface(compiled, depth, 2), surface(reference, depth, 2)):
            np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_found_where_all_is_outside():
    for part in surface(compiled, np.full((4, 5, 6), -1, np.float32)):
        assert len(part) == 0


def test_vertices_are_in_the_order_of_edges_and_faces_in_the_order_of_cells():
    depth = padded_noise((8, 9, 7), 0)
    cells, cases, vertices, faces = surface(compiled, depth)
    steps = np.array([9 * 7, 7, 1])
    keys = [
        [3 * (cell + sum(steps[k] for k in range(3) if EDGES[e][0] >> k & 1)) + EDGES[e][1] for e in triangle]
        for cell, case in zip(cells.tolist(), cases.tolist())
        for triangle in triangles(case)
    ]
    edges = np.unique(keys)
    np.testing.assert_array_equal(faces, np.searchsorted(edges, keys))
    assert len(edges) == len(vertices) == first_vertices(cases)[-1]


def test_faces_do_not_depend_on_the_number_of_pieces(monkeypatch):
    cells, cases, _, faces = surface(compiled, padded_noise((40, 41, 42), 1))
    for count in (1, 3, 7):
        monkeypatch.setattr(compiled, "threads", lambda count=count: count)
        again = np.empty_like(faces)
        connect(cells, cases, (41, 42), again)
        np.testing.assert_array_equal(again, faces)
