"""The rays of pixels, through the lenses of OpenCV."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled

__all__ = ["camera_rays"]

LEAST = 4096  # rays in a piece: fewer are not worth waking a thread


def camera_rays(
    numbers: Int[np.ndarray, " rays"],
    pixels: Float[np.ndarray, "rays 2"],
    poses: Float[np.ndarray, "cameras 3 4"],
    intrinsics: Float[np.ndarray, "cameras 4"],
    distortion: Float[np.ndarray, "cameras 8"],
    fisheye: Bool[np.ndarray, " cameras"],
    reach: Float[np.ndarray, " cameras"],
) -> tuple[Float32[np.ndarray, "rays 3"], Float32[np.ndarray, "rays 3"]]:
    """Origins and unit directions in the world of the rays through pixel coordinates (x, y) of the cameras
    `numbers`.

    The arrays of the cameras are those of `rendering.cameras.Cameras`, in single or double precision, and
    `reach` of `rendering.lenses.reach`. All is computed in double precision and rounded once. Places on the
    picture that the lens cannot reach see along the border of what it can: directions are always finite.
    """
    origins, directions = np.empty((2, len(numbers), 3), np.float32)
    pixels = np.ascontiguousarray(pixels)
    cameras = [np.ascontiguousarray(a) for a in (poses, intrinsics, distortion, fisheye, reach)]
    if use_compiled():
        from .numba import fill
    else:
        from .reference import fill
    pieces = min(4 * threads(), len(numbers) // LEAST + 1)
    run_pieces(
        fill,
        [(*piece, numbers, pixels, *cameras, origins, directions) for piece in split(len(numbers), pieces)],
    )
    return origins, directions
