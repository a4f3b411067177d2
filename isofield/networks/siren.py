"""SIREN: networks of sines (Sitzmann et al. 2020), and the ReLU network that they were compared with."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .encodings import InterleavedPositionalEncoding
from .mlp import MLP

__all__ = ["Siren", "relu_positional_key", "relu_positional_network", "siren_key"]


class Siren(nn.Module):
    """x -> W_n sin(omega (W_{n-1} ... sin(omega (W_0 x + b_0)) ... )) + b_n with n = hidden_layers + 1.

    Initialisation (section 3.2 and supplement 1.5 of the paper, as in the published code): first weights
    U(-1 / fan_in, 1 / fan_in); all others, the linear last layer too, U(-c, c) with
    c = sqrt(6 / fan_in) / omega; biases keep torch's default U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)).
    Coordinates are expected in [-1, 1].
    """

    def __init__(
        self,
        in_features: int = 3,
        out_features: int = 1,
        hidden_features: int = 256,
        hidden_layers: int = 3,
        omega: float = 30.0,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features, self.omega = in_features, out_features, omega
        sizes = [in_features, *[hidden_features] * (hidden_layers + 1), out_features]
        layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        for k, layer in enumerate(layers):
            bound = math.sqrt(6 / layer.in_features) / omega if k > 0 else 1 / layer.in_features
            nn.init.uniform_(layer.weight, -bound, bound)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points out"]:
        for layer in self.layers[:-1]:
            x = torch.sin(self.omega * layer(x))
        return self.layers[-1](x)


def siren_key(published: str) -> str:
    """The name in `Siren` of a parameter of the published SingleBVPNet: net.net.2.0.bias -> layers.2.bias."""
    _, _, layer, _, parameter = published.split(".")
    return f"layers.{layer}.{parameter}"


def relu_positional_network(
    in_features: int = 3,
    out_features: int = 1,
    hidden_features: int = 256,
    hidden_layers: int = 3,
    frequencies: int = 10,
) -> nn.Sequential:
    """The comparison network "ReLU P.E." of the SIREN paper: positional encoding, then ReLU layers.

    Weights start as N(0, 2 / fan_in) (Kaiming), the last layer's too; biases keep torch's default.
    """
    encoding = InterleavedPositionalEncoding(in_features, frequencies)
    mlp = MLP(encoding.out_features, [hidden_features] * (hidden_layers + 1), out_features)
    for layer in mlp.layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return nn.Sequential(encoding, mlp)


def relu_positional_key(published: str) -> str:
    """The name in `relu_positional_network` of the published parameter: net.net.2.0.bias -> 1.lin2.bias."""
    _, _, layer, _, parameter = published.split(".")
    return f"1.lin{layer}.{parameter}"
