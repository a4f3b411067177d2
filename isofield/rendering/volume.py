"""Volume rendering (Max 1995; Mildenhall et al. 2020, section 4), as pure functions of samples along rays.

Conventions are those of NeRF's published code: the density is what is left of the network's raw value after a
ReLU; a sample stands for the interval from itself to the next one, and the last for everything behind it.
Samples that are packed (a different number for each ray) are composited by `kernels.composite`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Rendered",
    "composite",
    "compositing_weights",
    "disparity",
    "interval_lengths",
    "sample_opacities",
    "z_depth",
]

LAST = 1e10  # length of the last interval of a ray
LEAST = 1e-10  # share of the light that passes even an opaque sample; and the least distance of a disparity


@dataclass(frozen=True)
class Rendered:
    """What rays see. colour [rays, 3]: multiplied by the opacity, nothing behind it. opacity [rays]: 1 - the
    transmittance to the end of the ray. distance [rays]: the mean of the distances along the ray, weighted by
    how much of the colour comes from each (not divided by the opacity)."""

    colour: Float[Tensor, "rays 3"]
    opacity: Float[Tensor, " rays"]
    distance: Float[Tensor, " rays"]

    def over(self, background: Float[Tensor, "*rays 3"] | float) -> Float[Tensor, "rays 3"]:
        """The colour in front of a background, one for all rays or one each."""
        return self.colour + (1 - self.opacity)[:, None] * background


def interval_lengths(
    depths: Float[Tensor, "rays samples"], directions: Float[Tensor, "rays 3"], last: float = LAST
) -> Float[Tensor, "rays samples"]:
    """Lengths of the intervals that samples stand for: delta_i = (t_{i+1} - t_i) |d|, the last `last` |d|.

    depths: ascending t of the points origin + t * direction. Directions of any length: the product is a
    length in space.
    """
    steps = torch.cat([depths.diff(dim=1), torch.full_like(depths[:, :1], last)], 1)
    return steps * directions.norm(dim=1, keepdim=True)


def sample_opacities(
    density: Float[Tensor, "rays samples"], lengths: Float[Tensor, "rays samples"]
) -> Float[Tensor, "rays samples"]:
    """alpha_i = 1 - exp(-relu(density_i) delta_i): the share of the light that sample i stops.

    density: per unit of length, before the ReLU. Mildenhall et al. 2020, equation 3.
    """
    return 1 - torch.exp(-density.relu() * lengths)


def compositing_weights(opacities: Float[Tensor, "rays samples"]) -> Float[Tensor, "rays samples"]:
    """w_i = alpha_i prod_{j<i} (1 - alpha_j + 1e-10): the share of the ray's light that comes from sample i.

    The paper has no 1e-10; the published code, followed here, keeps the product from becoming 0, so that
    gradients pass an opaque sample. Weights then sum to at most 1 + 1e-10 for each sample.
    """
    passing = (1 - opacities + LEAST).cumprod(1)
    return opacities * torch.cat([torch.ones_like(passing[:, :1]), passing[:, :-1]], 1)


def composite(
    weights: Float[Tensor, "rays samples"],
    colours: Float[Tensor, "rays samples 3"],
    depths: Float[Tensor, "rays samples"],
) -> Rendered:
    """Sums along rays: colour sum w c, opacity sum w, distance sum w t."""
    return Rendered((weights[..., None] * colours).sum(1), weights.sum(1), (weights * depths).sum(1))


def disparity(rendered: Rendered) -> Float[Tensor, " rays"]:
    """1 / (distance / opacity), at most 1e10; 0 for an empty ray, where the published code has NaN."""
    mean = rendered.distance / rendered.opacity
    return torch.where(rendered.opacity > 0, 1 / mean.clamp(min=LEAST), 0)


def z_depth(
    distances: Float[Tensor, " rays"],
    directions: Float[Tensor, "rays 3"],
    forward: Float[Tensor, "3"] | Float[Tensor, "rays 3"],
) -> Float[Tensor, " rays"]:
    """Depths along the camera's axis of points at distances t along rays: t (d . forward), |forward| = 1."""
    return distances * (directions * forward).sum(1)
