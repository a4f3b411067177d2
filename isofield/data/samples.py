"""Training points of one shape, near its surface and away from it, with their labels: fresh while training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.frames import PADDING, WORKING_BOX
from ..geometry.level import Inside

__all__ = ["Draws", "HeldOut", "Labeller", "Samples", "Spread", "generator"]


@runtime_checkable
class Labeller(Protocol):
    """What can label points of the working box: the solid of a mesh, or of oriented points."""

    def surface_points(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points [count, 3] on the surface, uniform by area."""

    def signed_distance(self, points: np.ndarray, limit: float) -> np.ndarray:
        """Signed distances [N], negative inside, cut off at +-limit."""

    def occupancy(self, points: np.ndarray) -> np.ndarray:
        """Whether each point is inside, bool [N]."""


@dataclass(frozen=True)
class Spread:
    """Where training points lie: a share `uniform` in the whole box, the rest on the surface moved by a normal deviate.

    sigmas: standard deviations of the moves, in working units; each serves an equal part of the rest.
    """

    uniform: float = 0.1
    sigmas: tuple[float, ...] = (0.003, 0.015)

    def points(self, solid: Labeller, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points [count, 3] of the working box, float32."""
        far = int(count * self.uniform)
        near = solid.surface_points(count - far, rng)
        for part, sigma in zip(np.array_split(np.arange(len(near)), len(self.sigmas)), self.sigmas):
            near[part] += rng.normal(0, sigma, (len(part), 3)).astype(np.float32)
        low, high = WORKING_BOX
        uniform = rng.uniform(low, high, (far, 3)).astype(np.float32)
        return np.clip(np.concatenate([uniform, near]), low, high)


@dataclass(frozen=True)
class Samples:
    """Labelled points: points [N, 3] of the working box, labels [N]."""

    points: Float[Tensor, "points 3"]
    labels: Float[Tensor, "points"]


class Draws:
    """An endless series of labelled draws, of which the newest `kept` are used again.

    The first `kept` steps each make a new draw. After that every `every`-th step does, and the others go back to one of the kept
    ones: labels cost more than a training step, and a draw that comes back after many steps is as good as new. Draw number d
    depends on (seed, d) alone, and the draw of a step on the step alone: a resumed run sees what it would have seen.
    """

    def __init__(
        self, sample: Callable[[np.random.Generator], np.ndarray], label: Callable[[np.ndarray], np.ndarray],
        seed: int, kept: int = 24, every: int = 3,
    ) -> None:  # fmt: skip
        self._sample, self._label, self._seed = sample, label, seed
        self._kept, self._every = kept, every
        self._cache: dict[int, Samples] = {}

    def at(self, step: int) -> Samples:
        """The labelled points of this step."""
        late = step - self._kept
        newest = step if late < 0 else self._kept + late // self._every
        if late < 0 or late % self._every == 0:
            return self._draw(newest)
        back = generator(self._seed, step, "reuse").integers(self._kept)
        return self._draw(newest - int(back))

    def _draw(self, number: int) -> Samples:
        if number not in self._cache:
            points = self._sample(generator(self._seed, number, "draw"))
            self._cache[number] = Samples(torch.from_numpy(points), torch.from_numpy(self._label(points)))
            oldest = max(self._cache) - self._kept
            self._cache = {n: samples for n, samples in self._cache.items() if n > oldest}
        return self._cache[number]


def generator(seed: int, number: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on (seed, number, purpose) alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number, *purpose.encode()])))


class HeldOut:
    """Points kept apart from training: uniform in the box of the solid, to watch the intersection over union while training."""

    def __init__(self, solid: Labeller, seed: int, count: int = 16_384) -> None:
        rng = generator(seed, 0, "held out")
        edge = 2 / PADDING * 1.05 / 2  # the box of the longest edge, padded by 5 % in all
        points = rng.uniform(-edge, edge, (count, 3)).astype(np.float32)
        self._points = torch.from_numpy(points)
        self._occupied = torch.from_numpy(solid.occupancy(points))

    @torch.no_grad()
    def iou(self, field: Callable[[Tensor], Tensor], inside: Inside) -> float:
        """Intersection over union of the field's inside and the solid at these points; nan where both are empty."""
        predicted = inside.depth(field(self._points)) > 0
        union = (predicted | self._occupied).sum().item()
        return (predicted & self._occupied).sum().item() / union if union else float("nan")
