"""Spreading values over a grid: the compiled kernel against its definition, and what must hold of both."""

import numpy as np
import pytest

from isofield.kernels.splat import splat


def cloud(count: int, resolution: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, resolution + 1, (count, 3)), rng.normal(size=(count, 2))


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_compiled_kernel_equals_its_definition(count, monkeypatch):
    places, values = cloud(count, 7)
    fast = splat(places, values, 7)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    assert np.allclose(fast, splat(places, values, 7), atol=1e-5)


def test_nothing_is_lost_on_the_way():
    places, values = cloud(300, 9)
    assert splat(places, values, 9).sum(axis=(1, 2, 3)) == pytest.approx(values.sum(axis=0), abs=1e-4)


def test_a_point_on_the_grid_gives_all_to_one_place():
    grid = splat(np.array([[1.0, 2.0, 3.0]]), np.array([[5.0]]), 4)
    assert grid[0, 1, 2, 3] == 5.0
    assert np.count_nonzero(grid) == 1


def test_the_grid_is_periodic():
    grid = splat(np.array([[3.5, 0.0, -1.0]]), np.array([[1.0]]), 4)
    assert grid[0, 3, 0, 3] == grid[0, 0, 0, 3] == 0.5
