"""`isofield data check PATH`: look before training."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..runtime.files import json_text
from ..verbs.check import check
from .arguments import Shared, parse

__all__ = ["main"]

DESCRIPTION = """Read a file as `fit` would: what is in it, what is wrong with it, and what `fit` will do.

Example: isofield data check scan.ply"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield data check`."""

    path: tyro.conf.Positional[Path]
    """the file"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, read, print the facts."""
    if not arguments or arguments[0] != "check":
        print("usage: isofield data check PATH\n\nReads a file as `fit` would and says what is in it.")
        raise SystemExit(0 if arguments and arguments[0] in ("-h", "--help") else 2)
    a = parse(Arguments, arguments[1:], "data check", DESCRIPTION)
    a.shared.apply()
    facts = check(a.path)
    if a.shared.json:
        print(json_text(facts, indent=2))
        return
    warnings = facts.pop("warnings")
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<{width}}  {value}")
    for warning in warnings:
        print(f"warning: {warning}")
