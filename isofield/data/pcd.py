"""PCD, the point clouds of the Point Cloud Library: text, binary, and compressed."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents, left_out
from .text import numbers, split_lines

__all__ = ["read_pcd", "write_pcd"]

SCALARS = {"F4", "F8", "I1", "I2", "I4", "I8", "U1", "U2", "U4", "U8"}
COORDINATES, NORMALS = ("x", "y", "z"), ("normal_x", "normal_y", "normal_z")
COLOURS = ("rgb", "rgba")  # red, green and blue in the three low bytes of a number of four
NOWHERE = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)  # the viewpoint that writers put where they know none
LZF_LIMIT = 88  # LZF never packs more bytes than this into one: a larger promise is false
_DATA = re.compile(rb"^DATA[ \t]+(\w+)[ \t]*(?:\r?\n|\r)", re.MULTILINE)
_KEYWORDS = {"VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS"}


@dataclass(frozen=True)
class Column:
    """One field of every point: `count` numbers of the numpy type `scalar` ("f4"), `start` bytes and
    `place` numbers after the point's first."""

    scalar: str
    count: int
    start: int
    place: int

    @property
    def size(self) -> int:
        """Bytes of one number."""
        return int(self.scalar[1:])


@dataclass(frozen=True)
class Header:
    """points: how many. row, width: bytes and numbers of one. viewpoint: x y z and quaternion w x y z.
    layout: a name in LAYOUTS. body: where the points begin."""

    fields: dict[str, Column]
    points: int
    row: int
    width: int
    viewpoint: tuple[float, ...]
    layout: str
    body: int


def read_pcd(path: Path) -> Contents:
    """Points with normals (`normal_x` ...) and colours (packed `rgb` or `rgba`) where they are; other fields
    are left out, which a note says.

    Points of which a coordinate is NaN stand, in this format, for directions from which nothing came back:
    they are left out, which a note says. A viewpoint other than that of `NOWHERE` gives points without
    normals their direction to the sensor.
    """
    data = path.read_bytes()
    header = _header(data, path)
    columns = LAYOUTS[header.layout](data, header, path)
    if not all(name in columns for name in COORDINATES):
        raise InputError("has no fields x, y and z of one number each", path, "Export points with them.")
    points = np.stack([columns[name] for name in COORDINATES], axis=1).astype(np.float64)
    missing = np.isnan(points).any(axis=1)
    there, notes = np.logical_not(missing), []
    if missing.any():
        notes.append(
            f"{int(missing.sum())} of {len(points)} points were NaN, which marks in PCD that nothing was "
            "seen there, and were left out."
        )
    columns = {name: values[there] for name, values in columns.items()}
    normals = colours = towards_sensor = None
    if all(name in columns for name in NORMALS):
        normals = np.stack([columns[name] for name in NORMALS], axis=1).astype(np.float64)
    for name in COLOURS:
        if name in columns:
            colours = _unpacked(columns[name], header.fields[name].scalar)
            if colours is None:
                notes.append(f"The colours were set aside: '{name}' is not a packed number of four bytes.")
    if header.viewpoint != NOWHERE and normals is None:
        towards_sensor, note = _towards(header.viewpoint[:3], points[there])
        notes.append(note)
    notes += left_out(_not_read(header.fields, with_normals=normals is not None))
    return Contents(points[there], np.zeros((0, 3), np.int64), normals, colours, tuple(notes),
                    towards_sensor=towards_sensor)  # fmt: skip


def _not_read(fields: dict[str, Column], with_normals: bool) -> list[str]:
    """The fields that the points were not made of; `_` is padding."""
    read = {*COORDINATES, *COLOURS, "_", *(NORMALS if with_normals else ())}
    return [name for name, column in fields.items() if name not in read or (column.count > 1 and name != "_")]


def _towards(viewpoint: tuple[float, ...], points: np.ndarray) -> tuple[np.ndarray, str]:
    """Unit directions [N, 3] from the points to the viewpoint, and the sentence that says what was assumed.

    The format does not say whether the points are in the frame of the viewpoint or of the sensor. PCL's
    estimation of normals takes the first, and so do we.
    """
    away = np.array(viewpoint) - points
    longest = np.abs(away).max(axis=1, keepdims=True, initial=0)
    away = away / np.where(longest > 0, longest, 1)
    length = np.linalg.norm(away, axis=1, keepdims=True)
    place = " ".join(f"{c:g}" for c in viewpoint)
    note = (
        f"The file's VIEWPOINT, ({place}) in the coordinates of the points, was taken for the place of the "
        "sensor that saw them all, which orients them. If it is not, write VIEWPOINT 0 0 0 1 0 0 0."
    )
    return away / np.where(length > 0, length, 1), note


