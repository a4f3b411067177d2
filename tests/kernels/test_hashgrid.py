"""The compiled hash encoding equals its definition: values, first and second derivatives, at any number of
threads."""

import numpy as np
import pytest
import torch

from isofield.kernels import hashgrid
from isofield.kernels.hashgrid import reference
from isofield.runtime import threads

LAYOUTS = {
    "paper": hashgrid.paper_levels(6, 4, 40, 9),
    "tcnn": hashgrid.tcnn_levels(5, 4, 1.5, 9),
    "one dense level": hashgrid.paper_levels(1, 3, 3, 12),
}


def points(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    inside = torch.rand(count, 3, generator=generator)
    edges = torch.tensor(
        [[0.0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0.25], [-0.5, 2, 0.5]]
    )  # corners, and one to clamp
    return torch.cat([edges, inside])[:count] if count > 5 else inside


def table_for(levels) -> torch.Tensor:
    rows = levels[-1].offset + levels[-1].rows
    return torch.randn(rows, 2, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def _two_threads():
    before = threads.threads()
    threads.set_threads(2)
    yield
    threads.set_threads(before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [0, 1, 127, 128, 500])
def test_values_equal_the_reference(layout, count):
    levels, x = LAYOUTS[layout], points(count)
    table = table_for(levels)
    fast = hashgrid.unblock(hashgrid.encode(x, table, levels), count)
    torch.testing.assert_close(fast, reference.encode(x, table, levels), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_equal_the_reference(layout):
    levels, x = LAYOUTS[layout], points(300)
    cotangent = torch.randn(300, 2 * len(levels), generator=torch.Generator().manual_seed(2))
    results = []
    for encode in (
        lambda x, t: hashgrid.unblock(hashgrid.encode(x, t, levels), 300),
        lambda x, t: reference.encode(x, t, levels),
    ):
        x_, table = x.clone().requires_grad_(), table_for(levels).requires_grad_()
        results.append(torch.autograd.grad((encode(x_, table) * cotangent).sum(), (x_, table)))
    # the clamped coordinates of the edge points sit on the kink of the clamp, where either side's derivative
    # is right
    torch.testing.assert_close(results[0][0][5:], results[1][0][5:], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_second_derivatives_equal_the_reference(layout):
    """The gradient of an eikonal loss: derivatives of the points' gradient in the table, the points and the
    cotangent."""
    levels, x = LAYOUTS[layout], points(260)[5:]
    results = []
    for encode in (
        lambda x, t: hashgrid.unblock(hashgrid.encode(x, t, levels), 255),
        lambda x, t: reference.encode(x, t, levels),
    ):
        x_, table = x.clone().requires_grad_(), table_for(levels).requires_grad_()
        weights = torch.linspace(-1, 1, 2 * len(levels), requires_grad=True)
        field = torch.tanh(encode(x_, table) @ weights)
        slope = torch.autograd.grad(field.sum(), x_, create_graph=True)[0]
        results.append(torch.autograd.grad(((slope.norm(dim=1) - 1) ** 2).mean(), (x_, table, weights)))
    for fast, slow in zip(*results):
        torch.testing.assert_close(fast, slow, rtol=2e-3, atol=2e-3 * slow.abs().max().item())


def test_derivative_of_the_table_gradient_falls_back_to_the_reference():
    levels = LAYOUTS["paper"]
    x = points(40)[5:]
    results = []
    for encode in (
        lambda x, t: hashgrid.unblock(hashgrid.encode(x, t, levels), 35),
        lambda x, t: reference.encode(x, t, levels),
    ):
        table = table_for(levels).requires_grad_()
        first = torch.autograd.grad((encode(x, table) ** 2).sum(), table, create_graph=True)[0]
        results.append(torch.autograd.grad((first**2).sum(), table)[0])
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-2)


def test_table_gradient_is_equal_bit_for_bit_at_any_number_of_threads():
    levels, x = LAYOUTS["paper"], points(5000)
    gradients = []
    for count in (1, 2, 3, 8):
        threads.set_threads(count)
        table = table_for(levels).requires_grad_()
        encoded = hashgrid.encode(x, table, levels)
        gradients.append(
            torch.autograd.grad(encoded, table, torch.sin(torch.arange(encoded.numel())).view_as(encoded))[0]
        )
    for other in gradients[1:]:
        assert torch.equal(gradients[0], other)


def test_a_point_has_the_same_value_in_any_batch():
    levels, table = LAYOUTS["paper"], table_for(LAYOUTS["paper"])
    x = points(1000)
    whole = hashgrid.unblock(hashgrid.encode(x, table, levels), 1000)
    part = hashgrid.unblock(hashgrid.encode(x[613:], table, levels), 387)
    assert torch.equal(whole[613:], part)


def test_paper_levels_follow_equations_2_and_3():
    levels = hashgrid.paper_levels(16, 16, 512, 19)
    assert levels[0].scale == 16
    assert levels[-1].scale == 512
    assert [level.stride > 0 for level in levels] == [(level.scale + 1) ** 3 <= 2**19 for level in levels]
    assert np.all(np.diff([level.offset for level in levels]) == [level.rows for level in levels[:-1]])


PLANES = {
    "paper": hashgrid.paper_levels(6, 4, 40, 7, dimensions=2),
    "budget": hashgrid.plane_levels(6, 4, 60, 1001),
    "one dense level": hashgrid.paper_levels(1, 3, 3, 12, dimensions=2),
}


@pytest.mark.parametrize("layout", PLANES)
@pytest.mark.parametrize("count", [0, 1, 128, 500])
def test_in_the_plane_values_and_gradients_equal_the_reference(layout, count):
    levels, x = PLANES[layout], points(count)[:, :2].contiguous()
    cotangent = torch.randn(count, 2 * len(levels), generator=torch.Generator().manual_seed(2))
    results = []
    for encode in (
        lambda x, t: hashgrid.unblock(hashgrid.encode(x, t, levels), count),
        lambda x, t: reference.encode(x, t, levels),
    ):
        x_, table = x.clone().requires_grad_(), table_for(levels).requires_grad_()
        encoded = encode(x_, table)
        results.append((encoded, *torch.autograd.grad((encoded * cotangent).sum(), (x_, table))))
    for fast, slow in zip(*results):
        torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4)


def test_in_the_plane_second_derivatives_equal_the_reference():
    levels, x = PLANES["budget"], points(60)[5:, :2].contiguous()
    results = []
    for encode in (
        lambda x, t: hashgrid.unblock(hashgrid.encode(x, t, levels), 55),
        lambda x, t: reference.encode(x, t, levels),
    ):
        x_, table = x.clone().requires_grad_(), table_for(levels).requires_grad_()
        slope = torch.autograd.grad(torch.tanh(encode(x_, table)).sum(), x_, create_graph=True)[0]
        results.append(torch.autograd.grad((slope**2).mean(), (x_, table)))
    for fast, slow in zip(*results):
        torch.testing.assert_close(fast, slow, rtol=2e-3, atol=2e-3 * slow.abs().max().item())


def test_in_the_plane_the_table_gradient_is_equal_bit_for_bit_at_any_number_of_threads():
    levels, x = PLANES["budget"], points(5000)[:, :2].contiguous()
    gradients = []
    for count in (1, 2, 5):
        threads.set_threads(count)
        table = table_for(levels).requires_grad_()
        encoded = hashgrid.encode(x, table, levels)
        gradients.append(
            torch.autograd.grad(encoded, table, torch.sin(torch.arange(encoded.numel())).view_as(encoded))[0]
        )
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


@pytest.mark.parametrize("rows", [6, 50, 1001, 10_000, 10**6])
def test_a_budget_of_rows_is_used_and_not_exceeded(rows):
    levels = hashgrid.plane_levels(6, 4, 60, rows)
    used = levels[-1].offset + levels[-1].rows
    full = sum((int(level.scale) + 2) ** 2 for level in levels)
    assert used == min(rows, full)
    shared = [level.rows for level in levels if level.rows < (level.scale + 2) ** 2]
    assert not shared or max(shared) - min(shared) <= 1  # equal shares


def test_vertices_of_the_plane_that_share_a_row_lie_far_apart_and_rows_are_used_evenly():
    finest = hashgrid.plane_levels(6, 4, 200, 3000)[-1]
    y, x = np.mgrid[:201, :201]
    rows = (x + y * finest.stride) % finest.rows
    count = np.bincount(rows.ravel(), minlength=finest.rows)
    assert count.max() <= 1.2 * count.mean()
    assert count.min() >= 0.8 * count.mean()
    close = int(
        0.6 * finest.rows**0.5
    )  # a lattice of that density has no points much further apart than this
    same = rows[:close, :close] == rows[0, 0]
    assert same.sum() == 1


def test_the_vertices_of_a_grid_of_one_cell_a_pixel_lie_on_the_centres_of_pixels():
    level = hashgrid.plane_levels(3, 4, 60, 10_000)[-1]
    centres = (torch.arange(60) + 0.5) / 60
    _, weights = reference.corners(torch.stack([centres, centres.flip(0)], 1), level)
    torch.testing.assert_close(weights.max(1).values, torch.ones(60), atol=1e-4, rtol=0)


def test_a_budget_below_one_row_a_level_is_refused():
    with pytest.raises(ValueError, match="6 levels"):
        hashgrid.plane_levels(6, 4, 60, 5)
