"""Where rays are sampled (Mildenhall et al. 2020, sections 4 and 5.2): evenly with jitter, then where it
matters.

Random numbers are given, never drawn here: uniform in [0, 1).
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "even_depths",
    "even_inverse_depths",
    "importance_depths",
    "jittered",
    "mid_points",
    "with_importance",
]

LEAST_WEIGHT = 1e-5  # added to every weight, so that no place is never sampled
LEAST_SHARE = 1e-5  # a bin with less than this of the distribution is not divided by its share


def even_depths(
    near: Float[Tensor, " rays"], far: Float[Tensor, " rays"], samples: int
) -> Float[Tensor, "rays {samples}"]:
    """Depths at equal steps from near to far, both included."""
    t = torch.linspace(0, 1, samples, dtype=near.dtype)
    return near[:, None] * (1 - t) + far[:, None] * t


def even_inverse_depths(
    near: Float[Tensor, " rays"], far: Float[Tensor, " rays"], samples: int
) -> Float[Tensor, "rays {samples}"]:
    """Depths whose inverses go at equal steps from 1 / near to 1 / far, both included; near above 0."""
    return 1 / even_depths(1 / near, 1 / far, samples)


def mid_points(depths: Float[Tensor, "rays samples"]) -> Float[Tensor, "rays samples-1"]:
    """Half way between neighbouring depths."""
    return (depths[:, 1:] + depths[:, :-1]) / 2


def jittered(
    depths: Float[Tensor, "rays samples"], uniform: Float[Tensor, "rays samples"]
) -> Float[Tensor, "rays samples"]:
    """Each depth moved to a random place of its own interval: between the mid points to its neighbours. The
    first and the last interval are half as wide, as in the published code."""
    middle = mid_points(depths)
    lower = torch.cat([depths[:, :1], middle], 1)
    upper = torch.cat([middle, depths[:, -1:]], 1)
    return lower + (upper - lower) * uniform


def importance_depths(
    edges: Float[Tensor, "rays edges"],
    weights: Float[Tensor, "rays edges-1"],
    uniform: Float[Tensor, "rays samples"],
) -> Float[Tensor, "rays samples"]:
    """Depths drawn from the piecewise constant distribution of the weights, by its inverse.

    edges: of the bins, ascending. weights: from 0 on; 1e-5 is added to each. uniform: where the distribution
    is inverted; 0 and 1 are the first and the last edge. No gradient flows. The published code, followed
    here, takes a bin with less than 1e-5 of the distribution as if it had all of it: the sample lies at
    its lower edge.
    """
    with torch.no_grad():
        weights = weights + LEAST_WEIGHT
        share = weights / weights.sum(1, keepdim=True)
        total = torch.cat([torch.zeros_like(share[:, :1]), share.cumsum(1)], 1)
        above = torch.searchsorted(total, uniform.contiguous(), right=True)
        below = (above - 1).clamp(min=0)
        above = above.clamp(max=total.shape[1] - 1)
        low, high = total.gather(1, below), total.gather(1, above)
        part = torch.where(high - low < LEAST_SHARE, 1, high - low)
        first, last = edges.gather(1, below), edges.gather(1, above)
        return first + (uniform - low) / part * (last - first)


def with_importance(
    depths: Float[Tensor, "rays samples"],
    weights: Float[Tensor, "rays samples"],
    uniform: Float[Tensor, "rays more"],
) -> Float[Tensor, "rays samples+more"]:
    """The depths and others where their compositing weights are large, ascending: NeRF's fine samples.

    The bins lie between the mid points, so that the first and the last weight are not used.
    """
    finer = importance_depths(mid_points(depths), weights[:, 1:-1], uniform)
    return torch.cat([depths, finer], 1).sort(1).values
