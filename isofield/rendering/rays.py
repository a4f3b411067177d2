"""Rays, as the renderers take them."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

__all__ = ["Rays"]


@dataclass(frozen=True)
class Rays:
    """origins, directions [rays, 3] in the world; a point at distance t is origin + t * direction. Directions are
    of unit length unless the function that made them says otherwise."""

    origins: Float[Tensor, "rays 3"]
    directions: Float[Tensor, "rays 3"]

    def __len__(self) -> int:
        return len(self.origins)

    def __getitem__(self, which) -> "Rays":
        return Rays(self.origins[which], self.directions[which])
