"""The radiance network in plain torch: what instant-ngp puts on top of its hash grid (Mueller et al. 2022,
appendix E), composited along rays (Max 1995)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..composite.reference import composite, packed_transmittance, rays_of_samples
from ..mlp import reference as mlp
from .harmonics import CONDON_SHORTLEY_SIGNS, spherical_harmonics

__all__ = ["BOUND", "DARK", "HARMONICS", "ROOM", "look", "shade", "squared_error"]

DARK = 1e-4  # transmittance behind which samples are left out, as in the published code
HARMONICS = 16  # bands 0 to 3 of the directions
ROOM = 1024  # samples that the rays of a pixel have together at most
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
    features: Float[Tensor, "blocks inputs 128"],
    dense: Float[Tensor, " dense"],
    light: Float[Tensor, " light"],
    directions: Float[Tensor, "rays 3"],
    starts: np.ndarray,
    places: np.ndarray,
    lengths: np.ndarray,
    widths: tuple[int, int, int, int],
    unit: float,
) -> Float[Tensor, "rays 5"]:
    """Colour, opacity and distance of rays: sums of w c, w and w t over their samples, but for those that
    less than DARK of the light reaches."""
    first = torch.from_numpy(starts).to(features.device)
    t, length = (torch.from_numpy(each).to(features) for each in (places, lengths))
    signs = torch.tensor(CONDON_SHORTLEY_SIGNS[:HARMONICS]).to(features)
    harmonics = (spherical_harmonics(directions)[:, :HARMONICS] * signs)[rays_of_samples(first)]
    samples = features.transpose(1, 2).reshape(-1, widths[0])[: len(t)]
    density, colour = shade(samples, harmonics, dense, light, widths, unit)
    reached = packed_transmittance(density, length, first) > DARK
    return composite(density * reached, colour, length, t, first)


def squared_error(
    features: Float[Tensor, "blocks inputs 128"],
    dense: Float[Tensor, " dense"],
    light: Float[Tensor, " light"],
    directions: Float[Tensor, "rays 3"],
    starts: np.ndarray,
    lengths: np.ndarray,
    target: Float[Tensor, "pixels 4"],
    background: Float[Tensor, "pixels 3"],
    widths: tuple[int, int, int, int],
    unit: float,
) -> Float[Tensor, ""]:
    """Mean squared error of pixels, each the mean of as many rays, over pixels and channels, in front of a
    background."""
    seen = look(features, dense, light, directions, starts, lengths, lengths, widths, unit)
    seen = seen.view(len(target), -1, 5).mean(1)
    behind = (target[:, 3:] - seen[:, 3:4]) * background
    return (seen[:, :3] + behind - target[:, :3]).square().mean()
