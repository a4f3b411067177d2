"""A bounding volume hierarchy over triangles or oriented points: nearest points and winding numbers.

Queries are sorted along a space-filling curve and taken in groups of neighbours. A group walks the tree
once, and what it meets (boxes, triangles, multipole expansions) is evaluated for all its points in
vectorised loops. A nearest point does not depend on the other queries; a winding number does within the
error of the expansions. Neither depends on the number of threads.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int32, Integer

from ...runtime.errors import InputError
from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled
from ..topology import first_occurrences
from . import reference
from .crossings import reference as crossings_reference

__all__ = [
    "Hierarchy",
    "PointTree",
    "Tree",
    "build",
    "build_points",
    "nearest",
    "self_intersections",
    "winding_number",
    "winding_number_and_gradient",
]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The arrays of the compiled kernels, in tree coordinates: (input - centre) * scale, all within [-1, 1].

    centre: float64 [3]. boxes: float32 [nodes, 6], lower and upper corner. links: int32 [nodes, 2], (first
    row, number of rows) of a leaf, (right child, 0) of an inner node, whose left child is the next node.
    rows: float32 [primitives, 24], in the order of the leaves. multipoles: float32 [nodes, 24]. The arrays
    are empty where the reference is in use.
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

    vertices: float64 [V, 3] and faces: int32 [F, 3] as given. order: int32 [F], the face of each row of the
    hierarchy.
    """

    vertices: np.ndarray
    faces: np.ndarray
    order: np.ndarray
    hierarchy: Hierarchy


@dataclass(frozen=True, eq=False)
class PointTree:
    """Oriented points and their hierarchy: positions and area vectors (normal times area), float64 [P, 3]."""

    positions: np.ndarray
    area_vectors: np.ndarray
    hierarchy: Hierarchy


def build(vertices: Float[np.ndarray, "vertices 3"], faces: Integer[np.ndarray, "faces 3"]) -> Tree:
    """The tree over the triangles of a mesh: at least one; degenerate and repeated ones are welcome.

    Raises InputError where there are no faces, and where a face uses a vertex that is not there or not
    finite.
    """
    vertices = np.ascontiguousarray(vertices, np.float64)
    faces = np.ascontiguousarray(faces, np.int32)
    if len(faces) == 0:
        raise InputError("the mesh has no faces", "build", "Give a mesh with at least one triangle.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(
            "a face names a vertex that is not there", "build", f"The mesh has {len(vertices)} vertices."
        )
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)  # NaN stays
    least, most = low.min(axis=0), high.max(axis=0)
    if not np.isfinite(least + most).all():
        raise InputError(
            "a face has a vertex that is not finite", "build", "Remove faces with NaN or infinity first."
        )
    order = np.arange(len(faces), dtype=np.int32)
    if not use_compiled():
        return Tree(vertices, faces, order, _no_hierarchy())
    from . import numba

    centre, scale = _similarity(least, most)
    boxes, links, _ = _nodes((low - centre) * scale, (high - centre) * scale, order)
    rows = np.empty((len(faces), 24), np.float32)
    fixed = ((vertices - centre) * scale, faces, order, rows)
    run_pieces(numba.triangle_rows, [(*piece, *fixed) for piece in _pieces(len(faces))])
    return Tree(vertices, faces, order, _expanded(centre, scale, boxes, links, rows))


