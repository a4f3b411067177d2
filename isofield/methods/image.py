"""A picture as a coordinate network.

The network maps a place in the picture to its colour; the loss is the squared error (Tancik et al. 2020,
"Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains", section 6). What
is done to the coordinates first decides what can be learnt: nothing, one wave along each axis, waves in
octaves, waves of random frequencies, sines throughout (Sitzmann et al. 2020), or, by default, a
multiresolution hash grid (Mueller et al. 2022), which is the fastest and the smallest.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..data.image import Image
from ..data.samples import WHOLE, Share, Turns, generator
from ..kernels.mlp import parameter_count
from ..networks.encodings import (
    FourierFeatures,
    Identity,
    basic_frequencies,
    gaussian_frequencies,
    octave_frequencies_by_axis,
)
from ..networks.hash_grid import GridNetwork, PlaneHashGrid
from ..networks.mlp import MLP
from ..networks.siren import Siren
from ..rendering.plane import pixel_centres
from ..runtime.errors import InputError
from ..runtime.settings import check_settings
from ..training.method import Picture
from ..training.recipes import Recipe
from .choice import QUALITIES, Quality

__all__ = ["Config", "ImageField", "ImageMethod"]

WATCHED = 1 << 16  # pixels at most that the metric looks at while training
FLOAT16 = 2  # bytes
LEAST_WEIGHTS = 4096
HIDDEN = (64, 32, 16)  # units of a hidden layer; the network takes at most a quarter of the weights


@dataclass(frozen=True)
class Config:
    """Settings of `image`."""

    encoding: Literal["hash_grid", "none", "basic", "positional", "gaussian", "siren"] = "hash_grid"
    """what is done to the coordinates. hash_grid: features of grids, a small network. none, basic,
    positional, gaussian: Tancik's four, each before 3 hidden layers of 256. siren: 4 hidden layers of 256
    sines"""
    stride: int = 1
    """train on every so-many-th pixel of both axes; from 2 on, as many pixels between them are kept apart"""
    share: float = 0.25
    """hash_grid: bytes of all weights as float16, over those of the pixels (a small picture takes 4096
    weights in any case)"""
    levels: int = 8
    """hash_grid: number of grids"""
    coarsest: int = 16
    """hash_grid: cells along an axis of the coarsest grid"""
    hidden: int | None = None
    """hash_grid: units of each of the two hidden layers (default: 64; fewer for a small picture)"""
    sigma: float = 10.0
    """gaussian: standard deviation of the frequencies, in periods over the picture"""
    largest_octave: float = 6.0
    """positional: the highest frequency is 2^this - 1 periods over the picture"""
    learning_rate: float | None = None
    """at the start; falls to nearly 0 along a cosine (default: by encoding)"""
    points: int | None = None
    """pixels in a step (default: 8192; hash_grid: a 64th of them, from 1024 to 65,536)"""
    size: tuple[int, ...] | None = None
    """height, width, channels, bytes of a channel (default: those of the picture)"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=(
                "stride", "share", "levels", "coarsest", "hidden", "sigma", "largest_octave",
                "learning_rate", "points", "size",
            ),
        )  # fmt: skip

    def at(self, quality: Quality) -> "Config":
        """These settings: the quality of a picture is bought with steps alone."""
        return self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for: as many times the standard ones as for a shape. With
        steps of four times the pixels a large picture takes a third as many."""
        recipe = RECIPES[self.encoding]
        fewer = max(self._points_by_size / recipe.points, 1.0) ** 0.8
        return int(recipe.steps / fewer) * quality.steps // QUALITIES["standard"].steps

    @property
    def points_in_a_step(self) -> int:
        """Pixels in a step."""
        return self.points or self._points_by_size

    @property
    def _points_by_size(self) -> int:
        if self.encoding != "hash_grid" or self.size is None:
            return RECIPES[self.encoding].points
        return min(max(self.size[0] * self.size[1] // 64, 1024), 65_536)

    def for_data(self, image: Image) -> "Config":
        """These settings for a picture of this size. Raises InputError where the stride leaves too little."""
        if self.stride > 1 and self.stride > min(image.height, image.width) // 4:
            raise InputError(
                f"leaves fewer than 4 pixels along an axis of {image.width} x {image.height}",
                "--stride",
                "Take a smaller one.",
            )
        size = (image.height, image.width, image.channels, image.bits // 8)
        if self.size not in (None, size):
            raise InputError(f"is {size}, not {self.size}", "--size", "Leave it out.")
        return replace(self, size=size)

    def network(self) -> nn.Module:
        """The network, points [N, 2] of [0, 1]^2 -> [N, channels], freshly initialised from torch's random
        state."""
        return NETWORKS[self.encoding](self)

    @property
    def channels(self) -> int:
        """Numbers in a pixel."""
        return 3 if self.size is None else self.size[2]


@dataclass(frozen=True)
class Training(Recipe):
    """How an encoding is trained, and for how many steps in the standard quality."""

    steps: int = 2000


RECIPES = {
    "hash_grid": Training(1e-2, 4096, (0.9, 0.99), 1e-15, final=0.0, steps=12_000),
    # Learning rates are those of the published notebook, which makes 2,000 steps of all 65,536 pixels.
    "none": Training(1e-2, 8192, final=0.0),
    "basic": Training(1e-2, 8192, final=0.0),
    "positional": Training(1e-3, 8192, final=0.0),
    "gaussian": Training(1e-3, 8192, final=0.0),
    "siren": Training(5e-4, 8192, final=0.0),
}


@dataclass(frozen=True)
class Pixels:
    """Points [N, 2] of [0, 1]^2, values [N, channels]."""

    points: Float[Tensor, "pixels 2"]
    values: Float[Tensor, "pixels channels"]


def _hash_grid(c: Config) -> nn.Module:
    """Grids from `coarsest` to one cell a pixel, with as many vectors as the bytes allow."""
    height, width, channels, depth = c.size or (512, 512, 3, 1)
    weights = max(int(c.share * height * width * channels * depth) // FLOAT16, LEAST_WEIGHTS)

    def network_weights(hidden: int) -> int:
        return parameter_count((2 * c.levels, hidden, hidden, channels))

    fitting = [hidden for hidden in HIDDEN if 4 * network_weights(hidden) <= weights]
    hidden = c.hidden or (fitting or HIDDEN[-1:])[0]
    rows = (weights - network_weights(hidden)) // 2
    if rows < c.levels:
        raise InputError(
            f"the network alone takes {network_weights(hidden)} of {weights} weights, which leaves none for "
            "the grids",
            "--share, --levels, --hidden",
            "Give a larger share, or fewer levels or units.",
        )
    finest = max(min(height, width) // c.stride, c.coarsest)
    return GridNetwork(PlaneHashGrid(c.levels, c.coarsest, finest, rows), hidden, 2, channels)


def _on_features(encoding: Identity | FourierFeatures, c: Config) -> nn.Module:
    """Tancik's network: 3 hidden layers of 256 with ReLU, a sigmoid at the end."""
    return nn.Sequential(encoding, MLP(encoding.out_features, [256] * 3, c.channels, output=nn.Sigmoid()))


