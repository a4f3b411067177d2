"""What happens beside the steps: checkpoints, the log, the progress bar."""

import time

import torch
from torch import Tensor

from ..runtime.errors import InputError
from ..runtime.files import json_text, write_text
from ..runtime.progress import Progress
from .checkpoints import (
    latest_checkpoint,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
)
from .clock import Clock
from .method import Method
from .run_folder import RunFolder

__all__ = ["Bar", "Checkpoints", "Log", "Metric", "restore"]


class Checkpoints:
    """Saves the whole state every so many seconds, and at the end (also after Ctrl-C).

    A state with a weight that is not finite is not saved: a training that diverged keeps its last good
    checkpoint.
    """

    def __init__(self, method: Method, folder: RunFolder, every: float = 10.0) -> None:
        self.method, self.folder, self.every = method, folder, every
        self._saved_at, self._saved_step = time.perf_counter(), -1

    def after_step(self, clock: Clock, terms: dict[str, Tensor]) -> None:
        """Save when it is time."""
        if time.perf_counter() - self._saved_at >= self.every:
            self._save(clock)

    def close(self, clock: Clock, whole: bool) -> None:
        """Save what is not saved yet, if it is whole."""
        if whole and clock.step != self._saved_step:
            self._save(clock)

    def _save(self, clock: Clock) -> None:
        tensors: dict[str, torch.Tensor] = {}
        for name, player in self.method.players.items():
            weights = player.module.state_dict()
            if not all(value.isfinite().all() for value in weights.values()):
                return
            tensors |= {f"{name}/module/{key}": value for key, value in weights.items()}
            tensors |= {
                f"{name}/optimiser/{key}": value for key, value in optimiser_tensors(player.optimiser).items()
            }
        save_checkpoint(self.folder.checkpoints, clock.step, tensors, {"seconds": clock.seconds})
        self._saved_at, self._saved_step = time.perf_counter(), clock.step


def restore(method: Method, folder: RunFolder, with_optimisers: bool = True) -> tuple[int, float]:
    """Load the newest checkpoint into the method's players. Returns (steps done, seconds of training); (0, 0)
    if there is none."""
    path = latest_checkpoint(folder.checkpoints)
    if path is None:
        return 0, 0.0
    step, tensors, numbers = load_checkpoint(path)

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {
            name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
        }

    for name, player in method.players.items():
        try:
            player.module.load_state_dict(part(f"{name}/module/"))
        except RuntimeError as error:
            raise InputError(
                f"does not fit the settings in run.json ({error})",
                path,
                "Undo changes to run.json, or train again.",
            ) from None
        if with_optimisers:
            restore_optimiser(player.optimiser, part(f"{name}/optimiser/"))
    return step, numbers["seconds"]


class Metric:
    """The number that matters, measured again only when the last value is old.

    Measuring takes at most a twentieth of the time: a slow network trains, not judges itself.
    """

    def __init__(self, method: Method) -> None:
        self._method, self._value, self._next = method, ("", float("nan")), 0.0

    def latest(self, clock: Clock) -> tuple[str, float]:
        """(name, value); measured anew at the end of the budget."""
        start = time.perf_counter()
        if start >= self._next or clock.spent:
            self._value = self._method.metric()
            now = time.perf_counter()
            self._next = now + max(0.25, 20 * (now - start))
        return self._value


class Log:
    """Appends a line of JSON to the run's log, at first often, then about every half second."""

    def __init__(self, metric: Metric, folder: RunFolder, step: int) -> None:
        kept = folder.read_log(up_to_step=step)  # after a kill the log may be ahead of the checkpoint
        write_text(folder.log, "".join(json_text(record) + "\n" for record in kept))
        self._file = open(folder.log, "a", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        self._metric, self._next = metric, 0.0

    def after_step(self, clock: Clock, terms: dict[str, Tensor]) -> None:
        """Write when it is time."""
        if clock.seconds < self._next and not clock.spent:
            return
        name, value = self._metric.latest(clock)
        record = {"step": clock.step, "seconds": round(clock.seconds, 3), name: value}
        record |= {term: float(loss) for term, loss in terms.items()}
        self._file.write(json_text(record) + "\n")
        self._file.flush()
        self._next = clock.seconds + (0.25 if clock.seconds < 2 else 0.5)

    def close(self, clock: Clock, whole: bool) -> None:
        """Close the file."""
        self._file.close()


class Bar:
    """Shows progress, time left, and the metric that matters."""

    def __init__(self, metric: Metric, progress: Progress) -> None:
        self._metric, self._progress, self._shown_at = metric, progress, 0.0

    def after_step(self, clock: Clock, terms: dict[str, Tensor]) -> None:
        """Move the bar, a few times a second."""
        now = time.perf_counter()
        if now - self._shown_at > 0.3 or clock.spent:
            name, value = self._metric.latest(clock)
            self._progress.update(clock.share, f"step {clock.step}, {name.replace('_', ' ')} {value:.4f}")
            self._shown_at = now

    def close(self, clock: Clock, whole: bool) -> None:
        """Leave the bar as it stands."""
