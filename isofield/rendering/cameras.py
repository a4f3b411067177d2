"""Cameras: pinholes with the lenses of OpenCV."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int

from ..kernels.rays import camera_rays
from .lenses import distort, reach
from .rays import Rays

__all__ = ["Cameras", "focal_length", "looking_at", "pinholes"]


@dataclass(frozen=True, eq=False)
class Cameras:
    """Any number of cameras, one row each.

    A camera's axes are OpenCV's: x right, y down, z forward. Pixel coordinates (x, y) count from the upper
    left corner of the picture, so the centre of pixel (column i, row j) is (i + 0.5, j + 0.5).

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

    @property
    def axes(self) -> Float[np.ndarray, "cameras 3"]:
        """Where the cameras look: their z axes, in the world."""
        return self.poses[:, :, 2]

    @cached_property
    def reach(self) -> Float[np.ndarray, " cameras"]:
        """How far from its axis each lens sees (`rendering.lenses.reach`)."""
        return reach(self.distortion, self.fisheye)

    def rays(self, numbers: int | Int[np.ndarray, " rays"], pixels: Float[np.ndarray, "rays 2"]) -> Rays:
        """Rays with unit directions through pixel coordinates (x, y), each of the camera of its number or all
        of one. Computed in double precision. Where the lens sees nothing, along the border of its reach."""
        which = np.broadcast_to(np.asarray(numbers), (len(pixels),))
        origins, directions = camera_rays(
            which, pixels, self.poses, self.intrinsics, self.distortion, self.fisheye, self.reach
        )
        return Rays(torch.from_numpy(origins), torch.from_numpy(directions))

    def picture_rays(self, number: int, first: float = 0.5) -> Rays:
        """The rays of all pixels of one camera, row by row, through coordinates i + `first`
        (a convention's `first_pixel`)."""
        width, height = self.sizes[number]
        y, x = np.divmod(np.arange(width * height), width)
        return self.rays(number, np.column_stack([x, y]) + first)

    def world_to_camera(
        self, numbers: int | Int[np.ndarray, " points"], points: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, "points 3"]:
        """Points of the world in the axes of the cameras of their numbers, or of one."""
        poses = self.poses[np.broadcast_to(np.asarray(numbers), (len(points),))]
        return np.einsum("nji,nj->ni", poses[:, :, :3], points - poses[:, :, 3])

    def project(
        self, numbers: int | Int[np.ndarray, " points"], points: Float[np.ndarray, "points 3"]
    ) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, " points"]]:
        """Pixel coordinates (x, y) at which points of the world appear, inside the picture or not, and their
        depths along the view axis. NaN pixels where the lens does not see: behind the camera, or beyond the
        lens's reach."""
        which = np.broadcast_to(np.asarray(numbers), (len(points),))
        local = self.world_to_camera(numbers, points)
        across, depth, fisheye = np.hypot(local[:, 0], local[:, 1]), local[:, 2], self.fisheye[which]
        focal, centre = np.split(self.intrinsics[which], 2, axis=1)
        pixels = distort(local, self.distortion[which], fisheye) * focal + centre
        angle = np.where(fisheye, self.reach[which], np.arctan(self.reach[which]))
        pixels[~(np.arctan2(across, depth) <= angle) | (~fisheye & (depth <= 0))] = np.nan
        return pixels, depth

    def resized(self, sizes: Int[np.ndarray, "cameras 2"]) -> "Cameras":
        """The same cameras with pictures of other sizes [N, 2] (width, height): what they see stays, pixels
        become coarser or finer."""
        ratio = sizes / self.sizes
        return replace(self, intrinsics=self.intrinsics * np.concatenate([ratio, ratio], axis=1), sizes=sizes)

    def shrunk(self, longest: int) -> "Cameras":
        """The same cameras with pictures of `longest` pixels along their longer sides."""
        return self.resized(np.maximum(self.sizes * longest // self.sizes.max(axis=1, keepdims=True), 1))


def pinholes(
    poses: Float[np.ndarray, "cameras 3 4"],
    focal: Float[np.ndarray, " cameras"] | float,
    sizes: Int[np.ndarray, "cameras 2"] | tuple[int, int],
) -> Cameras:
    """Cameras with ideal lenses, square pixels and the axis in the middle of the picture. focal and sizes
    (width, height), in pixels: one for each, or one for all."""
    count = len(poses)
    sizes = np.broadcast_to(np.asarray(sizes), (count, 2)).copy()
    focal = np.broadcast_to(np.asarray(focal, np.float64), (count,))
    intrinsics = np.column_stack([focal, focal, sizes / 2])
    return Cameras(poses, intrinsics, sizes, np.zeros((count, 8)), np.zeros(count, bool))


def focal_length(extent: float, angle: float) -> float:
    """The focal length in pixels of a picture `extent` pixels wide (high) that shows `angle` radians."""
    return float(0.5 * extent / np.tan(0.5 * angle))


def looking_at(
    centre: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"], up: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 4"]:
    """The pose of a camera at `centre` that looks at `target`, with `up` of the world upwards in the picture.
    `up` must not be along the view."""
    z = target - centre
    x = np.cross(z, up)
    y = np.cross(z, x)
    return np.column_stack([*(axis / np.linalg.norm(axis) for axis in (x, y, z)), centre])
