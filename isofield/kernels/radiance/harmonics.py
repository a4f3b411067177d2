"""Real spherical harmonics of directions, as polynomials of x, y, z."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["CONDON_SHORTLEY_SIGNS", "PLAIN_SIGNS", "spherical_harmonics"]

# One sign for each value, in the order of `spherical_harmonics`: index l^2 + l + m, l = 0 to 4, |m| <= l.
PLAIN_SIGNS = (1.0,) * 25
CONDON_SHORTLEY_SIGNS = tuple((-1.0) ** m for l in range(5) for m in range(-l, l + 1))


def spherical_harmonics(directions: Float[Tensor, "*directions 3"]) -> Float[Tensor, "*directions 25"]:
    """The 25 real spherical harmonics of bands l = 0 to 4 of unit directions, without Condon-Shortley signs.

    Value l^2 + l + m is K_lm P_l^|m|(z) / (1 - z^2)^(|m|/2) times the real (m >= 0) or imaginary (m < 0) part
    of (x + i y)^|m|. They are orthonormal on the sphere. Derivatives are those of the polynomials in x, y, z
    below (not projected to the sphere).
    """
    x, y, z = directions.unbind(-1)
    xx, yy, zz = x * x, y * y, z * z
    values = [
        torch.full_like(x, 0.28209479177387814),  # 1 / (2 sqrt(pi))
        0.4886025119029199 * y,  # sqrt(3 / (4 pi))
        0.4886025119029199 * z,
        0.4886025119029199 * x,
        1.0925484305920792 * x * y,  # sqrt(15 / (4 pi))
        1.0925484305920792 * y * z,
        0.31539156525252005 * (3 * zz - 1),  # sqrt(5 / (16 pi))
        1.0925484305920792 * x * z,
        0.5462742152960396 * (xx - yy),  # sqrt(15 / (16 pi))
        0.5900435899266435 * y * (3 * xx - yy),  # sqrt(35 / (32 pi))
        2.890611442640554 * x * y * z,  # sqrt(105 / (4 pi))
        0.4570457994644658 * y * (5 * zz - 1),  # sqrt(21 / (32 pi))
        0.3731763325901154 * z * (5 * zz - 3),  # sqrt(7 / (16 pi))
        0.4570457994644658 * x * (5 * zz - 1),
        1.445305721320277 * z * (xx - yy),  # sqrt(105 / (16 pi))
        0.5900435899266435 * x * (xx - 3 * yy),
        2.5033429417967046 * x * y * (xx - yy),  # sqrt(315 / (16 pi))
        1.7701307697799304 * y * z * (3 * xx - yy),  # sqrt(315 / (32 pi))
        0.9461746957575601 * x * y * (7 * zz - 1),  # sqrt(45 / (16 pi))
        0.6690465435572892 * y * z * (7 * zz - 3),  # sqrt(45 / (32 pi))
        0.10578554691520431 * (35 * zz * zz - 30 * zz + 3),  # sqrt(9 / (256 pi))
        0.6690465435572892 * x * z * (7 * zz - 3),
        0.47308734787878004 * (xx - yy) * (7 * zz - 1),  # sqrt(45 / (64 pi))
        1.7701307697799304 * x * z * (xx - 3 * yy),
        0.6258357354491761 * (xx * (xx - 3 * yy) - yy * (3 * xx - yy)),  # sqrt(315 / (256 pi))
    ]
    return torch.stack(values, -1)
