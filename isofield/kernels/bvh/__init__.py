"""A bounding volume hierarchy over triangles, or over oriented points: nearest points and winding numbers of many queries.

Queries are sorted along a space-filling curve and taken in groups of neighbours: a group walks the tree once, and what it meets
(boxes, triangles, multipole expansions) is evaluated for all its points in vectorised loops.
"""

import os
from dataclasses import dataclass

import numpy as np

from ...runtime.errors import InputError
from ...runtime.threads import run_pieces, split, threads
from . import reference

__all__ = ["PointTree", "Tree", "build", "build_points", "nearest", "winding_number"]


@dataclass(frozen=True, eq=False)
class _Hierarchy:
    """The arrays of the fast kernels, in tree coordinates: tree = (input - centre) * scale, all within [-1, 1].

    boxes: float32 [nodes, 6], lower and upper corner. links: int32 [nodes, 2], (first row, number of rows) of a leaf, (right
    child, 0) of an inner node, whose left child is the next node. rows: float32 [primitives, 24], in the order of the leaves.
    multipoles: float32 [nodes, 24]. All are empty where the reference is used.
    """

    centre: np.ndarray
    scale: float
    boxes: np.ndarray
    links: np.ndarray
    rows: np.ndarray
    multipoles: np.ndarray


@dataclass(frozen=True, eq=False)
class Tree:
    """Triangles and their hierarchy.

    vertices: float64 [V, 3] and faces: int32 [F, 3] as given. order: int32 [F], the face of each row of the hierarchy.
    """

    vertices: np.ndarray
    faces: np.ndarray
    order: np.ndarray
    hierarchy: _Hierarchy


@dataclass(frozen=True, eq=False)
class PointTree:
    """Oriented points with areas and their hierarchy: positions, normals float64 [P, 3], areas float64 [P]."""

    positions: np.ndarray
    normals: np.ndarray
    areas: np.ndarray
    hierarchy: _Hierarchy


