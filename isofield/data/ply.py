"""PLY: text and binary of both byte orders, any scalar types; what no shape needs is left out and named."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents, left_out
from .colours import colour_bytes
from .faces import fan_triangles, list_places, strip_triangles
from .text import numbers, split_lines

__all__ = ["read_ply", "write_ply"]

SCALARS = (
    {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"}
    | {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"}
    | {"int64": "i8", "uint64": "u8", "float": "f4", "double": "f8", "float32": "f4", "float64": "f8"}
)
_END_HEADER = re.compile(rb"(?<=[\r\n])end_header[ \t]*(?:\r?\n|\r)")
COORDINATES, NORMALS, COLOURS = ("x", "y", "z"), ("nx", "ny", "nz"), ("red", "green", "blue")
BYTE_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Property:
    """One property of an element: its scalar type, and the type of the count in front when it is a list."""

    name: str
    scalar: str
    count: str = ""


@dataclass(frozen=True)
class Element:
    """One element of the header: `length` rows with the same properties."""

    name: str
    length: int
    properties: tuple[Property, ...]


# name -> values [rows], or for a list (counts int64 [rows], values [sum of counts])
Table = dict[str, np.ndarray | tuple[np.ndarray, np.ndarray]]

LONGEST_REGULAR_LIST = 64  # when all lists have one length of up to this, the rows are read as one array


def read_ply(path: Path) -> Contents:
    """The contents of a PLY file: mesh or points, with normals and colours where they are."""
    data = path.read_bytes()
    order, elements, body = _header(data, path)
    _refuse_false_promises(elements, order, len(data) - body, path)
    tables: dict[str, Table] = {}
    if order:
        position = body
        for element in _needed(elements):
            tables[element.name], position = _binary_table(data, position, element, order, path)
    else:
        text = data[body:]

        def line_of_word(place: int) -> int:
            lines = split_lines(text)
            return data.count(b"\n", 0, body) + int(
                lines.number[np.searchsorted(lines.first_word, place, "right") - 1]
            )

        values = numbers(text, np.float64, path, line_of_word)
        position = 0
        for element in _needed(elements):
            tables[element.name], position = _ascii_table(values, position, element, path)
    scalars = {p.name: p.scalar for e in elements if e.name == "vertex" for p in e.properties}
    contents = _contents(tables, scalars, path)
    return replace(contents, notes=contents.notes + left_out(_not_read(elements, contents)))


def _header(data: bytes, path: Path) -> tuple[str, list[Element], int]:
    """Byte order ("" for text), elements, and where the body begins."""
    if not data.startswith(b"ply"):
        raise InputError(
            "does not begin with 'ply'", path, "Name the file by its real format, or export it as PLY."
        )
    last = _END_HEADER.search(data)
    if last is None:
        raise InputError(
            "the header has no 'end_header' line",
            path,
            "The file is cut short or not a PLY; export it again.",
        )
    end, body = last.span()
    order: str | None = None
    elements: list[Element] = []
    for number, line in enumerate(re.split("\r\n?|\n", data[:end].decode("utf-8", "replace")), 1):
        words = line.split()
        where = f"{path}, line {number}"
        match words:
            case [] | ["ply"] | ["comment", *_] | ["obj_info", *_]:
                pass
            case ["format", name, *_] if name in BYTE_ORDERS:
                order = BYTE_ORDERS[name]
            case ["element", name, length] if length.isdecimal() and len(length) < 19:
                elements.append(Element(name, int(length), ()))
            case ["property", "list", count, scalar, name] if (
                SCALARS.get(count, "f")[0] in "iu" and scalar in SCALARS and elements
            ):
                elements[-1] = _with(elements[-1], Property(name, SCALARS[scalar], SCALARS[count]))
            case ["property", scalar, name] if scalar in SCALARS and elements:
                elements[-1] = _with(elements[-1], Property(name, SCALARS[scalar]))
            case _:
                raise InputError(
                    f"the header line '{line[:60]}' is not understood", where, "Export the file again as PLY."
                )
    if order is None:
        raise InputError("the header has no 'format' line", path, "Export the file again as PLY.")
    return order, elements, body


def _with(element: Element, added: Property) -> Element:
    return Element(element.name, element.length, (*element.properties, added))


def _needed(elements: list[Element]) -> list[Element]:
    """The elements up to the last that is used: what follows is never looked at."""
    last = max((i for i, e in enumerate(elements) if e.name in ("vertex", "face", "tristrips")), default=-1)
    return elements[: last + 1]


def _refuse_false_promises(elements: list[Element], order: str, size: int, path: Path) -> None:
    """Compare what the header promises with the bytes that are there, before anything is allocated."""
    promised = 0
    for element in elements:
        fields = [p.count or p.scalar for p in element.properties]
        # in text, a value takes a digit and a separator, the last of all only its digit
        row = sum(np.dtype(f).itemsize for f in fields) if order else 2 * len(fields)
        promised += element.length * row
        if promised > size + (0 if order else 1):
            raise InputError(
                f"the header promises {element.length} rows of '{element.name}', at least {promised} bytes, "
                f"but only {size} bytes follow it",
                path,
                "The file is cut short or its header is wrong; copy or export it again.",
            )


def _binary_table(data: bytes, position: int, element: Element, order: str, path: Path) -> tuple[Table, int]:
    """The columns of one element and where the next begins."""
    lengths = _lengths_of_first_row(data, position, element, order)
    row = np.dtype(
        [
            field
            for i, (p, length) in enumerate(zip(element.properties, lengths))
            for field in (
                [(f"{i} count", order + p.count), (f"{i}", order + p.scalar, (length,))]
                if p.count
                else [(f"{i}", order + p.scalar)]
            )
        ]
    )
    stop = position + element.length * row.itemsize
    if row.itemsize and stop <= len(data):
        rows = np.frombuffer(data, row, element.length, position)
        heads = {i: rows[f"{i} count"] for i, p in enumerate(element.properties) if p.count}
        if all(np.all(head == lengths[i]) for i, head in heads.items()):
            return {
                p.name: (heads[i].astype(np.int64), rows[f"{i}"].reshape(-1)) if p.count else rows[f"{i}"]
                for i, p in enumerate(element.properties)
            }, stop

    byteorder: Literal["big", "little"] = "big" if order == ">" else "little"

    def count_at(place: int, size: int, signed: bool) -> int:
        if size == 1 and not signed and place < len(data):
            return data[place]  # nearly every file; four times faster than the line below
        return int.from_bytes(data[place : place + size], byteorder, signed=signed)

    sizes = [
        (np.dtype(p.scalar).itemsize, np.dtype(p.count).itemsize if p.count else 0)
        for p in element.properties
    ]
    places, counts, position = _walk(element, sizes, position, len(data), count_at, path)
    raw = np.frombuffer(data, np.uint8)
    table: Table = {}
    for p, place, count in zip(element.properties, places, counts):
        kind = np.dtype(order + p.scalar)
        at = list_places(place, count, kind.itemsize)
        values = raw[at[:, None] + np.arange(kind.itemsize)].reshape(-1).view(kind)
        table[p.name] = (count, values) if p.count else values
    return table, position


def _lengths_of_first_row(data: bytes, position: int, element: Element, order: str) -> list[int]:
    """The length of each property's list in the first row (1 for a scalar), as a guess for all rows."""
    lengths = []
    for p in element.properties:
        length = 1
        if p.count:
            head = np.dtype(order + p.count)
            there = element.length and position + head.itemsize <= len(data)
            length = int(np.frombuffer(data, head, 1, position)[0]) if there else 0
            length = length if 0 <= length <= LONGEST_REGULAR_LIST else 0
            position += head.itemsize
        lengths.append(length)
        position += length * np.dtype(p.scalar).itemsize
    return lengths


