"""Samples along rays: the compiled marching equals its definition, and both equal closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isofield.kernels.march import Steps, march, pack_cells, place, reference, step_of_t, t_of_step

LEAST = math.sqrt(3) / 1024
STEPS = {
    "even": Steps(0.01),
    "growing": Steps(LEAST, 1 / 256, LEAST * 1024),
    "growing without end": Steps(LEAST, 1 / 64),
    "no longer than": Steps(LEAST, 1 / 64, 0.02),
}


def grid(cells, cascades, seed=0):
    """Blobs and single cells; a coarse cell is occupied where one of the finer cells in it is."""
    rng = np.random.default_rng(seed)
    occupied = rng.random((cascades, cells, cells, cells)) < 0.02
    blocks = rng.random((cascades, *[cells // 4] * 3)) < 0.1
    occupied |= blocks.repeat(4, 1).repeat(4, 2).repeat(4, 3)
    middle = slice(cells // 4, 3 * cells // 4)
    for fine, coarse in pairwise(occupied):
        half = cells // 2
        coarse[middle, middle, middle] |= fine.reshape(half, 2, half, 2, half, 2).any((1, 3, 5))
    return occupied


def rays(count, reach, seed=0):
    """Rays from around towards the middle and from inside to anywhere, and their jitter; float32."""
    generator = torch.Generator().manual_seed(seed)
    origins = 0.5 + reach * torch.randn(count, 3, generator=generator)
    target = 0.5 + 0.3 * reach * torch.randn(count, 3, generator=generator)
    directions = torch.nn.functional.normalize(target - origins)
    return origins, directions, torch.rand(count, generator=generator)


def occupied_at(t, origin, direction, occupied, steps):
    """Whether the cell is occupied that a sample at t is looked up in."""
    cascades, cells = occupied.shape[:2]
    point = origin + t * direction
    length = t_of_step(step_of_t(t, steps) + 1, steps) - t
    reach = max(2 * np.abs(point - 0.5).max(), np.nextafter(2 * cells * length, np.inf))
    cascade = min(max(math.ceil(math.log2(reach)), 0), cascades - 1)
    place = ((point - 0.5) / 2**cascade + 0.5) * cells
    x, y, z = np.clip(np.floor(place).astype(int), 0, cells - 1)
    return occupied[cascade, z, y, x]


def assert_equal_but_at_borders(ours, starts, expected, given, occupied, steps):
    """The same samples; one may be there or not where it lies on a border between cells (or of the cube)."""
    origins, directions, _ = (each.double().numpy() for each in given)
    odd = 0
    for ray, theirs in enumerate(expected):
        mine = ours[starts[ray] : starts[ray + 1]].astype(np.float64)
        assert (np.diff(mine) > 0).all()
        both = np.concatenate([mine, theirs])
        apart = np.abs(mine[:, None] - theirs) < 2e-5 * (1 + theirs)
        alone = np.concatenate([~apart.any(1), ~apart.any(0)])
        odd += alone.sum()
        for t in both[alone]:
            near = [
                occupied_at(t + move, origins[ray], directions[ray], occupied, steps)
                for move in np.linspace(-1e-4, 1e-4, 9) * (1 + t)
            ]
            assert any(near)
            assert not all(near)
    assert odd <= 0.001 * len(ours) + 1
    assert len(ours) > 0


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize(("cells", "cascades"), [(16, 1), (32, 3), (8, 5)])
def test_samples_equal_the_definition(name, cells, cascades):
    occupied, given = grid(cells, cascades), rays(200, 2.0 ** (cascades - 1))
    places, starts = march(*given, pack_cells(occupied), STEPS[name])
    expected = reference.march(*(each.numpy() for each in given), occupied, STEPS[name])
    assert_equal_but_at_borders(places, starts, expected, given, occupied, STEPS[name])


def test_nothing_lies_before_near_and_no_ray_has_more_than_most():
    occupied, given = grid(16, 2), rays(200, 1.0)
    expected = reference.march(*(each.numpy() for each in given), occupied, STEPS["even"], 0.7, 12)
    places, starts = march(*given, pack_cells(occupied), STEPS["even"], 0.7, 12)
    counts = np.diff(starts)
    assert places.min() >= 0.7
    assert counts.max() == 12
    assert (counts == [len(each) for each in expected]).mean() > 0.99
    same = counts == [len(each) for each in expected]
    flat = np.concatenate([each for each, alike in zip(expected, same) if alike])
    np.testing.assert_allclose(places[same.repeat(counts)], flat, atol=2e-5)


def one_ray(origin, direction, jitter=0.25):
    return torch.tensor([origin]), torch.tensor([direction]), torch.tensor([jitter])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_ray_along_an_axis_has_a_sample_at_each_step_within_the_cube(axis, way):
    origin, direction = [0.4, 0.4, 0.4], [0.0, 0.0, 0.0]
    origin[axis], direction[axis] = 0.5 - 1.5 * way, way
    full = pack_cells(np.ones((1, 16, 16, 16), bool))
    places, starts = march(*one_ray(origin, direction), full, Steps(0.03))
    np.testing.assert_allclose(places, np.arange(1 / 0.03 + 0.25, 2 / 0.03) * 0.03, atol=1e-5)
    assert starts.tolist() == [0, len(places)]


def test_only_the_occupied_cell_has_samples():
    occupied = np.zeros((1, 32, 32, 32), bool)
    occupied[0, 3, 20, 11] = True  # z, y, x
    y, z = 20.5 / 32, 3.5 / 32
    places, _ = march(*one_ray([-1.0, y, z], [1.0, 0.0, 0.0]), pack_cells(occupied), Steps(0.001))
    assert len(places) in (31, 32)
    assert places.min() - 1 == pytest.approx(11 / 32, abs=0.001)
    assert places.max() - 1 == pytest.approx(12 / 32, abs=0.001)


@pytest.mark.parametrize(
    ("origin", "direction"),
    [
        ([2.0, 0.5, 0.5], [1.0, 0.0, 0.0]),  # the cube lies behind
        ([-1.0, 1.5, 0.5], [1.0, 0.0, 0.0]),  # beside, along an axis
        ([-1.0, 0.5, 0.5], [0.6, 0.8, 0.0]),  # beside
    ],
)
def test_rays_that_miss_the_cube_have_no_samples(origin, direction):
    places, starts = march(*one_ray(origin, direction), pack_cells(np.ones((1, 8, 8, 8), bool)), Steps(0.01))
    assert len(places) == 0
    assert starts.tolist() == [0, 0]


def test_no_rays_have_no_samples_and_an_empty_grid_gives_none():
    words = pack_cells(np.zeros((2, 8, 8, 8), bool))
    places, starts = march(torch.zeros(0, 3), torch.zeros(0, 3), torch.zeros(0), words, Steps(0.01))
    assert (len(places), starts.tolist()) == (0, [0])
    assert place(torch.zeros(0, 3), torch.zeros(0, 3), places, starts, 2).shape == (0, 3)
    places, starts = march(*rays(5, 1.0), words, Steps(0.01))
    assert (len(places), starts.tolist()) == (0, [0] * 6)


def test_samples_do_not_depend_on_the_number_of_threads(by_threads):
    given, words = rays(3000, 1.0), pack_cells(grid(16, 2))
    one, *others = by_threads(lambda: march(*given, words, STEPS["growing"]))
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(one, other))


@pytest.mark.parametrize("cascades", [1, 3])
def test_points_are_placed_in_the_outermost_cube_and_padded_with_zeros(cascades):
    given = rays(40, 1.0)
    places, starts = march(*given, pack_cells(grid(16, cascades)), STEPS["even"])
    points = place(*given[:2], places, starts, cascades)
    origins, directions = (each.repeat_interleave(torch.from_numpy(np.diff(starts)), 0) for each in given[:2])
    expected = (origins + torch.from_numpy(places)[:, None] * directions - 0.5) / 2 ** (cascades - 1) + 0.5
    assert len(points) % 128 == 0
    torch.testing.assert_close(points[: len(places)], expected, rtol=0, atol=1e-6)
    assert not points[len(places) :].any()


@given(st.integers(0, 2), st.integers(0, 11), st.integers(0, 11), st.integers(0, 11))
def test_a_cell_is_one_bit_of_the_word_of_its_block(cascade, x, y, z):
    occupied = np.zeros((3, 12, 12, 12), bool)
    occupied[cascade, z, y, x] = True
    words = pack_cells(occupied)
    expected = np.zeros((3, 27), np.uint64)
    expected[cascade, (z // 4 * 3 + y // 4) * 3 + x // 4] = 1 << (x % 4 + 4 * (y % 4) + 16 * (z % 4))
    assert np.array_equal(words, expected)


@given(
    st.floats(1e-4, 1), st.just(0.0) | st.floats(1e-3, 0.2), st.floats(1, 1e3) | st.just(1e30),
    st.floats(0, 1e3), st.floats(1e-6, 10),
)  # fmt: skip
def test_steps_and_t_are_inverse_and_grow_by_the_length_of_a_step(least, cone, ratio, t, more):
    steps = Steps(least, cone, least * ratio)
    number = step_of_t(t, steps)
    assert t_of_step(number, steps) == pytest.approx(t, rel=1e-9, abs=1e-12)
    assert step_of_t(t + more, steps) > number
    length = t_of_step(number + 1, steps) - t
    bounds = least * (1 - 1e-9), max(least, min(least * ratio, (t + length) * math.log1p(cone))) * (1 + 1e-9)
    if cone > 0:
        assert bounds[0] - 1e-12 * t <= length <= bounds[1] + 1e-12 * t


def test_growing_steps_are_a_share_of_the_distance():
    steps = Steps(0.001, 0.01)
    t = np.array([0.2, 1.0, 30.0])
    np.testing.assert_allclose(t_of_step(step_of_t(t, steps) + 1, steps), 1.01 * t, rtol=1e-12)
