"""The border: what every reader hands over, and the checks that turn it into a Shape or a clear error."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..kernels.topology import first_occurrences
from ..runtime.errors import InputError
from .shape import Shape
from .voxels import VoxelGrid

__all__ = ["Contents", "admit", "left_out", "refuse_not_finite"]

NAMED = 8  # of what is left out, before the rest is only counted
UNIT = 1e-6  # normals as near as this to unit length have it in single precision


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds, as it holds it: nothing checked, nothing repaired.

    vertices: float [V, 3]. faces: int of any width [F, 3], counted from 0. normals: float [V, 3] or None.
    colours: uint8 [V, 3] sRGB or None. notes: what the reader noticed. vertex_lines: int [V], the line of the
    file that each vertex is on, or None. per_corner: whether the format stores a vertex once for every corner
    or seam, so that equal ones are to be joined. towards_sensor: float [V, 3], unit directions from points to
    what saw them, or None. voxels: the cells whose surface this is, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    normals: np.ndarray | None = None
    colours: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    vertex_lines: np.ndarray | None = None
    per_corner: bool = False
    towards_sensor: np.ndarray | None = None
    voxels: VoxelGrid | None = None


def left_out(names: Iterable[str]) -> tuple[str, ...]:
    """The note on what a file holds under these names and its reader does not take; none for no names."""
    names = [name[:40] for name in names]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (f"Left out: {', '.join(names[:NAMED])}{more}.",) if names else ()


def admit(contents: Contents, path: Path) -> Shape:
    """The Shape of a file's contents, in double precision; what no method can use is refused (InputError).

    Oddities that a method can live with (repeated, unused or duplicate vertices, faces without area) are
    counted in the notes and left as they are; only formats without shared vertices have equal ones joined.
    """
    if not len(contents.vertices):
        raise InputError(
            "holds no vertices", path, "Check the export: the file is in order but has no geometry."
        )
    refuse_not_finite(contents, path)
    faces = _checked_faces(contents.faces, len(contents.vertices), path)
    kind: Literal["mesh", "points"] = "mesh" if len(faces) else "points"
    vertices = np.ascontiguousarray(contents.vertices, np.float64)
    normals, notes = _checked_normals(contents.normals, kind, path)
    notes = [*contents.notes, *notes]
    colours = None if contents.colours is None else np.ascontiguousarray(contents.colours, np.uint8)
    kept, shared = first_occurrences(vertices)
    duplicates = len(vertices) - len(kept)
    if duplicates and contents.per_corner and kind == "mesh":
        notes.append(f"Vertices that repeat the position of another and were joined with it: {duplicates}.")
        vertices, faces = vertices[kept], shared[faces].astype(np.int32)
        normals = None  # one position had several
        colours = None if colours is None else colours[kept]
        duplicates = 0
    used = np.zeros(len(vertices), bool)
    used[faces if kind == "mesh" else slice(None)] = True
    _refuse_no_size(vertices, faces, used, path)
    notes += _oddities(faces, int(np.sum(~used)), duplicates)
    return Shape(
        path.stem,
        kind,
        vertices,
        faces,
        normals,
        colours,
        str(path),
        tuple(notes),
        contents.towards_sensor,
        contents.voxels,
    )


def refuse_not_finite(contents: Contents, path: Path) -> None:
    """Raise InputError where a vertex is no number; it says how many, and which is the first."""
    vertices = contents.vertices
    bad = ~np.isfinite(vertices).all(axis=1)
    if not bad.any():
        return
    first = int(np.argmax(bad))
    line = "" if contents.vertex_lines is None else f" (line {contents.vertex_lines[first]})"
    coordinates = " ".join(f"{c:g}" for c in vertices[first])
    raise InputError(
        f"{int(bad.sum())} of {len(vertices)} vertices are not finite numbers; the first is {coordinates}",
        f"{path}, vertex {first}{line}",
        "Remove or repair these vertices and the faces that use them; they are never dropped silently.",
    )


def _checked_faces(faces: np.ndarray, count: int, path: Path) -> np.ndarray:
    """The faces as int32, all indices within the vertices."""
    faces = np.asarray(faces)
    if not len(faces):
        return np.zeros((0, 3), np.int32)
    outside = ~np.isfinite(faces) | (faces < 0) | (faces >= count)
    if outside.any():
        face, corner = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"{int(outside.any(axis=1).sum())} of {len(faces)} triangles use vertices that do not exist; the "
            f"first asks for vertex {faces[face, corner]:g} and the file has {count} (counted from 0)",
            f"{path}, triangle {face}",
            "The file is damaged or was cut short; export it again.",
        )
    if faces.dtype.kind == "f" and np.any(faces != np.floor(faces)):
        face = int(np.argmax(np.any(faces != np.floor(faces), axis=1)))
        raise InputError(
            "a vertex index is not a whole number", f"{path}, triangle {face}", "Export the file again."
        )
    return np.ascontiguousarray(faces, np.int32)


def _refuse_no_size(vertices: np.ndarray, faces: np.ndarray, used: np.ndarray, path: Path) -> None:
    low, high = vertices[used].min(axis=0), vertices[used].max(axis=0)
    with np.errstate(over="ignore"):
        size = float(np.max(high - low))
    where = " ".join(f"{c:g}" for c in low)
    if size == 0.0:
        count = int(used.sum())
        what = "a single point" if count == 1 else f"its {count} vertices all lie at ({where}), which"
        raise InputError(f"{what} has no size", path, "Check the export; a shape extends in some direction.")
    if not 1e-30 < size < 1e30:  # within what single precision holds, and its cube within what double does
        raise InputError(
            f"the size of the shape, {size:g}, cannot be computed with",
            path,
            "Scale it to a size between 1e-30 and 1e30.",
        )
    if len(faces):
        corners = (vertices[faces] - vertices[faces[:, :1]]) / size
        if not np.cross(corners[:, 1], corners[:, 2]).any():
            raise InputError(
                f"none of the {len(faces)} triangles has an area",
                path,
                "Check the export; load the vertices alone as points.",
            )


def _checked_normals(
    normals: np.ndarray | None, kind: str, path: Path
) -> tuple[np.ndarray | None, list[str]]:
    """Normals as float32 of unit length, and what was noticed."""
    if normals is None:
        return None, []
    normals = np.asarray(normals, np.float64)
    bad = ~np.isfinite(normals).all(axis=1)
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(normals)} normals are not finite numbers",
            f"{path}, normal of vertex {int(np.argmax(bad))}",
            "Compute the normals again, or remove them from the file.",
        )
    # divided by the largest component first: squares could overflow or vanish
    longest = np.abs(normals).max(axis=1, keepdims=True)
    zero = longest[:, 0] == 0
    if zero.any() and kind == "mesh":
        return None, [f"The normals were set aside: {int(zero.sum())} of {len(normals)} have zero length."]
    if zero.any():
        raise InputError(
            f"{int(zero.sum())} of {len(normals)} normals have zero length",
            f"{path}, normal of vertex {int(np.argmax(zero))}",
            "Compute the normals again, or remove them (or these points) from the file.",
        )
    scaled = normals / longest
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    error = np.abs(length * longest - 1)
    off = int(np.sum(error > 1e-3))  # half precision stays below, and needs no remark
    note = f"{off} of {len(normals)} normals were not of unit length and were normalised."
    unit = np.where(error < UNIT, normals, scaled / length)  # to the last bit what the file has
    return unit.astype(np.float32), [note] if off else []


def _oddities(faces: np.ndarray, unused: int, duplicates: int) -> list[str]:
    """Sentences on what is unusual and was left as it is."""
    a, b, c = faces.T
    counts = {
        "Faces that use a vertex twice and have no area": int(np.sum((a == b) | (b == c) | (c == a))),
        "Vertices that no face uses": unused,
        "Vertices that repeat the position of another": duplicates,
    }
    return [f"{what}: {count}." for what, count in counts.items() if count]
