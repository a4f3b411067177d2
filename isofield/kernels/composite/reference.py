"""The definition, in plain torch.

The samples of ray r are first[r] : first[r + 1], from near to far; a ray may have none, and `first` has one
number more than there are rays. Each sample stands for an interval of its own: gaps between intervals count
nothing. Terms mean what they mean in nerfacc (Li et al. 2022).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = [
    "composite",
    "packed_distortion",
    "packed_opacities",
    "packed_sums",
    "packed_transmittance",
    "packed_weights",
    "rays_of_samples",
]


def rays_of_samples(first: Int[Tensor, " bounds"]) -> Int[Tensor, " samples"]:
    """The ray that each sample belongs to."""
    return torch.repeat_interleave(torch.arange(len(first) - 1, device=first.device), first.diff())


def packed_opacities(
    density: Float[Tensor, " samples"], lengths: Float[Tensor, " samples"]
) -> Float[Tensor, " samples"]:
    """alpha = 1 - exp(-density length). density: per unit of length, from 0 on."""
    return -torch.expm1(-density * lengths)


def packed_transmittance(
    density: Float[Tensor, " samples"], lengths: Float[Tensor, " samples"], first: Int[Tensor, " bounds"]
) -> Float[Tensor, " samples"]:
    """T_i = exp(-sum_{j<i} density_j length_j): the share of the light that reaches sample i."""
    return torch.exp(-_sums_before(density * lengths, first))


def packed_weights(
    density: Float[Tensor, " samples"], lengths: Float[Tensor, " samples"], first: Int[Tensor, " bounds"]
) -> Float[Tensor, " samples"]:
    """w_i = T_i alpha_i: the share of the ray's light that comes from sample i."""
    return packed_transmittance(density, lengths, first) * packed_opacities(density, lengths)


def packed_sums(
    values: Float[Tensor, "samples channels"], first: Int[Tensor, " bounds"]
) -> Float[Tensor, "rays channels"]:
    """Sums over the samples of each ray, 0 for a ray without: of w c the colour, of w the opacity, of w t the
    distance."""
    sums = values.new_zeros(len(first) - 1, values.shape[1])
    return sums.index_add(0, rays_of_samples(first), values)


def composite(
    density: Float[Tensor, " samples"],
    colours: Float[Tensor, "samples 3"],
    lengths: Float[Tensor, " samples"],
    places: Float[Tensor, " samples"],
    first: Int[Tensor, " bounds"],
) -> Float[Tensor, "rays 5"]:
    """Colour, opacity and distance of rays: the sums of w c, w and w t over their samples."""
    weights = packed_weights(density, lengths, first)
    values = torch.cat([colours, torch.ones_like(places)[:, None], places[:, None]], 1)
    return packed_sums(weights[:, None] * values, first)


def packed_distortion(
    weights: Float[Tensor, " samples"],
    distances: Float[Tensor, " samples"],
    lengths: Float[Tensor, " samples"],
    first: Int[Tensor, " bounds"],
) -> Float[Tensor, " rays"]:
    """sum_ij w_i w_j |t_i - t_j| + 1/3 sum_i w_i^2 length_i: how far the weights of a ray are spread.

    distances: mid points t_i of the intervals, ascending, so that the double sum is twice that
    over j < i, which needs the sums of w_j and w_j t_j before i alone. Barron et al. 2022 (mip-NeRF 360),
    equation 15.
    """
    before = _sums_before(weights, first)
    moment = _sums_before(weights * distances, first)
    terms = 2 * weights * (distances * before - moment) + weights.square() * lengths / 3
    return packed_sums(terms[:, None], first)[:, 0]


def _sums_before(
    values: Float[Tensor, " samples"], first: Int[Tensor, " bounds"]
) -> Float[Tensor, " samples"]:
    """For each sample the sum over those before it on its ray. Rays are rows of a matrix, filled up with 0: a
    sum that ran on from ray to ray would lose its digits behind an opaque sample."""
    ray = rays_of_samples(first)
    place = torch.arange(len(values), device=values.device) - first[ray]
    longest = int(first.diff().max()) if len(first) > 1 else 0
    rows = values.new_zeros(len(first) - 1, longest + 1).index_put((ray, place + 1), values)
    return rows.cumsum(1)[ray, place]
