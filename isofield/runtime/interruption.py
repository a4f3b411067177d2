"""Ctrl-C that waits for the present step to end."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from .errors import IsofieldError

__all__ = ["Interrupted", "interruption"]


class Interrupted(IsofieldError):
    """The user stopped the work; what was done so far is saved (exit code 130)."""

    exit_code = 130


@contextlib.contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Within the block a first Ctrl-C only sets a mark, which the yielded function reads; a second one raises
    KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield lambda: False
        return
    marked = False

    def mark(number, frame) -> None:
        nonlocal marked
        if marked:
            raise KeyboardInterrupt
        marked = True

    before = signal.signal(signal.SIGINT, mark)
    try:
        yield lambda: marked
    finally:
        signal.signal(signal.SIGINT, before)
