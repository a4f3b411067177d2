"""Sparse models of COLMAP, as text or binary: world to camera, OpenCV's axes, pixel centres at +0.5.

Source: COLMAP's documentation of its output format. rigs and frames of newer versions are not needed.
"""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from ...rendering.conventions import CONVENTIONS, rotations_of, to_ours
from ...runtime.errors import InputError
from ..photographs import look_at
from ..scene import Box
from .posed import Posed, box_seen_by, natural_order, present, rigid

__all__ = ["MODELS", "Model", "models_in", "read_colmap", "read_model"]

# id: name, number of parameters
MODELS: dict[int, tuple[str, int]] = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    7: ("FOV", 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    10: ("THIN_PRISM_FISHEYE", 12),
}
ONE_FOCAL = (0, 2, 3, 8, 9)
FISHEYES = (5, 8, 9, 10)
PLACES = ("", "[0-9]*", "sparse", "sparse/*", "colmap/sparse", "colmap/sparse/*", "sparse_text", "colmap")
OUTLIERS = 0.01  # of the points, at either end of an axis, that the box leaves out
MARGIN = 0.1  # of the extent, that the box has around the other points


@dataclass(frozen=True, eq=False)
class Model:
    """A sparse model: images in the order of their names.

    names: of the pictures, relative to COLMAP's image folder. poses: camera to world [N, 3, 4]. lenses: per
    image the model's id, width, height and parameters. points [M, 3].
    """

    names: tuple[str, ...]
    poses: np.ndarray
    lenses: tuple[tuple[int, int, int, tuple[float, ...]], ...]
    points: np.ndarray


def models_in(path: Path) -> list[Path]:
    """The folders of sparse models at or in the usual places under a path."""
    folders = [folder for place in PLACES for folder in (sorted(path.glob(place)) if place else [path])]
    return [
        folder
        for folder in folders
        if any(
            all((folder / f"{part}{end}").is_file() for part in ("cameras", "images"))
            for end in (".bin", ".txt")
        )
    ]


def read_colmap(path: Path) -> Posed:
    """The largest sparse model in a folder, and the pictures that are there.

    box: between the 1st and the 99th percentile of the sparse points along each axis, and a tenth around;
    without points what the cameras look at (`box_seen_by`). Pictures are looked for in `images` and beside
    the model. Raises InputError for lenses that OpenCV's two kinds cannot express.
    """
    folders = models_in(path)
    read = [read_model(folder) for folder in folders]
    number = max(range(len(read)), key=lambda i: len(read[i].names))
    model, folder = read[number], folders[number]
    notes = [f"The model in {folder} has {len(model.names)} images and {len(model.points)} points."]
    if len(read) > 1:
        counts = ", ".join(str(len(other.names)) for i, other in enumerate(read) if i != number)
        notes.append(f"There are {len(read)} models; those with {counts} images were left.")
    pictures = _image_folder(path, folder, model)
    there, missing = present([pictures / name for name in model.names], list(model.names), folder)
    names = [model.names[i] for i in there]
    poses, mended = rigid(model.poses[there], names, folder)
    files, rows = [], []
    for i in there:
        lens = model.lenses[i]
        file = look_at(pictures / model.names[i], lens[1:3])
        files.append(file)
        rows.append(_lens(lens, file.size, file.path, folder))
    intrinsics, distortion, fisheye = zip(*rows, strict=True)
    cameras = Cameras(
        poses,
        np.array(intrinsics),
        np.array([file.size for file in files], np.int64),
        np.array(distortion),
        np.array(fisheye, bool),
    )
    return Posed(
        "COLMAP sparse model",
        "OpenCV axes, world to camera, pixel centres at +0.5",
        tuple(names),
        files,
        cameras,
        _box(model.points, cameras),
        points=model.points if len(model.points) else None,
        notes=(*notes, *missing, *mended),
    )


