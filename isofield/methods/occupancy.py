"""Occupancy field of one shape.

The network approximates the logit of the probability that a point is inside (Mescheder et al. 2019, section
3.1, without a code); the loss is the binary cross-entropy (equation 1). It asks nothing of the surface, only
what is inside: the method for open, self-intersecting and otherwise dirty meshes.
"""

from dataclasses import dataclass, field, replace

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..data.samples import WHOLE, Draws, HeldOut, Samples, Share, Spread
from ..data.shape import Shape
from ..geometry.level import Above
from ..networks.coordinate import CoordinateNetwork
from ..runtime.settings import check_settings
from ..training.method import Surface
from ..training.recipes import RECIPES
from .choice import Quality, Size

__all__ = ["Config", "Occupancy", "OccupancyField"]


@dataclass(frozen=True)
class Config:
    """Settings of `occupancy`."""

    network: CoordinateNetwork = field(default_factory=CoordinateNetwork)
    """how coordinates become a logit"""
    learning_rate: float | None = None
    """at the start; falls to 2 % along a cosine (default: by network)"""
    points: int | None = None
    """points in a step (default: by network)"""
    uniform: float = 0.25
    """share of the points that lie anywhere in the box; the rest lie near the surface"""
    sigmas: tuple[float, ...] = (0.003, 0.015)
    """standard deviations of the distance to the surface of points near it, working units"""
    label_every: int = 1
    """after the first 32 steps, only every so-many-th draw (of four steps each) is a new one with new labels;
    the others come back from the eight drawn last"""

    def __post_init__(self) -> None:
        check_settings(
            self, positive=("learning_rate", "points", "sigmas", "label_every"), shares=("uniform",)
        )

    def at(self, quality: Quality) -> "Config":
        """These settings with the grid and the band of a quality."""
        network = self.network.with_grid(quality.finest, quality.log2_table)
        return replace(self, network=network, sigmas=(quality.band / 5, quality.band))

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return quality.steps

    def of(self, size: Size) -> "Config":
        """These settings with a network of a limited size, and what trains that well."""
        return replace(
            self,
            network=size.network,
            learning_rate=size.learning_rate / 2,
            points=size.points,
            sigmas=(0.01, 0.05),
            uniform=0.5,
        )


class OccupancyField(nn.Module):
    """Points [N, 3] of the working box -> logit [N] of being inside; the surface is where the probability is
    one half."""

    inside = Above(0.0)

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points"]:
        return self.network(points)[:, 0]


class Occupancy:
    """One player, no code, one product: the surface."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.field = OccupancyField(config.network.build())
        self.recipe = RECIPES[config.network.kind]
        self.players = {"field": self.recipe.player(self.field, config.learning_rate)}

    def prepare(self, data: Shape, seed: int, share: Share = WHOLE) -> None:
        """Take the shape, whose solid labels the points."""
        c, solid = self.config, data.solid
        spread = Spread(c.uniform, c.sigmas)
        self.draws = Draws(
            lambda count, rng: spread.points(solid, count, rng),
            lambda points: solid.occupancy(points).astype("float32"),
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
        """Mean binary cross-entropy between the logits and the occupancies."""
        return {"cross_entropy": binary_cross_entropy_with_logits(self.field(batch.points), batch.labels)}

    def metric(self) -> tuple[str, float]:
        """Intersection over union on points kept apart."""
        return "iou_held_out", self.held_out.iou(self.field, self.field.inside)

    def products(self) -> dict[str, Surface]:
        """The surface: probability one half."""
        return {"mesh": Surface(self.field, self.field.inside, "occupancy logit", is_length=False)}
