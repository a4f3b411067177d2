"""Voxels of shapes whose cells can be named by closed forms."""

import numpy as np
import pytest

from isofield.geometry.cells import in_cells, interior_cells, occupied_cells, surface_cells, without_holes
from isofield.geometry.closed_forms import box_mesh, sphere_mesh
from isofield.geometry.solid import Solid

RADIUS, SIZE = 0.37, 24
CENTRE = (0.02, -0.03, 0.05)


def distances(resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest distance of every cell to `CENTRE`."""
    index = np.stack(np.meshgrid(*[np.arange(resolution)] * 3, indexing="ij"), axis=-1)
    low = index / resolution - 0.5 - CENTRE
    high = low + 1 / resolution
    nearest = np.maximum(np.maximum(low, -high), 0)
    farthest = np.maximum(np.abs(low), np.abs(high))
    return np.linalg.norm(nearest, axis=-1), np.linalg.norm(farthest, axis=-1)


@pytest.fixture(scope="module")
def sphere():
    return sphere_mesh(5, RADIUS, CENTRE)


def test_cells_of_a_sphere_are_those_that_it_passes_through(sphere):
    near, far = distances(SIZE)
    sagitta = RADIUS - np.linalg.norm(sphere.vertices[sphere.faces].mean(axis=1) - CENTRE, axis=1).min()
    assert sagitta < 3e-4
    cells = surface_cells(sphere, SIZE)
    assert cells[(near < RADIUS - sagitta) & (far > RADIUS)].all()
    assert not cells[(far < RADIUS - sagitta) | (near > RADIUS)].any()


def test_interior_of_a_sphere_is_where_centres_are_inside(sphere):
    centres = np.stack(np.meshgrid(*[(np.arange(SIZE) + 0.5) / SIZE - 0.5] * 3, indexing="ij"), axis=-1)
    distance = np.linalg.norm(centres - CENTRE, axis=-1)
    interior = interior_cells(Solid(sphere).occupancy, SIZE, np.random.default_rng(0))
    moved = np.sqrt(3) * 0.05 / SIZE + 3e-4  # as far as a centre may be moved, and the sagitta
    assert interior[distance < RADIUS - moved].all()
    assert not interior[distance > RADIUS + moved].any()


def test_a_filled_sphere_is_its_surface_and_interior(sphere):
    filled = without_holes(surface_cells(sphere, SIZE))
    occupied = occupied_cells(sphere, Solid(sphere).occupancy, SIZE, np.random.default_rng(0))
    np.testing.assert_array_equal(filled, occupied)


def test_cells_of_a_box_are_a_range_and_its_surface_their_shell():
    size, low, high = 16, np.array([2.3, 4.7, 6.2]), np.array([10.6, 11.4, 13.9])  # in cells
    mesh = box_mesh(tuple((high - low) / 2 / size), tuple((low + high) / 2 / size - 0.5))
    shell = np.zeros((size,) * 3, bool)
    shell[2:11, 4:12, 6:14] = True
    occupied = occupied_cells(mesh, Solid(mesh).occupancy, size, np.random.default_rng(0))
    np.testing.assert_array_equal(occupied, shell)
    shell[3:10, 5:11, 7:13] = False
    np.testing.assert_array_equal(surface_cells(mesh, size), shell)
    interior = np.zeros_like(shell)
    interior[2:11, 5:11, 6:14] = True  # by centres: 2.5 is above 2.3, 4.5 below 4.7, and so on
    np.testing.assert_array_equal(
        interior_cells(Solid(mesh).occupancy, size, np.random.default_rng(0)), interior
    )


def test_a_box_of_the_whole_cube_has_all_cells_of_its_border():
    cells = surface_cells(box_mesh(), 6)
    assert cells.sum() == 6**3 - 4**3
    assert without_holes(cells).all()


def test_what_lies_outside_the_cube_is_left_out():
    mesh = box_mesh((0.25, 0.25, 0.25), (0.5, 0.0, 0.0))
    cells = surface_cells(mesh, 10)  # the box from 0.25 on: cells 7 to 9 along x
    assert np.argwhere(cells).min(axis=0).tolist() == [7, 2, 2]
    assert not cells[8:, 3:7, 3:7].any()


def test_points_between_cells_belong_to_the_upper_one():
    cells = np.zeros((4, 4, 4), bool)
    cells[2, 1, 3] = True
    points = np.array(
        [[0.0, -0.25, 0.25], [0.25, -0.2, 0.3], [0.1, -0.1, 0.5], [np.nan, 0, 0], [1e300, 0, 0]]
    )
    np.testing.assert_array_equal(in_cells(cells, points), [True, False, False, False, False])
