"""The training loop. Everything periodic is a hook."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from ..runtime.errors import FailedError
from ..runtime.interruption import Interrupted, interruption
from .clock import Clock
from .distributed import agree_on_time, average
from .method import Adaptive, Method

__all__ = ["Hook", "train", "warm_up"]


@runtime_checkable
class Hook(Protocol):
    """Something that happens beside the steps: checkpoints, the log, the progress bar."""

    def after_step(self, clock: Clock, terms: dict[str, Tensor]) -> None:
        """Called after every step with the loss terms of that step (by player and name)."""

    def close(self, clock: Clock, whole: bool) -> None:
        """Called once at the end, also after an interruption or an error. whole: the state is that after
        `clock.step` steps; else an error broke into the middle of a step."""


def train(method: Method, clock: Clock, hooks: Sequence[Hook]) -> None:
    """Run steps until the clock's budget is spent; hooks are closed in any case.

    Several processes (`distributed`) take the same steps and stop at the same one.

    Raises FailedError when a loss is not finite, and Interrupted (after the step in progress) when the user
    pressed Ctrl-C.
    """
    whole = True
    with ExitStack() as stack:
        for hook in hooks:
            stack.callback(lambda hook: hook.close(clock, whole), hook)
        with interruption() as interrupted:
            agree_on_time(clock)
            stopped = interrupted
            while not clock.spent:
                progress = clock.progress
                if isinstance(method, Adaptive):
                    method.before_step(clock.step)
                shown: dict[str, Tensor] = {}
                for name, player in method.players.items():
                    terms = method.loss(name, method.batch(name, clock.step, progress), progress)
                    player.set_rate(progress)
                    player.optimiser.zero_grad(set_to_none=True)
                    _sum(terms).backward()
                    means, stopped = average(player, terms, clock, interrupted)
                    _check(means, clock.step)
                    whole = False
                    player.optimiser.step()
                    shown |= {f"{name}/{term}": value for term, value in means.items()}
                clock.step, whole = clock.step + 1, True
                for hook in hooks:
                    hook.after_step(clock, shown)
                if stopped():
                    raise Interrupted(
                        "stopped by Ctrl-C; the run is saved",
                        f"step {clock.step}",
                        "Go on with the same command and --resume --out RUN.",
                    )


def warm_up(method: Method) -> None:
    """Run every player's loss once, forward and backward, without a step: compiles the kernels before the
    clock starts."""
    for name, player in method.players.items():
        terms = method.loss(name, method.batch(name, 0, 0.0), 0.0)
        _check(terms, 0)
        _sum(terms).backward()
        player.optimiser.zero_grad(set_to_none=True)


def _sum(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum()


def _check(terms: dict[str, Tensor], step: int) -> None:
    """Raise FailedError where a term is not finite."""
    if not torch.isfinite(_sum(terms)):
        bad = ", ".join(name for name, value in terms.items() if not torch.isfinite(value))
        raise FailedError(
            f"the loss term {bad or 'sum'} is not finite at step {step}",
            "training",
            "The last checkpoint is kept. Lower --learning-rate, or try `isofield data check` on the input.",
        )
