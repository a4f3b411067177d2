"""The filters of PNG rows undone, the definition (PNG specification, third edition, section 9)."""

import numpy as np

__all__ = ["unfilter"]


def unfilter(filters: np.ndarray, rows: np.ndarray, pixel_bytes: int) -> None:
    """Replace the filtered bytes rows [R, B] by the image's, row by row.

    A byte x was written less a prediction from its neighbours a (one pixel to the left), b (above) and c
    (above a), modulo 256: nothing, a, b, the floor of (a + b) / 2, or the one nearest to a + b - c.
    """
    for y, kind in enumerate(filters):
        for i in range(rows.shape[1]):
            a = int(rows[y, i - pixel_bytes]) if i >= pixel_bytes else 0
            b = int(rows[y - 1, i]) if y else 0
            c = int(rows[y - 1, i - pixel_bytes]) if y and i >= pixel_bytes else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            prediction = (0, a, b, (a + b) // 2, nearest)[kind]
            rows[y, i] = (int(rows[y, i]) + prediction) % 256
