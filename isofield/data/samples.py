"""Training points of one shape, near its surface and away from it, with their labels: fresh while
training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.frames import PADDING, WORKING_BOX
from ..geometry.level import Inside

__all__ = ["WHOLE", "Draws", "HeldOut", "Labeller", "Samples", "Share", "Spread", "Turns", "generator"]

BATCHES = 4  # steps whose points are drawn and labelled together


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
    """Where training points lie: a share `uniform` in the whole box, the rest on the surface moved by a
    normal deviate.

    sigmas: standard deviations of the moves, in working units; each serves an equal part of the rest.
    """

    uniform: float
    sigmas: tuple[float, ...]

    def points(self, solid: Labeller, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points [count, 3] of the working box, float32."""
        far = int(count * self.uniform)
        near = solid.surface_points(count - far, rng)
        sigma = np.resize(np.array(self.sigmas, np.float32), len(near))  # neighbours take turns
        near += sigma[:, None] * rng.standard_normal((len(near), 3), np.float32)
        low, high = WORKING_BOX
        uniform = low + (high - low) * rng.random((far, 3), np.float32)
        return np.clip(np.concatenate([uniform, near]), low, high)


@dataclass(frozen=True)
class Samples:
    """Labelled points: points [N, 3] of the working box, labels [N]."""

    points: Float[Tensor, "points 3"]
    labels: Float[Tensor, "points"]


@dataclass(frozen=True)
class Share:
    """The part of every batch that one of `count` processes draws: part `number`, from 0."""

    number: int
    count: int

    def of(self, points: int) -> int:
        """How many of a batch's `points` are in this part; at least one."""
        return max((points + self.count - 1 - self.number) // self.count, 1)


WHOLE = Share(0, 1)


class Draws:
    """An endless series of labelled batches, fresh while training.

    Points are drawn and labelled for `BATCHES` steps at once, because labels are cheaper for dense points.
    The first `kept` draws are all new; after that every `every`-th is, and the others go back to one of the
    newest `kept`: labels cost more than training steps, and a draw that comes back after many steps is as
    good as new. Draw number d depends on (seed, share, d) alone, and the draw of a step on the step alone: a
    resumed run sees what it would have seen. sample: (count, random numbers) -> points [count, 3]. label:
    points -> labels [count]. points: of a whole step, of which `share` is drawn here.
    """

    def __init__(
        self,
        sample: Callable[[int, np.random.Generator], np.ndarray],
        label: Callable[[np.ndarray], np.ndarray],
        points: int,
        seed: int,
        every: int,
        share: Share = WHOLE,
        kept: int = 8,
    ) -> None:
        self._sample, self._label, self._points = sample, label, share.of(points)
        self._seed, self._share = seed, share
        self._every, self._kept = every, kept
        self._cache: dict[int, list[Samples]] = {}

    def at(self, step: int) -> Samples:
        """The labelled points of this step."""
        turn, part = divmod(step, BATCHES)
        late = turn - self._kept
        newest = turn if late < 0 else self._kept + late // self._every
        if late >= 0 and late % self._every:
            newest -= int(generator(self._seed, turn, "reuse").integers(self._kept))
        return self._draw(newest)[part]

    def _draw(self, number: int) -> list[Samples]:
        if number not in self._cache:
            points = self._sample(BATCHES * self._points, generator(self._seed, number, "draw", self._share))
            labels = self._label(points)
            parts = [(points[part::BATCHES], labels[part::BATCHES]) for part in range(BATCHES)]
            self._cache[number] = [
                Samples(*(torch.from_numpy(np.ascontiguousarray(array)) for array in part)) for part in parts
            ]
            oldest = max(self._cache) - self._kept
            self._cache = {n: samples for n, samples in self._cache.items() if n > oldest}
        return self._cache[number]


class Turns:
    """An endless series of the numbers 0, ..., count - 1 in which every one comes once before any comes
    again; each turn in another order, which depends on (seed, turn) alone. share: the part of every step's
    numbers that is given out here."""

    def __init__(self, count: int, seed: int, share: Share = WHOLE) -> None:
        self.count, self._seed, self._share = count, seed, share
        self._orders: dict[int, np.ndarray] = {}

    def at(self, step: int, size: int) -> np.ndarray:
        """The share of the numbers `step` * size, ..., (step + 1) * size - 1 of the series."""
        first, last = step * size, (step + 1) * size
        parts = []
        while first < last:
            turn, place = divmod(first, self.count)
            part = self._order(turn)[place : place + last - first]
            parts.append(part)
            first += len(part)
        return np.concatenate(parts)[self._share.number :: self._share.count]

    def _order(self, turn: int) -> np.ndarray:
        if turn not in self._orders:
            order = np.arange(self.count, dtype=np.int32)
            generator(self._seed, turn, "order").shuffle(order)
            self._orders = {turn: order}
        return self._orders[turn]


def generator(seed: int, number: int, purpose: str, share: Share = WHOLE) -> np.random.Generator:
    """Random numbers that depend on (seed, number, purpose) alone, and on the number of the share: each
    process has its own, and the first those of one alone."""
    own = (share.number,) if share.number else ()
    entropy = np.random.SeedSequence([seed, number, *purpose.encode()], spawn_key=own)
    return np.random.Generator(np.random.Philox(entropy))


class HeldOut:
    """Points kept apart from training: uniform in a cube around the solid, to watch the intersection over
    union while training."""

    def __init__(self, solid: Labeller, seed: int, count: int = 16_384) -> None:
        rng = generator(seed, 0, "held out")
        half = 2 / PADDING * 1.05 / 2  # of the cube's edge: the box's longest one and 5 % more
        points = rng.uniform(-half, half, (count, 3)).astype(np.float32)
        self._points = torch.from_numpy(points)
        self._occupied = torch.from_numpy(solid.occupancy(points))

    @torch.no_grad()
    def iou(self, field: Callable[[Tensor], Tensor], inside: Inside) -> float:
        """Intersection over union of the field's inside and the solid at these points; nan where both are
        empty."""
        predicted = inside.depth(field(self._points)) > 0
        union = (predicted | self._occupied).sum().item()
        return (predicted & self._occupied).sum().item() / union if union else float("nan")
