"""Cameras: pinholes with the lenses of OpenCV."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

__all__ = ["Cameras"]


@dataclass(frozen=True, eq=False)
class Cameras:
    """Any number of cameras, one row each.

    A camera's axes are OpenCV's: x right, y down, z forward. Pixel coordinates (x, y) count from the upper left
    corner of the picture, so the centre of pixel (column i, row j) is (i + 0.5, j + 0.5).

    poses: camera-to-world [N, 3, 4]: the columns are the camera's axes in the world and its centre.
    intrinsics: fx, fy, cx, cy in pixels [N, 4]. sizes: width, height in pixels [N, 2]. distortion [N, 8]:
    OpenCV's coefficients, k1 k2 p1 p2 k3 k4 k5 k6 (radial and tangential) where `fisheye` is False, k1 k2 k3
    k4 0 0 0 0 (of the angle) where it is True; all 0 is an ideal lens. fisheye: [N] bool.
    """

    poses: Float[np.ndarray, "cameras 3 4"]
    intrinsics: Float[np.ndarray, "cameras 4"]
    sizes: Int[np.ndarray, "cameras 2"]
    distortion: Float[np.ndarray, "cameras 8"]
    fisheye: np.ndarray

    def __len__(self) -> int:
        return len(self.poses)

    def __getitem__(self, which: int | slice | np.ndarray) -> "Cameras":
        """The cameras of these numbers, again as `Cameras`."""
        rows = np.atleast_1d(np.arange(len(self))[which])
        return Cameras(
            self.poses[rows],
            self.intrinsics[rows],
            self.sizes[rows],
            self.distortion[rows],
            self.fisheye[rows],
        )

    @property
    def centres(self) -> Float[np.ndarray, "cameras 3"]:
        """Where the cameras stand, in the world."""
        return self.poses[:, :, 3]

    def resized(self, sizes: Int[np.ndarray, "cameras 2"]) -> "Cameras":
        """The same cameras with pictures of other sizes [N, 2] (width, height): what they see stays, pixels
        become coarser or finer."""
        ratio = sizes / self.sizes
        return replace(self, intrinsics=self.intrinsics * np.concatenate([ratio, ratio], axis=1), sizes=sizes)
