"""Networks that start as the signed distance of a sphere: IGR's and SAL's."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from .mlp import MLP, normalise_weights

__all__ = ["AddTanh", "igr_network", "initialise_as_sphere", "sal_decoder"]


def initialise_as_sphere(mlp: MLP, radius: float = 1.0, slope: float = 1.0, spread: float = 1e-5) -> None:
    """Set the weights of `mlp` so that its value at x is about slope * |x| - radius.

    Hidden layers: weights N(0, 2 / fan_out), biases 0.
    Last layer: weights N(slope * sqrt(pi / fan_in), spread^2), bias -radius.
    For wide ReLU networks (Atzmon and Lipman 2020, theorem 1); skips make it flatter near the centre.
    `mlp` has plain linear layers.
    """
    *hidden, last = mlp.layers
    for layer in hidden:
        nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / layer.out_features))
        nn.init.zeros_(layer.bias)
    nn.init.normal_(last.weight, slope * math.sqrt(math.pi / last.in_features), spread)
    nn.init.constant_(last.bias, -radius)


def igr_network(
    in_features: int = 3,
    widths: Sequence[int] = (512,) * 8,
    skips: Sequence[int] = (4,),
    radius: float = 1.0,
    beta: float = 100.0,
) -> MLP:
    """IGR's ImplicitNet: points [..., 3] -> signed distance [..., 1], negative inside.

    Starts as a sphere of `radius`. beta: of the Softplus between layers; 0 is ReLU. Inputs fed in again are
    joined with a factor 1 / sqrt(2). Codes of a shape space come before the three coordinates and count in
    `in_features`. Gropp et al. 2020, section 5; state-dict keys lin0.weight, lin0.bias, ... as published.
    """
    activation = nn.Softplus(beta=beta) if beta > 0 else nn.ReLU()
    mlp = MLP(in_features, widths, 1, activation=activation, skips=skips, skip_scale=1 / math.sqrt(2))
    initialise_as_sphere(mlp, radius)
    return mlp


def sal_decoder(
    in_features: int = 3,
    widths: Sequence[int] = (512,) * 8,
    skips: Sequence[int] = (4,),
    weight_norm: bool = True,
    output: nn.Module | None = None,
) -> MLP:
    """SAL's decoder: rows [code, x, y, z] -> signed distance [..., 1], negative inside.

    ReLU between layers; inputs fed in again are joined with a factor 1 / sqrt(2); starts as about 2 |x| - 1.
    output: identity, or `AddTanh()` for the published "tanh" configuration. Atzmon and Lipman 2020;
    state-dict keys lin0.weight_v, lin0.weight_g, ... (lin0.weight without weight normalisation) as published.
    """
    mlp = MLP(in_features, widths, 1, output=output, skips=skips, skip_scale=1 / math.sqrt(2))
    initialise_as_sphere(mlp, radius=1.0, slope=2.0, spread=1e-6)
    if weight_norm:
        normalise_weights(mlp)
    return mlp


class AddTanh(nn.Module):
    """v + tanh(v): the last activation of SAL's "tanh" configuration, twice as steep at the surface."""

    def forward(self, values: Float[Tensor, "*points 1"]) -> Float[Tensor, "*points 1"]:
        return values + values.tanh()
