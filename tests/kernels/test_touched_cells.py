"""Cells that triangles touch: the compiled kernel against its definition, and cases that can be counted."""

import numpy as np
import pytest

from isofield.kernels.touched_cells import touched_cells
from isofield.runtime.errors import InputError

SIZE = 9


def random_triangles(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-4, SIZE + 4, (60, 3, 3))
    if kind == "small":
        return corners[:, :1] + rng.normal(0, 0.4, (60, 3, 3))
    if kind == "slivers":
        corners[:, 2] = (corners[:, 0] + corners[:, 1]) / 2 + 1e-6
    if kind == "segments":
        corners[:, 2] = corners[:, 0]
    if kind == "points":
        corners[:] = corners[:, :1]
    if kind == "on the lattice":  # all arithmetic is exact, so touches are decided alike
        return np.round(corners)
    if kind == "far away":
        corners *= 1e30
    return corners


@pytest.mark.parametrize(
    "kind", ["large", "small", "slivers", "segments", "points", "on the lattice", "far away", "none"]
)
def test_the_compiled_kernel_equals_its_definition(kind, monkeypatch):
    triangles = random_triangles(kind)[: 0 if kind == "none" else None]
    fast = [touched_cells(triangle[None], SIZE) for triangle in triangles]
    together = touched_cells(triangles, SIZE)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    for triangle, cells in zip(triangles, fast):
        np.testing.assert_array_equal(cells, touched_cells(triangle[None], SIZE))
    np.testing.assert_array_equal(together, np.any(fast, axis=0) if fast else np.zeros((SIZE,) * 3, bool))


def test_overlap_is_what_points_all_over_the_triangle_show():
    """Every sample lies in a marked cell; a marked cell is as near to a sample as samples are dense."""
    rng = np.random.default_rng(1)
    share = np.stack(np.meshgrid(*[np.linspace(0, 1, 150)] * 2), axis=-1).reshape(-1, 2)
    share = share[share.sum(axis=1) <= 1]
    for _ in range(10):
        triangle = rng.uniform(0.5, 7.5, (3, 3))
        samples = triangle[0] + share @ (triangle[1:] - triangle[0])
        cells = touched_cells(triangle[None], 8)
        assert cells[tuple(np.floor(samples).astype(int).T)].all()
        low = np.argwhere(cells)[:, None]
        beyond = np.maximum(np.maximum(low - samples, samples - low - 1), 0)  # [cells, samples, 3]
        assert np.linalg.norm(beyond, axis=2).min(axis=1).max() < 0.06


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_triangle_between_two_layers_touches_both(axis):
    triangle = np.roll([[3.0, 1.2, 1.2], [3.0, 1.8, 1.2], [3.0, 1.2, 1.8]], axis, axis=1)
    expected = np.zeros((5, 5, 5), bool)
    expected[2:4, 1, 1] = True
    np.testing.assert_array_equal(
        touched_cells(triangle[None], 5), np.moveaxis(expected, (0, 1, 2), np.roll((0, 1, 2), -axis))
    )


def test_corners_on_the_border_of_the_grid_touch_its_last_cells():
    grid = touched_cells(np.array([[[4.0, 4, 4]] * 3, [[0.0, 0, 0]] * 3, [[4.1, 2, 2]] * 3]), 4)
    assert [tuple(cell) for cell in np.argwhere(grid)] == [(0, 0, 0), (3, 3, 3)]


def test_a_diagonal_segment_passes_the_cells_on_its_way():
    """On the main diagonal a segment also touches, at a lattice point, the six other cells around it."""
    cells = touched_cells(np.array([[[0.5, 0.5, 0.5], [1.5, 1.5, 1.5], [0.5, 0.5, 0.5]]]), 3)
    assert cells[:2, :2, :2].all()
    assert cells.sum() == 8


def test_a_corner_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="not finite"):
        touched_cells(np.array([[[0.0, 0, 0], [1, 0, 0], [0, np.nan, 0]]]), 4)