def read_model(folder: Path) -> Model:
    """The sparse model in a folder; the binary form where there are both. Raises InputError where it is
    damaged."""
    binary = (folder / "images.bin").is_file() and (folder / "cameras.bin").is_file()
    lenses = dict(
        (_binary_cameras if binary else _text_cameras)(folder / f"cameras.{'bin' if binary else 'txt'}")
    )
    path = folder / f"images.{'bin' if binary else 'txt'}"
    images = list((_binary_images if binary else _text_images)(path))
    images.sort(key=lambda image: natural_order(image[0]))
    names, quaternions, translations, used = [], [], [], []
    for name, quaternion, translation, camera in images:
        if camera not in lenses:
            raise InputError(
                f"image {name} has the camera {camera}, which is not there", path, "Export it again."
            )
        if not 0.5 < np.linalg.norm(quaternion) < 2 or not np.isfinite(translation).all():
            raise InputError(
                f"the pose of image {name} is not a rotation and a position", path, "Export it again."
            )
        names.append(name)
        used.append(lenses[camera])
        quaternions.append(quaternion)
        translations.append(translation)
    if not names:
        raise InputError("has no images", path, "The mapper placed none: take more pictures, with overlap.")
    points = folder / f"points3D.{'bin' if binary else 'txt'}"
    found = list((_binary_points if binary else _text_points)(points)) if points.is_file() else []
    array = np.array(found, np.float64).reshape(-1, 3)
    motions = np.concatenate(
        [rotations_of(np.array(quaternions)), np.array(translations)[:, :, None]], axis=2
    )
    poses = to_ours(motions, CONVENTIONS["colmap"])
    return Model(tuple(names), poses, tuple(used), array[np.isfinite(array).all(axis=1)])


def _lens(lens: tuple, size: tuple[int, int], picture: Path, folder: Path) -> tuple[list, list, bool]:
    """fx, fy, cx, cy in pixels of the picture; OpenCV's distortion [8]; whether it is a fisheye."""
    model, width, height, given = lens
    ratio = size[0] / width, size[1] / height
    if abs(ratio[0] / ratio[1] - 1) > 0.02:
        raise InputError(
            f"is {size[0]} x {size[1]} pixels, the model in {folder.name} says {width} x {height}",
            picture,
            "Use the pictures that COLMAP was run on, or the same scaled down.",
        )
    focal, rest = ([given[0], given[0]], given[1:]) if model in ONE_FOCAL else (list(given[:2]), given[2:])
    k = list(rest[2:])
    fisheye = model in FISHEYES
    distortion = [0.0] * 8
    if model == 7 or (model == 10 and any((*k[2:4], *k[6:]))):
        raise InputError(
            f"has the lens {MODELS[model][0]}, which OpenCV's two kinds cannot express",
            folder,
            "Undistort the pictures: colmap image_undistorter.",
        )
    if model == 10:  # k1 k2 p1 p2 k3 k4 sx1 sy1, of which p and s are 0
        distortion[:4] = [k[0], k[1], k[4], k[5]]
    else:  # radial, tangential and rational ones are in OpenCV's order already
        distortion[: len(k)] = k
    if not (np.isfinite([*focal, *rest]).all() and min(focal) > 0):
        raise InputError("has a camera without a focal length above 0", folder, "Export it again.")
    values = [*focal, *rest[:2]]
    return [value * ratio[i % 2] for i, value in enumerate(values)], distortion, fisheye


def _image_folder(path: Path, folder: Path, model: Model) -> Path:
    """The folder with most of the model's pictures; `images` where several have as many, else the first by
    name."""
    roots = [path, *([] if folder == path else [folder]), *list(path.resolve().parents)[:3]]
    best, most = path / "images", 0
    for root in roots:
        for place in [
            root / "images",
            root / "input",
            root,
            *sorted(p for p in root.iterdir() if p.is_dir()),
        ]:
            count = sum((place / name).is_file() for name in model.names)
            if count > most:
                best, most = place, count
        if most:
            break
    return best


def _box(points: np.ndarray, cameras: Cameras) -> Box:
    if len(points) < 10:
        return box_seen_by(cameras)
    lower, upper = np.quantile(points, (OUTLIERS, 1 - OUTLIERS), axis=0)
    around = MARGIN * (upper - lower)
    return Box(tuple((lower - around).tolist()), tuple((upper + around).tolist()))