class _Centred(nn.Module):
    """Points of [0, 1]^2 to [-1, 1]^2, and values from [-1, 1] to [0, 1]: the ranges of SIREN."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 2"]) -> Float[Tensor, "points channels"]:
        return 0.5 + 0.5 * self.network(2 * points - 1)


NETWORKS = {
    "hash_grid": _hash_grid,
    "none": lambda c: _on_features(Identity(2), c),
    "basic": lambda c: _on_features(FourierFeatures(basic_frequencies(2)), c),
    "positional": lambda c: _on_features(
        FourierFeatures(octave_frequencies_by_axis(128, c.largest_octave)), c
    ),
    "gaussian": lambda c: _on_features(FourierFeatures(gaussian_frequencies(256, c.sigma, 2)), c),
    "siren": lambda c: _Centred(Siren(2, c.channels)),
}


class ImageField(nn.Module):
    """Points [N, 2] of [0, 1]^2 (right, down) -> values [N, channels], sRGB in [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 2"]) -> Float[Tensor, "points channels"]:
        return self.network(points)


class ImageMethod:
    """One player, one product: the picture."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.field = ImageField(config.network())
        self.recipe = RECIPES[config.encoding]
        self.players = {"field": self.recipe.player(self.field, config.learning_rate)}

    def prepare(self, data: Image, seed: int, share: Share = WHOLE) -> None:
        """Take the picture: which pixels are learnt, and which are kept apart."""
        self._image = data
        self._learnt = grid_of_pixels(data, self.config.stride)
        kept_apart = held_out_pixels(data, self.config.stride)
        self._held_out = len(kept_apart) > 0
        watched = kept_apart if self._held_out else self._learnt
        if len(watched) > WATCHED:
            watched = generator(seed, 0, "watched").choice(watched, WATCHED, replace=False)
        self._watched = self._samples(watched)
        self._turns = Turns(len(self._learnt), seed, share)

    def batch(self, player: str, step: int, progress: float) -> Pixels:
        """The next pixels of an endless series in which every pixel comes once before any comes again."""
        count = min(self.config.points_in_a_step, len(self._learnt))
        # in the order of the picture: neighbours in the batch find their vectors in the same cache lines
        return self._samples(self._learnt[np.sort(self._turns.at(step, count))])

    def _samples(self, numbers: np.ndarray) -> Pixels:
        image = self._image
        values = image.pixels.reshape(-1, image.channels)[numbers].astype(np.float32)
        values /= np.float32(2**image.bits - 1)
        return Pixels(pixel_centres(numbers, image.height, image.width), torch.from_numpy(values))

    def loss(self, player: str, batch: Pixels, progress: float) -> dict[str, Tensor]:
        """Mean squared error over pixels and channels. The notebook halves it, which changes nothing under
        Adam."""
        return {"squared_error": (self.field(batch.points) - batch.values).square().mean()}

    @torch.no_grad()
    def metric(self) -> tuple[str, float]:
        """Peak signal-to-noise ratio in dB on pixels kept apart, or where there are none, on those learnt."""
        error = [
            (self.field(points) - values).square().mean(1)
            for points, values in zip(self._watched.points.split(8192), self._watched.values.split(8192))
        ]
        mean = max(torch.cat(error).double().mean().item(), 1e-12)
        return "psnr_held_out_db" if self._held_out else "psnr_db", -10 * math.log10(mean)

    def products(self) -> dict[str, Picture]:
        """The picture, at any resolution."""
        height, width, channels, _ = self.config.size or (512, 512, 3, 1)
        return {"image": Picture(self.field, height, width, channels)}


def grid_of_pixels(image: Image, stride: int) -> np.ndarray:
    """Numbers of the pixels that are learnt, rows and columns 0, stride, 2 stride ..."""
    numbers = np.arange(image.height * image.width).reshape(image.height, image.width)
    return numbers[::stride, ::stride].ravel()


def held_out_pixels(image: Image, stride: int) -> np.ndarray:
    """Numbers of the pixels half way between those that are learnt: with stride 2 the odd rows and columns,
    as in the published notebook. None with stride 1."""
    numbers = np.arange(image.height * image.width).reshape(image.height, image.width)
    return numbers[stride // 2 :: stride, stride // 2 :: stride].ravel() if stride > 1 else numbers[:0, 0]
