"""The multilayer perceptron that most implicit networks are, and weight normalisation for its layers."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["MLP", "WeightNormLinear", "normalise_weights"]


class MLP(nn.Module):
    """Linear layers `lin0`, ..., `linK` with an activation between them; some take the input again.

    widths: of the K hidden layers. activation: after every layer but the last. output: applied to the last.
    skips: layers before which the input is joined again; the layer before such a one gives `in_features`
    values fewer, so that the joined width is the stated one; the joined vector [hidden, input] is multiplied
    by `skip_scale`.
    Layers start as torch's default: weights and biases U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
    """

    def __init__(
        self,
        in_features: int,
        widths: Sequence[int],
        out_features: int,
        *,
        activation: nn.Module | None = None,
        output: nn.Module | None = None,
        skips: Sequence[int] = (),
        skip_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.activation = activation or nn.ReLU()
        self.output = output or nn.Identity()
        self.skips, self.skip_scale, self.depth = tuple(skips), skip_scale, len(widths) + 1
        sizes = [in_features, *widths, out_features]
        for k in range(self.depth):
            narrower = in_features if k + 1 in self.skips else 0
            self.add_module(f"lin{k}", nn.Linear(sizes[k], sizes[k + 1] - narrower))

    @property
    def layers(self) -> list[Any]:
        """The linear layers, first to last: nn.Linear, or WeightNormLinear after `normalise_weights`."""
        return [self.get_submodule(f"lin{k}") for k in range(self.depth)]

    def forward(self, x: Float[Tensor, "*points features"]) -> Float[Tensor, "*points out"]:
        hidden = x
        for k, layer in enumerate(self.layers):
            if k in self.skips:
                hidden = torch.cat([hidden, x], -1) * self.skip_scale
            hidden = layer(hidden)
            if k < self.depth - 1:
                hidden = self.activation(hidden)
        return self.output(hidden)


class WeightNormLinear(nn.Module):
    """A linear layer whose weight is weight_g * weight_v / |weight_v|, the norm taken of each row.

    Starts equal to `linear`. Parameters by the names of published checkpoints: weight_v [out, in],
    weight_g [out, 1], bias [out]. Salimans and Kingma 2016, equation 2.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.bias = linear.bias
        self.weight_v = linear.weight
        self.weight_g = nn.Parameter(linear.weight.detach().norm(dim=1, keepdim=True))

    def forward(self, x: Float[Tensor, "*points features"]) -> Float[Tensor, "*points out"]:
        weight = self.weight_v * (self.weight_g / self.weight_v.norm(dim=1, keepdim=True))
        return nn.functional.linear(x, weight, self.bias)


def normalise_weights(mlp: MLP) -> None:
    """Replace every linear layer of `mlp` but the last by a `WeightNormLinear` that starts equal to it."""
    for k, layer in enumerate(mlp.layers[:-1]):
        setattr(mlp, f"lin{k}", WeightNormLinear(layer))
