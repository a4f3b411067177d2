"""NeRF's network, and the key names and wirings of published checkpoints."""

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..runtime.errors import InputError
from ..runtime.settings import check_settings
from .encodings import PositionalEncoding

__all__ = ["NeRFNetwork", "NeRFWiring", "from_keras_order", "from_published"]


@dataclass(frozen=True)
class NeRFWiring:
    """How the network is made. The defaults are the published ones: 595,844 parameters."""

    width: int = 256
    """units of a hidden layer"""
    depth: int = 8
    """hidden layers"""
    skips: tuple[int, ...] = (5,)
    """layers (from 0) whose input begins with the encoded point once more; the published code names the layer
    before, 4"""
    point_frequencies: int = 10
    """octaves of the encoding of points"""
    view_frequencies: int = 4
    """octaves of the encoding of directions"""
    views: bool = True
    """whether the colour depends on the direction of view"""
    view_width: int = 128
    """units of the one layer that sees the direction"""
    feature_relu: bool = False
    """whether the feature that this layer also sees passes a ReLU, as in one of the published codes"""

    def __post_init__(self) -> None:
        check_settings(self, positive=("width", "depth", "view_width"))


class NeRFNetwork(nn.Module):
    """Points [N, 3], unit directions [N, 3] -> raw values [N, 4]: red, green, blue before the sigmoid,
    density before the ReLU.

    Hidden layers with ReLU see the encoded point; the density is linear in the last; a linear feature of it
    and the encoded direction pass one layer of half the width to the colour. Mildenhall et al. 2020, figure
    7, as the published code has it (the supplement's four layers of the direction are an error). Layers
    start as torch's default.
    """

    def __init__(self, wiring: NeRFWiring = NeRFWiring()) -> None:
        super().__init__()
        w = self.wiring = wiring
        self.encode_point = PositionalEncoding(3, w.point_frequencies)
        self.encode_view = PositionalEncoding(3, w.view_frequencies)
        point = self.encode_point.out_features
        sizes = [point] + [w.width + point * (k in w.skips) for k in range(1, w.depth)]
        self.layers = nn.ModuleList(nn.Linear(size, w.width) for size in sizes)
        if w.views:
            self.density = nn.Linear(w.width, 1)
            self.feature = nn.Linear(w.width, w.width)
            self.view = nn.Linear(w.width + self.encode_view.out_features, w.view_width)
            self.colour = nn.Linear(w.view_width, 3)
        else:
            self.output = nn.Linear(w.width, 4)

    def forward(
        self, points: Float[Tensor, "points 3"], directions: Float[Tensor, "points 3"]
    ) -> Float[Tensor, "points 4"]:
        hidden = self.hidden(points)
        if not self.wiring.views:
            return self.output(hidden)
        feature = self.feature(hidden)
        feature = feature.relu() if self.wiring.feature_relu else feature
        seen = self.view(torch.cat([feature, self.encode_view(directions)], 1)).relu()
        return torch.cat([self.colour(seen), self.density(hidden)], 1)

    def raw_density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """The last of the values alone, which no direction changes."""
        hidden = self.hidden(points)
        return self.density(hidden)[:, 0] if self.wiring.views else self.output(hidden)[:, 3]

    def hidden(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points width"]:
        """The last hidden layer."""
        encoded = self.encode_point(points)
        hidden = encoded
        for k, layer in enumerate(self.layers):
            if k in self.wiring.skips:
                hidden = torch.cat([encoded, hidden], 1)
            hidden = layer(hidden).relu()
        return hidden


AUTHORS = {
    "pts_linears": "layers", "alpha_linear": "density", "feature_linear": "feature",
    "views_linears.0": "view", "rgb_linear": "colour", "output_linear": "output",
}  # fmt: skip
FLEXIBLE = {
    "layers_xyz": "layers", "fc_alpha": "density", "fc_feat": "feature", "layers_dir.0": "view",
    "fc_rgb": "colour", "fc_out": "output",
}  # fmt: skip
EXPECTED = (
    "Known are the keys pts_linears.0.weight ..., alpha_linear, feature_linear, views_linears.0, rgb_linear "
    "(or output_linear), and layer1.weight, layers_xyz.0.weight ..., fc_alpha, fc_feat, layers_dir.0, fc_rgb "
    "(or fc_out)."
)
KERAS_TAIL = ("feature", "view", "colour", "density")


def from_published(state: dict[str, Tensor], where: str) -> tuple[NeRFWiring, dict[str, Tensor]]:
    """The wiring and the weights under our names, of a published network's state by its keys.

    Two families are known. That of the authors' code in PyTorch (`pts_linears`); its `views_linears` of a
    network without directions and its fifth output are never used and are dropped. And `FlexibleNeRFModel`
    (`layer1`, `layers_xyz`): its first layer has no activation, so that it and the next are one; it joins
    the encoded point behind the hidden values, so that columns change places; its feature passes a ReLU.

    Raises InputError, with the keys that are expected, for any other.
    """
    flexible = "layer1.weight" in state
    if not flexible and "pts_linears.0.weight" not in state:
        found = ", ".join(list(state)[:6]) or "nothing"
        raise InputError(f"is no network of NeRF that is known: it holds {found} ...", where, EXPECTED)
    renamed = {
        _renamed(key, FLEXIBLE if flexible else AUTHORS): value.float() for key, value in state.items()
    }
    if flexible:
        inputs = state["layer1.weight"].shape[1]
        renamed = _without_linear_start(renamed, inputs)
    if "output.weight" in renamed:
        renamed = {key: value for key, value in renamed.items() if not key.startswith("view.")}
        renamed |= {key: renamed[key][:4] for key in ("output.weight", "output.bias")}
    return _wired(renamed, flexible, where), renamed


def from_keras_order(arrays: list[Tensor], where: str) -> tuple[NeRFWiring, dict[str, Tensor]]:
    """The same of the list that the authors' TensorFlow code saves: kernels [in, out] and biases of the
    hidden layers, then of feature, view, colour and, last, density; without directions of the output
    alone."""
    tail = KERAS_TAIL if len(arrays) > 8 and arrays[-1].shape == (1,) else ("output",)
    depth = len(arrays) // 2 - len(tail)
    if len(arrays) % 2 or depth < 1 or any(a.ndim != 2 - k % 2 for k, a in enumerate(arrays)):
        shapes = ", ".join(str(list(a.shape)) for a in arrays[:4])
        remedy = "Expected: kernel, bias of each hidden layer, then of feature, view, rgb, alpha (24 arrays)."
        raise InputError(f"is no network of NeRF: it holds {len(arrays)} arrays {shapes} ...", where, remedy)
    names = [f"layers.{k}" for k in range(depth)] + list(tail)
    state = {f"{name}.weight": arrays[2 * k].T.float().contiguous() for k, name in enumerate(names)}
    state |= {f"{name}.bias": arrays[2 * k + 1].float() for k, name in enumerate(names)}
    if tail == ("output",):
        state |= {key: state[key][:4] for key in ("output.weight", "output.bias")}
    return _wired(state, False, where), state


def _renamed(key: str, names: dict[str, str]) -> str:
    for theirs, ours in names.items():
        if key.startswith(theirs + "."):
            return ours + key[len(theirs) :]
    return key


def _without_linear_start(state: dict[str, Tensor], inputs: int) -> dict[str, Tensor]:
    """W (V x + c) + b = (W V) x + (W c + b), and the encoded point in front at the skips."""
    first, offset = state.pop("layer1.weight").double(), state.pop("layer1.bias").double()
    width = len(first)
    for key, value in state.items():
        if re.fullmatch(r"layers\.\d+\.weight", key) and value.shape[1] == width + inputs:
            state[key] = torch.cat([value[:, width:], value[:, :width]], 1)
    weight = state["layers.0.weight"].double()
    state["layers.0.bias"] = (weight @ offset + state["layers.0.bias"].double()).float()
    state["layers.0.weight"] = (weight @ first).float()
    return state


def _wired(state: dict[str, Tensor], feature_relu: bool, where: str) -> NeRFWiring:
    """The wiring that these shapes can only have. Raises InputError where weights are missing or do not
    fit."""
    depth = sum(bool(re.fullmatch(r"layers\.\d+\.weight", key)) for key in state)
    try:
        width, point = state["layers.0.weight"].shape
        views = "output.weight" not in state
        wiring = NeRFWiring(
            width,
            depth,
            tuple(k for k in range(1, depth) if state[f"layers.{k}.weight"].shape[1] > width),
            (point - 3) // 6,
            (state["view.weight"].shape[1] - width - 3) // 6 if views else 4,
            views,
            len(state["view.weight"]) if views else width // 2,
            feature_relu and views,
        )
        expected = {key: tuple(value.shape) for key, value in NeRFNetwork(wiring).state_dict().items()}
    except (KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"lacks weights of the network ({error})", where, EXPECTED) from None
    found = {key: tuple(value.shape) for key, value in state.items()}
    wrong = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    if wrong:
        listed = "; ".join(f"{k}: expected {expected.get(k)}, found {found.get(k)}" for k in wrong[:6])
        raise InputError(f"weights do not fit the network: {listed}", where, EXPECTED)
    return wiring