def build(vertices: np.ndarray, faces: np.ndarray) -> Tree:
    """The hierarchy over triangles: vertices float [V, 3], faces int [F, 3] with F at least 1; degenerate faces are welcome.

    Raises InputError where there is no face, or where a face uses a vertex that is not finite or not there.
    """
    vertices = np.ascontiguousarray(vertices, np.float64)
    faces = np.ascontiguousarray(faces, np.int32)
    if len(faces) == 0:
        raise InputError("the mesh has no faces", "build", "Give a mesh with at least one triangle.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError("a face names a vertex that does not exist", "build", f"Use indices from 0 to {len(vertices) - 1}.")
    corners = vertices[faces]
    if not np.isfinite(corners).all():
        raise InputError("a face has a corner that is not a finite number", "build", "Remove such faces first.")
    order = np.arange(len(faces), dtype=np.int32)
    if _reference():
        return Tree(vertices, faces, order, _no_hierarchy())
    from . import numba

    low, high = corners.min(axis=1), corners.max(axis=1)
    centre, scale = _similarity(low.min(axis=0), high.max(axis=0))
    boxes, links = _nodes((low - centre) * scale, (high - centre) * scale, order)
    rows = np.empty((len(faces), 24), np.float32)
    working = (vertices - centre) * scale
    run_pieces(numba.triangle_rows, [(*piece, working, faces, order, rows) for piece in _pieces(len(faces))])
    return Tree(vertices, faces, order, _expanded(centre, scale, boxes, links, rows))


def build_points(positions: np.ndarray, normals: np.ndarray, areas: np.ndarray) -> PointTree:
    """The hierarchy over oriented points: positions [P, 3], unit normals [P, 3], areas [P]. Raises InputError on none or not finite."""
    positions, normals, areas = (np.ascontiguousarray(x, np.float64) for x in (positions, normals, areas))
    if len(positions) == 0:
        raise InputError("there are no points", "build_points", "Give at least one oriented point.")
    if not (np.isfinite(positions).all() and np.isfinite(normals).all() and np.isfinite(areas).all()):
        raise InputError("points, normals or areas are not finite numbers", "build_points", "Remove such points first.")
    if _reference():
        return PointTree(positions, normals, areas, _no_hierarchy())
    centre, scale = _similarity(positions.min(axis=0), positions.max(axis=0))
    working = (positions - centre) * scale
    order = np.arange(len(positions), dtype=np.int32)
    boxes, links = _nodes(working, working, order)
    # A row is a triangle with its three corners in one place whose area vector is that of the sample.
    rows = np.zeros((len(positions), 24), np.float32)
    rows[:, 0:9] = np.tile(working[order], (1, 3))
    rows[:, 9:12] = (2.0 * scale * scale) * (normals * areas[:, None])[order]
    return PointTree(positions, normals, areas, _expanded(centre, scale, boxes, links, rows))


def nearest(tree: Tree, points: np.ndarray, limit: float = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance float32 [N], face int32 [N] and closest surface point float32 [N, 3] of points float32 [N, 3].

    Where nothing is within `limit` the distance is the limit, the face -1 and the closest point the point itself; such points
    cost next to nothing. Distances are unsigned and exact but for the rounding of the float32 points.
    """
    points = np.ascontiguousarray(points, np.float32)
    if _reference():
        return reference.nearest(tree.vertices, tree.faces, points, limit)
    from . import numba

    h = tree.hierarchy
    keys = _curve_keys(points)
    distance, face = np.empty(len(points), np.float32), np.empty(len(points), np.int32)
    closest = np.empty((len(points), 3), np.float32)
    reach = min(float(limit) * h.scale, 1e15)  # finite: the compiled loops assume that there is no infinity
    fixed = (keys, points, h.centre, h.scale, reach, h.boxes, h.links, h.rows)
    fixed += (tree.vertices, tree.faces, tree.order, float(limit), distance, face, closest)
    run_pieces(numba.closest, [(*piece, *fixed) for piece in _pieces(len(points), numba.LANES)])
    return distance, face, closest


def winding_number(tree: Tree | PointTree, points: np.ndarray) -> np.ndarray:
    """Generalised winding number float32 [N] of points float32 [N, 3]: 1 inside, 0 outside of a closed surface with outward faces.

    Far parts of the surface are replaced by their expansion to second order (Barill et al. 2018, "Fast winding numbers for soups
    and clouds"); the error against the exact sum is below 0.003, typically 0.0003.
    """
    points = np.ascontiguousarray(points, np.float32)
    if _reference() and isinstance(tree, Tree):
        return reference.winding_number(tree.vertices, tree.faces, points)
    if _reference():
        return reference.dipole_winding_number(tree.positions, tree.normals, tree.areas, points)
    from . import numba

    h = tree.hierarchy
    keys = _curve_keys(points)
    result = np.empty(len(points), np.float32)
    fixed = (keys, points, h.centre, h.scale, h.links, h.rows, h.multipoles, isinstance(tree, PointTree), result)
    run_pieces(numba.winding, [(*piece, *fixed) for piece in _pieces(len(points), numba.LANES)])
    return result


def _reference() -> bool:
    return os.environ.get("ISOFIELD_KERNELS") == "reference"


def _no_hierarchy() -> _Hierarchy:
    empty = np.zeros((0, 24), np.float32)
    return _Hierarchy(np.zeros(3), 1.0, empty, np.zeros((0, 2), np.int32), empty, empty)


def _pieces(count: int, multiple: int = 1) -> list[tuple[int, int]]:
    return split(count, 16 * threads(), multiple)


def _similarity(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
    return low / 2 + high / 2, 2.0 / (float(np.max(high - low)) or 2.0)


def _nodes(low: np.ndarray, high: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and links over primitives with the given bounds; permutes `order` to the order of the leaves."""
    from . import numba

    bounds = np.concatenate([low - numba.PAD, high + numba.PAD], axis=1, dtype=np.float32)
    boxes, links = np.empty((2 * len(order), 6), np.float32), np.empty((2 * len(order), 2), np.int32)
    count = numba.build_nodes(bounds, order, boxes, links)
    return boxes[:count].copy(), links[:count].copy()


def _expanded(
    centre: np.ndarray, scale: float, boxes: np.ndarray, links: np.ndarray, rows: np.ndarray
) -> _Hierarchy:
    from . import numba

    multipoles = np.zeros((len(links), 24), np.float32)
    numba.expand_nodes(boxes, links, rows, numba.TOLERANCE, numba.NARROWEST, np.empty((len(links), 36)), multipoles)
    return _Hierarchy(centre, scale, boxes, links, rows, multipoles)


def _curve_keys(points: np.ndarray) -> np.ndarray:
    """For every point its place on a space-filling curve (upper half) and its index (lower half), sorted."""
    from . import numba

    keys = np.empty(len(points), np.uint64)
    if len(points):
        low = points.min(axis=0)
        scale = np.float32(1023.99 / max(float(np.max(points.max(axis=0) - low)), 1e-30))
        run_pieces(numba.curve_keys, [(*piece, points, low, scale, keys) for piece in _pieces(len(points))])
        keys.sort()
    return keys
