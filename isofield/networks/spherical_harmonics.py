"""Real spherical harmonics as an encoding of directions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..kernels.radiance.harmonics import CONDON_SHORTLEY_SIGNS, PLAIN_SIGNS, spherical_harmonics

__all__ = ["CONDON_SHORTLEY_SIGNS", "PLAIN_SIGNS", "SphericalHarmonics", "spherical_harmonics"]


class SphericalHarmonics(nn.Module):
    """The (degree + 1)^2 real spherical harmonics of bands 0 to `degree` (at most 4) of unit directions.

    signs: `PLAIN_SIGNS` (nerfstudio: Y_1 = c (y, z, x)) or `CONDON_SHORTLEY_SIGNS` (tiny-cuda-nn and
    instant-ngp: times (-1)^m, Y_1 = c (-y, z, -x)). instant-ngp uses the 16 values of degree 3. tiny-cuda-nn
    takes its input as (direction + 1) / 2; this module takes the direction itself.
    """

    def __init__(self, degree: int = 3, signs: tuple[float, ...] = CONDON_SHORTLEY_SIGNS) -> None:
        super().__init__()
        self.in_features, self.out_features = 3, (degree + 1) ** 2
        self.signs: Tensor
        self.register_buffer("signs", torch.tensor(signs[: self.out_features]), persistent=False)

    def forward(self, directions: Float[Tensor, "*directions 3"]) -> Float[Tensor, "*directions values"]:
        return spherical_harmonics(directions)[..., : self.out_features] * self.signs
