"""Losses of fields learnt from raw points: IGR's, SIREN's and SAL's.

They take values and gradients at points (`derivatives.value_and_gradient` makes both) and give named terms,
already weighted: the loss is their sum. Weights default to the published ones.
"""

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

__all__ = ["igr_loss", "igr_loss_without_normals", "sal_loss", "sal_reconstruction_loss", "siren_sdf_loss"]


def igr_loss(
    surface_values: Float[Tensor, "surface"],
    surface_gradients: Float[Tensor, "surface 3"],
    surface_normals: Float[Tensor, "surface 3"],
    space_gradients: Float[Tensor, "space 3"],
    eikonal_weight: float = 0.1,
    normal_weight: float = 1.0,
) -> dict[str, Tensor]:
    """IGR's loss for a signed distance from oriented points: "surface", "normal", "eikonal".

    mean |f(s)| + normal_weight mean |grad f(s) - n(s)| + eikonal_weight mean (|grad f(x)| - 1)^2.
    s: points of the surface, with unit normals n; x: points in space (near the surface and in a box around
    it). At x alone is the gradient asked to have length 1. Gropp et al. 2020, section 3, with lambda = 0.1
    and tau = 1.
    """
    normal = normal_weight * (surface_gradients - surface_normals).norm(dim=-1).mean()
    return igr_loss_without_normals(surface_values, space_gradients, eikonal_weight) | {"normal": normal}


def igr_loss_without_normals(
    surface_values: Float[Tensor, "surface"],
    space_gradients: Float[Tensor, "space 3"],
    eikonal_weight: float = 0.1,
) -> dict[str, Tensor]:
    """IGR's loss from points alone: the terms "surface" and "eikonal" of `igr_loss`."""
    return {
        "surface": surface_values.abs().mean(),
        "eikonal": eikonal_weight * ((space_gradients.norm(dim=-1) - 1) ** 2).mean(),
    }


def siren_sdf_loss(
    values: Float[Tensor, "points"],
    gradients: Float[Tensor, "points 3"],
    normals: Float[Tensor, "points 3"],
    on_surface: Bool[Tensor, "points"],
    surface_weight: float = 3000.0,
    space_weight: float = 100.0,
    normal_weight: float = 100.0,
    eikonal_weight: float = 50.0,
) -> dict[str, Tensor]:
    """SIREN's loss for a signed distance from oriented points: "surface", "space", "normal", "eikonal".

    surface_weight |f| and normal_weight (1 - cos(grad f, n)) at points of the surface, space_weight
    exp(-100 |f|) at the others, eikonal_weight | |grad f| - 1 | at all. Every term is a mean over all points,
    those where it is 0 included, as in the published code. normals: any finite values where not `on_surface`.
    Sitzmann et al. 2020, equation 6.
    """
    off_surface = ~on_surface
    return {
        "surface": surface_weight * (values.abs() * on_surface).mean(),
        "space": space_weight * ((-100 * values.abs()).exp() * off_surface).mean(),
        "normal": normal_weight
        * ((1 - functional.cosine_similarity(gradients, normals, dim=-1)) * on_surface).mean(),
        "eikonal": eikonal_weight * (gradients.norm(dim=-1) - 1).abs().mean(),
    }


def sal_loss(
    values: Float[Tensor, "points"], unsigned_distances: Float[Tensor, "points"]
) -> dict[str, Tensor]:
    """SAL's loss: mean | |f(x)| - d(x) |, d the distance to the raw points ("distance").

    It does not ask for a sign; that the network starts as a sphere (`geometric.sal_decoder`) makes the inside
    negative. Atzmon and Lipman 2020, section 3.
    """
    return {"distance": (values.abs() - unsigned_distances).abs().mean()}


def sal_reconstruction_loss(
    space_values: Float[Tensor, "space"],
    surface_values: Float[Tensor, "surface"],
    surface_weight: float = 2.0,
) -> dict[str, Tensor]:
    """SAL's loss without distances: mean | |f(x)| - 1 | + surface_weight mean |f(s)| ("space", "surface").

    x: points in space, s: points of the surface. The loss of SAL's published "tanh" configuration, which
    learns values near -1 inside and 1 outside, without distances.
    """
    return {
        "space": (space_values.abs() - 1).abs().mean(),
        "surface": surface_weight * surface_values.abs().mean(),
    }
