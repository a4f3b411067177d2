"""transforms.json of nerfstudio and of instant-ngp: frames, OpenGL axes, intrinsics for all or for each.

Sources: nerfstudio's data conventions; instant-ngp, nerf_loader.cu.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...rendering.cameras import Cameras
from ...rendering.conventions import CONVENTIONS, to_ours
from ...runtime.errors import InputError
from ..image import IMAGE_ENDINGS
from ..photographs import PictureFile, look_at
from ..scene import Box
from .posed import Posed, box_seen_by, cube, natural_order, present, rigid

__all__ = ["frames_of", "read_nerfstudio", "transforms"]

LARGEST = 32 << 20  # bytes of a list of frames: some 40 000 frames
LENSES = ("OPENCV", "OPENCV_FISHEYE", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
FOCAL = ("x_fov", "y_fov", "fl_x", "fl_y", "camera_angle_x", "camera_angle_y")
OTHER_LENSES = ("latlong", "equirectangular", "orthographic", "ftheta_p0")
CONVENTION = "OpenGL axes, camera to world, pixel centres at +0.5"


def read_nerfstudio(path: Path) -> Posed:
    """The frames of a transforms.json whose pictures are there, in the order of their names.

    Intrinsics of a frame win over those for all. box: `aabb`; else, where `aabb_scale`, `scale` or `offset`
    is given, instant-ngp's unit cube; else what the cameras look at (`box_seen_by`). Split by
    `train_filenames` and `test_filenames` or `val_filenames`; one of them alone leaves the rest to the other.
    Masks: nerfstudio's `mask_path` (black is not learnt from), instant-ngp's `dynamic_mask_NAME.png` (black
    is learnt from).
    """
    content = transforms(path)
    names, files, cameras, notes = frames_of(content, path, sort=True)
    box, notes_of_box = _box(content, cameras, path)
    train, test = _split(content, names, path)
    return Posed(
        "nerfstudio / instant-ngp transforms.json",
        CONVENTION,
        tuple(names),
        files,
        cameras,
        box,
        train=train,
        test=test,
        notes=(*notes, *notes_of_box),
    )


def transforms(path: Path) -> dict[str, Any]:
    """The JSON object in a file, with `frames`, a list of objects. Raises InputError for anything else,
    before reading it where it is too large to be one."""
    size = path.stat().st_size
    if size > LARGEST:
        raise InputError(
            f"has {size / 2**20:.0f} MiB, far more than a list of frames takes", path, "Name transforms.json."
        )
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON ({error})", path, "Write it again.") from None
    frames = content.get("frames") if isinstance(content, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise InputError('has no list "frames"', path, "It needs one entry for every picture.")
    return content


def frames_of(
    content: dict[str, Any], path: Path, sort: bool
) -> tuple[list[str], list[PictureFile], Cameras, list[str]]:
    """Names, files and cameras of the frames whose pictures are there, and notes."""
    frames = content["frames"]
    for number, frame in enumerate(frames):
        if not isinstance(frame.get("file_path"), str) or "\0" in frame["file_path"]:
            raise InputError(f"frame {number} has no file_path", path, "Name its picture.")
    if sort:
        frames = sorted(frames, key=lambda frame: natural_order(frame["file_path"]))
    names = [frame["file_path"] for frame in frames]
    paths = [_picture(path.parent, name) for name in names]
    there, notes = present(paths, names, path)
    frames, names = [frames[i] for i in there], [names[i] for i in there]
    poses = np.stack([_pose(frame, path) for frame in frames])
    poses, mended = rigid(to_ours(poses, CONVENTIONS["opengl"]), names, path)
    files, rows = [], []
    for number, frame in zip(there, frames, strict=True):
        both = {**content, **frame}
        declared = _size(both, path)
        file = look_at(paths[number], declared)
        files.append(_masked(file, frame, path.parent))
        own = frame if any(frame.get(key) is not None for key in FOCAL) else content
        rows.append(_lens(both, own, declared or file.size, file, path))
    intrinsics, distortion, fisheye = zip(*rows, strict=True)
    cameras = Cameras(
        poses,
        np.array(intrinsics, np.float64),
        np.array([file.size for file in files], np.int64),
        np.array(distortion, np.float64),
        np.array(fisheye, bool),
    )
    ignored = [key for key in ("white_transparent", "black_transparent") if content.get(key)]
    notes += [f"{key} is not applied: no pixel became transparent by its colour." for key in ignored]
    return names, files, cameras, [*notes, *mended]


def _picture(folder: Path, name: str) -> Path:
    """The file of a picture; where the name has no ending, the first of the usual ones that is there."""
    path = folder / name.replace("\\", "/")
    if path.suffix.lower() in IMAGE_ENDINGS:
        return path
    candidates = [path.with_name(path.name + ending) for ending in IMAGE_ENDINGS]
    return next((candidate for candidate in candidates if candidate.is_file()), candidates[0])


def _pose(frame: dict[str, Any], path: Path) -> np.ndarray:
    try:
        pose = np.array(frame["transform_matrix"], np.float64)
        assert pose.shape in ((4, 4), (3, 4))
    except (KeyError, ValueError, TypeError, AssertionError, OverflowError):
        raise InputError(
            f"frame {frame['file_path']} has no transform_matrix of 4 x 4 numbers", path, "Write it again."
        ) from None
    return pose[:3]


def _number(values: dict[str, Any], key: str, path: Path) -> float | None:
    """A finite number, or None where there is none of this name."""
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e30:
        raise InputError(f"{key} is {value!r:.40}, not a number", path, "Write it again.")
    return float(value)


def _size(values: dict[str, Any], path: Path) -> tuple[int, int] | None:
    """Width, height that the file gives (often as 540.0), or None."""
    width, height = (_number(values, key, path) for key in ("w", "h"))
    return (round(width), round(height)) if width and height and min(width, height) >= 1 else None


def _lens(
    values: dict[str, Any],
    focal_lengths: dict[str, Any],
    declared: tuple[int, int],
    file: PictureFile,
    path: Path,
) -> tuple[list[float], list[float], bool]:
    """fx, fy, cx, cy in pixels of the picture; distortion; whether it is a fisheye.

    focal_lengths: of the frame, or of the whole file where the frame has none. Along each axis the first of
    `x_fov` (degrees), `fl_x` (pixels), `camera_angle_x` (radians) that is given; an axis without any has the
    focal length of the other (instant-ngp).
    """
    ratio = [actual / said for actual, said in zip(file.size, declared, strict=True)]
    if abs(ratio[0] / ratio[1] - 1) > 0.02:
        raise InputError(
            f"is {file.size[0]} x {file.size[1]} pixels, {path.name} says {declared[0]} x {declared[1]}",
            file.path,
            "Intrinsics and pictures must be of one size, or scaled alike.",
        )
    focal = [_focal(focal_lengths, axis, size, path) for axis, size in zip("xy", declared, strict=True)]
    fx, fy = focal[0] or focal[1], focal[1] or focal[0]
    if not fx or not fy:
        raise InputError(
            "gives no focal length", path, "It needs camera_angle_x, fl_x or x_fov, for all or per frame."
        )
    cx, cy = (_number(values, key, path) for key in ("cx", "cy"))
    cx, cy = declared[0] / 2 if cx is None else cx, declared[1] / 2 if cy is None else cy
    fisheye = bool(values.get("is_fisheye")) or values.get("camera_model") == "OPENCV_FISHEYE"
    return (
        [fx * ratio[0], fy * ratio[1], cx * ratio[0], cy * ratio[1]],
        _distortion(values, fisheye, path),
        fisheye,
    )


def _focal(values: dict[str, Any], axis: str, size: int, path: Path) -> float | None:
    degrees, pixels, radians = (
        _number(values, key, path) for key in (f"{axis}_fov", f"fl_{axis}", f"camera_angle_{axis}")
    )
    angle = math.radians(degrees) if degrees else None if pixels else radians
    if angle is not None and not 0 < angle < math.pi:
        raise InputError(f"the field of view is {math.degrees(angle):g} degrees", path, "It is below 180.")
    if pixels is not None and pixels <= 0:
        raise InputError(f"fl_{axis} is {pixels:g}", path, "A focal length is above 0.")
    return size / 2 / math.tan(angle / 2) if angle else pixels


def _distortion(values: dict[str, Any], fisheye: bool, path: Path) -> list[float]:
    """OpenCV's eight coefficients, of the angle where it is a fisheye."""
    model = values.get("camera_model", "PERSPECTIVE")
    other = [key for key in OTHER_LENSES if values.get(key)] + ([str(model)] if model not in LENSES else [])
    if other:
        raise InputError(
            f"has cameras of the kind {other[0]}, which are not read", path, f"Lenses: {', '.join(LENSES)}."
        )
    named = values
    if isinstance(values.get("distortion_params"), list):
        named = dict(zip(("k1", "k2", "k3", "k4", "p1", "p2"), values["distortion_params"], strict=False))
    k1, k2, k3, k4, p1, p2 = (
        _number(named, key, path) or 0.0 for key in ("k1", "k2", "k3", "k4", "p1", "p2")
    )
    if fisheye:
        return [k1, k2, k3, k4, 0.0, 0.0, 0.0, 0.0]
    if k4:
        raise InputError(
            "has k4 without being a fisheye, which OpenCV's lens has no place for",
            path,
            "Fit at most k1 k2 k3 p1 p2.",
        )
    return [k1, k2, p1, p2, k3, 0.0, 0.0, 0.0]


