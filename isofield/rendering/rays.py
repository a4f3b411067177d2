"""Rays, as the renderers take them, and where they meet boxes and spheres."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Rays", "in_depths", "ray_box", "ray_sphere", "to_ndc"]


@dataclass(frozen=True)
class Rays:
    """origins, directions [rays, 3] in the world; a point at distance t is origin + t * direction. Directions
    are of unit length unless the function that made them says otherwise."""

    origins: Float[Tensor, "rays 3"]
    directions: Float[Tensor, "rays 3"]

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, which) -> "Rays":
        return Rays(self.origins[which], self.directions[which])


def ray_box(
    rays: Rays, lower: Float[Tensor, "3"], upper: Float[Tensor, "3"], near: float = 0.0
) -> tuple[Float[Tensor, " rays"], Float[Tensor, " rays"]]:
    """Distances at which rays enter and leave a box, none below `near`. Where a ray misses the box, or leaves
    it before `near`, the two are equal: nothing lies between. (Slabs: Kay, Kajiya 1986.)"""
    # a ray along a slab: so far away that it is inside the slab for ever or never
    along = torch.where(rays.directions.abs() < 1e-20, 1e-20, rays.directions)
    one, other = (lower - rays.origins) / along, (upper - rays.origins) / along
    entry = torch.minimum(one, other).amax(dim=1).clamp_min(near)
    leave = torch.maximum(one, other).amin(dim=1)
    return entry, torch.maximum(entry, leave)


def ray_sphere(
    rays: Rays, centre: Float[Tensor, "3"], radius: float, near: float = 0.0
) -> tuple[Float[Tensor, " rays"], Float[Tensor, " rays"]]:
    """Distances at which rays enter and leave a ball, as `ray_box` gives them."""
    square = (rays.directions**2).sum(dim=1)
    nearest = ((centre - rays.origins) * rays.directions).sum(dim=1) / square
    # through the nearest point: the difference of squares of the quadratic formula loses digits far away
    off = ((rays.origins + nearest[:, None] * rays.directions - centre) ** 2).sum(dim=1)
    half = ((radius**2 - off).clamp_min(0) / square).sqrt()
    entry = (nearest - half).clamp_min(near)
    return entry, torch.where(half > 0, torch.maximum(entry, nearest + half), entry)


def in_depths(rays: Rays, axes: Float[Tensor, "rays 3"]) -> Rays:
    """The same rays with directions so long that t is the depth along each camera's view axis (unit vector),
    as NeRF counts distances; not of unit length."""
    return Rays(rays.origins, rays.directions / (rays.directions * axes).sum(dim=1, keepdim=True))


def to_ndc(rays: Rays, width: int, height: int, focal: float, near: float = 1.0) -> Rays:
    """Rays of a forward-facing scene in normalised device coordinates (NeRF, appendix C): t = 0 is the plane
    z = -near of the world, t = 1 is infinitely far, and equal steps of t are equal steps of 1 / depth.

    All cameras look about along -z of the world, and each ray must (its direction's z is negative). width,
    height, focal: of the pictures, in pixels. The directions are not of unit length, and colours that depend
    on the direction of view take the one before this.
    """
    (ox, oy, oz), (dx, dy, dz) = rays.origins.unbind(1), rays.directions.unbind(1)
    shift = -(near + oz) / dz  # to the plane z = -near
    ox, oy, oz = ox + shift * dx, oy + shift * dy, oz + shift * dz
    x, y = -2 * focal / width, -2 * focal / height
    origins = torch.stack([x * ox / oz, y * oy / oz, 1 + 2 * near / oz], dim=1)
    directions = torch.stack([x * (dx / dz - ox / oz), y * (dy / dz - oy / oz), -2 * near / oz], dim=1)
    return Rays(origins, directions)
