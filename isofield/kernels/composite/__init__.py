"""Compositing of packed samples: those of all rays one after another, a different number for each.

`composite` is compiled, forward and to first derivatives; the other functions are its definition in parts.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled
from . import reference
from .reference import (
    packed_distortion,
    packed_opacities,
    packed_sums,
    packed_transmittance,
    packed_weights,
    rays_of_samples,
)

__all__ = [
    "VISIBLE",
    "composite",
    "packed_distortion",
    "packed_opacities",
    "packed_sums",
    "packed_transmittance",
    "packed_weights",
    "rays_of_samples",
]

VISIBLE = 1e-4  # the transmittance below which a sample is not worth looking at


def composite(
    density: Float[Tensor, " samples"],
    colours: Float[Tensor, "samples 3"],
    lengths: Float[Tensor, " samples"],
    places: Float[Tensor, " samples"],
    first: Int[Tensor, " bounds"],
) -> tuple[Float[Tensor, "rays 3"], Float[Tensor, " rays"], Float[Tensor, " rays"]]:
    """Colour (nothing behind it), opacity and distance of rays: sums of w c, w and w t over their samples.

    density: per unit of length. lengths: of the samples' intervals. places: their t. first [rays + 1]: where
    the samples of each ray start; one without has zeros. Gradients: to density and colours, of first order.
    """
    if use_compiled(density.device.type) and density.dtype == torch.float32:
        seen = _Composite.apply(density, colours, lengths.detach(), places.detach(), first)
    else:
        seen = reference.composite(density, colours, lengths.detach(), places.detach(), first)
    return seen[:, :3], seen[:, 3], seen[:, 4]


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, density, colours, lengths, places, first):
        from . import numba

        d, c, l, p, f = (a.detach().contiguous().numpy() for a in (density, colours, lengths, places, first))
        weights, passing = np.empty_like(d), np.empty_like(d)
        seen = np.empty((len(f) - 1, 5), np.float32)
        run_pieces(
            lambda begin, end: numba.forward(d, c, l, p, f, begin, end, weights, passing, seen),
            split(len(seen), 4 * threads()),
        )
        ctx.arrays = c, l, p, f, weights, passing
        return torch.from_numpy(seen)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope):
        from . import numba

        s, (c, *_) = slope.contiguous().numpy(), ctx.arrays
        density_slope, colour_slope = np.empty(len(c), np.float32), np.empty_like(c)
        run_pieces(
            lambda begin, end: numba.backward(*ctx.arrays, s, begin, end, density_slope, colour_slope),
            split(len(s), 4 * threads()),
        )
        return torch.from_numpy(density_slope), torch.from_numpy(colour_slope), None, None, None
