"""`isofield demo`: the tour."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..verbs.demo import demo
from .arguments import Shared, parse

__all__ = ["main"]

DESCRIPTION = """Fit a shape that ships with isofield (spot, by Keenan Crane, public domain) or your file.

The result on spot is checked against a floor."""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield demo`."""

    shape: tyro.conf.Positional[Path | None] = None
    """your own file (default: spot)"""
    out: Path | None = None
    """folder of the run (default: runs/NNNN-METHOD-INPUT)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, fit, compare with the floor."""
    a = parse(Arguments, arguments, "demo", DESCRIPTION)
    a.shared.apply()
    print(demo(a.shape, a.out))
