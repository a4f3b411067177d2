"""OFF and its relatives COFF, NOFF, CNOFF, STOFF: text, one vertex or polygon a line."""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents, left_out
from .colours import colour_bytes
from .faces import fan_triangles, list_places
from .text import Lines, numbers, split_lines, write_rows

__all__ = ["read_off", "write_off"]

_COMMENT = re.compile(rb"#[^\r\n]*")
_KEYWORD = re.compile(rb"\s*(ST)?([CN]{0,2})(4?n?)OFF(?=[\s\d])(?:\s+(BINARY))?")


def read_off(path: Path) -> Contents:
    """The contents of an OFF file: vertices, normals and colours as its keyword says, polygons.

    The keyword may be glued to the counts, as in ModelNet's files.
    """
    data = path.read_bytes()
    text = _COMMENT.sub(b"", data)
    keyword = _KEYWORD.match(text)
    if keyword is None:
        raise InputError(
            "does not begin with 'OFF'", path, "Name the file by its real format, or export it as OFF."
        )
    if keyword[3] or keyword[4]:
        raise InputError(
            "is a binary or four-dimensional OFF, which is not read",
            path,
            "Export it as plain text OFF or PLY.",
        )
    lines = split_lines(b"\n" * text.count(b"\n", 0, keyword.end()) + text[keyword.end() :])
    vertices, polygons = _counts(lines, path)
    if 1 + vertices + polygons > len(lines.number):
        raise InputError(
            f"the header promises {vertices} vertices and {polygons} faces, one a line, "
            f"but only {len(lines.number) - 1} lines follow it",
            path,
            "The file is cut short; copy or export it again.",
        )
    is_vertex, is_face = np.zeros((2, len(lines.number)), bool)
    is_vertex[1 : 1 + vertices] = True
    is_face[1 + vertices : 1 + vertices + polygons] = True
    coordinates, normals, colours, notes = _vertices(lines, is_vertex, keyword[2].decode(), path)
    faces, coloured = _faces(lines, is_face, path)
    notes += left_out(["colours of faces"] if coloured else [])
    return Contents(coordinates, faces, normals, colours, notes, lines.number[is_vertex])


def _counts(lines: Lines, path: Path) -> tuple[int, int]:
    """The numbers of vertices and faces: the first two numbers after the keyword."""
    first = np.arange(len(lines.number)) == 0
    words = lines.text_after(first, 0).split() if len(first) else []
    if len(words) < 2 or not all(word.isdigit() and len(word) < 19 for word in words):
        raise InputError(
            "the counts of vertices and faces are missing after 'OFF'", path, "Export the file again."
        )
    return int(words[0]), int(words[1])


def _vertices(
    lines: Lines, chosen: np.ndarray, letters: str, path: Path
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, tuple[str, ...]]:
    """Coordinates, normals, colours, notes. letters: N when normals follow, C when colours do."""
    if not chosen.any():
        return np.zeros((0, 3)), None, None, ()
    width = int(lines.words[chosen][0])
    needed = 3 + 3 * len(letters)
    odd = lines.words[chosen] != max(width, needed)
    if odd.any():
        line = int(np.argmax(odd))
        raise InputError(
            f"a vertex line of {lines.words[chosen][line]} numbers, where {max(width, needed)} are expected",
            f"{path}, line {lines.number[chosen][line]}",
            "Repair the line or export the file again.",
        )
    text = lines.text_after(chosen, 0)
    rows = numbers(text, np.float64, path, lines.line_of_word(chosen, 0)).reshape(-1, width)
    normals = rows[:, 3:6] if "N" in letters else None
    colours = None
    if "C" in letters:
        colours = rows[:, needed - 3 : needed]
        colours = colour_bytes(
            colours, 255.0 if np.nanmax(colours, initial=0.0) > 1.0 else 1.0
        )  # both are in use
    notes = (
        (f"{width - 3} more numbers on each vertex line were skipped.",) if width > 3 and not letters else ()
    )
    return rows[:, :3], normals, colours, notes


def _faces(lines: Lines, chosen: np.ndarray, path: Path) -> tuple[np.ndarray, bool]:
    """Triangles [F, 3] of lines that hold a count, as many vertex indices, and perhaps colours; whether some
    do."""
    if not chosen.any():
        return np.zeros((0, 3), np.int64), False
    text = lines.text_after(chosen, 0)
    kind = np.float64 if b"." in text else np.int64  # parsing whole numbers is five times faster
    values = numbers(text, kind, path, lines.line_of_word(chosen, 0))
    words = lines.words[chosen]
    first = np.cumsum(words) - words
    counts = values[first]
    odd = ~(counts >= 1) | (counts > words - 1) | (counts != np.floor(counts))
    if odd.any():
        line = int(np.argmax(odd))
        raise InputError(
            f"a face of {counts[line]:g} corners on a line of {words[line]} numbers",
            f"{path}, line {lines.number[chosen][line]}",
            "Repair the line or export the file again.",
        )
    counts = counts.astype(np.int64)
    triangles = fan_triangles(counts, values[list_places(first + 1, counts, 1)])
    return triangles, bool((words > counts + 1).any())


def write_off(file: BinaryIO, mesh: Mesh, comments: list[str]) -> None:
    """OFF, or COFF where there are colours (three whole numbers and an alpha of 255), with all digits."""
    file.write(b"OFF\n" if mesh.colours is None else b"COFF\n")
    file.writelines(f"# {line}\n".encode() for line in comments)
    file.write(f"{len(mesh.vertices)} {len(mesh.faces)} 0\n".encode())
    digits = "%.17g" if mesh.vertices.dtype == np.float64 else "%.9g"
    if mesh.colours is None:
        write_rows(file, f"{digits} {digits} {digits}\n", mesh.vertices)
    else:
        rows = np.concatenate([mesh.vertices, mesh.colours], axis=1, dtype=np.float64)
        write_rows(file, f"{digits} {digits} {digits} %d %d %d 255\n", rows)
    write_rows(file, "3 %d %d %d\n", mesh.faces)
