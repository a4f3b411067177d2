"""Lengths as users write them."""

import numpy as np

from ..runtime.errors import InputError

__all__ = ["length_of"]


def length_of(text: str, longest_edge: float, flag: str = "--length") -> float:
    """A length as text: a number in the input's units, or a percentage of its longest edge."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InputError(f"{text!r} is not a length", flag, "Write 0.05 (in the input's units), or 2%.")
    return number / 100 * longest_edge if text.endswith("%") else number
