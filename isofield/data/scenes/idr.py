"""cameras.npz of IDR and cameras_sphere.npz of NeuS: projection matrices, masks, and the ball that the object
is in.

Sources: Yariv et al., IDR, 2020; Wang et al., NeuS, 2021. The scene keeps the world that the projections are
of (millimetres for DTU); integer coordinates are pixel centres there, so half a pixel is added.
"""

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from ...runtime.errors import InputError
from ..image import IMAGE_ENDINGS
from ..photographs import look_at
from .posed import Posed, cube, decomposed, ideal_lenses, natural_order, rigid

__all__ = ["read_idr"]

PICTURES, MASKS = ("image", "rgb", "images"), ("mask", "masks")


def read_idr(path: Path) -> Posed:
    """The cameras `world_mat_i` and, in the order of names, the pictures in `image` and masks in `mask`; a
    mask becomes the alpha channel.

    box: the cube around the ball of `scale_mat_0`. near, far: of the ball from the cameras.
    """
    matrices = _matrices(path)
    numbers = sorted(int(key[10:]) for key in matrices if re.fullmatch(r"world_mat_\d+", key))
    pictures, masks = _files(path.parent, PICTURES), _files(path.parent, MASKS)
    for files, what in ((pictures, "pictures"), (masks, "masks")):
        if len(files) != len(numbers) and (files or files is pictures):
            raise InputError(
                f"has {len(numbers)} cameras, but there are {len(files)} {what}",
                path,
                "Every camera world_mat_i has one, in the order of names.",
            )
    names = [picture.name for picture in pictures]
    split = [
        decomposed(matrices[f"world_mat_{i}"][:3], name, path) for i, name in zip(numbers, names, strict=True)
    ]
    intrinsics = np.array([lens for lens, _ in split]) + np.array([0, 0, 0.5, 0.5])
    poses, mended = rigid(np.stack([pose for _, pose in split]), names, path)
    files = [look_at(picture) for picture in pictures]
    if masks:
        files = [replace(file, mask=mask, cuts_out=True) for file, mask in zip(files, masks, strict=True)]
    sizes = np.array([file.size for file in files], np.int64)
    scale = matrices.get(f"scale_mat_{numbers[0]}", np.eye(4))
    radius, centre = abs(float(scale[0, 0])), scale[:3, 3]
    if not (np.isfinite(scale).all() and radius > 0):
        raise InputError("scale_mat is not a ball", path, "Write it again.")
    distances = np.linalg.norm(poses[:, :, 3] - centre, axis=1)
    return Posed(
        f"IDR / NeuS {path.name}",
        "OpenCV axes, projection matrices, pixel centres at integers",
        tuple(names),
        files,
        Cameras(poses, intrinsics, sizes, *ideal_lenses(len(files))),
        cube(centre, radius),
        near=max(float(distances.min()) - radius, 0.0),
        far=float(distances.max()) + radius,
        notes=("Masks became alpha." if masks else "There are no masks.", *mended),
    )


def _matrices(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = [
                key for key in file.files if key.startswith(("world_mat_", "scale_mat_")) and "inv" not in key
            ]
            found = {key: np.asarray(file[key], np.float64).reshape(4, 4) for key in wanted}
        assert any(key.startswith("world_mat_") for key in found)
    except (ValueError, TypeError, AssertionError, EOFError, KeyError, AttributeError, zipfile.BadZipFile):
        raise InputError(
            "does not hold matrices world_mat_i of 4 x 4", path, "Write it as IDR and NeuS have it."
        ) from None
    return found


def _files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    found = next((folder / name for name in names if (folder / name).is_dir()), None)
    files = [file for file in found.iterdir() if file.suffix.lower() in IMAGE_ENDINGS] if found else []
    return sorted(files, key=lambda file: natural_order(file.name))
