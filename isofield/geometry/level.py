"""Which side of which level of a field is the solid."""

from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Above", "Below", "Inside"]

Array = TypeVar("Array")  # a number, a numpy array or a tensor


@dataclass(frozen=True)
class Below:
    """The solid is where the field is below `level`, as for a signed distance. The level itself is
    outside."""

    level: float = 0.0

    def depth(self, values: Array) -> Array:
        """Field values turned so that the inside is positive and the surface is at 0."""
        return self.level - values  # type: ignore


@dataclass(frozen=True)
class Above:
    """The solid is where the field is above `level`, as for occupancy logits or a density. The level itself
    is outside."""

    level: float = 0.0

    def depth(self, values: Array) -> Array:
        """Field values turned so that the inside is positive and the surface is at 0."""
        return values - self.level  # type: ignore


Inside = Below | Above
