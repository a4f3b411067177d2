"""What the readers of scenes share: a scene before its pictures are decoded, checks of poses, boxes from
cameras."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from ...rendering.conventions import CONVENTIONS, to_ours
from ...runtime.errors import InputError
from ..photographs import PictureFile
from ..scene import Box

__all__ = [
    "Posed",
    "box_seen_by",
    "cube",
    "decomposed",
    "focus",
    "ideal_lenses",
    "natural_order",
    "present",
    "rigid",
]

SILENT, TOLERANCE = 1e-4, 0.02  # |R^T R - I| that rounding explains; that is mended and said
NAMED = 6  # frames that a note names


@dataclass(frozen=True, eq=False)
class Posed:
    """What a scene's file says: fields as those of `Scene`, before anything is decoded or scaled down.

    files: of the pictures, in the order of `names` and `cameras`, whose sizes are those of the files. train,
    test: numbers of frames; both None where the file gives no split. holdout: the usual one of the format
    then. unbounded: None where alpha decides.
    """

    format: str
    convention: str
    names: tuple[str, ...]
    files: list[PictureFile]
    cameras: Cameras
    box: Box
    unbounded: bool | None = None
    train: np.ndarray | None = None
    test: np.ndarray | None = None
    holdout: int | None = None
    near: float | None = None
    far: float | None = None
    forward_facing: bool = False
    points: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def natural_order(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts names as people do: 2 before 10."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def present(paths: list[Path], names: list[str], where: Path) -> tuple[list[int], list[str]]:
    """Numbers of the frames whose picture is there, and a note on the others. Raises InputError where none
    is."""
    there = [number for number, path in enumerate(paths) if path.is_file()]
    if not names:
        raise InputError("has no frames", where, "It needs one for every picture.")
    if not there:
        raise InputError(
            f"none of the {len(paths)} pictures that it names is there (the first: {paths[0]})",
            where,
            "Put the pictures where the file says.",
        )
    absent = [names[number] for number in sorted(set(range(len(names))) - set(there))]
    note = f"{len(absent)} of {len(names)} frames have no picture and were left out: {_listed(absent)}."
    return there, [note] if absent else []


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3 * NAMED} more" if len(names) > 3 * NAMED else ""
    return ", ".join(names[: 3 * NAMED]) + more


def rigid(poses: np.ndarray, names: list[str], where: Path) -> tuple[np.ndarray, list[str]]:
    """Poses [N, 3, 4] whose rotations are rotations: what rounding leaves is kept, small deviations are
    mended (the nearest rotation, by SVD) with a note. Raises InputError, naming the frame, for larger ones,
    reflections and numbers that are not finite."""
    mended = poses.copy()
    changed = []
    for number, (pose, name) in enumerate(zip(poses, names, strict=True)):
        if not np.isfinite(pose).all():
            raise InputError(
                f"the pose of frame {name} has numbers that are not finite", where, "Repair or drop it."
            )
        rotation = pose[:, :3]
        off = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
        if off > TOLERANCE or np.linalg.det(rotation) < 0:
            said = "is a reflection" if off <= TOLERANCE else f"is off by {off:.2g}"
            raise InputError(
                f"the pose of frame {name} is not a rotation and a position: its 3 x 3 part {said}",
                where,
                "Give orthonormal axes (a scale belongs to the positions alone), right-handed.",
            )
        if off > SILENT:
            left, _, right = np.linalg.svd(rotation)
            mended[number, :, :3] = left @ right
            changed.append(name)
    note = f"The axes of {len(changed)} poses were not quite orthonormal and were mended: {_listed(changed)}."
    return mended, [note] if changed else []


def decomposed(projection: np.ndarray, name: str, where: Path) -> tuple[np.ndarray, np.ndarray]:
    """fx, fy, cx, cy and the pose [3, 4], camera to world, of a projection matrix [3, 4] = K [R | t] of any
    factor.

    By an RQ decomposition with a positive diagonal of K (Hartley and Zisserman, 2nd edition, 6.2.4). Raises
    InputError for a matrix that is no camera, and for skew.
    """
    if not np.isfinite(projection).all():
        raise InputError(f"the camera of {name} has numbers that are not finite", where, "Repair or drop it.")
    left = projection[:, :3]
    if not abs(np.linalg.det(left)) > 1e-12 * np.linalg.norm(left) ** 3:
        raise InputError(f"the camera of {name} is not a perspective one", where, "Repair or drop it.")
    # the rows of left, from last to first, made orthonormal: left = k @ rotation
    flip = np.eye(3)[::-1]
    q, r = np.linalg.qr((flip @ left).T)
    k, rotation = flip @ r.T @ flip, flip @ q.T
    signs = np.sign(np.diag(k))
    k, rotation = k * signs, signs[:, None] * rotation
    translation = np.linalg.solve(k, projection[:, 3])
    if np.linalg.det(rotation) < 0:  # the whole matrix has a negative factor
        rotation, translation = -rotation, -translation
    k = k / k[2, 2]
    if abs(k[0, 1]) > 1e-2 * k[0, 0]:
        raise InputError(
            f"the camera of {name} is skewed by {k[0, 1]:.3g} pixels", where, "Rectify the pictures."
        )
    motion = np.column_stack([rotation, translation])
    return np.array([k[0, 0], k[1, 1], k[0, 2], k[1, 2]]), to_ours(motion[None], CONVENTIONS["colmap"])[0]


def ideal_lenses(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distortion [N, 8] and fisheye [N] of cameras without any."""
    return np.zeros((count, 8)), np.zeros(count, bool)


def cube(centre: np.ndarray, half: float) -> Box:
    """A cube around a point."""
    lower, upper = np.asarray(centre) - half, np.asarray(centre) + half
    return Box(tuple(lower.tolist()), tuple(upper.tolist()))


def focus(poses: np.ndarray) -> np.ndarray:
    """The point [3] that is nearest to the optical axes of all cameras (least squares)."""
    axes, centres = poses[:, :, 2], poses[:, :, 3]
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    return np.linalg.lstsq(across.sum(axis=0), (across @ centres[..., None]).sum(axis=0)[:, 0], rcond=None)[0]


def box_seen_by(cameras: Cameras) -> Box:
    """The cube around `focus` whose half side is what the pictures show there, from the middle to the farther
    edge: the median over the cameras. Where the axes have no such point in front of the cameras, around all
    cameras."""
    centre = focus(cameras.poses)
    depths = np.einsum("nk,nk->n", centre - cameras.centres, cameras.poses[:, :, 2])
    if np.median(depths) <= 0:
        middle = cameras.centres.mean(axis=0)
        return cube(middle, max(2 * float(np.abs(cameras.centres - middle).max()), 1.0))
    half = (cameras.sizes / 2 / cameras.intrinsics[:, :2]).max(axis=1)
    return cube(centre, float(np.median((np.abs(depths) * half)[depths > 0])))
