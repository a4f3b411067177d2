"""`isofield data check PATH`: look before training."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..runtime.files import json_text
from ..verbs.check import check
from .arguments import Shared, parse

__all__ = ["main"]

DESCRIPTION = """Read a file, or the folder of a scene, as `fit` would: what is in it, what is wrong with it,
what `fit` will do. The cameras of a scene are drawn, as NAME-cameras.png and NAME-cameras.html.

Examples: isofield data check scan.ply
          isofield data check nerf/lego --out checks"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield data check`."""

    path: tyro.conf.Positional[Path]
    """the file, or the folder of a scene"""
    out: Path | None = None
    """folder for the drawings of a scene (default: the present one)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, read, print the facts."""
    if not arguments or arguments[0] != "check":
        print("usage: isofield data check PATH\n\nReads a file as `fit` would and says what is in it.")
        raise SystemExit(0 if arguments and arguments[0] in ("-h", "--help") else 2)
    a = parse(Arguments, arguments[1:], "data check", DESCRIPTION)
    a.shared.apply()
    facts = check(a.path, a.out)
    if a.shared.json:
        print(json_text(facts, indent=2))
        return
    warnings = facts.pop("warnings")
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<{width}}  {value}")
    for warning in warnings:
        print(f"warning: {warning}")
