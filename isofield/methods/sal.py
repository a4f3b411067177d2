"""Sign-agnostic learning: a signed distance from distances without signs (Atzmon and Lipman 2020).

The network f(x) is asked for |f(x)| = d(x), the distance to the nearest point. f, -f and |f| serve equally
well; that the network starts as a sphere, negative within, makes it find the one with an inside. `sdf` is
faster and truer on the same points: this is the textbook to compare it with.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from ..data.samples import WHOLE, Samples, Share, generator
from ..data.shape import Shape
from ..data.surface_points import SurfacePoints, torch_rows
from ..geometry.level import Below
from ..kernels.adam import Adam
from ..networks.geometric import sal_decoder
from ..networks.losses import sal_loss
from ..runtime.settings import check_settings
from ..training.method import Player, Surface, halving
from .choice import Quality

__all__ = ["SAL", "Config", "SALField"]


@dataclass(frozen=True)
class Config:
    """Settings of `sal`. The published ones for one shape, but for the number of points."""

    layers: int = 8
    """hidden layers"""
    width: int = 512
    """units of each hidden layer"""
    points: int = 1024
    """points in a step (published: 16384, which takes several seconds a step on two cores)"""
    neighbour: int = 50
    """half of the points lie around those of the surface, as wide as the distance to this neighbour"""
    far: float = 1.0
    """standard deviation of the distance to the surface of the other half, in working units"""
    learning_rate: float = 5e-4
    """at the start"""
    halvings: int = 4
    """how often the learning rate is halved, evenly over the budget (published: every 500 steps)"""

    def __post_init__(self) -> None:
        check_settings(self, positive=("layers", "width", "points", "neighbour", "far", "learning_rate"))

    def at(self, quality: Quality) -> "Config":
        """These settings, with a network of 4 x 256 below the steps of the standard quality."""
        return replace(self, layers=4, width=256) if quality.steps < 400 else self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return quality.steps


class SALField(nn.Module):
    """Points [N, 3] -> signed distance [N], negative inside."""

    inside = Below(0.0)

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points"]:
        return self.network(points)[:, 0]


class SAL:
    """One player, no code, one product: the surface."""

    def __init__(self, config: Config) -> None:
        self.config = c = config
        # for one shape the published settings have no skips; the sphere it starts as has the radius 1/2
        self.field = SALField(sal_decoder(3, (c.width,) * c.layers, skips=()))
        adam = Adam(self.field.parameters(), c.learning_rate, (0.9, 0.999), 1e-8)
        self.players = {"field": Player(self.field, adam, halving(c.halvings))}

    def prepare(self, data: Shape, seed: int, share: Share = WHOLE) -> None:
        """Take the points; normals are not used."""
        self.seed, self.share = seed, share
        self.data = SurfacePoints.of(data, self.config.neighbour, seed)

    def batch(self, player: str, step: int, progress: float) -> Samples:
        """Points near the surface and far from it, half each, with their distances to the nearest point of it
        (as in the published code, which draws them once)."""
        c, data, rng = self.config, self.data, generator(self.seed, step, "sal", self.share)
        near, far = np.array_split(rng.integers(len(data.positions), size=self.share.of(c.points)), 2)
        wide = data.positions[far] + c.far * rng.standard_normal((len(far), 3), np.float32)
        points = np.concatenate([data.moved(near, rng), wide])
        return Samples(torch_rows(points), torch_rows(data.distance(points)))

    def loss(self, player: str, batch: Samples, progress: float) -> dict[str, Tensor]:
        """mean | |f(x)| - d(x) | (section 3 of the paper)."""
        return sal_loss(self.field(batch.points), batch.labels)

    def metric(self) -> tuple[str, float]:
        """Mean |f| on points of the surface kept apart, in working units: 0 where it passes through them."""
        held_out = self.data.held_out
        return "distance_at_held_out_points", self.field(held_out).detach().abs().mean().item()

    def products(self) -> dict[str, Surface]:
        """The surface: the zero level."""
        return {"mesh": Surface(self.field, self.field.inside, "signed distance", is_length=True)}
