"""glTF 2.0, one file (.glb) or several (.gltf): all triangles of the scene, where its nodes put them."""

import base64
import binascii
import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard
from urllib.parse import unquote

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .border import Contents
from .colours import colour_bytes, linear_from_srgb, srgb_from_linear
from .faces import fan_triangles, strip_triangles

__all__ = ["read_gltf", "write_glb"]

MAGIC, JSON_CHUNK, BINARY_CHUNK = b"glTF", 0x4E4F534A, 0x004E4942
SCALARS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
POINTS, TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN = 0, 4, 5, 6
MOST_VERTICES = 200_000_000  # of all instances: a small file can ask for one mesh any number of times
# what is not metal, seen from both sides; without a material the format means bare metal
PLASTER = {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.75}, "doubleSided": True}
UNREADABLE = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "EXT_mesh_gpu_instancing")


@dataclass(frozen=True, eq=False)
class Document:
    """The parsed JSON, the buffers that it speaks of, and the path for messages."""

    json: dict[str, Any]
    buffers: list[bytes]
    path: Path

    def broken(self, what: str, where: str = "") -> InputError:
        """The error for a file that does not keep to the format."""
        place = f"{self.path}, {where}" if where else self.path
        return InputError(what, place, "The file is damaged or incomplete; copy or export it again.")

    def record(self, kind: str, index: Any) -> dict[str, Any]:
        """Entry `index` of the document's list `kind`."""
        entries = self.json.get(kind, [])
        if (
            not isinstance(entries, list)
            or not _is_index(index)
            or index >= len(entries)
            or not isinstance(entries[index], dict)
        ):
            raise self.broken(f"there is no entry {str(index)[:20]}", kind)
        return entries[index]

    def whole(self, record: dict[str, Any], key: str, where: str, default: int | None = None) -> int:
        """A whole number, 0 or more, of a record."""
        value = record.get(key, default)
        if not _is_index(value):
            raise self.broken(f"'{key}' is {str(value)[:20]}, not a whole number", where)
        return value

    def count(self, accessor: dict[str, Any], where: str) -> int:
        """The number of entries of an accessor, of which each has a byte at least."""
        count, there = self.whole(accessor, "count", where), sum(map(len, self.buffers))
        if count > there:
            raise self.broken(f"promises {count} entries and there are {there} bytes", where)
        return count

    def entries(self, record: dict[str, Any], key: str, where: str) -> list:
        """A list of a record, empty where there is none."""
        value = record.get(key, [])
        if not isinstance(value, list):
            raise self.broken(f"'{key}' is not a list", where)
        return value


