"""Several processes, one training: each learns from its share of every batch, and the gradients are averaged.

`torchrun` starts the processes and tells each its place (`runtime.processes`). All hold the same weights and
take the same steps; the first alone writes, and its clock is the one that counts. Without torchrun everything
here does nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ..data.samples import Share
from ..runtime.errors import Abandoned
from ..runtime.processes import place_on_machine, processes, rank
from .clock import Clock
from .method import Player

__all__ = ["agree_on_time", "average", "from_first", "joined", "share"]

LARGE = 1 << 16  # elements of a gradient that is averaged where it is; smaller ones go together


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Join the processes while the block runs: gloo between CPUs, nccl between GPUs."""
    if processes() == 1 or dist.is_initialized():
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(place_on_machine() % torch.cuda.device_count())
    with _together():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def share() -> Share:
    """The part of every batch that this process draws."""
    return Share(rank(), processes())


def from_first(content: Any) -> Any:
    """The first process's `content` (plain data), on all of them."""
    if processes() == 1:
        return content
    box = [content]
    with _together():
        dist.broadcast_object_list(box, src=0)
    return box[0]


def agree_on_time(clock: Clock) -> None:
    """Set the clocks of all processes by the first one's."""
    if processes() > 1:
        clock.hold(from_first(clock.seconds))


def average(
    player: Player, terms: dict[str, Tensor], clock: Clock, interrupted: Callable[[], bool]
) -> tuple[dict[str, Tensor], Callable[[], bool]]:
    """Replace the gradients that the player's optimiser is to use by their averages over the processes, and
    set all clocks by the first process's.

    A parameter without a gradient counts as having one of 0: elsewhere it may have another. terms: scalars.
    interrupted: whether this process was. Returns the averages of the terms, detached, and whether any
    process was interrupted. The sums are equal on all processes bit for bit, and so are the weights after the
    step.
    """
    detached = {name: value.detach() for name, value in terms.items()}
    if processes() == 1:
        return detached, interrupted
    parameters = [p for group in player.optimiser.param_groups for p in group["params"]]
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [p.grad for p in parameters if p.grad is not None]
    small = [gradient for gradient in gradients if gradient.numel() < LARGE]
    time = clock.seconds if rank() == 0 else 0.0
    scalars = [value.double() for value in detached.values()]
    # one message for all that is small: the way there and back takes longer than the sum
    told = torch.tensor([time, float(interrupted())], dtype=torch.float64, device=scalars[0].device)
    parts = [told, *scalars, *(gradient.double().reshape(-1) for gradient in small)]
    flat = torch.cat([part.reshape(-1) for part in parts])
    with _together():
        dist.all_reduce(flat)
        for gradient in gradients:
            if gradient.numel() >= LARGE:
                dist.all_reduce(gradient)
                gradient /= processes()
    seconds, stop = flat[:2].tolist()
    clock.hold(seconds)
    means = iter(
        (flat[2:] / processes()).split([1] * len(scalars) + [gradient.numel() for gradient in small])
    )
    averaged = {name: next(means)[0] for name in detached}
    for gradient, mean in zip(small, means):
        gradient.copy_(mean.view_as(gradient))
    return averaged, lambda: stop > 0


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """Where the others are gone, torch reports a lost connection."""
    try:
        yield
    except RuntimeError as error:
        raise Abandoned(
            f"another of the {processes()} processes ended ({error})",
            "training",
            "Go on with the same command and --resume --out RUN.",
        ) from error
