"""What rays see of the part of a scene that lies in a box."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from .rays import Rays, ray_box
from .volume import Rendered, composite, compositing_weights, sample_opacities

__all__ = ["render_cropped"]

FAINT = 1e-3  # weight below which a sample's colour is not asked for


def render_cropped(
    density: Callable[[Tensor], Tensor],
    colour: Callable[[Tensor, Tensor], Tensor],
    lower: Float[Tensor, "3"],
    upper: Float[Tensor, "3"],
    rays: Rays,
    samples: int = 128,
) -> Rendered:
    """What is inside the box from `lower` to `upper`, by `samples` in the middles of equal intervals of each
    ray.

    density: points [N, 3] -> [N], per unit of length. colour: points, unit directions [N, 3] -> [N, 3]. rays:
    with unit directions.
    """
    entry, leave = ray_box(rays, lower, upper)
    step = (leave - entry)[:, None] / samples
    depths = entry[:, None] + step * (torch.arange(samples).to(step) + 0.5)
    points = rays.origins[:, None] + depths[..., None] * rays.directions[:, None]
    densities = torch.zeros_like(depths)
    crossed = step[:, 0] > 0
    densities[crossed] = density(points[crossed].view(-1, 3)).view(-1, samples).to(step)
    weights = compositing_weights(sample_opacities(densities, step.expand_as(densities)))
    colours = torch.zeros_like(points)
    seen = weights > FAINT
    colours[seen] = colour(points[seen], rays.directions[:, None].expand_as(points)[seen]).to(step)
    return composite(weights, colours, depths)
