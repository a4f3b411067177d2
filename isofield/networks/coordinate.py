"""Networks from coordinates to one number, by name: the hash grid and what the field used before it."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..runtime.errors import InputError
from ..runtime.settings import check_settings
from .deepsdf import DeepSDFDecoder
from .encodings import FourierFeatures, gaussian_frequencies
from .hash_grid import GridNetwork, HashGrid
from .mlp import MLP
from .siren import Siren

__all__ = ["NETWORKS", "CoordinateNetwork", "ScaledInput"]

FEWEST, LARGEST_SIREN = 64, 16_384  # parameters; see `CoordinateNetwork.within`


@dataclass(frozen=True)
class CoordinateNetwork:
    """How a point of the working box becomes one number."""

    kind: Literal["hash_grid", "mlp", "fourier", "siren", "deepsdf"] = "hash_grid"
    """hash_grid: multiresolution hash grid and a small MLP (fast). mlp: 8 x 256 ReLU on bare coordinates.
    fourier: the same on 256 Gaussian random Fourier features. siren: 4 layers of `width` sines. deepsdf: the
    8 x 512 decoder of DeepSDF without a code."""
    levels: int = 8
    """hash_grid: number of grids"""
    coarsest: int = 32
    """hash_grid: cells along an axis of the coarsest grid"""
    finest: int = 256
    """hash_grid: cells along an axis of the finest grid"""
    log2_table: int = 17
    """hash_grid: each grid keeps at most 2^this feature vectors"""
    hidden: int = 32
    """hash_grid: units of each of the two hidden layers"""
    sigma: float = 2.0
    """fourier: standard deviation of the frequencies, in periods over the working box"""
    width: int = 256
    """siren: units of each of the four layers of sines"""
    omega: float = 30.0
    """siren: factor on the argument of every sine; a smaller one makes a smoother field"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=(
                "levels",
                "coarsest",
                "finest",
                "log2_table",
                "hidden",
                "sigma",
                "width",
                "omega",
            ),
        )
        if self.finest < self.coarsest:
            raise InputError(
                f"{self.finest} is below --coarsest {self.coarsest}", "--finest", "Give more cells than that."
            )
        if self.log2_table > 24:
            raise InputError(
                f"must be at most 24, not {self.log2_table}", "--log2-table", "Usual are 15 to 21."
            )

    @classmethod
    def within(cls, parameters: int) -> "CoordinateNetwork":
        """The network that holds a shape best in at most so many parameters, of which it uses nearly all.

        Up to 16,384 a SIREN: it spends none on the empty space, and stays smooth where it has too few. Above
        that a hash grid, which learns much faster. Its coarsest level is never hashed, so that it is clear
        everywhere which side is far inside and which outside; the tables of the others are small and many:
        each holds 1/16 to 1/8 of the parameters, and there are as many as fit. Raises InputError below 64.
        """
        if parameters < FEWEST:
            raise InputError(
                f"{parameters} parameters are too few for a shape", "--bytes", f"Give {2 * FEWEST} or more."
            )
        if parameters <= LARGEST_SIREN:
            # 3 w^2 + 8 w + 1 parameters: 3 -> w -> w -> w -> w -> 1 with biases
            width = int((math.sqrt(16 + 3 * (parameters - 1)) - 4) / 3)
            return cls("siren", width=width, omega=15.0)
        log2_table = min(int(math.log2(parameters)) - 4, 24)
        finest = round(4 * parameters ** (1 / 3))
        sizes = (cls("hash_grid", levels, 8, finest, log2_table) for levels in range(24, 1, -1))
        return next(each for each in sizes if each.parameters <= parameters)

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        with torch.random.fork_rng(devices=[]):  # counting leaves the random state alone
            return sum(each.numel() for each in self.build().parameters())

    def with_grid(self, finest: int, log2_table: int) -> "CoordinateNetwork":
        """The same with another hash grid."""
        return replace(self, finest=finest, log2_table=log2_table)

    def build(self) -> nn.Module:
        """The network, points [N, 3] -> [N, 1], freshly initialised from torch's random state."""
        return NETWORKS[self.kind](self)


class ScaledInput(nn.Module):
    """Gives `network` the points of [-1, 1]^3 mapped to [0, 1]^3."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points out"]:
        return self.network(0.5 * points + 0.5)


def _hash_grid(c: CoordinateNetwork) -> nn.Module:
    return GridNetwork(HashGrid(c.levels, c.coarsest, c.finest, c.log2_table), c.hidden)


def _mlp(c: CoordinateNetwork) -> nn.Module:
    return MLP(3, [256] * 8, 1)


def _fourier(c: CoordinateNetwork) -> nn.Module:
    features = FourierFeatures(gaussian_frequencies(256, c.sigma))
    return ScaledInput(nn.Sequential(features, MLP(features.out_features, [256] * 8, 1)))


def _siren(c: CoordinateNetwork) -> nn.Module:
    return Siren(3, 1, hidden_features=c.width, hidden_layers=3, omega=c.omega)


def _deepsdf(c: CoordinateNetwork) -> nn.Module:
    return DeepSDFDecoder(latent_size=0, dropout=())  # dropout keeps many shapes apart; one shape it blurs


NETWORKS = {"hash_grid": _hash_grid, "mlp": _mlp, "fourier": _fourier, "siren": _siren, "deepsdf": _deepsdf}
