"""How each kind of coordinate network is trained best: the settings that go with the network rather than with
the method."""

from dataclasses import dataclass

from torch import nn

from ..kernels.adam import Adam
from .method import Player, cosine

__all__ = ["RECIPES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """learning_rate: at the start, falling to `final` of it along a cosine. points: in a step. betas, eps: of
    Adam."""

    learning_rate: float
    points: int
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    final: float = 0.02

    def player(self, field: nn.Module, learning_rate: float | None = None) -> Player:
        """A player that trains all of `field`; `learning_rate` replaces the recipe's."""
        return Player(
            field,
            Adam(field.parameters(), learning_rate or self.learning_rate, self.betas, self.eps),
            cosine(self.final),
        )


RECIPES = {
    "hash_grid": Recipe(2e-2, 32_768, (0.9, 0.99), 1e-15),  # constants of Mueller et al. 2022, section 4
    # The slow networks gain more from many small steps than from few large ones (tuned on spot).
    "mlp": Recipe(5e-4, 512),
    "fourier": Recipe(2e-3, 512),
    "siren": Recipe(1e-4, 1_024),
    "deepsdf": Recipe(2.5e-4, 256),
}
