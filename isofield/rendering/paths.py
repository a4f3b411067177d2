"""Paths of cameras: around a scene, a spiral in front of it, and smoothly from one camera to the next."""

import numpy as np
from jaxtyping import Float

from .cameras import looking_at

__all__ = ["average_pose", "between", "orbit", "orbit_like", "spiral", "up_of"]


def up_of(poses: Float[np.ndarray, "cameras 3 4"]) -> Float[np.ndarray, "3"]:
    """The direction upwards, by the cameras themselves: the mean of what is up in their pictures; that of the
    first one where they cancel out."""
    ups = -poses[:, :, 1]
    mean = ups.mean(axis=0)
    length = np.linalg.norm(mean)
    return mean / length if length > 1e-3 else ups[0]


def orbit(
    centre: Float[np.ndarray, "3"],
    up: Float[np.ndarray, "3"],
    start: Float[np.ndarray, "3"],
    radius: float,
    elevation: float,
    count: int,
) -> Float[np.ndarray, "count 3 4"]:
    """Poses on a circle around `centre` at `radius` from it, `elevation` radians above the plane across `up`
    (unit vector), looking at it: once around, counter-clockwise seen from above, from the side of `start` (a
    direction that is not along `up`). The last pose is one step before the first."""
    front = start - up * (up @ start)
    front = front / np.linalg.norm(front)
    side = np.cross(up, front)
    poses = []
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False):
        around = np.cos(angle) * front + np.sin(angle) * side
        place = centre + radius * (np.cos(elevation) * around + np.sin(elevation) * up)
        poses.append(looking_at(place, centre, up))
    return np.stack(poses)


def orbit_like(
    poses: Float[np.ndarray, "cameras 3 4"], centre: Float[np.ndarray, "3"], count: int
) -> Float[np.ndarray, "count 3 4"]:
    """An orbit around `centre` as given cameras would make it: with their direction upwards, at the median of
    their distances and of their elevations (between -80 and 80 degrees), starting on the first one's side."""
    up = up_of(poses)
    off = poses[:, :, 3] - centre
    distances = np.linalg.norm(off, axis=1)
    elevations = np.arcsin(np.clip(off @ up / np.maximum(distances, np.finfo(float).tiny), -1, 1))
    elevation = float(np.clip(np.median(elevations), *np.radians([-80, 80])))
    across = np.linalg.norm(off - np.outer(off @ up, up), axis=1)
    # a camera straight above shows no side
    start = off[np.argmax(across > 1e-3 * distances)] if across.max() > 0 else poses[0, :, 0]
    return orbit(centre, up, start, float(np.median(distances)), elevation, count)


def average_pose(poses: Float[np.ndarray, "cameras 3 4"]) -> Float[np.ndarray, "3 4"]:
    """A camera in the middle of others: it looks along the sum of their views, with the sum of their ups up
    (NeRF's code)."""
    centre = poses[:, :, 3].mean(axis=0)
    return looking_at(centre, centre + poses[:, :, 2].sum(axis=0), -poses[:, :, 1].sum(axis=0))


def spiral(
    poses: Float[np.ndarray, "cameras 3 4"],
    near: float,
    far: float,
    count: int = 120,
    turns: int = 2,
    rate: float = 0.5,
) -> Float[np.ndarray, "count 3 4"]:
    """NeRF's spiral in front of a forward-facing scene, as its code draws it.

    In the axes of the average camera the path is (r_x cos a, r_y sin a, r_z sin(rate a)), a from 0 to 2 pi
    turns, with r the 90th percentiles of the given cameras' distances from it along each axis; all look at
    the point in front of it at depth 1 / (0.25 / (0.9 near) + 0.75 / (5 far)). near, far: the least and the
    greatest depth of the scene.
    """
    middle = average_pose(poses)
    rotation, centre = middle[:, :3], middle[:, 3]
    radii = np.percentile(np.abs((poses[:, :, 3] - centre) @ rotation), 90, axis=0)
    target = centre + rotation[:, 2] / (0.25 / (0.9 * near) + 0.75 / (5 * far))
    up = -poses[:, :, 1].sum(axis=0)
    path = []
    for angle in np.linspace(0, 2 * np.pi * turns, count, endpoint=False):
        off = radii * [np.cos(angle), np.sin(angle), np.sin(rate * angle)]
        path.append(looking_at(centre + rotation @ off, target, up))
    return np.stack(path)


def between(
    poses: Float[np.ndarray, "keys 3 4"], count: int, closed: bool = False
) -> Float[np.ndarray, "count 3 4"]:
    """`count` poses along a smooth path through given ones, at equal steps of time from key to key, from the
    first to the last; `closed`: on to the first again, which is not repeated.

    Centres follow a cubic spline, rotations one whose angular acceleration is continuous.
    """
    from scipy.interpolate import CubicSpline
    from scipy.spatial.transform import Rotation, RotationSpline

    keys = len(poses)
    if keys == 1:
        return np.repeat(poses, count, axis=0)
    around = (
        8 if closed else 0
    )  # keys that the path goes on for on both sides, so that its ends meet smoothly
    numbers = np.arange(-around, keys + around)
    wanted = np.linspace(0, keys, count, endpoint=False) if closed else np.linspace(0, keys - 1, count)
    chosen = poses[numbers % keys]
    centres = CubicSpline(numbers, chosen[:, :, 3], bc_type="natural")(wanted)
    rotations = RotationSpline(numbers, Rotation.from_matrix(chosen[:, :, :3]))(wanted).as_matrix()
    return np.concatenate([rotations, centres[:, :, None]], axis=2)
