"""From a path to a record: which reader, and what the file is when it is not what its name says."""

import dataclasses
import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.errors import InputError
from .binvox import read_binvox
from .border import Contents, admit
from .gltf import read_gltf
from .image import IMAGE_ENDINGS, Image, as_image, read_image
from .obj import read_obj
from .off import read_off
from .pcd import read_pcd
from .ply import read_ply
from .points import read_npz, read_xyz
from .scans import read_scans
from .scene import Scene
from .scenes import holds_scene, load_scene
from .shape import Shape
from .stl import read_stl
from .voxels import VoxelGrid, boundary_mesh, holds_voxels, read_voxels_npz

__all__ = ["READERS", "Record", "as_record", "as_shape", "load", "load_shape", "scans_of"]

Record = Shape | Image | Scene
"""What can be read: a shape, a picture, or posed photographs of a scene."""


def _surface_of_cells(grid: VoxelGrid, path: Path) -> Contents:
    """The closed surface of the filled cells as triangles."""
    if not grid.filled.any():
        raise InputError("none of the cells is filled", path, "Check the voxelisation.")
    mesh = boundary_mesh(grid)
    counts = " x ".join(map(str, grid.filled.shape))
    note = f"The surface of {int(grid.filled.sum())} filled cells of {counts}."
    return Contents(mesh.vertices, mesh.faces, notes=(note,), voxels=grid)


def _read_binvox(path: Path) -> Contents:
    return _surface_of_cells(read_binvox(path), path)


def _read_npz(path: Path) -> Contents:
    """Cells where there is an array `voxels`, else points."""
    return _surface_of_cells(read_voxels_npz(path), path) if holds_voxels(path) else read_npz(path)


READERS: dict[str, Callable[[Path], Contents]] = {
    ".ply": read_ply,
    ".obj": read_obj,
    ".stl": read_stl,
    ".off": read_off,
    ".glb": read_gltf,
    ".gltf": read_gltf,
    ".xyz": read_xyz,
    ".npz": _read_npz,
    ".pcd": read_pcd,
    ".binvox": _read_binvox,
}

# what a file begins with; the ending that it should have, or "" where nothing here reads it; its name; advice
BEGINNINGS: list[tuple[bytes, str, str, str]] = [
    (b"ply\n", ".ply", "a PLY file", ""),
    (b"ply\r", ".ply", "a PLY file", ""),
    (b"glTF", ".glb", "a binary glTF file", ""),
    (b"#binvox", ".binvox", "a binvox file", ""),
    (b"OFF\n", ".off", "an OFF file", ""),
    (b"OFF\r", ".off", "an OFF file", ""),
    (b"COFF\n", ".off", "an OFF file", ""),
    (b"PK\x03\x04", ".npz", "a zip archive", ""),
    (b"\x93NUMPY", "", "a single numpy array", "Save it with numpy.savez(path, points=...)."),
    (b"\x1f\x8b", "", "a gzip archive", "Unpack it first."),
    (b"version https://git-lfs", "", "a placeholder of git-lfs", "Fetch the file itself: git lfs pull."),
    (b"Kaydara FBX", "", "an FBX file", ""),
    (b"BLENDER", "", "a Blender file", ""),
    (b"# .PCD", ".pcd", "a PCD file", ""),
    (b"\x89PNG", "", "a PNG image", ""),
    (b"\xff\xd8\xff", "", "a JPEG image", ""),
    (b"%PDF", "", "a PDF document", ""),
    (b"<!DOCTYPE", "", "a web page", ""),
    (b"<html", "", "a web page", ""),
    (b"<?xml", "", "an XML file", ""),
]


def load(path: str | os.PathLike) -> Record:
    """The shape or the picture in a file, by its name's ending, or the scene in a folder or a .json: see
    `load_shape`, `read_image` and `load_scene`.

    Raises InputError for whatever cannot be read or used: what is wrong, where, and what to do.
    """
    path = Path(path)
    if path.suffix.lower() in IMAGE_ENDINGS:
        _present(path)
        return read_image(path)
    frames = path.suffix.lower() == ".json" and path.is_file()
    if frames or (path.is_dir() and not scans_of(path) and holds_scene(path)):
        return load_scene(path)
    return load_shape(path)


