"""Readers of posed photographs, one file a format, and the way from a path to a scene."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...runtime.errors import InputError
from ..photographs import decode
from ..scene import Photographs, Scene
from .blender import read_blender
from .colmap import models_in, read_colmap
from .idr import read_idr
from .llff import read_llff
from .middlebury import read_middlebury
from .nerfstudio import read_nerfstudio
from .photo_folder import FEWEST, cameras_by_colmap, photographs_in
from .posed import Posed

__all__ = ["SCENE_READERS", "holds_scene", "load_scene"]

# what a folder of the format holds (a pattern), and its reader, which takes the file that was found
SCENE_READERS: dict[str, Callable[[Path], Posed]] = {
    "transforms_train.json": lambda path: read_blender(path.parent),
    "transforms.json": read_nerfstudio,
    "cameras_sphere.npz": read_idr,
    "cameras.npz": read_idr,
    "poses_bounds.npy": read_llff,
    "*_par.txt": read_middlebury,
}


def load_scene(
    path: str | os.PathLike, downscale: int = 1, holdout: int | None = None, test_views: bool = True
) -> Scene:
    """The scene in a folder or a .json of one of the formats in SCENE_READERS.

    downscale: each pixel is the average of so many pixels of the file along each side. holdout: every
    N-th frame, from the first, is kept for tests where the file gives no split (None: as usual for the
    format). test_views: whether the pictures of the test frames are decoded; their cameras are there in any
    case. Raises InputError for what cannot be read or used: what is wrong, where, and what to do.
    """
    path = Path(path)
    for name, value in (("--downscale", downscale), ("--holdout", 2 if holdout is None else holdout - 1)):
        if value < 1:
            raise InputError("is too small", name, "Give 1 or more for --downscale, 2 or more for --holdout.")
    try:
        posed = _posed(path)
        train, test, split = _split(posed, holdout)
        wanted = np.zeros(len(posed.names), bool)
        wanted[train] = True
        wanted[test] |= test_views
        photographs, changes = decode(posed.files, downscale, wanted)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or error})", path, "Check the permissions and the disk."
        ) from error
    cameras = posed.cameras
    alpha = photographs.pixels.shape[1] == 4
    found = f"{posed.format}: {len(train)} frames to learn from, {len(test)} to test on."
    return Scene(
        path.resolve().name if path.is_dir() else path.resolve().parent.name,
        posed.names,
        replace(cameras, intrinsics=cameras.intrinsics / downscale, sizes=cameras.sizes // downscale),
        photographs,
        train,
        test,
        posed.box,
        not alpha if posed.unbounded is None else posed.unbounded,
        posed.near,
        posed.far,
        posed.forward_facing,
        posed.points,
        posed.format,
        posed.convention,
        str(path),
        (found, *split, *posed.notes, *changes, *_masked(photographs)),
        downscale,
    )


def _masked(photographs: Photographs) -> list[str]:
    """What masks leave out, in words."""
    if photographs.counted is None:
        return []
    share = 1 - float(photographs.counted.mean())
    return [
        f"Masks keep {share:.1%} of the pixels out of learning and judging; only alpha would make them empty."
    ]


def holds_scene(folder: Path) -> bool:
    """Whether a folder holds what `load_scene` looks for, or enough photographs to find cameras for."""
    patterns = any(any(folder.glob(pattern)) for pattern in SCENE_READERS)
    return patterns or bool(models_in(folder)) or len(photographs_in(folder)) >= FEWEST


def _posed(path: Path) -> Posed:
    """What the first reader that knows the path makes of it; COLMAP is run where there are only
    photographs."""
    if path.is_file():
        pattern = next((p for p in SCENE_READERS if path.match(p)), "transforms.json")
        return SCENE_READERS[pattern](path)
    if not path.is_dir():
        raise InputError("there is no such folder", path, "Check the spelling.")
    found = [
        (file, read) for pattern, read in SCENE_READERS.items() for file in sorted(path.glob(pattern))[:1]
    ]
    models = models_in(path)
    if not found:
        if not models:
            cameras_by_colmap(path, ", ".join([*SCENE_READERS, "sparse/0/cameras.bin"]))
        return read_colmap(path)
    (file, read), others = found[0], [file.name for file, _ in found[1:]]
    others += [str(model.relative_to(path)) for model in models]
    posed = read(file)
    note = f"Read from {file.name}; there are also, not used: {', '.join(others)}."
    return replace(posed, notes=(*posed.notes, note)) if others else posed


def _split(posed: Posed, holdout: int | None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Numbers of the frames to learn from and to test on."""
    if posed.train is not None and posed.test is not None:
        return posed.train, posed.test, ["--holdout is not used: the file gives a split."] if holdout else []
    every, numbers = holdout or posed.holdout, np.arange(len(posed.names))
    if not every:
        return (
            numbers,
            numbers[:0],
            ["The file gives no split: all frames are learnt from; --holdout 8 keeps every 8th for tests."],
        )
    kept = numbers % every == 0
    if kept.all():
        raise InputError("leaves no frame to learn from", "--holdout", "Leave it out: there is one frame.")
    return numbers[~kept], numbers[kept], []
