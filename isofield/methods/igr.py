"""Implicit geometric regularisation: a signed distance from points alone (Gropp et al. 2020).

The network f(x) is asked to vanish on the points, to have their normals as its gradient where there are any,
and a gradient of unit length elsewhere (the eikonal equation, which signed distances solve). Nothing says
which side is inside but the start as a sphere, negative within. `sdf` is faster and truer on the same points:
this is the textbook to compare it with.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from ..data.samples import WHOLE, Share, generator
from ..data.shape import Shape
from ..data.surface_points import SurfacePoints, torch_rows
from ..geometry.level import Below
from ..kernels.adam import Adam
from ..networks.derivatives import value_and_gradient
from ..networks.geometric import igr_network
from ..networks.losses import igr_loss, igr_loss_without_normals
from ..runtime.settings import check_settings
from ..training.method import Player, Surface, halving
from .choice import Quality

__all__ = ["IGR", "Batch", "Config", "IGRField"]


@dataclass(frozen=True)
class Config:
    """Settings of `igr`. The published ones, but for the number of points."""

    layers: int = 8
    """hidden layers; the input is joined again before the middle one"""
    width: int = 512
    """units of each hidden layer"""
    beta: float = 100.0
    """of the Softplus between the layers"""
    radius: float = 1.0
    """of the sphere that the network starts as, in units of the working box [-1, 1]^3, which it fills"""
    points: int = 512
    """points of the surface in a step (published: 16384, which takes twenty seconds a step on two cores)"""
    neighbour: int = 50
    """points in space lie around those of the surface, as wide as the distance to this neighbour"""
    uniform: float = 0.125
    """further points in space, uniform in a cube, as a share of `points`"""
    cube: float = 1.8
    """half the edge of that cube, in working units"""
    normal_weight: float = 1.0
    """tau: of the normals, where there are any"""
    eikonal_weight: float = 0.1
    """lambda: of the length of the gradient"""
    learning_rate: float = 0.005
    """at the start"""
    halvings: int = 10
    """how often the learning rate is halved, evenly over the budget (published: every 2000 steps, ten
    times)"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=(
                *("layers", "width", "beta", "radius", "points", "neighbour", "cube", "normal_weight"),
                *("eikonal_weight", "learning_rate"),
            ),
            shares=("uniform",),
        )

    def at(self, quality: Quality) -> "Config":
        """These settings, with a network of 4 x 256 below the steps of the standard quality."""
        return replace(self, layers=4, width=256) if quality.steps < 400 else self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return quality.steps


@dataclass(frozen=True)
class Batch:
    """surface [N, 3] with normals [N, 3], or None; space [M, 3]: points near the surface and anywhere."""

    surface: Float[Tensor, "surface 3"]
    normals: Float[Tensor, "surface 3"] | None
    space: Float[Tensor, "space 3"]


class IGRField(nn.Module):
    """Points [N, 3] -> signed distance [N], negative inside."""

    inside = Below(0.0)

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points"]:
        return self.network(points)[:, 0]


class IGR:
    """One player, no code, one product: the surface."""

    def __init__(self, config: Config) -> None:
        self.config = c = config
        network = igr_network(3, (c.width,) * c.layers, (c.layers // 2,), c.radius, c.beta)
        self.field = IGRField(network)
        adam = Adam(self.field.parameters(), c.learning_rate, (0.9, 0.999), 1e-8)
        self.players = {"field": Player(self.field, adam, halving(c.halvings))}

    def prepare(self, data: Shape, seed: int, share: Share = WHOLE) -> None:
        """Take the points."""
        self.seed, self.share = seed, share
        self.data = SurfacePoints.of(data, self.config.neighbour, seed)

    def batch(self, player: str, step: int, progress: float) -> Batch:
        """Points of the surface, drawn without repetition, and points in space (section 5)."""
        c, data, rng = self.config, self.data, generator(self.seed, step, "igr", self.share)
        count = self.share.of(min(c.points, len(data.positions)))
        chosen = rng.choice(len(data.positions), count, replace=False)
        far = rng.uniform(-c.cube, c.cube, (int(c.uniform * len(chosen)), 3))
        return Batch(
            torch_rows(data.positions[chosen]),
            None if data.normals is None else torch_rows(data.normals[chosen]),
            torch_rows(np.concatenate([data.moved(chosen, rng), far])),
        )

    def loss(self, player: str, batch: Batch, progress: float) -> dict[str, Tensor]:
        """mean |f(s)| + tau mean |grad f(s) - n(s)| + lambda mean (|grad f(x)| - 1)^2 (section 3)."""
        c, network = self.config, self.field.network
        _, space = value_and_gradient(network, batch.space)
        if batch.normals is None:
            return igr_loss_without_normals(self.field(batch.surface), space, c.eikonal_weight)
        values, surface = value_and_gradient(network, batch.surface)
        return igr_loss(values[:, 0], surface, batch.normals, space, c.eikonal_weight, c.normal_weight)

    def metric(self) -> tuple[str, float]:
        """Mean |f| on points of the surface kept apart, in working units: 0 where it passes through them."""
        held_out = self.data.held_out
        return "distance_at_held_out_points", self.field(held_out).detach().abs().mean().item()

    def products(self) -> dict[str, Surface]:
        """The surface: the zero level."""
        return {"mesh": Surface(self.field, self.field.inside, "signed distance", is_length=True)}