def load_shape(path: str | os.PathLike) -> Shape:
    """The shape in a file of one of the formats in READERS, chosen by the name's ending, checked; or the
    scans that the `.conf` of a folder names.

    When the content is plainly of another of these formats, that one is read and a note says so. Raises
    InputError for whatever cannot be read or used: what is wrong, where, and what to do.
    """
    path = Path(path)
    if path.suffix.lower() in IMAGE_ENDINGS and path.is_file():
        raise InputError("is a picture, not a shape", path, f"Formats of shapes: {' '.join(READERS)}.")
    if conf := scans_of(path):
        return dataclasses.replace(admit(read_scans(conf, _contents), conf), source=str(path))
    return admit(_contents(path), path)


def _contents(path: Path) -> Contents:
    """What a file holds, by the reader for its name or, where that is plainly another format, its content."""
    try:
        reader = _reader_of(path)
        with open(path, "rb") as file:
            head = file.read(32)
        if not head:
            raise InputError("the file is empty", path, "Copy or export it again.")
        ending, name, advice = _recognised(head)
        note = ""
        if name and not (ending and READERS[ending] is reader):
            if not ending:
                advice = advice or f"Formats that are read: {_known()}."
                raise InputError(f"is {name}, not a {path.suffix} file", path, advice)
            note = f"The name says {path.suffix}, the content is {name} and was read as such."
            reader = READERS[ending]
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found at the border
            contents = reader(path)
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or error})", path, "Check the permissions and the disk."
        ) from error
    return dataclasses.replace(contents, notes=(note, *contents.notes)) if note else contents


def scans_of(path: Path) -> Path | None:
    """The `.conf` that a path is, or that the folder at the path holds; None where there is none, or
    several."""
    if path.is_file() and path.suffix.lower() == ".conf":
        return path
    found = sorted(path.glob("*.conf")) if path.is_dir() else []
    return found[0] if len(found) == 1 else None


def as_shape(source: Any) -> Shape:
    """A Shape as it is; a file, read; or an object with `vertices` and perhaps `faces`, such as a
    trimesh.Trimesh, with the colours of its vertices (it computes normals, so these are not the input's)."""
    if isinstance(source, Shape):
        return source
    if hasattr(source, "vertices"):
        visual: Any = getattr(source, "visual", None)
        contents = Contents(
            np.asarray(source.vertices),
            np.asarray(getattr(source, "faces", np.zeros((0, 3)))),
            colours=visual.vertex_colors[:, :3] if getattr(visual, "kind", None) == "vertex" else None,
        )
        return dataclasses.replace(admit(contents, Path("shape")), source="")
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(
            f"a {type(source).__name__} is not a shape",
            "source",
            "Give a file, a Shape, or a trimesh.Trimesh.",
        )
    return load_shape(source)


def as_record(source: Any) -> Record:
    """A Shape, an Image or a Scene as it is; pixels, an array uint8 or uint16 [H, W] or [H, W, C], as an
    Image; what `as_shape` takes; or a file or a folder, read."""
    if isinstance(source, (Image, Scene)):
        return source
    if isinstance(source, np.ndarray):
        return as_image(source)
    return load(source) if isinstance(source, (str, os.PathLike)) else as_shape(source)


def _known() -> str:
    return " ".join((*READERS, *IMAGE_ENDINGS))


def _reader_of(path: Path) -> Callable[[Path], Contents]:
    """The reader for the name's ending, once there is a file."""
    _present(path)
    ending = path.suffix.lower()
    if ending in READERS:
        return READERS[ending]
    near = difflib.get_close_matches(ending, (*READERS, *IMAGE_ENDINGS), 1, 0.5)
    advice = f"Formats that are read: {_known()}." + (f" Did you mean {near[0]}?" if near else "")
    raise InputError(f"no reader for '{ending}' files" if ending else "the name has no ending", path, advice)


def _present(path: Path) -> None:
    """Raise InputError where there is no file at the path."""
    if path.is_dir():
        raise InputError(
            "is a folder, neither a file nor a scene",
            path,
            f"Name one file in it; formats that are read: {_known()}.",
        )
    if not path.exists():
        beside = difflib.get_close_matches(path.name, _names_in(path.parent), 1)
        advice = f"Did you mean '{beside[0]}'?" if beside else "Check the spelling and the folder."
        raise InputError("there is no such file", path, advice)
    if not path.is_file():
        raise InputError("is not a regular file", path, "Copy its content to a file and name that.")


def _names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def _recognised(head: bytes) -> tuple[str, str, str]:
    """The ending and name of the format that a file plainly begins like, and advice; or empty texts."""
    return next((row[1:] for row in BEGINNINGS if head.startswith(row[0])), ("", "", ""))