class _Bytes:
    """A binary file, read in order; raises InputError where it ends too early."""

    def __init__(self, path: Path) -> None:
        self.path, self.content, self.at = path, path.read_bytes(), 0

    def take(self, form: str) -> tuple:
        """The values of a `struct` format, little endian."""
        size = struct.calcsize("<" + form)
        self.skip(size)
        return struct.unpack_from("<" + form, self.content, self.at - size)

    def skip(self, size: int) -> None:
        if size > len(self.content) - self.at:
            raise InputError("ends too early", self.path, "Copy or export it again.")
        self.at += size

    def count(self, least: int) -> int:
        """A number of records of at least so many bytes, which the rest of the file must be able to hold."""
        (count,) = self.take("Q")
        if count * least > len(self.content) - self.at:
            raise InputError(
                f"promises {count} records and ends too early", self.path, "Copy or export it again."
            )
        return count

    def text(self) -> str:
        end = self.content.find(b"\0", self.at)
        if end < 0:
            raise InputError("ends within a name", self.path, "Copy or export it again.")
        text = self.content[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text


def _binary_cameras(path: Path) -> Iterator[tuple[int, tuple]]:
    file = _Bytes(path)
    for _ in range(file.count(48)):
        number, model, width, height = file.take("iiQQ")
        yield number, _checked_lens(model, width, height, path, lambda size: file.take(f"{size}d"))


def _text_cameras(path: Path) -> Iterator[tuple[int, tuple]]:
    ids = {name: model for model, (name, _) in MODELS.items()}
    for words, where in _lines(path):
        if not words:
            continue
        with _damage(where):
            number, width, height = int(words[0]), int(words[2]), int(words[3])
            given = tuple(map(float, words[4:]))
        if words[1] not in ids:
            raise InputError(f"has the unknown camera model {words[1]}", where, _KNOWN)

        def take(size: int, given: tuple = given, where: str = where) -> tuple:
            if len(given) != size:
                raise InputError(f"has {len(given)} parameters, not {size}", where, "Export it again.")
            return given

        yield number, _checked_lens(ids[words[1]], width, height, where, take)


_KNOWN = "Models that are read: " + ", ".join(name for name, _ in MODELS.values()) + "."


def _checked_lens(model: int, width: int, height: int, where: object, take) -> tuple:
    if model not in MODELS:
        raise InputError(f"has the unknown camera model {model}", where, _KNOWN)
    if not (0 < width < 1 << 20 and 0 < height < 1 << 20):
        raise InputError(f"has a camera of {width} x {height} pixels", where, "Export it again.")
    return model, width, height, tuple(take(MODELS[model][1]))


def _binary_images(path: Path) -> Iterator[tuple]:
    file = _Bytes(path)
    for _ in range(file.count(73)):
        _, *numbers, camera = file.take("i7di")
        name = file.text()
        file.skip(24 * file.count(24))
        yield name, tuple(numbers[:4]), tuple(numbers[4:]), camera


def _text_images(path: Path) -> Iterator[tuple]:
    lines = _lines(path)
    for words, where in lines:
        if not words:
            continue
        with _damage(where):
            numbers = tuple(map(float, words[1:8]))
            camera, name = int(words[8]), " ".join(words[9:])
            if not name:
                raise ValueError("there is no name")
        next(lines, None)  # its points, which may be an empty line
        yield name, numbers[:4], numbers[4:], camera


def _binary_points(path: Path) -> Iterator[tuple]:
    file = _Bytes(path)
    for _ in range(file.count(51)):
        _, *point = file.take("Q3d")
        file.skip(3 + 8)
        file.skip(8 * file.count(8))
        yield tuple(point)


def _text_points(path: Path) -> Iterator[tuple]:
    for words, where in _lines(path):
        if words:
            with _damage(where):
                x, y, z = map(float, words[1:4])
            yield x, y, z


def _lines(path: Path) -> Iterator[tuple[list[str], str]]:
    """The words of every line that is no comment, and where it is."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.startswith("#"):
                yield line.split(), f"{path}, line {number}"


@contextlib.contextmanager
def _damage(where: str) -> Iterator[None]:
    """What cannot be converted within the block becomes an InputError."""
    try:
        yield
    except (ValueError, IndexError) as error:
        raise InputError(f"is damaged ({error})", where, "Export it again.") from None
