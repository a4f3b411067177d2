"""The filters of PNG rows undone, compiled."""

import numpy as np
from numba import njit

__all__ = ["unfilter"]


@njit(nogil=True, cache=True)
def unfilter(filters, rows, pixel_bytes):
    """Replace the filtered bytes rows [R, B] by the image's."""
    for y in range(rows.shape[0]):
        kind = filters[y]
        for i in range(rows.shape[1]):
            a = np.int32(rows[y, i - pixel_bytes]) if i >= pixel_bytes else np.int32(0)
            b = np.int32(rows[y - 1, i]) if y > 0 else np.int32(0)
            c = np.int32(rows[y - 1, i - pixel_bytes]) if y > 0 and i >= pixel_bytes else np.int32(0)
            prediction = np.int32(0)
            if kind == 1:
                prediction = a
            elif kind == 2:
                prediction = b
            elif kind == 3:
                prediction = (a + b) // 2
            elif kind == 4:
                from_a, from_b, from_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                if from_a <= from_b and from_a <= from_c:
                    prediction = a
                elif from_b <= from_c:
                    prediction = b
                else:
                    prediction = c
            rows[y, i] = np.uint8((np.int32(rows[y, i]) + prediction) & 255)
