"""Memory: sizes in words, what is free, and keeping what was freed."""

import ctypes
import re
import sys
from pathlib import Path

from .errors import InputError

__all__ = ["available_memory", "keep_freed_memory", "parse_size", "size_text"]

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def parse_size(text: str) -> int:
    """Bytes of a size such as `1GiB`, `800MB` or `65536`. Raises InputError for anything else."""
    match = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", text)
    try:
        assert match is not None
        return int(float(match[1]) * _UNITS[match[2].upper()])
    except (AssertionError, ValueError, KeyError, OverflowError):
        raise InputError(
            f"is not a size of memory: {text!r}", "--max-memory", "Write for example 1GiB or 800MB."
        ) from None


def size_text(size: float) -> str:
    """Bytes in words: 1.5 GiB, 64 KiB."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}".replace(".0 ", " ")
    return f"{size:.0f} B"


def available_memory() -> int:
    """Bytes that can still be taken without swapping, as far as the system tells (else 4 GiB): what the
    machine has free, and no more than a container leaves."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        free = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        free = 4 * 2**30
    try:  # cgroup v2, which says "max" where there is no limit; cached files give way
        group = Path("/sys/fs/cgroup")
        limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        kinds = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(min(free, limit - used + int(kinds["inactive_file"])), 0)
    except (OSError, ValueError, KeyError):
        return free


def keep_freed_memory() -> None:
    """Ask the C library to keep freed arrays for reuse: a training step otherwise spends a fifth of its time
    on page faults."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(-3, 2**30)  # M_MMAP_THRESHOLD: arrays below this come from the heap
            mallopt(-1, 2**28)  # M_TRIM_THRESHOLD: keep as much free at the heap's end
