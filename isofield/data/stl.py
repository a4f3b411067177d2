"""STL, binary or text: triangles without shared vertices, which are joined where they are exactly equal."""

from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents
from .text import numbers, split_lines, write_rows

__all__ = ["read_stl", "write_stl"]

HEADER = 84  # 80 bytes of anything and the number of triangles
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])  # 50 bytes


def read_stl(path: Path) -> Contents:
    """The contents of an STL file.

    Binary or text is told by the size: many binary files begin with 'solid' just as text does.
    """
    data = path.read_bytes()
    promised = int.from_bytes(data[80:HEADER], "little")
    there, rest = divmod(len(data) - HEADER, TRIANGLE.itemsize)
    if promised != there or rest:
        if data.lstrip()[:5].lower() == b"solid" and b"\0" not in data:
            return _read_text(data, path)
        if not 0 < promised <= there:
            raise InputError(
                f"is neither a text STL (these begin with 'solid') nor a whole binary one: its header says "
                f"{promised} triangles and {max(there, 0)} fit in its {len(data)} bytes",
                path,
                "The file is cut short or has another format; copy or export it again.",
            )
    corners = np.frombuffer(data, TRIANGLE, promised, HEADER)["corners"]
    extra = len(data) - HEADER - promised * TRIANGLE.itemsize
    notes = (f"{extra} bytes after the last triangle were skipped.",) if extra else ()
    return Contents(corners.reshape(-1, 3), _corners_in_order(promised), notes=notes, per_corner=True)


def _read_text(data: bytes, path: Path) -> Contents:
    lines = split_lines(data)
    is_vertex = lines.raw[lines.start] | 32 == ord("v")  # lower case; no other line of an STL begins with a v
    odd = is_vertex & (lines.words != 4)
    if odd.any():
        line = lines.number[int(np.argmax(odd))]
        raise InputError(
            "a vertex line without exactly three numbers", f"{path}, line {line}", "Export the file again."
        )
    count = int(is_vertex.sum())
    if lines.raw[lines.start[-1] :][:8].tobytes().lower() != b"endsolid" or count % 3:
        raise InputError(
            f"the text does not end with 'endsolid' after whole triangles ({count} vertex lines)",
            path,
            "The file is cut short; copy or export it again.",
        )
    text = lines.text_after(is_vertex, 1)
    corners = numbers(text, np.float64, path, lines.line_of_word(is_vertex, 1)).reshape(-1, 3)
    return Contents(
        corners, _corners_in_order(count // 3), vertex_lines=lines.number[is_vertex], per_corner=True
    )


def _corners_in_order(triangles: int) -> np.ndarray:
    return np.arange(3 * triangles).reshape(-1, 3)


def write_stl(file: BinaryIO, mesh: Mesh, comments: list[str]) -> None:
    """Binary STL, or text where the vertices are in double precision, which the binary form lacks."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    if mesh.vertices.dtype == np.float64:
        file.write(f"solid {' '.join(comments)}\n".encode())
        facet = (
            "facet normal %.6g %.6g %.6g\nouter loop\n"
            + "vertex %.17g %.17g %.17g\n" * 3
            + "endloop\nendfacet\n"
        )
        write_rows(file, facet, np.concatenate([normals, corners.reshape(-1, 9)], axis=1))
        file.write(b"endsolid\n")
        return
    triangles = np.zeros(len(corners), TRIANGLE)
    triangles["normal"], triangles["corners"] = normals, corners
    title = " ".join(["isofield", *comments]).encode()[:80]
    file.write(title.ljust(80) + len(triangles).to_bytes(4, "little"))
    file.write(triangles.tobytes())