def build_points(
    positions: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"],
    areas: Float[np.ndarray, " points"],
) -> PointTree:
    """The tree over oriented points: unit normals that point out, and the area that each point stands for.

    Raises InputError where there are no points, and where a number is not finite.
    """
    positions = np.ascontiguousarray(positions, np.float64)
    area_vectors = normals.astype(np.float64) * areas.astype(np.float64)[:, None]
    if len(positions) == 0:
        raise InputError("there are no points", "build_points", "Give at least one oriented point.")
    if not (np.isfinite(positions).all() and np.isfinite(area_vectors).all()):
        raise InputError("a point, normal or area is not finite", "build_points", "Remove such points first.")
    if not use_compiled():
        return PointTree(positions, area_vectors, _no_hierarchy())
    centre, scale = _similarity(positions.min(axis=0), positions.max(axis=0))
    working = (positions - centre) * scale
    order = np.arange(len(positions), dtype=np.int32)
    boxes, links, _ = _nodes(working, working, order)
    # A row is that of a triangle whose corners have come together while its area vector stayed.
    rows = np.zeros((len(positions), 24), np.float32)
    rows[:, 0:9] = np.tile(working[order], (1, 3))
    rows[:, 9:12] = 2.0 * scale * scale * area_vectors[order]
    return PointTree(positions, area_vectors, _expanded(centre, scale, boxes, links, rows))


def nearest(
    tree: Tree, points: Float[np.ndarray, "points 3"], limit: float = np.inf
) -> tuple[Float32[np.ndarray, " points"], Int32[np.ndarray, " points"], Float32[np.ndarray, "points 3"]]:
    """Distance to the surface, nearest face, and closest point there, of finite points (taken as float32).

    Where nothing is nearer than `limit`, the distance is the limit, the face -1 and the closest point the
    point itself: a small limit makes far points nearly free. Distances are unsigned, and exact up to
    rounding.
    """
    points = np.ascontiguousarray(points, np.float32)
    if not use_compiled():
        return reference.nearest(tree.vertices, tree.faces, points, limit)
    from . import numba

    h = tree.hierarchy
    distance, face = np.empty(len(points), np.float32), np.empty(len(points), np.int32)
    closest = np.empty((len(points), 3), np.float32)
    # finite, as the compiled loops assume that nothing is infinite
    reach = np.float32(min(limit * h.scale * (1 + 1e-6), 1e15))
    fixed = (_curve_keys(points), points, h.centre, h.scale, reach, h.boxes, h.links, h.rows)
    fixed += (tree.vertices, tree.faces, tree.order, float(limit), distance, face, closest)
    run_pieces(numba.nearest, [(*piece, *fixed) for piece in _pieces(len(points))])
    return distance, face, closest


def winding_number(
    tree: Tree | PointTree, points: Float[np.ndarray, "points 3"]
) -> Float32[np.ndarray, " points"]:
    """Generalised winding numbers of finite points (taken as float32): 1 inside a closed surface, else 0.

    Far parts of the surface are replaced by their expansion to second order (Barill et al. 2018, "Fast
    winding numbers for soups and clouds"); the error is below 0.003, typically 0.0005, as with libigl.
    """
    points = np.ascontiguousarray(points, np.float32)
    if not use_compiled():
        if isinstance(tree, Tree):
            return reference.winding_number(tree.vertices, tree.faces, points)
        return reference.dipole_winding_number(tree.positions, tree.area_vectors, points)
    from .winding import numba

    result = np.empty(len(points), np.float32)
    _sum(numba.winding, tree, points, result)
    return result


def winding_number_and_gradient(
    tree: Tree | PointTree, points: Float[np.ndarray, "points 3"]
) -> tuple[Float32[np.ndarray, " points"], Float32[np.ndarray, "points 3"]]:
    """Winding numbers and their gradients with respect to the points; two to three times the time of the
    numbers alone.
    """
    points = np.ascontiguousarray(points, np.float32)
    number = winding_number(tree, points)
    if not use_compiled():
        if isinstance(tree, Tree):
            return number, reference.winding_gradient(tree.vertices, tree.faces, points)
        return number, reference.dipole_winding_gradient(tree.positions, tree.area_vectors, points)
    from .winding import numba

    gradient = np.empty((len(points), 3), np.float32)
    _sum(numba.winding_gradient, tree, points, gradient)
    return number, gradient


