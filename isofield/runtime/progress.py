"""Progress on the terminal: a bar with time left where there is a terminal, plain lines elsewhere, nothing
when quiet."""

import contextlib
import sys
import time
from collections.abc import Iterator

from .processes import is_first

__all__ = ["Progress", "Stopwatch", "progress", "say", "set_quiet"]

_quiet = not is_first()


def set_quiet(quiet: bool) -> None:
    """Say nothing but errors and results from now on. Of several processes only the first speaks in any
    case."""
    global _quiet
    _quiet = quiet or not is_first()


def say(text: str) -> None:
    """A line for the user, on standard error so that results on standard output stay clean."""
    if not _quiet:
        print(text, file=sys.stderr, flush=True)


class Progress:
    """Handle of one piece of work: `update(share, text)`."""

    def __init__(self, title: str, bar=None, task=None) -> None:
        self._title, self._bar, self._task = title, bar, task
        self._start = time.perf_counter()
        self._last_line = self._start

    def update(self, share: float, text: str = "") -> None:
        """Set the share done, in [0, 1], and a short text beside it."""
        if self._bar is not None:
            self._bar.update(self._task, completed=share, text=text)
        elif not _quiet and time.perf_counter() - self._last_line > 10:
            self._last_line = time.perf_counter()
            left = (self._last_line - self._start) * (1 - share) / max(share, 1e-6)
            say(f"{self._title}: {share:.0%}, about {left:.0f} s left{', ' + text if text else ''}")


class Stopwatch:
    """Seconds by stage, each from the end of the one before."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """The stage `name` ends now."""
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now


@contextlib.contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show `title` with a bar while the block runs; plain lines every ten seconds where there is no
    terminal."""
    if _quiet or not sys.stderr.isatty():
        yield Progress(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Progress(title, bar, bar.add_task(title, total=1.0, text=""))
