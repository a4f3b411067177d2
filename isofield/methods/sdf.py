"""Signed distance field of one shape.

The network approximates d(x), the signed distance to the surface, negative inside, cut off at +-t: the loss
is the clamped L1 of DeepSDF (Park et al. 2019, equation 4) divided by t. Points pass through a
multiresolution hash grid (Mueller et al. 2022) by default; the networks of the papers are there by name.
"""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..data.samples import WHOLE, Draws, HeldOut, Samples, Share, Spread
from ..data.shape import Shape
from ..geometry.level import Below
from ..networks.coordinate import CoordinateNetwork
from ..runtime.settings import check_settings
from ..training.method import Surface
from ..training.recipes import RECIPES
from .choice import Quality, Size

__all__ = ["SDF", "Config", "SignedDistanceField"]


@dataclass(frozen=True)
class Config:
    """Settings of `sdf`."""

    network: CoordinateNetwork = field(default_factory=CoordinateNetwork)
    """how coordinates become a distance"""
    truncation: float = 0.015
    """t: distances are cut off here, in units of the working box [-1, 1]^3"""
    learning_rate: float | None = None
    """at the start; falls to 2 % along a cosine (default: by network)"""
    points: int | None = None
    """points in a step (default: by network)"""
    uniform: float = 0.1
    """share of the points that lie anywhere in the box; the rest lie near the surface"""
    sigmas: tuple[float, ...] = (0.003, 0.015)
    """standard deviations of the distance to the surface of points near it, working units"""
    beyond: float = 1.0
    """weight of the loss beyond the truncation: 1 asks for +-t there, below 1 any value on the right side of
    +-t costs less, at 0 nothing: a small network then spends itself on the band"""
    label_every: int = 2
    """after the first 32 steps, only every so-many-th draw (of four steps each) is a new one with new labels;
    the others come back from the eight drawn last"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=("truncation", "learning_rate", "points", "sigmas", "label_every"),
            shares=("uniform", "beyond"),
        )

    def at(self, quality: Quality) -> "Config":
        """These settings with the grid and the band of a quality."""
        network = self.network.with_grid(quality.finest, quality.log2_table)
        return replace(
            self, network=network, sigmas=(quality.band / 5, quality.band), truncation=quality.band
        )

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return quality.steps

    def of(self, size: Size) -> "Config":
        """These settings with a network of a limited size, and what trains that well."""
        return replace(
            self,
            network=size.network,
            learning_rate=size.learning_rate,
            points=size.points,
            sigmas=(size.band / 5, size.band),
            truncation=size.band,
            uniform=0.25,
            beyond=0.0,
        )


class SignedDistanceField(nn.Module):
    """Points [N, 3] of the working box -> signed distance [N], negative inside, faithful within
    +-truncation."""

    inside = Below(0.0)

    def __init__(self, network: nn.Module, truncation: float) -> None:
        super().__init__()
        self.network, self.truncation = network, truncation

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points"]:
        return self.truncation * self.network(points)[:, 0]


class SDF:
    """One player, no code, one product: the surface."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.field = SignedDistanceField(config.network.build(), config.truncation)
        self.recipe = RECIPES[config.network.kind]
        self.players = {"field": self.recipe.player(self.field, config.learning_rate)}

    def prepare(self, data: Shape, seed: int, share: Share = WHOLE) -> None:
        """Take the shape, whose solid labels the points."""
        c, solid = self.config, data.solid
        spread = Spread(c.uniform, c.sigmas)
        self.draws = Draws(
            lambda count, rng: spread.points(solid, count, rng),
            lambda points: solid.signed_distance(points, c.truncation),
            c.points or self.recipe.points,
            seed,
            c.label_every,
            share,
        )
        self.held_out = HeldOut(solid, seed)

    def batch(self, player: str, step: int, progress: float) -> Samples:
        """Labelled points of this step."""
        return self.draws.at(step)

    def loss(self, player: str, batch: Samples, progress: float) -> dict[str, Tensor]:
        """Mean w |f(x) - clamp(d(x), -t, t)| / t: in units of the truncation, so that targets fill [-1, 1].

        w is `beyond` where |d(x)| >= t and f(x) lies beyond +-t on the same side, and 1 elsewhere: with
        `beyond` 0 what DeepSDF's clamp of both does, but for the slope that a value on the wrong side keeps.
        """
        c = self.config
        error = self.field(batch.points) - batch.labels
        right = (batch.labels.abs() >= c.truncation) & (error * batch.labels > 0)
        error = torch.where(right, c.beyond * error, error)
        return {"distance": error.abs().mean() / c.truncation}

    def metric(self) -> tuple[str, float]:
        """Intersection over union on points kept apart."""
        return "iou_held_out", self.held_out.iou(self.field, self.field.inside)

    def products(self) -> dict[str, Surface]:
        """The surface: the zero level."""
        return {"mesh": Surface(self.field, self.field.inside, "signed distance", is_length=True)}
