"""Arrays as short text for a page: whole numbers, differences of neighbours, zlib, base64; meshes likewise.

`browser/arrays.js` reads this format back: `unpack` there mirrors `pack` here.
"""

import base64
import zlib

import fast_simplification
import numpy as np
from jaxtyping import Float, Int, Int32, UInt8
from scipy.spatial import cKDTree

from ..geometry.mesh import Mesh, area_weighted_normals

__all__ = ["NORMAL_STEPS", "octahedral", "pack", "pack_mesh", "pack_points", "quantise", "simplified"]

POSITION_STEPS = 65535
NORMAL_STEPS = 511  # on each side of zero
SCALAR_STEPS = 255


def pack(numbers: Int[np.ndarray, "count columns"], order: int) -> dict:
    """Whole numbers [N, C] as {count, columns, order, bytes, text}.

    order: how many times differences down the columns are taken; 0 needs numbers >= 0. Differences are zigzag
    coded: 0, -1, 1, -2, ... become 0, 1, 2, 3, ... The low bytes of all numbers come first, column by column,
    then all next bytes: high bytes are nearly all zero.
    """
    numbers = numbers.astype(np.int64)
    for _ in range(order):
        numbers = np.diff(numbers, axis=0, prepend=0)
    if order:
        numbers = (numbers << 1) ^ (numbers >> 63)
    width = max((int(numbers.max(initial=0)).bit_length() + 7) // 8, 1)
    planes = [((numbers.T >> (8 * byte)) & 255).astype(np.uint8).tobytes() for byte in range(width)]
    text = base64.b64encode(zlib.compress(b"".join(planes), 9)).decode("ascii")
    return {
        "count": len(numbers),
        "columns": numbers.shape[1],
        "order": order,
        "bytes": width,
        "text": text,
    }


def quantise(
    values: Float[np.ndarray, "*shape"], low: np.ndarray | float, high: np.ndarray | float, steps: int
) -> Int32[np.ndarray, "*shape"]:
    """Whole numbers 0 (low) to `steps` (high), clipped to that range; off by half a step at most."""
    extent = np.asarray(high, np.float64) - low
    share = (np.asarray(values, np.float64) - low) / np.where(extent > 0, extent, 1)
    return np.round(np.clip(share, 0, 1) * steps).astype(np.int32)


def octahedral(normals: Float[np.ndarray, "vertices 3"]) -> Int32[np.ndarray, "vertices 2"]:
    """Unit vectors as whole numbers in [-511, 511]: the unfolded octahedron (Cigolle et al. 2014)."""
    x, y, z = (normals / np.maximum(np.abs(normals).sum(axis=1, keepdims=True), 1e-12)).T
    folded_x = np.where(z >= 0, x, (1 - np.abs(y)) * np.where(x >= 0, 1, -1))
    folded_y = np.where(z >= 0, y, (1 - np.abs(x)) * np.where(y >= 0, 1, -1))
    return np.round(np.stack([folded_x, folded_y], axis=1) * NORMAL_STEPS).astype(np.int32)


def simplified(mesh: Mesh, scalars: np.ndarray | None, most_faces: int) -> tuple[Mesh, np.ndarray | None]:
    """The mesh with about `most_faces` faces, for display (quadric error); unchanged where it has no more.

    Normals, colours and `scalars` [V] are those of the nearest vertex.
    """
    if len(mesh.faces) <= most_faces:
        return mesh, scalars
    # the simplifier's thresholds are absolute: give it a shape of unit size
    middle, size = mesh.vertices.mean(axis=0), np.ptp(mesh.vertices, axis=0).max()
    vertices, faces = fast_simplification.simplify(
        (mesh.vertices - middle) / size, mesh.faces, target_count=most_faces
    )
    vertices = vertices * size + middle
    nearest = cKDTree(mesh.vertices).query(vertices)[1]
    normals = None if mesh.normals is None else mesh.normals[nearest]
    colours = None if mesh.colours is None else mesh.colours[nearest]
    smaller = Mesh(vertices, faces.astype(np.int32), normals, colours)
    return smaller, None if scalars is None else scalars[nearest]


def pack_mesh(mesh: Mesh, scalars: np.ndarray | None, scalar_range: tuple[float, float]) -> dict:
    """The arrays of a mesh for the page.

    Faces follow a space-filling curve and vertices their first use, so that neighbours in the arrays are
    neighbours in space; vertices without a face are left out. An index is written as its distance from the
    number of vertices seen so far, which is 0 for a new one.
    """
    faces = mesh.faces[np.argsort(_morton(mesh.vertices[mesh.faces].mean(axis=1)), kind="stable")]
    used, first, inverse = np.unique(faces, return_index=True, return_inverse=True)
    by_use = np.argsort(first)
    rank = np.empty(len(used), np.int64)
    rank[by_use] = np.arange(len(used))
    order, indices = used[by_use], rank[inverse.ravel()]
    seen = np.concatenate([[0], np.maximum.accumulate(indices)[:-1] + 1])

    normals = area_weighted_normals(mesh) if mesh.normals is None else mesh.normals
    packed = _pack_positions(mesh.vertices[order])
    packed["faces"] = pack((seen - indices)[:, None], 0)
    packed["normals"] = pack(octahedral(normals[order]), 1)
    if scalars is not None:
        packed["scalars"] = pack(quantise(scalars[order][:, None], *scalar_range, SCALAR_STEPS), 1)
    if mesh.colours is not None:
        packed["colours"] = pack(mesh.colours[order].astype(np.int32), 1)
    return packed


def pack_points(
    points: Float[np.ndarray, "points 3"],
    scalars: Float[np.ndarray, "points"] | None = None,
    colours: UInt8[np.ndarray, "points 3"] | None = None,
) -> dict:
    """The arrays of points for the page, along a space-filling curve. scalars: in [0, 1]."""
    order = np.argsort(_morton(points), kind="stable")
    packed = _pack_positions(points[order])
    if scalars is not None:
        packed["scalars"] = pack(quantise(scalars[order][:, None], 0.0, 1.0, SCALAR_STEPS), 1)
    if colours is not None:
        packed["colours"] = pack(colours[order].astype(np.int32), 1)
    return packed


def _pack_positions(points: np.ndarray) -> dict:
    low, high = points.min(axis=0), points.max(axis=0)
    positions = pack(quantise(points, low, high, POSITION_STEPS), 1)
    return {"low": low.tolist(), "high": high.tolist(), "positions": positions}


def _morton(points: np.ndarray) -> np.ndarray:
    """Position along the Morton curve [N] of points, 10 bits an axis."""
    cells = quantise(points, points.min(axis=0), points.max(axis=0), 1023).astype(np.int64)
    code = np.zeros(len(points), np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code