def self_intersections(
    vertices: Float[np.ndarray, "vertices 3"], faces: Integer[np.ndarray, "faces 3"], limit: int = 100_000
) -> Int32[np.ndarray, "pairs 2"]:
    """Pairs (f, g), f < g, of faces that meet elsewhere than in corners and edges that they share.

    All of them in order, or `limit` of them where there are more. Corners are shared where they lie in the
    same place, whatever their indices. Faces in one plane count where their interiors overlap: a folded
    edge, a repeated face. Faces without area never count. The signs that decide are computed in float64; one
    that rounding could change counts as a touch.
    """
    corners = vertices.astype(np.float64)[faces]
    full = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).any(axis=1)
    number = np.flatnonzero(full).astype(np.int32)
    corners = corners[full]
    places = first_occurrences(vertices)[1].astype(np.int32)[faces[full]]
    if not use_compiled() or len(number) == 0:
        return number[crossings_reference.crossings(corners, places, limit)]
    from .crossings import numba

    low, high = corners.min(axis=1), corners.max(axis=1)
    centre, scale = _similarity(low.min(axis=0), high.max(axis=0))
    order = np.arange(len(number), dtype=np.int32)
    boxes, links, bounds = _nodes((low - centre) * scale, (high - centre) * scale, order)
    found = {}

    def search(start: int, stop: int) -> None:
        pairs = np.empty((limit, 2), np.int32)
        count = numba.crossings(start, stop, bounds, boxes, links, order, corners, places, pairs)
        found[start] = pairs[:count].copy()

    run_pieces(search, _pieces(len(number)))
    pairs = np.concatenate([found[start] for start in sorted(found)])[:limit]
    return number[pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]]


def _no_hierarchy() -> Hierarchy:
    empty = np.zeros((0, 24), np.float32)
    return Hierarchy(np.zeros(3), 1.0, empty, np.zeros((0, 2), np.int32), empty, empty)


def _pieces(count: int) -> list[tuple[int, int]]:
    from . import numba

    return split(count, 16 * threads(), numba.LANES)


def _similarity(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and scale of tree coordinates for a bounding box; a single point keeps its scale."""
    return low / 2 + high / 2, 2.0 / (float(np.max(high - low)) or 2.0)


def _nodes(low: np.ndarray, high: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, links, and the bounds [F, 6] by row, of primitives; permutes `order` to that of the rows."""
    from . import numba

    bounds = np.concatenate([low, high], axis=1, dtype=np.float32)
    bounds += np.repeat(np.float32([-numba.PAD, numba.PAD]), 3)
    boxes, links = np.empty((2 * len(order), 6), np.float32), np.empty((2 * len(order), 2), np.int32)
    count = numba.build_nodes(bounds, order, boxes, links)
    return boxes[:count].copy(), links[:count].copy(), bounds


def _expanded(
    centre: np.ndarray, scale: float, boxes: np.ndarray, links: np.ndarray, rows: np.ndarray
) -> Hierarchy:
    from .winding import numba

    multipoles = np.zeros((len(links), 24), np.float32)
    numba.expand_nodes(boxes, links, rows, np.empty((len(links), 36)), multipoles)
    return Hierarchy(centre, scale, boxes, links, rows, multipoles)


def _sum(kernel, tree: Tree | PointTree, points: np.ndarray, result: np.ndarray) -> None:
    """Run a kernel of the winding number over all points."""
    h = tree.hierarchy
    fixed = (_curve_keys(points), points, h.centre, h.scale, h.links, h.rows, h.multipoles)
    fixed += (isinstance(tree, PointTree), result)
    run_pieces(kernel, [(*piece, *fixed) for piece in _pieces(len(points))])


def _curve_keys(points: np.ndarray) -> np.ndarray:
    """For every point its place on the curve (upper half of the number) and its index (lower), sorted."""
    from . import numba

    keys = np.empty(len(points), np.uint64)
    if len(points) > 0:
        columns = [points[:, k] for k in range(3)]  # one at a time: numpy is slow along a short axis
        low = np.array([column.min() for column in columns])
        longest = max(float(column.max()) - float(column.min()) for column in columns)
        scale = np.float32(1023.99 / max(longest, 1e-30))
        run_pieces(numba.curve_keys, [(*piece, points, low, scale, keys) for piece in _pieces(len(points))])
        keys.sort()
    return keys
