"""Rays of pixels: the compiled kernel against its definition, on every kind of lens."""

import numpy as np
import pytest

from isofield.rendering.cameras import Cameras, looking_at

LENSES = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0.08, -0.03, 0.002, -0.0015, 0.01, 0, 0, 0],
        [-0.28, 0.09, 0.004, 0.003, -0.012, 0.05, 0.01, -0.002],
        [0.03, -0.012, 0.004, -0.001, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    np.float64,
)


def cameras(dtype=np.float64) -> Cameras:
    """One camera for each of LENSES; the last two have fisheyes."""
    rng = np.random.default_rng(0)
    poses = np.stack([looking_at(c, np.zeros(3), np.array([0.0, 0, 1])) for c in rng.normal(size=(5, 3))])
    intrinsics = np.tile([320.0, 330, 310, 245], (5, 1))
    fisheye = np.array([False, False, False, True, True])
    return Cameras(
        poses.astype(dtype), intrinsics.astype(dtype), np.full((5, 2), 600), LENSES.astype(dtype), fisheye
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 9000])
def test_the_compiled_kernel_equals_its_definition(count, dtype, monkeypatch):
    rng = np.random.default_rng(1)
    numbers, pixels = rng.integers(0, 5, count), rng.uniform(-100, 700, (count, 2)).astype(dtype)
    fast = cameras(dtype).rays(numbers, pixels)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    slow = cameras(dtype).rays(numbers, pixels)
    assert np.allclose(fast.directions, slow.directions, atol=2e-7)
    assert np.array_equal(fast.origins, slow.origins)


def test_the_number_of_threads_does_not_matter():
    from isofield.runtime import threads

    rng = np.random.default_rng(2)
    numbers, pixels = rng.integers(0, 5, 20000), rng.uniform(0, 600, (20000, 2))
    before = threads.threads()
    results = []
    try:
        for count in (1, 3):
            threads.set_threads(count)
            results.append(cameras().rays(numbers, pixels).directions.numpy())
    finally:
        threads.set_threads(before)
    assert np.array_equal(*results)


def test_far_outside_every_lens_directions_stay_finite_and_unit():
    pixels = np.random.default_rng(3).uniform(-1e5, 1e5, (4000, 2))
    for number in range(5):
        directions = cameras().rays(number, pixels).directions.numpy()
        assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-6)
