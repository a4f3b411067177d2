"""Where rays are sampled."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.rendering.sampling import (
    even_depths,
    even_inverse_depths,
    importance_depths,
    jittered,
    mid_points,
    with_importance,
)

NEAR, FAR = torch.tensor([1.0, 2.0]).double(), torch.tensor([4.0, 8.0]).double()


def test_depths_are_even_in_depth_or_in_its_inverse():
    assert even_depths(NEAR, FAR, 4).tolist() == [[1, 2, 3, 4], [2, 4, 6, 8]]
    torch.testing.assert_close(
        (1 / even_inverse_depths(NEAR, FAR, 5)).diff(dim=1)[0], torch.full((4,), -0.1875).double()
    )


def test_jitter_keeps_each_depth_within_its_own_interval():
    depths = even_depths(NEAR, FAR, 4)
    middle = mid_points(depths)
    assert (
        jittered(depths, torch.zeros_like(depths)).tolist() == torch.cat([depths[:, :1], middle], 1).tolist()
    )
    torch.testing.assert_close(
        jittered(depths, torch.ones_like(depths)), torch.cat([middle, depths[:, -1:]], 1)
    )


def test_equal_weights_give_the_even_distribution():
    edges = torch.linspace(2, 6, 9).double()[None]
    uniform = torch.linspace(0, 1, 5).double()[None]
    drawn = importance_depths(edges, torch.full((1, 8), 0.3).double(), uniform)
    torch.testing.assert_close(drawn, torch.tensor([[2.0, 3.0, 4.0, 5.0, 6.0]]).double())


def test_draws_follow_the_weights():
    """Shares of the draws in each bin converge to the shares of the weights."""
    edges = torch.arange(4.0).double()[None]
    weights = torch.tensor([[1.0, 3.0, 4.0]]).double()
    drawn = importance_depths(edges, weights, torch.linspace(0, 1, 80_001).double()[None])
    counts = torch.histc(drawn, 3, 0, 3) / 80_001
    torch.testing.assert_close(counts, weights[0] / 8, rtol=0, atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=12), st.integers(1, 20))
def test_draws_lie_within_the_edges_and_ascend_with_the_numbers(weights, count):
    edges = torch.linspace(-1, 3, len(weights) + 1).double()[None]
    drawn = importance_depths(
        edges, torch.tensor([weights]).double(), torch.linspace(0, 1, count).double()[None]
    )
    assert (drawn >= -1).all()
    assert (drawn <= 3 + 1e-9).all()


def test_no_gradient_flows_through_the_draws():
    depths = even_depths(NEAR, FAR, 6)
    weights = torch.rand(2, 6, dtype=torch.float64).requires_grad_()
    union = with_importance(depths, weights, torch.rand(2, 5, dtype=torch.float64))
    assert not union.requires_grad
    assert (union.diff(dim=1) >= 0).all()
    assert union.shape == (2, 11)