def _is_index(value: Any) -> TypeGuard[int]:
    """Whether a JSON value is a whole number, 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _named(table: dict, name: Any) -> Any:
    """The entry of a table, or None, whatever JSON value the name is."""
    return table.get(name) if isinstance(name, int | str) else None


def read_gltf(path: Path) -> Contents:
    """The contents of a .glb or .gltf file: every instance of every mesh in the scene, in one frame.

    Triangles, strips and fans; the vertices of points only where there are no triangles. Vertex colours are
    kept when every part has them. Materials, textures, skins, morph targets and animations are not read.
    """
    document = _open(path)
    parts = [part for mesh, matrix in _instances(document) for part in _parts(document, mesh, matrix)]
    notes = []
    if document.json.get("textures"):
        notes.append("Textures were not read: only colours of vertices are carried over.")
    if any(document.json.get(key) for key in ("skins", "animations")):
        notes.append("Skins and animations were not applied: the shape is in its rest pose.")
    chosen = [part for part in parts if len(part.faces)] or parts
    if not chosen:
        raise InputError(
            "has no mesh in its scene",
            path,
            "Export the objects themselves, not only cameras or empty nodes.",
        )
    starts = np.cumsum([0] + [len(part.vertices) for part in chosen[:-1]])
    return Contents(
        vertices=np.concatenate([part.vertices for part in chosen]),
        faces=np.concatenate([part.faces + start for part, start in zip(chosen, starts)]),
        normals=_together([part.normals for part in chosen]),
        colours=_together([part.colours for part in chosen]),
        notes=tuple(notes),
        per_corner=True,
    )


def _together(values: list[np.ndarray | None]) -> np.ndarray | None:
    """One array after another, or None where one is missing."""
    present = [v for v in values if v is not None]
    return np.concatenate(present) if len(present) == len(values) else None


def _open(path: Path) -> Document:
    data = path.read_bytes()
    text, binary = (data, b"") if not data.startswith(MAGIC) else _chunks(data, path)
    try:
        # a whole number of many digits becomes inf, which every check below refuses
        tree = json.loads(text, parse_int=lambda s: int(s) if len(s) < 18 else math.inf)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"its JSON cannot be parsed ({error})", path, "The file is damaged; export it again."
        ) from error
    document = Document(tree if isinstance(tree, dict) else {}, [], path)
    if "asset" not in document.json:
        raise InputError(
            "is not glTF: it has no 'asset'", path, "Name the file by its real format or export it again."
        )
    for extension in document.entries(document.json, "extensionsRequired", ""):
        if extension in UNREADABLE:
            raise InputError(
                f"needs the extension {extension}, which is not read",
                path,
                "Export it without compression or instancing.",
            )
    buffers = document.entries(document.json, "buffers", "")
    document.buffers.extend(_buffer(document, i, binary) for i in range(len(buffers)))
    return document


def _chunks(data: bytes, path: Path) -> tuple[bytes, bytes]:
    """The JSON and the binary chunk of a .glb file."""
    version, length = struct.unpack("<II", data[4:12].ljust(8, b"\0"))
    if version != 2 or length > len(data):
        raise InputError(
            f"the header says version {version} (2 is read) and {length} bytes (there are {len(data)})",
            path,
            "The file is cut short or of the old version 1; copy or export it again.",
        )
    found: dict[int, bytes] = {}
    position = 12
    while position + 8 <= length:
        size, kind = struct.unpack_from("<II", data, position)
        position += 8
        if position + size > length:
            raise InputError(
                f"a chunk of {size} bytes does not fit",
                f"{path}, byte {position}",
                "The file is damaged; copy it again.",
            )
        found.setdefault(kind, data[position : position + size])
        position += size
    if JSON_CHUNK not in found:
        raise InputError("has no JSON chunk", path, "The file is damaged; export it again.")
    return found[JSON_CHUNK], found.get(BINARY_CHUNK, b"")


def _buffer(document: Document, index: int, binary: bytes) -> bytes:
    """The bytes of a buffer: the file's own binary chunk, a data URI, or a file beside it."""
    record, where = document.record("buffers", index), f"buffers {index}"
    uri = record.get("uri")
    data: bytes | None
    if uri is None:
        data = binary if index == 0 else b""
    elif not isinstance(uri, str):
        raise document.broken("'uri' is not a text", where)
    elif uri.startswith("data:"):
        try:
            data = base64.b64decode(uri.partition(",")[2], validate=False)
        except (ValueError, binascii.Error) as error:
            raise document.broken(f"its data URI cannot be decoded ({error})", where) from error
    else:
        beside = document.path.parent / unquote(uri)
        try:
            data = beside.read_bytes() if beside.is_file() else None
        except (OSError, ValueError):
            data = None
        if data is None:
            raise InputError(
                f"needs the file '{uri[:80]}', which is not there",
                document.path,
                "Copy that file beside it, or export a .glb.",
            )
    promised = document.whole(record, "byteLength", where)
    if promised > len(data):
        raise document.broken(f"promises {promised} bytes and there are {len(data)}", where)
    return data


def _instances(document: Document) -> Iterator[tuple[int, np.ndarray]]:
    """Every (mesh, matrix [4, 4] to the scene's frame) of the scene, or of all nodes if there is no scene."""
    if document.json.get("scenes"):
        scene = document.record("scenes", document.json.get("scene", 0))
        roots = document.entries(scene, "nodes", "scenes")
    else:
        nodes = document.entries(document.json, "nodes", "")
        children = {
            str(c)
            for i in range(len(nodes))
            for c in document.entries(document.record("nodes", i), "children", "nodes")
        }
        roots = [i for i in range(len(nodes)) if str(i) not in children]
    waiting = [(root, np.eye(4)) for root in reversed(roots)]
    seen: set[int] = set()
    vertices = 0
    while waiting:
        index, above = waiting.pop()
        node, where = document.record("nodes", index), f"nodes {index}"
        if index in seen:
            raise document.broken("is reached twice: nodes must form a tree", where)
        seen.add(index)
        matrix = above @ _matrix(document, node, where)
        if "mesh" in node:
            vertices += _vertex_count(document, node["mesh"])
            if vertices > MOST_VERTICES:
                raise InputError(
                    f"unfolds to more than {MOST_VERTICES} vertices", document.path, "Export a simpler scene."
                )
            yield node["mesh"], matrix
        waiting += [(child, matrix) for child in reversed(document.entries(node, "children", where))]


def _vertex_count(document: Document, mesh: Any) -> int:
    """The vertices that a mesh promises."""
    total = 0
    for primitive in document.entries(document.record("meshes", mesh), "primitives", f"meshes {mesh}"):
        attributes = primitive.get("attributes") if isinstance(primitive, dict) else None
        if isinstance(attributes, dict) and "POSITION" in attributes:
            index = attributes["POSITION"]
            total += document.count(document.record("accessors", index), f"accessors {index}")
    return total


