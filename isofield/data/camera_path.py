"""Camera paths in nerfstudio's JSON: what its viewer and its Blender add-on write."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..rendering.cameras import Cameras, focal_length, pinholes
from ..rendering.conventions import CONVENTIONS, from_ours, to_ours
from ..runtime.errors import InputError
from ..runtime.files import write_json

__all__ = ["CameraPath", "read_camera_path", "write_camera_path"]

FISHEYE = {"perspective": False, "fisheye": True}  # camera_type -> its lens
LARGEST = 1 << 14  # pixels along a side, above which a size is taken for a mistake
ADVICE = "Save the path again from nerfstudio's viewer, its Blender add-on, or `isofield view`."


@dataclass(frozen=True, eq=False)
class CameraPath:
    """The frames of a film: one camera each, all of one size. keyframes: the cameras that an editor led the
    path through, if it says so. closed: the last frame leads on to the first."""

    cameras: Cameras
    frames_per_second: float = 24.0
    closed: bool = False
    keyframes: Cameras | None = None


def read_camera_path(path: Path) -> CameraPath:
    """The path of a file; its poses are taken to be in the run's own world. Raises InputError for what is no
    such file, and for frames that cannot be rendered."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        missing = isinstance(error, FileNotFoundError)
        what = "there is no such file" if missing else f"cannot be read as JSON: {error}"
        raise InputError(what, path, "Check the spelling." if missing else ADVICE) from None
    if isinstance(content, dict) and isinstance(content.get("path"), list):
        raise InputError("is a camera path of instant-ngp, which has other fields", path, ADVICE)
    if not isinstance(content, dict) or not isinstance(content.get("camera_path"), list):
        raise InputError("is no camera path: the list `camera_path` is missing", path, ADVICE)
    if not content["camera_path"]:
        raise InputError("has no frames: `camera_path` is empty", path, ADVICE)
    kind = content.get("camera_type", "perspective")
    if not isinstance(kind, str) or kind.lower() not in FISHEYE:
        raise InputError(
            f"has camera_type {kind!r}; rendered are {' and '.join(FISHEYE)}",
            path,
            "Change the camera's type.",
        )
    size = [_number(content, f"render_{side}", path, LARGEST) for side in ("width", "height")]
    if not all(n >= 1 and n == int(n) for n in size):
        raise InputError(
            f"has the render size {size[0]:g} x {size[1]:g}", path, "Give whole pixels, 1 or more."
        )
    width, height = map(int, size)

    def cameras(frames: list, place: str, matrix: str) -> Cameras:
        named = [(frame, f"{path}, {place}[{k}]") for k, frame in enumerate(frames)]
        poses = to_ours(np.stack([_pose(f, matrix, where) for f, where in named]), CONVENTIONS["opengl"])
        focal = np.array([focal_length(height, np.radians(_field_of_view(f, where))) for f, where in named])
        made = pinholes(poses, focal, (width, height))
        made.fisheye[:] = FISHEYE[kind.lower()]
        return made

    keys = content.get("keyframes") or None
    return CameraPath(
        cameras(content["camera_path"], "camera_path", "camera_to_world"),
        _number({"fps": 24.0, **content}, "fps", path, 1000),
        bool(content.get("is_cycle", False)),
        cameras(keys, "keyframes", "matrix") if isinstance(keys, list) else None,
    )


def write_camera_path(path: Path, film: CameraPath) -> None:
    """Write the path as nerfstudio's viewer does; its tools and `read_camera_path` read it."""
    cameras = film.cameras
    width, height = map(int, cameras.sizes[0])
    frames, angles = _matrices(cameras), _angles(cameras)
    content: dict[str, Any] = {
        "camera_type": "fisheye" if cameras.fisheye[0] else "perspective",
        "render_height": height,
        "render_width": width,
        "fps": film.frames_per_second,
        "seconds": len(cameras) / film.frames_per_second,
        "is_cycle": film.closed,
        "smoothness_value": 0.5,
        "default_fov": angles[0],
        "camera_path": [
            {"camera_to_world": frame, "fov": angle, "aspect": width / height}
            for frame, angle in zip(frames, angles)
        ],
        "keyframes": [],
    }
    if film.keyframes is not None:
        content["keyframes"] = [
            {"matrix": matrix, "fov": angle, "aspect": width / height, "override_transition_enabled": False}
            for matrix, angle in zip(_matrices(film.keyframes), _angles(film.keyframes))
        ]
    write_json(path, content)


def _matrices(cameras: Cameras) -> list[list[float]]:
    """Sixteen numbers each, row by row: OpenGL's axes, camera to world."""
    poses = from_ours(np.asarray(cameras.poses, np.float64), CONVENTIONS["opengl"]).reshape(-1, 12)
    return [[*row, 0.0, 0.0, 0.0, 1.0] for row in poses.tolist()]


def _angles(cameras: Cameras) -> list[float]:
    """Vertical fields of view in degrees."""
    return np.degrees(2 * np.arctan(0.5 * cameras.sizes[:, 1] / cameras.intrinsics[:, 1])).tolist()


def _pose(frame: Any, key: str, where: str) -> np.ndarray:
    value = frame.get(key) if isinstance(frame, dict) else None
    by_columns = isinstance(value, str)  # so the Blender add-on writes its keyframes
    try:
        matrix = np.array(json.loads(value) if isinstance(value, str) else value, np.float64).reshape(4, 4)
    except (TypeError, ValueError):
        raise InputError(f"`{key}` is not sixteen numbers", where, ADVICE) from None
    pose = (matrix.T if by_columns else matrix)[:3]
    if not np.isfinite(pose).all():
        raise InputError(f"`{key}` holds NaN or infinity", where, ADVICE)
    # the axes' common length is the scale of the imported mesh in Blender: directions only are meant
    lengths = np.linalg.norm(pose[:, :3], axis=0)
    axes = pose[:, :3] / np.maximum(lengths, np.finfo(float).tiny)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3) or np.linalg.det(axes) < 0:
        raise InputError(f"the axes in `{key}` are no rotation", where, ADVICE)
    return np.column_stack([axes, pose[:, 3]])


def _field_of_view(frame: dict, where: str) -> float:
    angle = _number({"fov": 50.0, **frame}, "fov", where, 180)
    if angle >= 180:
        raise InputError("`fov` is 180 degrees or more", where, "Give the vertical field of view in degrees.")
    return angle


def _number(content: dict, key: str, where: object, most: float) -> float:
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise InputError(f"`{key}` is {value!r}, not a number above 0 and up to {most:g}", where, ADVICE)
    return float(value)
