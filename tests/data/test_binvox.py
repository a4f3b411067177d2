"""binvox: the published bytes, its frame, and the surface of its cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.data import load
from isofield.data.binvox import read_binvox, write_binvox
from isofield.data.check import describe
from isofield.data.voxels import VoxelGrid, boundary_quads


def test_parity_with_the_published_reader_bit_for_bit(shared, tmp_path):
    pack = shared / "parity" / "onet_binvox"
    given, expected = np.load(pack / "inputs.npz"), np.load(pack / "outputs.npz")
    path = tmp_path / "model.binvox"
    path.write_bytes(given["file_bytes"].tobytes())
    grid = read_binvox(path)
    np.testing.assert_array_equal(np.packbits(grid.filled), expected["data_xyz"])
    np.testing.assert_array_equal(np.packbits(grid.filled.transpose(0, 2, 1)), expected["data_xzy"])
    np.testing.assert_array_equal(grid.low, expected["translate"])
    assert grid.edges == (expected["scale"],) * 3
    again = tmp_path / "again.binvox"
    write_binvox(again, grid)
    assert again.read_bytes().partition(b"data\n")[2] == path.read_bytes().partition(b"data\n")[2]


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(*[st.integers(1, 12)] * 3), fill=st.floats(0, 1), seed=st.integers(0, 99))
def test_written_grid_reads_back_equal(tmp_path_factory, size, fill, seed):
    filled = np.random.default_rng(seed).random(size) < fill
    grid = VoxelGrid(filled, (0.1, -2.5, 1e-7), (1 / 3,) * 3)
    path = tmp_path_factory.mktemp("voxels") / "a.binvox"
    write_binvox(path, grid)
    again = read_binvox(path)
    np.testing.assert_array_equal(again.filled, filled)
    assert (again.low, again.edges) == (grid.low, grid.edges)


def test_header_lines_may_come_in_any_order_with_comments(tmp_path):
    path = tmp_path / "a.binvox"
    path.write_bytes(b"#binvox 1\nscale 2\n# made by hand\ntranslate 1 2 3\ndim 2 2 2\ndata\n\x01\x08")
    grid = read_binvox(path)
    assert grid.filled.all()
    np.testing.assert_array_equal(
        grid.to_world(np.array([[0, 0, 0], [1.5, 0.5, 0.5]])), [(1, 2, 3), (2.5, 2.5, 3.5)]
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), size=st.tuples(*[st.integers(1, 6)] * 3))
def test_surface_of_cells_encloses_exactly_their_volume(seed, size):
    filled = np.random.default_rng(seed).random(size) < 0.5
    if not filled.any():
        return
    corners, quads = boundary_quads(filled)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    assert np.linalg.det(corners[faces]).sum() / 6 == pytest.approx(filled.sum())
    edges = np.sort(quads[:, [[0, 1], [1, 2], [2, 3], [3, 0]]].reshape(-1, 2), axis=1)
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0)
    assert len(np.unique(quads)) == len(corners)


def test_loaded_as_a_shape_it_is_a_closed_mesh_in_the_files_frame(tmp_path):
    filled = np.zeros((4, 4, 4), bool)
    filled[1:3, 1:4, 2] = True
    path = tmp_path / "slab.binvox"
    write_binvox(path, VoxelGrid(filled, (10.0, 20.0, 30.0), (8.0,) * 3))
    facts = describe(load(path))
    assert facts["closed"]
    assert facts["volume"] == pytest.approx(6 * 2**3)
    assert facts["box"] == [[12.0, 22.0, 34.0], [16.0, 28.0, 36.0]]
