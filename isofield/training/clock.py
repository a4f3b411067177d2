"""The budget of a training: so many seconds or so many steps. Schedules see only the share that is spent."""

import time
from dataclasses import dataclass

from ..runtime.errors import InputError

__all__ = ["Budget", "Clock"]


@dataclass(frozen=True)
class Budget:
    """Either `seconds` of training or a number of `steps`; the other is None."""

    seconds: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.steps is None):
            raise InputError(
                "a budget is either seconds or steps", "--seconds, --steps", "Give exactly one of them."
            )
        name, value = ("--seconds", self.seconds) if self.steps is None else ("--steps", self.steps)
        if value is None or not 0 < value < float("inf"):
            raise InputError(f"must be positive and finite, not {value}", name, "Give a number above 0.")


class Clock:
    """Steps and seconds of one training. step: number of steps done; the loop counts it up.

    schedule: the budget that shapes learning rates and the like, where it is not `budget` itself: a run that
    goes on for longer than it was planned keeps its first schedule, and then that schedule's last value.
    """

    def __init__(
        self, budget: Budget, step: int = 0, seconds: float = 0.0, schedule: Budget | None = None
    ) -> None:
        self.budget, self.schedule, self.step = budget, schedule or budget, step
        self._before, self._start = seconds, time.perf_counter()
        self._held: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self._before + time.perf_counter() - self._start

    def hold(self, seconds: float) -> None:
        """Let progress and the end be decided by `seconds`, until the next call, and not by the time of the
        moment: several processes that train together decide alike."""
        self._held = seconds

    def _deciding(self) -> float:
        return self.seconds if self._held is None else self._held

    @property
    def progress(self) -> float:
        """Share of the schedule that is past, in [0, 1]."""
        return self._share(self.schedule)

    @property
    def share(self) -> float:
        """Share of the budget that is spent, in [0, 1]."""
        return self._share(self.budget)

    def _share(self, budget: Budget) -> float:
        if budget.steps is not None:
            return min(self.step / budget.steps, 1.0)
        assert budget.seconds is not None
        return min(self._deciding() / budget.seconds, 1.0)

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        if self.budget.steps is not None:
            return self.step >= self.budget.steps
        assert self.budget.seconds is not None
        return self._deciding() >= self.budget.seconds
