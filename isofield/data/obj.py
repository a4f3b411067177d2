"""Wavefront OBJ: vertices, perhaps with colours, and polygons; what else it holds is left out and named."""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents, left_out
from .colours import colour_bytes
from .faces import fan_triangles
from .text import Lines, numbers, split_lines, write_rows

__all__ = ["read_obj", "write_obj"]

_COMMENT = re.compile(rb"#[^\r\n]*")
_CONTINUED = re.compile(rb"\\[ \t]*\r?\n")
_TEXTURE_AND_NORMAL = re.compile(
    rb"(?<=\d)/[^\x00-\x20]*"
)  # of a corner such as 7/2/5 only the vertex 7 is wanted

# where colours are on a `v` line, by its number of values (4: a weight last; 7: an alpha last)
COLOURS_AT = {3: None, 4: None, 6: slice(3, 6), 7: slice(3, 6)}


def read_obj(path: Path) -> Contents:
    """The contents of an OBJ file; vertices that a converter split along seams are to be joined.

    Normals are read for points only, when there are as many `vn` as `v` lines: faces index theirs apart.
    """
    data = path.read_bytes()
    if b"\0" in data:
        raise InputError(
            "is not a text file", path, "An OBJ is text; name the file by its real format or export it again."
        )
    lines = split_lines(_COMMENT.sub(b"", _CONTINUED.sub(b" ", data)))
    is_vertex, is_normal, is_face = (_first_word_is(lines, word) for word in (b"v", b"vn", b"f"))
    if not is_vertex.any():
        raise InputError(
            "has no vertex ('v') lines", path, "This is not an OBJ file, or an empty one; export it again."
        )
    vertices, colours = _vertices(lines, is_vertex, path)
    faces, notes = _faces(lines, is_face, is_vertex, path)
    left = {"texture coordinates": b"vt", "materials": b"usemtl", "lines": b"l", "curves": b"curv"}
    notes += left_out(name for name, word in left.items() if _first_word_is(lines, word).any())
    normals = None
    if not len(faces) and is_normal.sum() == len(vertices):
        normals = _rows(lines, is_normal, "normal", (3,), path)
    return Contents(vertices, faces, normals, colours, notes, lines.number[is_vertex], per_corner=True)


def _first_word_is(lines: Lines, word: bytes) -> np.ndarray:
    """Bool [L]: whether the first word of a line is `word`."""
    start = lines.start
    found = np.ones(len(start), bool)
    padded = np.append(lines.raw, np.zeros(len(word), np.uint8))
    for place, letter in enumerate(word):
        found &= padded[start + place] == letter
    return found & (padded[start + len(word)] <= 32)


def _rows(lines: Lines, chosen: np.ndarray, what: str, widths: tuple[int, ...], path: Path) -> np.ndarray:
    """The numbers of the chosen lines, float64 [lines, width]; width is the same on each, one of `widths`."""
    counts = lines.words[chosen] - 1
    width = int(counts[0])
    odd = counts != width
    if width not in widths or odd.any():
        line = int(np.argmax(odd)) if odd.any() else 0
        raise InputError(
            f"a {what} of {counts[line]} numbers, where {' or '.join(map(str, widths))} are expected, "
            "the same on every line",
            f"{path}, line {lines.number[chosen][line]}",
            "Repair the line or export the file again.",
        )
    text = lines.text_after(chosen, 1)
    return numbers(text, np.float64, path, lines.line_of_word(chosen, 1)).reshape(-1, width)


def _vertices(lines: Lines, is_vertex: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    rows = _rows(lines, is_vertex, "vertex", tuple(COLOURS_AT), path)
    place = COLOURS_AT[rows.shape[1]]
    if place is None:
        return rows[:, :3], None
    colours = rows[:, place]
    in_bytes = np.nanmax(colours, initial=0.0) > 1.0  # most programs write parts of 1, some 0 to 255
    return rows[:, :3], colour_bytes(colours, 255.0 if in_bytes else 1.0)


def _faces(
    lines: Lines, is_face: np.ndarray, is_vertex: np.ndarray, path: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Triangles [F, 3] counted from 0, and notes."""
    counts = lines.words[is_face] - 1
    is_face = is_face.copy()
    is_face[is_face] = counts > 0
    if not is_face.any():
        return np.zeros((0, 3), np.int64), ()
    counts = counts[counts > 0]
    text = lines.text_after(is_face, 1)
    if b"/" in text:
        text = _TEXTURE_AND_NORMAL.sub(b"", text)
    corners = numbers(text, np.int64, path, lines.line_of_word(is_face, 1))
    zero = corners == 0
    if zero.any():
        line = lines.line_of_word(is_face, 1)(int(np.argmax(zero)))
        raise InputError(
            "a face uses vertex 0, but OBJ counts from 1", f"{path}, line {line}", "Export the file again."
        )
    if corners.min() < 0:  # counted back from the last vertex above the face's own line
        above = np.repeat(np.cumsum(is_vertex)[is_face], counts)
        corners = np.where(corners < 0, corners + above, corners - 1)
    else:
        corners = corners - 1
    thin = int(np.sum(counts < 3))
    notes = (f"{thin} faces with fewer than three corners were skipped.",) if thin else ()
    return fan_triangles(counts, corners), notes


def write_obj(file: BinaryIO, mesh: Mesh, comments: list[str]) -> None:
    """OBJ with normals, and colours after the coordinates; all digits of the vertices' own precision."""
    file.writelines(f"# {line}\n".encode() for line in comments)
    digits = "%.17g" if mesh.vertices.dtype == np.float64 else "%.9g"
    if mesh.colours is None:
        write_rows(file, f"v {digits} {digits} {digits}\n", mesh.vertices)
    else:
        rows = np.concatenate([mesh.vertices, mesh.colours / 255.0], axis=1)
        write_rows(file, f"v {digits} {digits} {digits} %.4g %.4g %.4g\n", rows)
    if mesh.normals is None:
        write_rows(file, "f %d %d %d\n", mesh.faces + 1)
    else:
        write_rows(file, "vn %.9g %.9g %.9g\n", mesh.normals)
        write_rows(file, "f %d//%d %d//%d %d//%d\n", np.repeat(mesh.faces + 1, 2, axis=1))
