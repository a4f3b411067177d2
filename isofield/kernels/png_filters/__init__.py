"""The filters of PNG rows undone: `unfilter`."""

import numpy as np
from jaxtyping import UInt8

from .. import use_compiled
from . import reference

__all__ = ["unfilter"]


def unfilter(
    filters: UInt8[np.ndarray, " rows"], rows: UInt8[np.ndarray, "rows bytes"], pixel_bytes: int
) -> UInt8[np.ndarray, "rows bytes"]:
    """The bytes of an image's rows, given each row's filter (0 to 4) and its filtered bytes."""
    result = np.array(rows)
    if use_compiled():
        from . import numba

        numba.unfilter(np.ascontiguousarray(filters), result, pixel_bytes)
    else:
        reference.unfilter(filters, result, pixel_bytes)
    return result
