"""Volume rendering against closed forms, and at the edges: opaque and empty rays."""

import math
from itertools import pairwise

import pytest
import torch

from isofield.kernels.composite.reference import (
    packed_distortion,
    packed_opacities,
    packed_sums,
    packed_transmittance,
    packed_weights,
)
from isofield.rendering.volume import (
    Rendered,
    composite,
    compositing_weights,
    disparity,
    interval_lengths,
    sample_opacities,
    z_depth,
)

FORWARD = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)


def middles(near, far, samples):
    """Mid points of equal intervals [1, samples], and the length of each."""
    step = (far - near) / samples
    return (near + step * (torch.arange(samples, dtype=torch.float64) + 0.5))[None], step


def rendered(density, depths, step, colours=None):
    """One ray along z; the colour of a sample is its depth where none is given."""
    weights = compositing_weights(sample_opacities(density, interval_lengths(depths, FORWARD, step)))
    colours = depths[..., None].expand(-1, -1, 3) if colours is None else colours
    return composite(weights, colours, depths)


def test_a_slab_of_constant_density_is_as_opaque_as_the_law_of_beer_and_lambert_says():
    density, near, far = 0.7, 2.0, 5.0
    depths, step = middles(near, far, 64)
    result = rendered(torch.full_like(depths, density), depths, step, torch.full((1, 64, 3), 0.4).double())
    opacity = 1 - math.exp(-density * (far - near))
    assert abs(result.opacity.item() - opacity) < 1e-6
    torch.testing.assert_close(result.colour, torch.full((1, 3), 0.4 * opacity).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(result.over(1.0), result.colour + math.exp(-density * 3), rtol=0, atol=1e-6)


def test_an_opaque_wall_is_seen_at_its_place_and_hides_what_is_behind():
    depths, _ = middles(0.0, 1.0, 10)
    density = torch.where(depths > 0.5, 1e6, 0.0)
    colours = torch.rand(1, 10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    result = rendered(density, depths, 1e10, colours)
    torch.testing.assert_close(result.colour, colours[:, 5], rtol=0, atol=1e-6)
    assert abs(result.opacity.item() - 1) < 1e-6
    assert abs(result.distance.item() - depths[0, 5].item()) < 1e-6
    assert abs(disparity(result).item() - 1 / depths[0, 5].item()) < 1e-6


def test_an_empty_ray_sees_the_background():
    depths, _ = middles(2.0, 6.0, 8)
    result = rendered(torch.full_like(depths, -3.0), depths, 1e10)  # a negative density is none
    assert (result.opacity.item(), result.distance.item(), disparity(result).item()) == (0, 0, 0)
    assert result.over(1.0).tolist() == [[1, 1, 1]]
    assert result.over(torch.tensor([[0.2, 0.3, 0.4]]).double())[0].tolist() == pytest.approx([0.2, 0.3, 0.4])


def test_linear_density_converges_to_its_integrals_at_second_order():
    """density t from 0 to 3: opacity 1 - exp(-9/2), distance the integral of t^2 exp(-t^2 / 2)."""
    end = 3.0
    opacity = 1 - math.exp(-end * end / 2)
    distance = math.sqrt(math.pi / 2) * math.erf(end / math.sqrt(2)) - end * math.exp(-end * end / 2)
    errors = []
    for samples in (64, 128, 256, 4096):
        depths, step = middles(0.0, end, samples)
        result = rendered(depths, depths, step)
        assert abs(result.opacity.item() - opacity) < 1e-6  # mid points integrate what is linear exactly
        errors.append(abs(result.distance.item() - distance))
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors[:3])]
    assert all(abs(order - 2) < 0.06 for order in orders), orders
    assert errors[-1] < 1e-6


def test_samples_at_the_near_ends_of_their_intervals_converge_at_first_order():
    """NeRF's convention: a sample stands for what lies between it and the next."""
    errors = []
    for samples in (256, 512, 1024):
        depths = torch.linspace(0, 3, samples, dtype=torch.float64)[None]
        result = rendered(depths, depths, 0.0)
        errors.append(abs(result.opacity.item() - (1 - math.exp(-4.5))))
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert all(abs(order - 1) < 0.05 for order in orders), orders


def test_lengths_are_those_in_space_whatever_the_length_of_the_direction():
    depths = torch.tensor([[1.0, 2.0, 4.0]])
    lengths = interval_lengths(depths, torch.tensor([[0.0, 3.0, 4.0]]), last=10.0)
    assert lengths.tolist() == [[5.0, 10.0, 50.0]]


def test_z_depth_is_measured_along_the_axis():
    direction = torch.tensor([[0.6, 0.0, 0.8]])
    assert z_depth(torch.tensor([5.0]), direction, torch.tensor([0.0, 0.0, 1.0])).item() == pytest.approx(4.0)


def test_gradients_pass_opaque_and_empty_rays():
    generator = torch.Generator().manual_seed(0)
    density = torch.rand(4, 6, dtype=torch.float64, generator=generator) * 3
    density[1] = -1.0  # empty
    density[2, 2] = 40.0  # opaque to all digits that a difference can show
    depths = torch.sort(torch.rand(4, 6, dtype=torch.float64, generator=generator), 1).values + 1
    colours = torch.rand(4, 6, 3, dtype=torch.float64, generator=generator)
    directions = torch.randn(4, 3, dtype=torch.float64, generator=generator)

    def seen(density, colours, depths):
        lengths = interval_lengths(depths, directions, 1.0)
        result = composite(compositing_weights(sample_opacities(density, lengths)), colours, depths)
        return result.colour, result.opacity, result.distance

    inputs = [each.requires_grad_() for each in (density, colours, depths)]
    assert torch.autograd.gradcheck(seen, inputs)


