"""The occupancy grid: what it samples, remembers and marks."""

import numpy as np
import pytest
import torch

from isofield.kernels.march import pack_cells
from isofield.rendering.cameras import looking_at, pinholes
from isofield.rendering.occupancy import OccupancyGrid, unseen_cells, visible


def cell_of(points, cascade, cells):
    inner = (points - 0.5) / (2.0**cascade)[:, None] + 0.5
    x, y, z = np.clip((inner * cells).astype(int), 0, cells - 1).T
    return ((cascade * cells + z) * cells + y) * cells + x


@pytest.mark.parametrize("warm", [True, False])
def test_each_point_lies_in_its_cell_and_none_where_nothing_can_be(warm):
    grid = OccupancyGrid(8, 3)
    grid.values[:, :3] = -1
    grid.values[1, 5] = 1
    chosen, points = grid.cells_to_sample(np.random.default_rng(0), 10_000 if warm else 400)
    assert (cell_of(points.astype(np.float64), chosen // 512, 8) == chosen).mean() > 0.999  # rounding
    assert (grid.values.view(-1)[chosen] >= 0).all()
    if warm:
        assert len(np.unique(chosen)) == len(chosen) == 3 * 5 * 64
    else:
        assert (grid.values.view(-1)[chosen] == 1).float().mean() > 0.5


def test_values_fade_rise_to_the_largest_and_stay_where_nothing_can_be():
    grid = OccupancyGrid(4)
    flat = grid.values.view(-1)
    flat[:3] = torch.tensor([1.0, 1.0, -1.0])
    grid.update(np.array([1, 2, 3, 3]), torch.tensor([2.0, 2.0, 0.5, 0.25]), decay=0.5)
    assert flat[:5].tolist() == [0.5, 2.0, -1.0, 0.5, 0.0]


def test_a_coarse_cell_is_occupied_where_a_finer_one_in_it_is():
    grid = OccupancyGrid(8, 3)
    grid.values[0, 7, 0, 2] = 1.0  # z, y, x
    occupied = grid.occupied()
    assert [np.argwhere(each).tolist() for each in occupied] == [[[7, 0, 2]], [[5, 2, 3]], [[4, 3, 3]]]
    assert np.array_equal(grid.words(), pack_cells(occupied))


def test_threshold_is_the_mean_of_a_thin_scene_and_never_more_than_a_hundredth():
    grid = OccupancyGrid(4)
    grid.values[0, 0] = 0.004
    grid.values[0, 1] = -1
    assert grid.threshold == pytest.approx(0.001)
    grid.values[0, 2:] = 5
    assert grid.threshold == 0.01


def test_cells_that_no_camera_sees_are_marked():
    pose = looking_at(np.array([0.5, 0.5, -3.0]), np.array([0.5, 0.5, 0.5]), np.array([0.0, 1.0, 0.0]))
    cameras = pinholes(pose[None], 100.0, (20, 20))  # sees |x|, |y| < depth / 10 around its axis
    unseen = unseen_cells(cameras, np.zeros(3), 1.0, 16, 2)
    inner = np.argwhere(~unseen[0])[:, 1:]
    assert inner.min() == 1  # at depth 4: 0.1 to 0.9
    assert inner.max() == 14
    assert not unseen[0, :, 7:9, 7:9].any()
    assert unseen[0, :, 0].all()
    assert not visible(cameras, np.array([[0.5, 0.5, 0.5]]), near=4.0).any()