def _masked(file: PictureFile, frame: dict[str, Any], folder: Path) -> PictureFile:
    named = frame.get("mask_path")
    if isinstance(named, str):
        mask = folder / named.replace("\\", "/")
        if not mask.is_file():
            raise InputError(f"the mask of frame {frame['file_path']} is not there", mask, "Put it there.")
        return replace(file, mask=mask)
    beside = file.path.with_name(f"dynamic_mask_{file.path.stem}.png")
    return replace(file, mask=beside, inverted=True) if beside.is_file() else file


def _box(content: dict[str, Any], cameras: Cameras, path: Path) -> tuple[Box, list[str]]:
    """In the file's own coordinates, where instant-ngp's unit cube has the side 1 / scale around
    (0.5 - offset) / scale."""
    try:
        if content.get("aabb") is not None:
            lower, upper = np.array(content["aabb"], np.float64).reshape(2, 3)
            assert (np.isfinite(upper - lower) & (lower < upper)).all()
            return Box(tuple(lower.tolist()), tuple(upper.tolist())), []
        if not any(key in content for key in ("aabb_scale", "scale", "offset")):
            return box_seen_by(cameras), ["The scene box is what the cameras look at: the file names none."]
        scale = _number(content, "scale", path) or 0.33
        offset = np.array(content.get("offset", (0.5, 0.5, 0.5)), np.float64).reshape(3)
        outer = _number(content, "aabb_scale", path) or 1.0
        assert np.isfinite([*offset, scale, outer]).all()
        assert min(scale, outer) > 0
    except (ValueError, TypeError, AssertionError):
        raise InputError("aabb, scale or offset is not a box", path, "Repair or drop them.") from None
    note = f"aabb_scale {outer:g}: instant-ngp would look {outer / 2 / scale:.3g} units far from the middle."
    return cube((0.5 - offset) / scale, 0.5 / scale), [note] if outer > 1 else []


def _split(
    content: dict[str, Any], names: list[str], path: Path
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Numbers of the frames to learn from and to test on, by the lists of names in the file."""
    lists = {key: content.get(f"{key}_filenames") for key in ("train", "val", "test")}
    given = {key: {Path(str(n)).as_posix() for n in v} for key, v in lists.items() if isinstance(v, list)}
    plain = [Path(name).as_posix() for name in names]
    kept = given.get("test") or given.get("val") or set(plain) - given.get("train", set(plain))
    learnt = given.get("train") or set(plain) - kept
    if not kept:
        return None, None
    train, test = (
        np.array([i for i, name in enumerate(plain) if name in some], np.int64) for some in (learnt, kept)
    )
    if not len(train):
        raise InputError("none of train_filenames is a frame", path, "Use the names of file_path.")
    return train, test