def _matrix(document: Document, node: dict[str, Any], where: str) -> np.ndarray:
    """The node's own transform: its matrix, or translation x rotation x scale."""

    def values(key: str, default: tuple[float, ...]) -> np.ndarray:
        given = node.get(key, default)
        numbers = isinstance(given, list | tuple) and all(isinstance(v, int | float) for v in given)
        if not numbers or len(given) != len(default):
            raise document.broken(f"'{key}' is not {len(default)} numbers", where)
        return np.array(given, np.float64)

    if "matrix" in node:
        return values("matrix", (0.0,) * 16).reshape(4, 4).T  # stored column after column
    x, y, z, w = values("rotation", (0.0, 0.0, 0.0, 1.0))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * values("scale", (1.0, 1.0, 1.0))
    matrix[:3, 3] = values("translation", (0.0, 0.0, 0.0))
    return matrix


def _parts(document: Document, mesh: int, matrix: np.ndarray) -> Iterator[Contents]:
    """The primitives of a mesh, moved by `matrix`."""
    turn = matrix[:3, :3]
    where = f"meshes {mesh}"
    for primitive in document.entries(document.record("meshes", mesh), "primitives", where):
        attributes = primitive.get("attributes", {}) if isinstance(primitive, dict) else None
        if not isinstance(attributes, dict):
            raise document.broken("a primitive has no attributes", where)
        mode = primitive.get("mode", TRIANGLES)
        if "POSITION" not in attributes or mode not in (POINTS, TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN):
            continue  # lines, and parts that only an extension can decode
        positions = _accessor(document, attributes["POSITION"], (3,))
        faces = _faces(document, primitive, mode, len(positions), where)
        mirrored = np.linalg.det(turn) < 0
        if mirrored:
            faces = faces[:, ::-1]  # or the part would show its back
        normals = colours = None
        if "NORMAL" in attributes:
            normals = _turned(_accessor(document, attributes["NORMAL"], (3,)), -turn if mirrored else turn)
        if "COLOR_0" in attributes:
            colours = colour_bytes(
                srgb_from_linear(_accessor(document, attributes["COLOR_0"], (3, 4))[:, :3]), 1.0
            )
        for values in (normals, colours):
            if values is not None and len(values) != len(positions):
                raise document.broken("its attributes differ in length", where)
        yield Contents(positions @ turn.T + matrix[:3, 3], faces, normals, colours)


