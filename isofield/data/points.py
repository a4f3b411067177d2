"""Points as text (.xyz) or as numpy arrays (.npz)."""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents, left_out
from .colours import colour_bytes
from .npz import ArrayForm, open_npz
from .text import numbers, split_lines, write_rows

__all__ = ["read_npz", "read_xyz", "write_npz", "write_xyz"]

_COMMENT = re.compile(rb"(?:#|//)[^\r\n]*")
# values on a line: coordinates, perhaps one more such as an intensity, then normals and colours in any order
WIDTHS = (3, 4, 6, 7, 9, 10)
_ROWS = ArrayForm((np.floating,), (None, 3), "floating-point numbers of the shape (N, 3)")
_BYTES = ArrayForm((np.uint8,), (None, 3), "bytes of the shape (N, 3)")
NPZ_ARRAYS = {"points": _ROWS, "normals": _ROWS, "colours": _BYTES}  # that are read


def read_xyz(path: Path) -> Contents:
    """Points from lines of `x y z`, with normals and colours (0 to 255) after them where the numbers say so.

    Numbers may be separated by blanks, commas or semicolons. A first line that holds only the count, or names
    of columns, is passed.
    """
    data = path.read_bytes()
    if b"\0" in data:
        raise InputError("is not a text file", path, "Name the file by its real format or export it as text.")
    lines = split_lines(_COMMENT.sub(b"", data).translate(bytes.maketrans(b",;", b"  ")))
    chosen = np.ones(len(lines.number), bool)
    if not len(chosen):
        return Contents(np.zeros((0, 3)))
    if lines.words[0] == 1 or not re.search(rb"\d", lines.raw[lines.start[0] : lines.end[0]].tobytes()):
        chosen[0] = False
    if not chosen.any():
        return Contents(np.zeros((0, 3)))
    words = lines.words[chosen]
    width = int(words[0])
    odd = words != width
    if odd.any() or width not in WIDTHS:
        line = int(np.argmax(odd))
        raise InputError(
            f"a line of {words[line]} numbers, where {width if odd.any() else '3, 6 or 9'} are expected",
            f"{path}, line {lines.number[chosen][line]}",
            "Write one point a line: x y z, then the normal or the colour or both.",
        )
    text = lines.text_after(chosen, 0)
    rows = numbers(text, np.float64, path, lines.line_of_word(chosen, 0)).reshape(-1, width)
    normals = colours = None
    notes = []
    if width % 3:
        notes.append("The fourth number of each line was skipped.")
    for first in range(3 + width % 3, width, 3):
        columns = rows[:, first : first + 3]
        if normals is None and _look_like_normals(columns):
            normals = columns
        elif colours is None and _look_like_colours(columns):
            colours = colour_bytes(columns, 255.0)
        else:
            raise InputError(
                f"columns {first + 1} to {first + 3} are neither unit normals nor colours from 0 to 255",
                path,
                "Keep only x y z, or normals of unit length, or colours as whole numbers from 0 to 255.",
            )
    return Contents(
        rows[:, :3], normals=normals, colours=colours, notes=tuple(notes), vertex_lines=lines.number[chosen]
    )


def _look_like_normals(columns: np.ndarray) -> bool:
    """Whether most rows have unit length; single bad ones are left to the border, which names them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.mean(np.abs(np.linalg.norm(columns, axis=1) - 1.0) < 0.05) > 0.5)


def _look_like_colours(columns: np.ndarray) -> bool:
    return bool(np.all((columns >= 0) & (columns <= 255) & (columns == np.floor(columns))))


def write_xyz(file: BinaryIO, cloud: Mesh, comments: list[str]) -> None:
    """Points as text, a line each: x y z, the normal, the colour (0 to 255), with all digits of each."""
    file.writelines(f"# {line}\n".encode() for line in comments)
    parts = [part for part in (cloud.vertices, cloud.normals, cloud.colours) if part is not None]
    form = ["%r %r %r"] * len(parts)
    if cloud.colours is not None:
        form[-1] = "%d %d %d"
    write_rows(file, " ".join(form) + "\n", np.concatenate(parts, axis=1, dtype=np.float64))


def read_npz(path: Path) -> Contents:
    """Points from the arrays `points` [N, 3] and, where present, `normals` [N, 3], of any float type, and
    `colours` uint8 [N, 3]."""
    with open_npz(path) as archive:
        archive.require("points", "Save it with numpy.savez(path, points=..., normals=...).")
        arrays = {name: archive.array(name, NPZ_ARRAYS[name]) for name in NPZ_ARRAYS if name in archive.names}
    points = arrays["points"].astype(np.float64)
    for name, array in arrays.items():
        if array.shape != points.shape:
            raise InputError(
                f"'{name}' has the shape {array.shape} and 'points' {points.shape}",
                path,
                f"Save one {name.removesuffix('s')} for each point.",
            )
    notes: tuple[str, ...] = ()
    if {"loc", "scale"} & set(archive.names):
        notes = (
            "The arrays 'loc' and 'scale' were not applied: the points stay in the frame they are stored in.",
        )
    notes += left_out(name for name in archive.names if name not in (*NPZ_ARRAYS, "loc", "scale"))
    return Contents(points, normals=arrays.get("normals"), colours=arrays.get("colours"), notes=notes)


def write_npz(file: BinaryIO, cloud: Mesh, comments: list[str]) -> None:
    """The arrays that `read_npz` reads, points in double precision; comments have no place there."""
    arrays = {"points": cloud.vertices.astype(np.float64), "normals": cloud.normals, "colours": cloud.colours}
    given = {name: array for name, array in arrays.items() if array is not None}
    np.savez(file, **given)  # type: ignore[arg-type]  # numpy's annotation takes any name for its own
