"""LLFF: poses_bounds.npy beside folders of pictures, and the moves of the world that NeRF makes with it.

Sources: Mildenhall et al., Local Light Field Fusion, 2019; NeRF's load_llff.py. The scene keeps the file's
own world; NeRF's spherifying is a function here, for those who want the published numbers, its scaling and
recentring are in rendering/forward_facing.py.
"""

import re
from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from ...rendering.conventions import CONVENTIONS, to_ours
from ...runtime.errors import InputError
from ..image import IMAGE_ENDINGS
from ..photographs import look_at
from ..scene import Box
from .posed import Posed, focus, ideal_lenses, natural_order, rigid

__all__ = ["llff_cameras", "read_llff", "spherified"]

HOLDOUT = 8
SAME_WAY = np.radians(80)  # from the mean direction: what is seen within it makes a scene forward-facing


def read_llff(path: Path) -> Posed:
    """Row i of poses_bounds.npy belongs to picture i by name, in `images` or, where that is not there, in the
    `images_N` with the least N that holds as many pictures as there are rows.

    Intrinsics are scaled to the pictures that are there. box: around what all cameras see between their own
    two bounds. near, far: the least and the greatest bound. forward_facing where the corners of all pictures
    lie within 80 degrees of the cameras' mean direction.
    """
    poses, shape, bounds = llff_cameras(path)
    pictures, note = _pictures(path, len(poses))
    names = [picture.name for picture in pictures]
    poses, mended = rigid(poses, names, path)
    files = [look_at(picture) for picture in pictures]
    sizes = np.array([file.size for file in files], np.int64)
    ratio = sizes / shape[:, 1::-1]
    for file, (across, down), (height, width, _) in zip(files, ratio, shape, strict=True):
        if abs(across / down - 1) > 0.02:
            said = f"{width:g} x {height:g}"
            raise InputError(
                f"is {file.size[0]} x {file.size[1]} pixels, {path.name} says {said}",
                file.path,
                "Use pictures of the same aspect.",
            )
    intrinsics = np.concatenate([shape[:, 2:] * ratio, sizes / 2], axis=1)
    cameras = Cameras(poses, intrinsics, sizes, *ideal_lenses(len(poses)))
    mean = poses[:, :, 2].mean(axis=0)
    away = np.arccos(np.clip(poses[:, :, 2] @ _unit(mean), -1, 1))
    away += np.arctan(np.linalg.norm(sizes, axis=1) / 2 / intrinsics[:, :2].min(axis=1))
    return Posed(
        "LLFF poses_bounds.npy",
        "camera axes down, right, backwards; camera to world; principal point in the middle",
        tuple(names),
        files,
        cameras,
        _seen_between(cameras, bounds),
        unbounded=True,
        holdout=HOLDOUT,
        near=float(bounds.min()),
        far=float(bounds.max()),
        forward_facing=bool((away < SAME_WAY).all()),
        notes=(note, *mended),
    )


def llff_cameras(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses [N, 3, 4] with OpenCV's axes, (height, width, focal length) [N, 3] and (near, far) [N, 2] of the
    rows of a poses_bounds.npy. Raises InputError for what is none."""
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a false size takes no memory
        assert rows.ndim == 2
        assert rows.shape[1] == 17
        rows = np.array(rows, np.float64)
    except OSError:
        raise
    except Exception:  # numpy uses Python's tokenizer, which raises many things
        raise InputError(
            "is not an array of 17 numbers for every picture", path, "Write it again, with LLFF's own code."
        ) from None
    matrices, bounds = rows[:, :15].reshape(-1, 3, 5), rows[:, 15:]
    bad = ~np.isfinite(rows).all(axis=1) | ~(matrices[:, :, 4] > 0).all(axis=1)
    bad |= ~((bounds[:, 0] > 0) & (bounds[:, 1] > bounds[:, 0]))
    if bad.any() or not len(rows):
        first = int(np.argmax(bad)) if len(rows) else 0
        raise InputError(
            f"row {first} is not a pose with a size, a focal length and 0 < near < far"
            if len(rows)
            else "has no rows",
            path,
            "Repair or drop it.",
        )
    return to_ours(matrices[:, :, :4], CONVENTIONS["llff"]), matrices[:, :, 4], bounds


def spherified(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses [N, 3, 4] of cameras that look inwards, around the point that is nearest to their axes, with a
    root mean square distance of 1, and the similarity [4, 4] from the old world to the new (NeRF's
    spherify_poses; bounds are to be multiplied by its scale)."""
    centre = focus(poses)
    up = _unit((poses[:, :, 3] - centre).mean(axis=0))
    right = _unit(np.cross([0.1, 0.2, 0.3], up))
    axes = np.stack([right, _unit(np.cross(up, right)), up], axis=1)
    radius = np.sqrt(((poses[:, :, 3] - centre) ** 2).sum(axis=1).mean())
    similarity = np.eye(4)
    similarity[:3] = np.column_stack([axes.T, -axes.T @ centre]) / radius
    positions = (poses[:, :, 3] - centre) @ axes / radius
    return np.concatenate([axes.T @ poses[:, :, :3], positions[:, :, None]], axis=2), similarity


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _pictures(path: Path, rows: int) -> tuple[list[Path], str]:
    folders = [f for f in path.parent.iterdir() if f.is_dir() and re.fullmatch(r"images(_\d+)?", f.name)]
    held = {}
    for folder in sorted(folders, key=lambda f: int(f.name[7:] or 1)):
        files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_ENDINGS]
        held[folder.name] = sorted(files, key=lambda file: natural_order(file.name))
    name = next((name for name, files in held.items() if len(files) == rows), None)
    if name is None:
        counts = ", ".join(f"{name} holds {len(files)}" for name, files in held.items()) or "there is none"
        raise InputError(
            f"has {rows} rows, but no folder images or images_N holds as many pictures ({counts})",
            path,
            "Every row belongs to one picture, in the order of names.",
        )
    return held[name], f"The pictures are those in {name}."


def _seen_between(cameras: Cameras, bounds: np.ndarray) -> Box:
    """The box around the corners of all pictures at the near and the far depth of each camera."""
    half = cameras.sizes / 2 / cameras.intrinsics[:, :2]
    corners = np.array([(x, y) for x in (-1, 1) for y in (-1, 1)])
    inside = np.concatenate([half[:, None] * corners, np.ones((len(cameras), 4, 1))], axis=2)
    points = (inside[:, None] * bounds[:, :, None, None]).reshape(len(cameras), 8, 3)
    world = points @ cameras.poses[:, :, :3].swapaxes(1, 2) + cameras.centres[:, None]
    lower, upper = world.min(axis=(0, 1)), world.max(axis=(0, 1))
    return Box(tuple(lower.tolist()), tuple(upper.tolist()))