def _turned(normals: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Normals [V, 3] of a surface that is moved by `turn` [3, 3], of the length that they had."""
    cofactors = np.stack([np.cross(turn[1], turn[2]), np.cross(turn[2], turn[0]), np.cross(turn[0], turn[1])])
    turned = normals @ cofactors.T
    length = np.linalg.norm(turned, axis=1, keepdims=True)
    return turned * np.divide(
        np.linalg.norm(normals, axis=1, keepdims=True), length, out=np.zeros_like(length), where=length > 0
    )


def _faces(document: Document, primitive: dict[str, Any], mode: int, count: int, where: str) -> np.ndarray:
    """The triangles [F, 3] of a primitive with `count` vertices."""
    if "indices" in primitive:
        indices = _accessor(document, primitive["indices"], (1,))[:, 0]
        if len(indices) and not np.all((indices >= 0) & (indices < count)):
            raise document.broken(
                f"an index asks for vertex {indices.max():g} and the part has {count}", where
            )
        indices = indices.astype(np.int64)
    else:
        indices = np.arange(count)
    if mode == POINTS:
        return np.zeros((0, 3), np.int64)
    if mode == TRIANGLE_STRIP:
        return strip_triangles(indices)
    if mode == TRIANGLE_FAN:
        return fan_triangles(np.array([len(indices)]), indices)
    return indices[: len(indices) // 3 * 3].reshape(-1, 3)


def _accessor(document: Document, index: Any, widths: tuple[int, ...]) -> np.ndarray:
    """The values [count, width] of an accessor, float64; normalised integers as parts of the largest."""
    record, where = document.record("accessors", index), f"accessors {index}"
    kind, width = _named(SCALARS, record.get("componentType")), _named(WIDTHS, record.get("type"))
    if kind is None or width not in widths:
        raise document.broken(f"has the type {record.get('type')} of {record.get('componentType')}", where)
    count = document.count(record, where)
    if "bufferView" in record:
        values = _view(document, record, np.dtype(kind), width, count, where)
    else:
        values = np.zeros((count, width))  # as the format says, for sparse entries to replace
    if "sparse" in record:
        values = _with_sparse(document, record, values, np.dtype(kind), where)
    values = values.astype(np.float64)
    if record.get("normalized") is True and kind != "<f4":
        values = np.maximum(values / np.iinfo(kind).max, -1.0)
    return values


def _view(
    document: Document, record: dict[str, Any], kind: np.dtype, width: int, count: int, where: str
) -> np.ndarray:
    """`count` rows of `width` values where the record (an accessor or a sparse part of one) says they lie."""
    view = document.record("bufferViews", record["bufferView"])
    buffer = document.whole(view, "buffer", where)
    if buffer >= len(document.buffers):
        raise document.broken(f"there is no buffer {buffer}", where)
    data = document.buffers[buffer]
    start, length = document.whole(view, "byteOffset", where, 0), document.whole(view, "byteLength", where)
    row = width * kind.itemsize
    stride = document.whole(view, "byteStride", where, 0) or row
    offset = document.whole(record, "byteOffset", where, 0)
    needed = offset + (stride * (count - 1) + row if count else 0)
    if needed > length or start + length > len(data):
        raise document.broken(
            f"{count} entries need {needed} bytes of the {max(min(length, len(data) - start), 0)} there are",
            where,
        )
    if count == 0:
        return np.zeros((0, width))
    return np.ndarray((count, width), kind, data, start + offset, (stride, kind.itemsize))


def _with_sparse(
    document: Document, record: dict[str, Any], values: np.ndarray, kind: np.dtype, where: str
) -> np.ndarray:
    """The values with the few that a sparse accessor replaces."""
    sparse = record["sparse"]
    places, news = (sparse.get("indices"), sparse.get("values")) if isinstance(sparse, dict) else (None, None)
    if (
        not isinstance(places, dict)
        or not isinstance(news, dict)
        or not {*places} & {*news} >= {"bufferView"}
    ):
        raise document.broken("its sparse part is incomplete", where)
    count = document.whole(sparse, "count", where)
    place_kind = _named(SCALARS, places.get("componentType")) or "<u4"
    at = _view(document, places, np.dtype(place_kind), 1, count, where)[:, 0].astype(np.int64)
    if len(at) and (at.min() < 0 or at.max() >= len(values)):
        raise document.broken("its sparse part replaces entries that do not exist", where)
    values = values.copy()
    values[at] = _view(document, news, kind, values.shape[1], count, where)
    return values


def write_glb(file: BinaryIO | BytesIO, mesh: Mesh, comments: list[str]) -> None:
    """GLB: positions and normals in single precision, colours as linear light, 32-bit indices.

    Vertices that came in double precision lie too far from the origin for single: they are stored around the
    centre of their box, and the node moves them back.
    """
    vertices, node = mesh.vertices, {"mesh": 0}
    if vertices.dtype == np.float64 and len(vertices):
        centre = vertices.min(axis=0) / 2 + vertices.max(axis=0) / 2
        vertices, node = vertices - centre, {"mesh": 0, "translation": centre.tolist()}
    vertices = vertices.astype("<f4")
    bounds = {}
    if len(vertices):
        bounds = {"min": vertices.min(axis=0).tolist(), "max": vertices.max(axis=0).tolist()}
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []
    binary = bytearray()

    def store(values: np.ndarray, form: str, code: int, target: int, **more: Any) -> int:
        data = values.tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data), "target": target})
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": code, "count": len(values), "type": form, **more}
        )
        binary.extend(data)
        return len(accessors) - 1

    array, element_array = 34962, 34963
    attributes = {"POSITION": store(vertices, "VEC3", 5126, array, **bounds)}
    if mesh.normals is not None:
        attributes["NORMAL"] = store(mesh.normals.astype("<f4"), "VEC3", 5126, array)
    if mesh.colours is not None:
        light = np.ones((len(vertices), 4))  # four values of two bytes: rows must begin at multiples of four
        light[:, :3] = linear_from_srgb(mesh.colours / 255.0)
        attributes["COLOR_0"] = store(
            np.rint(light * 65535).astype("<u2"), "VEC4", 5123, array, normalized=True
        )
    primitive: dict[str, Any] = {"attributes": attributes, "mode": TRIANGLES if len(mesh.faces) else POINTS}
    if len(mesh.faces):
        primitive["material"] = 0
        primitive["indices"] = store(mesh.faces.astype("<u4").ravel(), "SCALAR", 5125, element_array)
    asset: dict[str, Any] = {"version": "2.0", "generator": "isofield"}
    if comments:
        asset["extras"] = {"comments": comments}
    tree = {
        "asset": asset,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [node],
        "meshes": [{"primitives": [primitive]}],
    }
    if len(mesh.faces):
        tree["materials"] = [PLASTER]
    tree |= {"accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(binary)}]}
    text = json.dumps(tree, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // 4) * 4)
    file.write(MAGIC + struct.pack("<II", 2, 12 + 8 + len(text) + 8 + len(binary)))
    file.write(struct.pack("<II", len(text), JSON_CHUNK) + text)
    file.write(struct.pack("<II", len(binary), BINARY_CHUNK) + bytes(binary))