def _ascii_table(values: np.ndarray, position: int, element: Element, path: Path) -> tuple[Table, int]:
    """The columns of one element of a text file, given all its numbers, and where the next begins."""
    lists = [i for i, p in enumerate(element.properties) if p.count]
    width = len(element.properties)
    if len(lists) <= 1 and width:
        at = lists[0] if lists else width
        guess = values[position + at] if lists and position + at < len(values) else 0
        length = int(guess) if 0 <= guess <= LONGEST_REGULAR_LIST else 0
        stop = position + element.length * (width + length)
        if stop <= len(values):
            rows = values[position:stop].reshape(element.length, width + length)
            if not lists or np.all(rows[:, at] == length):
                table: Table = {
                    p.name: rows[:, i + length * (i > at)] for i, p in enumerate(element.properties)
                }
                if lists:
                    corners = rows[:, at + 1 : at + 1 + length].reshape(-1)
                    table[element.properties[at].name] = rows[:, at].astype(np.int64), corners
                return table, stop

    def count_at(place: int, size: int, signed: bool) -> int:
        count = float(values[place]) if place < len(values) else 0.0
        return int(count) if count.is_integer() else -1

    sizes = [(1, 1 if p.count else 0) for p in element.properties]
    places, counts, position = _walk(element, sizes, position, len(values), count_at, path)
    table = {}
    for p, place, count in zip(element.properties, places, counts):
        found = values[list_places(place, count, 1)]
        table[p.name] = (count, found) if p.count else found
    return table, position


