"""`isofield doctor`: what this machine can do."""

from dataclasses import dataclass, field

from ..runtime.files import json_text
from ..verbs.doctor import doctor
from .arguments import Shared, parse

__all__ = ["main"]


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield doctor`."""

    warm: bool = False
    """only compile the kernels into the cache, so that the first fit is fast"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, look, print."""
    a = parse(
        Arguments, arguments, "doctor", "Versions, memory, threads; compiles the kernels and times them."
    )
    a.shared.apply()
    facts = doctor(measure=not a.warm)
    if a.shared.json:
        print(json_text(facts, indent=2))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")
