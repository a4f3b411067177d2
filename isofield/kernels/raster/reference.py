"""The definition of the rasteriser, one triangle at a time in plain numpy."""

import numpy as np

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
    y, x = (np.indices((height, width)) * SUBPIXELS + SUBPIXELS // 2).astype(np.int64)
    for index, face in enumerate(faces):
        (ax, ay), (bx, by), (cx, cy) = fixed[face]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        side = np.sign(area)
        weights = side * np.stack(
            [
                (cx - bx) * (y - by) - (cy - by) * (x - bx),
                (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
                (bx - ax) * (y - ay) - (by - ay) * (x - ax),
            ]
        )
        a, b, c = weights * inverse_depth[face][:, None, None]
        inverse = (a + b + c) / abs(area)
        seen = np.all(weights >= 0, axis=0) & (inverse > nearest)
        nearest[seen] = inverse[seen]
        face_image[seen] = index
        corner = attributes[face].astype(np.float64)
        mixed = a[..., None] * corner[0] + b[..., None] * corner[1] + c[..., None] * corner[2]
        image[seen] = (mixed[seen] / (a + b + c)[seen][:, None]).astype(np.float32)
    return face_image, image