def _walk(
    element: Element,
    sizes: list[tuple[int, int]],
    position: int,
    size: int,
    count_at: Callable[[int, int, bool], int],
    path: Path,
) -> tuple[list[np.ndarray], list[np.ndarray], int]:
    """Where properties lie when rows differ in length: (places, counts) [rows] of each, and where rows end.

    sizes: of a value and of the count in front (0 for scalars), in the units of `position` and `size`.
    """
    layout = [(item, head, p.count.startswith("i")) for p, (item, head) in zip(element.properties, sizes)]
    places: list[list[int]] = [[] for _ in layout]
    counts: list[list[int]] = [[] for _ in layout]
    for row in range(element.length if layout else 0):
        for index, (item, head, signed) in enumerate(layout):
            count = 1
            if head:
                count = count_at(position, head, signed)
                if count < 0:
                    where = f"{path}, row {row} of '{element.name}'"
                    raise InputError(
                        "the length of a list is not a whole number",
                        where,
                        "The file is damaged; export it again.",
                    )
                position += head
            places[index].append(position)
            counts[index].append(count)
            position += item * count
        if position > size:
            raise InputError(
                f"the file ends within row {row} of the {element.length} rows of '{element.name}'",
                path,
                "The file is cut short; copy or export it again.",
            )
    return [np.array(p, np.int64) for p in places], [np.array(c, np.int64) for c in counts], position


def _contents(tables: dict[str, Table], scalars: dict[str, str], path: Path) -> Contents:
    """The vertices and faces of the tables; scalars: the declared type of each property of a vertex."""
    vertex = tables.get("vertex", {})
    coordinates = _columns(vertex, COORDINATES)
    if coordinates is None:
        raise InputError(
            "has no element 'vertex' with properties x, y and z",
            path,
            "Export a mesh or points; other PLY contents are not shapes.",
        )
    notes = []
    faces = np.zeros((0, 3), np.int64)
    if "face" in tables:
        polygons = tables["face"].get("vertex_indices", tables["face"].get("vertex_index"))
        if not isinstance(polygons, tuple):
            raise InputError(
                "the faces have no list 'vertex_indices'",
                path,
                "Export it again, or remove the faces to load it as points.",
            )
        faces = fan_triangles(*polygons)
        thin = int(np.sum(polygons[0] < 3))
        if thin:
            notes.append(f"{thin} faces with fewer than three corners were skipped.")
    elif "tristrips" in tables:
        strips = next((column for column in tables["tristrips"].values() if isinstance(column, tuple)), None)
        if strips is not None:
            faces = np.concatenate(
                [strip_triangles(strip) for strip in np.split(strips[1], np.cumsum(strips[0])[:-1])]
            )
    colours = _columns(vertex, COLOURS)
    if colours is not None:
        full = 1.0 if scalars["red"][0] == "f" else 65535.0 if scalars["red"] == "u2" else 255.0
        colours = colour_bytes(colours, full)
    return Contents(coordinates, faces, _columns(vertex, NORMALS), colours, tuple(notes))


def _not_read(elements: list[Element], contents: Contents) -> list[str]:
    """The names of the properties and elements that the contents were not made of."""
    normals = () if contents.normals is None else NORMALS
    colours = () if contents.colours is None else COLOURS
    has_faces = any(element.name == "face" for element in elements)
    found = []
    for element in elements:
        names = [p.name for p in element.properties]
        if element.name == "vertex":
            found += [name for name in names if name not in (*COORDINATES, *normals, *colours)]
        elif element.name == "face":
            corners = "vertex_indices" if "vertex_indices" in names else "vertex_index"
            found += [f"{name} of faces" for name in names if name != corners]
        elif element.length and (element.name != "tristrips" or has_faces):
            found.append(f"element {element.name}")
    return found


def _columns(table: Table, names: tuple[str, ...]) -> np.ndarray | None:
    """The columns of these names side by side in double precision, or None when one is missing."""
    columns = [table.get(name) for name in names]
    if not all(isinstance(column, np.ndarray) for column in columns):
        return None
    return np.stack(columns, axis=1).astype(np.float64)  # type: ignore[arg-type]


def write_ply(file: BinaryIO, mesh: Mesh, comments: list[str]) -> None:
    """Binary little-endian PLY with normals and colours, in the vertices' own precision."""
    scalar, code = ("double", "<f8") if mesh.vertices.dtype == np.float64 else ("float", "<f4")
    parts = [(mesh.vertices, code, scalar, COORDINATES), (mesh.normals, "<f4", "float", NORMALS)]
    parts.append((mesh.colours, "u1", "uchar", COLOURS))
    parts = [part for part in parts if part[0] is not None]
    header = ["ply", "format binary_little_endian 1.0", *(f"comment {line}" for line in comments)]
    header.append(f"element vertex {len(mesh.vertices)}")
    header += [f"property {scalar} {name}" for _, _, scalar, names in parts for name in names]
    if len(mesh.faces):
        header += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices"]
    vertices = np.zeros(
        len(mesh.vertices), [(scalar + names[0], code, 3) for _, code, scalar, names in parts]
    )
    for field, (values, *_) in zip(vertices.dtype.names or (), parts):
        vertices[field] = values
    faces = np.zeros(len(mesh.faces), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.faces
    file.write("\n".join([*header, "end_header", ""]).encode())
    for rows in (vertices, faces):
        file.write(rows.view(np.uint8).data)  # no copy
