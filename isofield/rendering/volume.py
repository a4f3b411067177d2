"""Volume rendering (Max 1995; Mildenhall et al. 2020, section 4), as pure functions."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

__all__ = ["Rendered"]


@dataclass(frozen=True)
class Rendered:
    """What rays see. colour [rays, 3]: multiplied by the opacity, nothing behind it. opacity [rays]: 1 - the
    transmittance to the end of the ray. distance [rays]: the mean of the distances along the ray, weighted by how much
    of the colour comes from each (not divided by the opacity)."""

    colour: Float[Tensor, "rays 3"]
    opacity: Float[Tensor, " rays"]
    distance: Float[Tensor, " rays"]

    def over(self, background: Float[Tensor, "*rays 3"] | float) -> Float[Tensor, "rays 3"]:
        """The colour in front of a background, one for all rays or one each."""
        return self.colour + (1 - self.opacity)[:, None] * background