def _unpacked(values: np.ndarray, scalar: str) -> np.ndarray | None:
    """Colours uint8 [N, 3] of packed numbers [N]; None where these cannot be such."""
    whole = np.asarray(values, np.float64)
    if scalar == "f4":  # the bits of the number, not its value, are what counts
        bits = np.ascontiguousarray(values, "<f4").view("<u4")
        if values.dtype != np.dtype("<f4") and np.isnan(whole).any():
            return None  # text "nan": the bits are lost
    elif scalar in ("u4", "i4") and np.all((whole >= -(2**31)) & (whole < 2**32)):
        bits = values.astype(np.int64).astype(np.uint32)
    else:
        return None
    return np.stack([bits >> shift & 255 for shift in (16, 8, 0)], axis=1).astype(np.uint8)


# ---- the header


def _header(data: bytes, path: Path) -> Header:
    """What the lines up to DATA say, checked against each other."""
    last = _DATA.search(data)
    if last is None:
        raise InputError("the header has no 'DATA' line", path, "The file is cut short or not a PCD.")
    layout = last[1].decode("latin-1").lower()
    if layout not in LAYOUTS:
        raise InputError(f"the layout '{layout[:40]}' is not known", path, f"Known: {', '.join(LAYOUTS)}.")
    entries: dict[str, list[str]] = {}
    lines = re.split("\r\n?|\n", data[: last.start()].decode("utf-8", "replace"))
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in _KEYWORDS or len(words) < 2:
            raise InputError(
                f"the header line '{line[:60]}' is not understood",
                f"{path}, line {number}",
                "Export the file again as PCD.",
            )
        entries[words[0]] = words[1:]
    names = entries.get("FIELDS", [])
    points = _count_of_points(entries, path)
    fields, row, width = {}, 0, 0
    kinds = _each(entries, "TYPE", names, path, None)
    sizes = _each(entries, "SIZE", names, path, None)
    counts = _each(entries, "COUNT", names, path, "1")
    for name, kind, size, count in zip(names, kinds, sizes, counts):
        if kind + size not in SCALARS or not _is_count(count) or int(count) < 1:
            raise InputError(
                f"the field '{name[:40]}' has the type {kind[:9]}, the size {size[:9]} and the count "
                f"{count[:20]}, which is no number",
                path,
                "Export the file again as PCD.",
            )
        fields[name] = Column(kind.lower() + size, int(count), row, width)
        row, width = row + int(size) * int(count), width + int(count)
    return Header(fields, points, row, width, _viewpoint(entries, path), layout, last.end())


def _count_of_points(entries: dict[str, list[str]], path: Path) -> int:
    """POINTS, or WIDTH times HEIGHT, which must agree where both are given."""
    found = {}
    for name in ("POINTS", "WIDTH", "HEIGHT"):
        if name in entries:
            if not _is_count(entries[name][0]):
                raise InputError(
                    f"the header's {name} is '{entries[name][0][:40]}', not a number of points",
                    path,
                    "Export the file again as PCD.",
                )
            found[name] = int(entries[name][0])
    area = found["WIDTH"] * found.get("HEIGHT", 1) if "WIDTH" in found else None
    points = found.get("POINTS", area)
    if points is None or area not in (None, points):
        raise InputError(
            "the header does not say how many points there are"
            if points is None
            else f"the header promises {points} points and {area} in its rows",
            path,
            "Export the file again as PCD.",
        )
    return points


def _each(entries: dict, name: str, fields: list[str], path: Path, default: str | None) -> list[str]:
    """The header's line `name`, one word for each field."""
    words = entries.get(name, None if default is None else [default] * len(fields))
    if words is None or len(words) != len(fields) or not fields:
        raise InputError(
            f"the header has {len(fields)} fields and {len(words or [])} entries in its line {name}",
            path,
            "Export the file again as PCD.",
        )
    return words


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 19


def _viewpoint(entries: dict[str, list[str]], path: Path) -> tuple[float, ...]:
    try:
        numbers = tuple(map(float, entries.get("VIEWPOINT", NOWHERE)))
    except ValueError:
        numbers = ()
    if len(numbers) != 7 or not np.isfinite(numbers).all():
        raise InputError(
            "the header's VIEWPOINT is not seven numbers", path, "Write VIEWPOINT 0 0 0 1 0 0 0."
        )
    return numbers


# ---- the points, as columns [points] by name: fields of one number


def _text_columns(data: bytes, header: Header, path: Path) -> dict[str, np.ndarray]:
    promised, text = header.points * header.width, data[header.body :]
    if 2 * promised > len(text) + 1:  # a number takes a digit and a separator, the last only its digit
        raise _cut_short(header, f"at least {2 * promised - 1} bytes", f"{len(text)}", path)

    def line_of_word(place: int) -> int:
        lines = split_lines(text)
        first = np.searchsorted(lines.first_word, place, "right") - 1
        return data.count(b"\n", 0, header.body) + int(lines.number[first])

    values = numbers(text, np.float64, path, line_of_word)
    if len(values) != promised:
        raise _cut_short(header, f"{promised} numbers", f"{len(values)}", path)
    rows = values.reshape(header.points, header.width)
    return {name: rows[:, column.place] for name, column in header.fields.items() if column.count == 1}


