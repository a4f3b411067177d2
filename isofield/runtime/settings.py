"""Settings within their ranges, checked where they are made."""

import math
from collections.abc import Sequence
from typing import Any

from .errors import InputError

__all__ = ["check_settings"]


def check_settings(config: Any, positive: Sequence[str] = (), shares: Sequence[str] = ()) -> None:
    """Raise InputError where a setting of the dataclass `config` is outside its range.

    positive: names of numbers, or tuples of them, that are finite and above 0. shares: of numbers in [0, 1].
    None, which stands for a default that is found later, passes.
    """
    for name in positive:
        _check(config, name, lambda value: 0 < value < math.inf, "above 0")
    for name in shares:
        _check(config, name, lambda value: 0 <= value <= 1, "from 0 to 1")


def _check(config: Any, name: str, fits, words: str) -> None:
    value = getattr(config, name)
    numbers = value if isinstance(value, tuple) else () if value is None else (value,)
    if value == () or not all(fits(number) for number in numbers):
        flag = "--" + name.replace("_", "-")
        what = "needs a number or more" if value == () else f"must be {words}, not {value}"
        raise InputError(what, flag, "`isofield list METHOD` shows the defaults.")
