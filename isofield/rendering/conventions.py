"""Conventions of cameras, by the name of the code or format that has them, and the way to ours and back."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = [
    "CONVENTIONS", "Convention", "from_ours", "quaternions_of", "rotations_of", "to_ours",
]  # fmt: skip

OPENGL = ((1, 0, 0), (0, -1, 0), (0, 0, -1))  # right, up, backwards
OPENCV = ((1, 0, 0), (0, 1, 0), (0, 0, 1))  # right, down, forwards: ours


@dataclass(frozen=True)
class Convention:
    """How a code or a format writes down a camera.

    axes: row by row the shares of right, down and forwards in the columns of its rotations (camera to world).
    first_pixel: where the middle of the first pixel lies, in the coordinates of its principal point.
    world_to_camera: it keeps the inverse of the pose. scale, offset, order: its world is ours times `scale`
    plus `offset`, then with its axes in this order.
    """

    axes: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]
    first_pixel: float = 0.5
    world_to_camera: bool = False
    scale: float = 1.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    order: tuple[int, int, int] = (0, 1, 2)


# nerf: pixel i lies at i while the principal point is W/2, so pictures are sampled half a pixel up and left.
# opencv: calls of the library count from the middle of the first pixel. instant_ngp: `scale` and `offset` are
# those of the file (`dataclasses.replace`), these its defaults. llff: the columns of poses_bounds.npy.
CONVENTIONS: dict[str, Convention] = {
    "opengl": Convention(OPENGL),  # nerfstudio, mip-NeRF, Blender
    "nerf": Convention(OPENGL, first_pixel=0.0),
    "opencv": Convention(OPENCV, first_pixel=0.0),
    "colmap": Convention(OPENCV, world_to_camera=True),
    "llff": Convention(((0, 1, 0), (1, 0, 0), (0, 0, -1)), first_pixel=0.0),  # down, right, backwards
    "instant_ngp": Convention(OPENCV, scale=0.33, offset=(0.5, 0.5, 0.5), order=(1, 2, 0)),
}


def to_ours(
    poses: Float[np.ndarray, "cameras 3 4"], convention: Convention
) -> Float[np.ndarray, "cameras 3 4"]:
    """Poses [rotation | translation] of a convention as ours: camera to world, OpenCV's axes."""
    if convention.world_to_camera:
        poses = _inverse(poses)
    poses = poses[:, np.argsort(convention.order)]
    rotations = poses[:, :, :3] @ np.array(convention.axes, np.float64).T
    centres = (poses[:, :, 3] - np.array(convention.offset)) / convention.scale
    return np.concatenate([rotations, centres[:, :, None]], axis=2)


def from_ours(
    poses: Float[np.ndarray, "cameras 3 4"], convention: Convention
) -> Float[np.ndarray, "cameras 3 4"]:
    """Our poses as those of a convention: the inverse of `to_ours`."""
    rotations = poses[:, :, :3] @ np.array(convention.axes, np.float64)
    centres = poses[:, :, 3] * convention.scale + np.array(convention.offset)
    poses = np.concatenate([rotations, centres[:, :, None]], axis=2)[:, list(convention.order)]
    return _inverse(poses) if convention.world_to_camera else poses


def rotations_of(quaternions: Float[np.ndarray, "cameras 4"]) -> Float[np.ndarray, "cameras 3 3"]:
    """Rotations of Hamilton quaternions w, x, y, z (as in COLMAP's files), of any length but 0."""
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def quaternions_of(rotations: Float[np.ndarray, "cameras 3 3"]) -> Float[np.ndarray, "cameras 4"]:
    """Unit Hamilton quaternions w, x, y, z of rotations, with w >= 0.

    They are the eigenvectors of a symmetric matrix (Bar-Itzhack 2000), which knows no special cases and gives
    the nearest rotation where the matrix is not quite one.
    """
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(rotations, 0, 2)
    rows = (
        (a + e + i, h - f, c - g, d - b),
        (h - f, a - e - i, b + d, c + g),
        (c - g, b + d, e - a - i, f + h),
        (d - b, c + g, f + h, i - a - e),
    )
    quaternions = np.linalg.eigh(np.moveaxis(np.array(rows), 2, 0))[1][:, :, -1]
    return quaternions * np.where(quaternions[:, :1] < 0, -1, 1)


def _inverse(poses: np.ndarray) -> np.ndarray:
    turned = poses[:, :, :3].transpose(0, 2, 1)
    return np.concatenate([turned, -turned @ poses[:, :, 3:]], axis=2)
