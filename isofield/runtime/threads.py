"""Threads for the kernels: compiled functions that release the GIL, run side by side on disjoint pieces of
work.

A kernel is compiled once as a plain function of a range; `run_pieces` hands the ranges to a few Python
threads. Compared with numba's own `prange` this compiles several times faster, brings no second OpenMP
runtime into the process, and leaves the order of every sum to the kernel: results do not depend on the number
of threads.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from .processes import neighbours

__all__ = ["available_cores", "run_pieces", "set_threads", "split", "threads"]


def available_cores() -> int:
    """Number of cores that this process may use (containers often allow fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_count = max(available_cores() // neighbours(), 1)
_pool: ThreadPoolExecutor | None = None


def threads() -> int:
    """Number of threads that kernels run on."""
    return _count


def set_threads(count: int) -> None:
    """Run kernels on `count` threads from now on (1 or more)."""
    global _count, _pool
    if count < 1:
        raise ValueError("the number of threads is 1 or more")
    if _pool is not None:
        _pool.shutdown()
    _count, _pool = count, None


def run_pieces(work: Callable[..., object], pieces: list[tuple]) -> None:
    """Call `work(*piece)` once for every piece, on all threads; returns when all are done. Errors are raised
    here."""
    global _pool
    if _count == 1 or len(pieces) <= 1:
        for piece in pieces:
            work(*piece)
        return
    if _pool is None:
        _pool = ThreadPoolExecutor(_count - 1, thread_name_prefix="isofield")
    queue = iter(pieces)  # shared: each thread takes the next piece (iteration over a list is atomic)

    def drain() -> None:
        for piece in queue:
            work(*piece)

    others = [_pool.submit(drain) for _ in range(min(_count, len(pieces)) - 1)]
    try:
        drain()
    finally:
        wait(others)  # whatever happened here, nothing is still written when this returns
    for other in others:
        other.result()


def split(count: int, pieces: int, multiple: int = 1) -> list[tuple[int, int]]:
    """Cut range(count) into at most `pieces` contiguous (start, stop) ranges whose starts are multiples of
    `multiple`."""
    size = -(-count // max(pieces, 1))
    size = max(-(-size // multiple) * multiple, multiple)
    return [(start, min(start + size, count)) for start in range(0, count, size)]
