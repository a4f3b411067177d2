"""What a method is to the training loop: players with their optimisers, batches, losses and products."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from ..data.samples import WHOLE, Share
from ..geometry.level import Inside
from ..rendering.rays import Rays
from ..rendering.views import PixelRays, through_centres
from ..rendering.volume import Rendered

__all__ = [
    "Adaptive", "DataDependent", "Method", "Optimiser", "Picture", "Player", "Product", "Surface", "Views",
    "cosine", "halving",
]  # fmt: skip


@runtime_checkable
class Optimiser(Protocol):
    """The part of torch's optimisers that the loop uses; they fit, and so does `kernels.adam.Adam`."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Update the parameters."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what `state_dict` gave."""


@dataclass
class Player:
    """One side of the training: a module, its optimiser, and its learning rate as a function of progress.

    Most methods have one player; a GAN has two, an auto-decoder trains network and codes as one or two.
    rate: progress in [0, 1] -> factor on the optimiser's own learning rate.
    """

    module: nn.Module
    optimiser: Optimiser
    rate: Callable[[float], float]

    def __post_init__(self) -> None:
        self._full_rates = [group["lr"] for group in self.optimiser.param_groups]

    def set_rate(self, progress: float) -> None:
        """Set the learning rates for this progress."""
        for group, full in zip(self.optimiser.param_groups, self._full_rates):
            group["lr"] = full * self.rate(progress)


def cosine(final: float) -> Callable[[float], float]:
    """A learning-rate factor that falls from 1 to `final` along half a cosine."""
    return lambda progress: final + (1 - final) * 0.5 * (1 + np.cos(np.pi * min(progress, 1.0)))


def halving(times: int) -> Callable[[float], float]:
    """A learning-rate factor that is halved `times` times, after equal parts of the budget."""
    return lambda progress: 0.5 ** min(int(progress * (times + 1)), times)


@dataclass(frozen=True)
class Surface:
    """A product: the level set of a field on the working box.

    field: points [N, 3] -> values [N]. inside: which side of which level is the solid. quantity: what the
    values are, in words. is_length: whether they grow with the shape, as distances do.
    """

    field: Callable[[Tensor], Tensor]
    inside: Inside
    quantity: str
    is_length: bool


@dataclass(frozen=True)
class Picture:
    """A product: an image of any resolution.

    field: points [N, 2] of [0, 1]^2 (right, down; the centre of pixel (i, j) of an image of H x W lies at
    ((j + 0.5) / W, (i + 0.5) / H)) -> values [N, channels], sRGB in [0, 1] up to the error of the fit.
    height, width: of the image that was learnt.
    """

    field: nn.Module
    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Views:
    """A product: what cameras see, and the density it is seen in, in the scene's own world and units.

    render: rays with unit directions -> what they see, by the method's own sampling (deterministic). density:
    points [N, 3] -> [N], per unit of length; 0 outside the box. colour: points, unit directions [N, 3] -> [N,
    3], sRGB. lower, upper: corners of the box outside of which nothing is known. rays: the rays that the
    method takes for pixels; `render` takes them too, whatever the length of their directions.
    """

    render: Callable[[Rays], Rendered]
    density: Callable[[Tensor], Tensor]
    colour: Callable[[Tensor, Tensor], Tensor]
    lower: tuple[float, float, float]
    upper: tuple[float, float, float]
    rays: PixelRays = through_centres


Product = Surface | Picture | Views


@runtime_checkable
class DataDependent(Protocol):
    """A config of which some settings follow from the input."""

    def for_data(self, record: Any) -> Any:
        """The config with these settings filled in from the record that `data/` made of the input."""


@runtime_checkable
class Adaptive(Protocol):
    """A method with state beside its weights that follows them."""

    def before_step(self, step: int) -> None:
        """Bring that state up to date, by draws from (seed, step) alone: it is the same on all processes."""


@runtime_checkable
class Method(Protocol):
    """What the loop, the run folder and the verbs need of a method. `methods/` holds one file for each.

    A method is built from its config alone; `prepare` gives it the data when it is to be trained.
    """

    config: Any
    players: dict[str, Player]

    def prepare(self, data: Any, seed: int, share: Share = WHOLE) -> None:
        """Take the training data: the record that `data/` made of the input.

        share: the part of every batch that this process learns from; the others have the other parts. What is
        kept apart from training, and what changes the method's own state beside the gradients, is drawn alike
        in all.
        """

    def batch(self, player: str, step: int, progress: float) -> Any:
        """This process's share of one step's data; it depends on the seed, the share, `step` and `progress`
        alone, so that a resumed run sees the same."""

    def loss(self, player: str, batch: Any, progress: float) -> dict[str, Tensor]:
        """Named scalar terms; their sum is minimised."""

    def metric(self) -> tuple[str, float]:
        """The number that matters while training, by name, on data kept apart."""

    def products(self) -> Mapping[str, Product]:
        """What the trained method can make, by name."""
