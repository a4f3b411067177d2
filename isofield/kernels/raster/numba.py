"""The compiled rasteriser: bands of rows side by side, first who is nearest, then the attributes."""

import numpy as np
from numba import njit

from ...runtime.threads import run_pieces, split, threads
from . import SUBPIXELS

__all__ = ["rasterise"]


def rasterise(
    fixed: np.ndarray,
    inverse_depth: np.ndarray,
    faces: np.ndarray,
    attributes: np.ndarray,
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """As `kernels.raster.rasterise`; fixed: int64 [V, 2], screen positions in shares of a pixel."""
    nearest = np.zeros((height, width))
    face_image = np.full((height, width), -1, np.int32)
    image = np.zeros((height, width, attributes.shape[1]), np.float32)
    fixed, faces, attributes = map(np.ascontiguousarray, (fixed, faces, attributes))
    bands = split(height, 4 * threads())  # every band reads all faces, which is cheap beside filling pixels
    run_pieces(
        _rasterise_rows,
        [
            (start, stop, fixed, inverse_depth, faces, attributes, nearest, face_image, image)
            for start, stop in bands
        ],
    )
    return face_image, image


@njit(nogil=True, cache=True)
def _rasterise_rows(start, stop, fixed, inverse_depth, faces, attributes, nearest, face_image, image):
    half = SUBPIXELS // 2
    width = face_image.shape[1]
    for index in range(faces.shape[0]):
        a, b, c = faces[index, 0], faces[index, 1], faces[index, 2]
        ax, ay, bx, by, cx, cy = fixed[a, 0], fixed[a, 1], fixed[b, 0], fixed[b, 1], fixed[c, 0], fixed[c, 1]
        # first and last pixel whose centre lies in the triangle's box
        top = max((min(ay, by, cy) + half - 1) // SUBPIXELS, start)
        bottom = min((max(ay, by, cy) - half) // SUBPIXELS, stop - 1)
        left = max((min(ax, bx, cx) + half - 1) // SUBPIXELS, 0)
        right = min((max(ax, bx, cx) - half) // SUBPIXELS, width - 1)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or top > bottom or left > right:
            continue
        side = 1 if area > 0 else -1
        qa, qb, qc = inverse_depth[a], inverse_depth[b], inverse_depth[c]
        for row in range(top, bottom + 1):
            y = row * SUBPIXELS + half
            x = left * SUBPIXELS + half
            wa = side * ((cx - bx) * (y - by) - (cy - by) * (x - bx))
            wb = side * ((ax - cx) * (y - cy) - (ay - cy) * (x - cx))
            wc = side * ((bx - ax) * (y - ay) - (by - ay) * (x - ax))
            for column in range(left, right + 1):
                if wa >= 0 and wb >= 0 and wc >= 0:
                    inverse = (wa * qa + wb * qb + wc * qc) / (side * area)
                    if inverse > nearest[row, column]:
                        nearest[row, column] = inverse
                        face_image[row, column] = index
                wa -= side * (cy - by) * SUBPIXELS
                wb -= side * (ay - cy) * SUBPIXELS
                wc -= side * (by - ay) * SUBPIXELS

    for row in range(start, stop):
        for column in range(width):
            index = face_image[row, column]
            if index < 0:
                continue
            a, b, c = faces[index, 0], faces[index, 1], faces[index, 2]
            ax, ay, bx, by, cx, cy = (
                fixed[a, 0],
                fixed[a, 1],
                fixed[b, 0],
                fixed[b, 1],
                fixed[c, 0],
                fixed[c, 1],
            )
            x, y = column * SUBPIXELS + half, row * SUBPIXELS + half
            ra = ((cx - bx) * (y - by) - (cy - by) * (x - bx)) * inverse_depth[a]
            rb = ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) * inverse_depth[b]
            rc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) * inverse_depth[c]
            total = ra + rb + rc
            for channel in range(attributes.shape[1]):
                mixed = (
                    ra * attributes[a, channel] + rb * attributes[b, channel] + rc * attributes[c, channel]
                )
                image[row, column, channel] = mixed / total
