"""Which of how many processes this one is, as torchrun says in the environment; one alone without it."""

import os

__all__ = ["is_first", "neighbours", "place_on_machine", "processes", "rank"]

# what torch needs to join the processes; some schedulers set the first two for any program
NEEDED = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


def processes() -> int:
    """Number of processes that do this work together."""
    return _number("WORLD_SIZE", 1)


def rank() -> int:
    """The number of this process, from 0."""
    return _number("RANK", 0)


def is_first() -> bool:
    """Whether this process is the one that speaks and writes."""
    return rank() == 0


def neighbours() -> int:
    """Number of the processes on this machine, this one included."""
    return _number("LOCAL_WORLD_SIZE", 1)


def place_on_machine() -> int:
    """The number of this process among those on this machine, from 0."""
    return _number("LOCAL_RANK", 0)


def _number(name: str, alone: int) -> int:
    return int(os.environ.get(name, alone)) if os.environ.keys() >= NEEDED else alone