def _binary_columns(data: bytes, header: Header, path: Path) -> dict[str, np.ndarray]:
    if header.points * header.row > len(data) - header.body:
        raise _cut_short(header, f"{header.points * header.row} bytes", f"{len(data) - header.body}", path)
    return {
        name: np.ndarray(header.points, "<" + column.scalar, data, header.body + column.start, (header.row,))
        for name, column in header.fields.items()
        if column.count == 1
    }


def _compressed_columns(data: bytes, header: Header, path: Path) -> dict[str, np.ndarray]:
    """Of the compressed layout: two sizes, then all numbers of the first field, all of the second, ..."""
    promised, there = header.points * header.row, max(len(data) - header.body - 8, 0)
    packed, size = struct.unpack_from("<II", data, header.body) if len(data) >= header.body + 8 else (0, 0)
    if packed > there or size != promised or promised > LZF_LIMIT * packed:
        raise _cut_short(header, f"{promised} bytes", f"{size} packed into {packed} of {there}", path)
    plain = _decompressed(data[header.body + 8 : header.body + 8 + packed], size, path)
    return {
        name: np.ndarray(header.points, "<" + column.scalar, plain, header.points * column.start)
        for name, column in header.fields.items()
        if column.count == 1
    }


LAYOUTS = {"ascii": _text_columns, "binary": _binary_columns, "binary_compressed": _compressed_columns}


def _cut_short(header: Header, needed: str, found: str, path: Path) -> InputError:
    return InputError(
        f"the header promises {header.points} points of {header.width} numbers, {needed}, but there are "
        f"{found}",
        path,
        "The file is damaged or cut short; copy or export it again.",
    )


def _decompressed(packed: bytes, size: int, path: Path) -> bytearray:
    """The `size` bytes that LZF packed (Marc Lehmann's LibLZF).

    A byte below 32 is followed by that many bytes and one more, as they are. Any other begins a repetition:
    its three high bits are the length less two (7: the next byte is added), its five low bits and the next
    byte the distance back, less one. A repetition may reach into itself.
    """
    plain, place, end = bytearray(), 0, len(packed)
    try:
        while place < end and len(plain) <= size:
            first = packed[place]
            place += 1
            if first < 32:
                plain += packed[place : place + first + 1]
                place += first + 1
                continue
            length = (first >> 5) + 2
            if length == 9:
                length += packed[place]
                place += 1
            back = ((first & 31) << 8) + packed[place] + 1
            place += 1
            start = len(plain) - back
            if start < 0:
                break
            piece = plain[start : start + length]
            plain += piece if back >= length else (piece * (length // back + 1))[:length]
    except IndexError:
        pass
    if len(plain) != size or place != end:
        raise InputError(
            "the compressed points cannot be unpacked", path, "The file is damaged; copy or export it again."
        )
    return plain


def write_pcd(file: BinaryIO, cloud: Mesh, comments: list[str]) -> None:
    """Binary PCD of the points' own precision, with normals and packed colours."""
    size = cloud.vertices.dtype.itemsize
    parts: list[tuple[np.ndarray, str, tuple[str, ...]]] = [(cloud.vertices, f"<f{size}", COORDINATES)]
    if cloud.normals is not None:
        parts.append((cloud.normals, "<f4", NORMALS))
    if cloud.colours is not None:
        red, green, blue = cloud.colours.astype("<u4").T
        parts.append(((red << 16 | green << 8 | blue).view("<f4")[:, None], "<f4", ("rgb",)))
    sizes = [(name, code[-1]) for _, code, fields in parts for name in fields]
    header = [
        "# .PCD v0.7 - Point Cloud Data file format",
        *(f"# {line}" for line in comments),
        "VERSION 0.7",
        "FIELDS " + " ".join(name for name, _ in sizes),
        "SIZE " + " ".join(each for _, each in sizes),
        "TYPE" + " F" * len(sizes),
        "COUNT" + " 1" * len(sizes),
        f"WIDTH {len(cloud.vertices)}",
        "HEIGHT 1",
        "VIEWPOINT 0 0 0 1 0 0 0",
        f"POINTS {len(cloud.vertices)}",
        "DATA binary",
    ]
    rows = np.zeros(len(cloud.vertices), [(fields[0], code, (len(fields),)) for _, code, fields in parts])
    for values, _, fields in parts:
        rows[fields[0]] = values
    file.write("\n".join([*header, ""]).encode())
    file.write(rows.view(np.uint8).data)  # no copy
