"""The radiance network in plain torch: what instant-ngp puts on top of its hash grid (Mueller et al. 2022,
appendix E), composited along rays (Max 1995)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..composite.reference import packed_sums, packed_transmittance, packed_weights
from ..mlp import reference as mlp

__all__ = ["BOUND", "DARK", "HARMONICS", "look", "shade"]

DARK = 1e-4  # transmittance behind which samples are left out, as in the published code
HARMONICS = 16  # bands 0 to 3 of the directions
BOUND = 15.0  # logarithms of densities beyond it count as this, and get no gradient


def shade(
    features: Float[Tensor, "samples inputs"],
    harmonics: Float[Tensor, "samples 16"],
    dense: Float[Tensor, " dense"],
    light: Float[Tensor, " light"],
    widths: tuple[int, int, int, int],
    unit: float,
) -> tuple[Float[Tensor, " samples"], Float[Tensor, "samples 3"]]:
    """Density, and colour in [0, 1], of samples. widths: inputs, hidden units, codes, bright units.

    density = unit exp(code 0), codes = dense network (one hidden layer) of the features; colour = sigmoid of
    the light network (two hidden layers) of codes and harmonics.
    """
    inputs, hidden, codes, bright = widths
    code = mlp.mlp(features.T, dense, (inputs, hidden, codes)).T
    density = unit * code[:, 0].clamp(-BOUND, BOUND).exp()
    lit = torch.cat([code, harmonics], 1).T
    colour = mlp.mlp(lit, light, (codes + HARMONICS, bright, bright, 3)).T.sigmoid()
    return density, colour


def look(
    density: Float[Tensor, " samples"],
    colour: Float[Tensor, "samples 3"],
    places: Float[Tensor, " samples"],
    lengths: Float[Tensor, " samples"],
    starts: Int[Tensor, " bounds"],
) -> Float[Tensor, "rays 5"]:
    """Colour, opacity and distance of rays: sums of w c, w and w t over their samples, but for those that
    less than DARK of the light reaches."""
    reached = packed_transmittance(density, lengths, starts) > DARK
    weights = packed_weights(density, lengths, starts) * reached
    values = torch.cat([colour, torch.ones_like(places)[:, None], places[:, None]], 1)
    return packed_sums(weights[:, None] * values, starts)
