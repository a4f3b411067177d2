"""Flags that the commands share, and their parsing."""

from dataclasses import dataclass
from typing import Any, TypeVar

import tyro

from ..runtime.errors import InputError
from ..runtime.files import json_text
from ..runtime.processes import is_first
from ..runtime.progress import say, set_quiet
from ..runtime.threads import available_cores, set_threads, threads

__all__ = ["Shared", "parse", "show"]

Arguments = TypeVar("Arguments")


@dataclass(frozen=True)
class Shared:
    """Flags of every command."""

    threads: int | None = None
    """number of threads (default: all cores that this process may use)"""
    quiet: bool = False
    """no progress, only results and errors"""
    json: bool = False
    """print the result as JSON on standard output"""

    def apply(self) -> None:
        """Make the settings hold."""
        if self.threads is not None:
            if self.threads < 1:
                raise InputError(
                    f"must be 1 or more, not {self.threads}", "--threads", "Leave it out to use all cores."
                )
            set_threads(self.threads)
        set_quiet(self.quiet or self.json)
        if threads() > available_cores():
            say(f"note: {threads()} threads on {available_cores()} cores are slower, not faster")


def parse(kind: type[Arguments], arguments: list[str], verb: str, description: str) -> Arguments:
    """The arguments as a dataclass. Usage errors and --help leave the program, with exit codes 2 and 0."""
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff)
    return tyro.cli(
        kind,
        args=arguments,
        prog=f"isofield {verb}",
        description=description,
        config=config,
        console_outputs=is_first(),
    )


def show(result: dict[str, Any], as_json: bool, text: str) -> None:
    """Print a result: as JSON, or as the text for people."""
    print(json_text(result, indent=2) if as_json else text)