@pytest.mark.parametrize("density", [0.0, 1e30])
def test_gradients_are_finite_in_single_precision_where_nothing_or_nothing_else_is_seen(density):
    raw = torch.full((1, 5), density).requires_grad_()
    depths = torch.linspace(2, 6, 5)[None].requires_grad_()
    lengths = interval_lengths(depths, torch.tensor([[0.0, 0.0, 1.0]]))
    result = composite(compositing_weights(sample_opacities(raw, lengths)), torch.ones(1, 5, 3), depths)
    (result.over(1.0).sum() + result.distance.sum()).backward()
    assert raw.grad.isfinite().all()
    assert depths.grad.isfinite().all()


FIRST = torch.tensor([0, 3, 3, 7, 8])  # four rays, the second without samples


def packed(seed=0):
    """density, lengths, distances [8] of the four rays."""
    generator = torch.Generator().manual_seed(seed)
    density, lengths = torch.rand(2, 8, dtype=torch.float64, generator=generator) + 0.1
    return density * 2, lengths, lengths.cumsum(0)


def test_packed_samples_without_gaps_mean_what_dense_ones_mean():
    density, _, _ = packed()
    depths = torch.tensor([[2.0, 2.5, 3.5, 4.0]]).double()
    steps = interval_lengths(depths, FORWARD, 0.7)
    dense = compositing_weights(sample_opacities(density[None, 3:7], steps))
    flat = packed_weights(density[3:7], steps[0], torch.tensor([0, 4]))
    torch.testing.assert_close(flat, dense[0], rtol=0, atol=1e-9)


def test_packed_rays_do_not_see_each_other():
    density, lengths, _ = packed()
    whole = packed_transmittance(density, lengths, FIRST)
    for start, end in pairwise(FIRST):
        alone = packed_transmittance(density[start:end], lengths[start:end], torch.tensor([0, end - start]))
        torch.testing.assert_close(whole[start:end], alone, rtol=0, atol=0)


def test_packed_weights_and_what_passes_sum_to_one():
    density, lengths, _ = packed()
    opacity = packed_sums(packed_weights(density, lengths, FIRST)[:, None], FIRST)[:, 0]
    thickness = packed_sums((density * lengths)[:, None], FIRST)[:, 0]
    torch.testing.assert_close(opacity, 1 - torch.exp(-thickness), rtol=0, atol=1e-12)
    assert opacity[1] == 0


def test_an_opaque_sample_leaves_the_next_ray_all_its_digits():
    first = torch.tensor([0, 2, 4])
    density, lengths = torch.tensor([1e12, 1.0, 0.5, 0.5]), torch.full((4,), 0.1)
    transmittance = packed_transmittance(density, lengths, first)
    torch.testing.assert_close(transmittance, torch.tensor([1.0, 0.0, 1.0, math.exp(-0.05)]))


def test_distortion_is_the_double_sum_over_pairs():
    density, lengths, distances = packed()
    weights = packed_weights(density, lengths, FIRST)
    expected = torch.zeros(4, dtype=torch.float64)
    for ray, (start, end) in enumerate(pairwise(FIRST)):
        w, t, d = weights[start:end], distances[start:end], lengths[start:end]
        pairs = w[:, None] * w * (t[:, None] - t).abs()
        expected[ray] = pairs.sum() + (w.square() * d).sum() / 3
    torch.testing.assert_close(packed_distortion(weights, distances, lengths, FIRST), expected)


def test_packed_gradients_pass_opaque_and_empty_rays():
    density, lengths, distances = packed()
    density[4] = 60.0
    density[7] = 0.0

    def seen(density, lengths, distances):
        weights = packed_weights(density, lengths, FIRST)
        sums = packed_sums(torch.stack([weights, weights * distances], 1), FIRST)
        return sums, packed_distortion(weights, distances, lengths, FIRST)

    assert torch.autograd.gradcheck(seen, [each.requires_grad_() for each in (density, lengths, distances)])


def test_no_rays_and_no_samples_are_nothing():
    nothing, first = torch.zeros(0), torch.tensor([0])
    assert packed_weights(nothing, nothing, first).shape == (0,)
    assert packed_sums(torch.zeros(0, 3), torch.tensor([0, 0])).tolist() == [[0, 0, 0]]
    assert packed_distortion(nothing, nothing, nothing, first).shape == (0,)


def test_a_thin_sample_keeps_its_digits():
    alpha = packed_opacities(torch.tensor([1e-9]), torch.tensor([1.0]))
    assert alpha.item() == pytest.approx(1e-9, rel=1e-6)


def test_a_background_may_differ_from_ray_to_ray():
    result = Rendered(torch.zeros(2, 3), torch.tensor([0.0, 0.5]), torch.zeros(2))
    background = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert result.over(background).tolist() == [[1, 0, 0], [0, 0.5, 0]]
