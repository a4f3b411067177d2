"""Grids of cells: from solids, as files, as binvox where boxes are not cubes."""

import numpy as np
import pytest

from isofield.data import load
from isofield.data.binvox import read_binvox, write_binvox
from isofield.data.voxels import VoxelGrid, boundary_mesh, read_voxels_npz, voxelised, write_voxels_npz
from isofield.runtime.errors import InputError


def test_a_ball_has_its_volume_and_an_empty_border():
    centre = np.array([3.0, -2.0, 10.0])
    grid = voxelised(lambda p: np.linalg.norm(p - centre, axis=1) < 2, centre - 2, centre + 2, 64)
    assert np.prod(grid.cell) * grid.filled.sum() == pytest.approx(4 / 3 * np.pi * 8, rel=5e-3)
    inner = grid.filled[1:-1, 1:-1, 1:-1]
    assert inner.sum() == grid.filled.sum()
    places = grid.to_world(np.argwhere(grid.filled) + 0.5)
    assert places.mean(axis=0) == pytest.approx(centre, abs=1e-9)


def test_arrays_come_back_bit_for_bit(tmp_path):
    filled = np.random.default_rng(0).random((3, 4, 5)) < 0.5
    grid = VoxelGrid(filled, (0.1, 1 / 3, -7e-9), (1.0, 1 / 7, 2.5))
    write_voxels_npz(tmp_path / "a.npz", grid)
    again = read_voxels_npz(tmp_path / "a.npz")
    assert np.array_equal(again.filled, filled)
    assert (again.low, again.edges) == (grid.low, grid.edges)
    shape = load(tmp_path / "a.npz")
    assert shape.voxels is not None
    mesh = boundary_mesh(grid)
    volume = np.linalg.det(mesh.vertices[mesh.faces] - mesh.vertices[0]).sum() / 6
    assert volume == pytest.approx(np.prod(grid.cell) * filled.sum())


def test_bare_truth_values_are_cells_of_edge_one(tmp_path):
    np.savez(tmp_path / "a.npz", voxels=np.ones((2, 3, 4), np.uint8))
    assert load(tmp_path / "a.npz").vertices.max(axis=0).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "arrays",
    [
        {"voxels": np.ones((2, 2))},
        {"voxels": np.ones((2, 2, 2), bool), "low": np.array([0, np.nan, 0])},
        {"voxels": np.ones((2, 2, 2), bool), "edges": np.array([1.0, 0.0, 1.0])},
        {"voxels": np.zeros((2, 2, 2), bool)},
        {"voxels": np.zeros((0, 2, 2), bool)},
    ],
)
def test_what_is_no_grid_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError):
        load(tmp_path / "a.npz")


def test_binvox_takes_cubic_cells_of_any_box_and_no_others(tmp_path):
    filled = np.ones((2, 4, 3), bool)
    write_binvox(tmp_path / "a.binvox", VoxelGrid(filled, (1.0, 2.0, 3.0), (0.2, 0.4, 0.3)))
    again = read_binvox(tmp_path / "a.binvox")
    assert again.filled.shape == (4, 4, 4)
    assert again.edges == (0.4, 0.4, 0.4)
    assert np.array_equal(again.filled[:2, :, :3], filled)
    assert again.filled.sum() == filled.sum()
    with pytest.raises(InputError, match="cubic"):
        write_binvox(tmp_path / "b.binvox", VoxelGrid(filled, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0)))
    assert not (tmp_path / "b.binvox").exists()
