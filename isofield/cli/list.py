"""`isofield list`: the methods and their settings."""

import dataclasses
import inspect
import re
from dataclasses import dataclass, field
from typing import Any

import tyro

from ..methods import METHODS
from ..runtime.files import json_text
from .arguments import Shared, parse

__all__ = ["main"]


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield list`."""

    method: tyro.conf.Positional[str | None] = None
    """show this method's settings"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Print the table, or one method's settings with their meaning and default."""
    a = parse(Arguments, arguments, "list", "The methods; with a name, its settings.")
    a.shared.apply()
    names = METHODS if a.method is None else [a.method]
    table = {name: METHODS[name] for name in names if name in METHODS}
    if not table:
        from ..runtime.errors import InputError

        raise InputError(f"there is no method {a.method!r}", "list", f"The methods: {', '.join(METHODS)}.")
    if a.shared.json:
        print(
            json_text(
                {
                    n: {"summary": e.summary, "source": e.source, "settings": _settings(e.load()[1])}
                    for n, e in table.items()
                },
                indent=2,
            )
        )
        return
    for name, entry in table.items():
        print(f"{name:<12} {entry.summary} ({entry.source})")
        if a.method is not None:
            for setting, (value, meaning) in _settings(entry.load()[1]).items():
                print(f"  {setting} = {value}\n      {meaning}")


def _settings(config: type, prefix: str = "", default: Any = None) -> dict[str, tuple[object, str]]:
    """Name -> (default, meaning), nested configs with dotted names. Meanings are the strings under the
    fields. default: the config whose values are shown, where it is not `config()`."""
    source = inspect.getsource(config)
    found: dict[str, tuple[object, str]] = {}
    default = config() if default is None else default
    for item in dataclasses.fields(config):
        value = getattr(default, item.name)
        match = re.search(rf'^    {item.name}:[^\n]*\n    """(.*?)"""', source, re.MULTILINE | re.DOTALL)
        meaning = " ".join(match[1].split()) if match else ""
        if dataclasses.is_dataclass(value):
            found |= _settings(type(value), f"{prefix}{item.name}.", value)
        else:
            found[prefix + item.name] = (value, meaning)
    return found
