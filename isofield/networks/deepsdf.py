"""DeepSDF's decoder (Park et al. 2019; the published code where they differ)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .mlp import WeightNormLinear

__all__ = ["DeepSDFDecoder"]


class DeepSDFDecoder(nn.Module):
    """Rows [code, x, y, z] -> signed distance in (-1, 1), negative inside.

    The arguments are those of "NetworkSpecs" in a published specs.json, by the same names; the defaults are
    the published ones.
    latent_size: numbers in a code, 0 for none. dims: widths of the hidden layers.
    dropout: hidden layers followed by dropout of `dropout_prob` (in training).
    norm_layers: layers with weight normalisation (`weight_norm`) or followed by a layer normalisation (else).
    latent_in: layers before which the whole row is joined again. xyz_in_all: before every other layer but the
    first, the coordinates are. The layer before a joint is as much narrower.
    use_tanh: one tanh more before the last one, which is always there.
    latent_dropout: dropout of 0.2 on the code where it enters first (in training).
    State-dict keys as published (without "module."): lin0.weight_v, lin0.weight_g, lin0.bias, ..., lin8.bias.
    """

    def __init__(
        self,
        latent_size: int = 256,
        dims: Sequence[int] = (512,) * 8,
        dropout: Sequence[int] | None = tuple(range(8)),
        dropout_prob: float = 0.2,
        norm_layers: Sequence[int] = tuple(range(8)),
        latent_in: Sequence[int] = (4,),
        weight_norm: bool = True,
        xyz_in_all: bool | None = False,
        use_tanh: bool = False,
        latent_dropout: bool = False,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = latent_size + 3, 1
        self.dropout, self.dropout_prob = tuple(dropout or ()), dropout_prob
        self.latent_in, self.xyz_in_all = tuple(latent_in), bool(xyz_in_all)
        self.use_tanh, self.latent_dropout, self.last = use_tanh, latent_dropout, len(dims)
        sizes = [self.in_features, *dims, 1]
        for k in range(self.last + 1):
            out = sizes[k + 1]
            if k + 1 in self.latent_in:
                out -= self.in_features
            elif self.xyz_in_all and k != self.last:
                out -= 3
            linear = nn.Linear(sizes[k], out)
            normalised = k in norm_layers
            self.add_module(f"lin{k}", WeightNormLinear(linear) if normalised and weight_norm else linear)
            if normalised and not weight_norm and k != self.last:
                self.add_module(f"bn{k}", nn.LayerNorm(out))

    def forward(self, rows: Float[Tensor, "points features"]) -> Float[Tensor, "points 1"]:
        code, xyz = rows[:, :-3], rows[:, -3:]
        x = rows
        if self.latent_dropout:
            x = torch.cat([functional.dropout(code, 0.2, self.training), xyz], 1)
        for k in range(self.last):
            x = self.get_submodule(f"lin{k}")(self._joined(k, x, rows, xyz))
            if hasattr(self, f"bn{k}"):
                x = self.get_submodule(f"bn{k}")(x)
            x = x.relu()
            if k in self.dropout:
                x = functional.dropout(x, self.dropout_prob, self.training)
        x = self.get_submodule(f"lin{self.last}")(self._joined(self.last, x, rows, xyz))
        return x.tanh().tanh() if self.use_tanh else x.tanh()

    def _joined(self, k: int, x: Tensor, rows: Tensor, xyz: Tensor) -> Tensor:
        """The input of layer k."""
        if k in self.latent_in:
            return torch.cat([x, rows], 1)
        return torch.cat([x, xyz], 1) if self.xyz_in_all and k > 0 else x
