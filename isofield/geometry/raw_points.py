"""Raw points: how noisy they are, which are outliers, their normals, and which way these point."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree

from ..runtime.threads import threads

__all__ = ["Neighbourhoods", "Samples", "inliers", "oriented_by_tree", "smoothed", "turned_towards"]

_AREA_NEIGHBOURS = 8
_JUDGES = 16  # neighbours that tell an outlier
_LONELY = 2.0  # times the usual distance to neighbours
_OFF_PLANE = 0.35  # of the distance to neighbours, or of their spread
_CHUNK = 1 << 16  # points whose neighbours are gathered at a time


class Samples:
    """Points float [P, 3] that sample a surface, for questions about the nearest.

    areas: float [P], of the surface around each: pi r^2 / k, r the distance to the k-th neighbour. spacing:
    float32 [P], edge of a square of that area.
    """

    def __init__(self, points: np.ndarray) -> None:
        self.points, self.tree = points, cKDTree(points)
        k = min(_AREA_NEIGHBOURS, len(points) - 1)
        reach = self.tree.query(points, k + 1, workers=threads())[0]
        self.areas = np.pi * reach[:, -1] ** 2 / max(k, 1)
        self.spacing = np.sqrt(self.areas).astype(np.float32)

    def distance(self, points: np.ndarray, limit: float = np.inf) -> np.ndarray:
        """Distances [N] of points [N, 3] to the nearest sample, cut off at `limit`."""
        found = self.tree.query(points, distance_upper_bound=limit, workers=threads())[0]
        return np.minimum(found, limit).astype(np.float32)

    def carried(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Values [P, C] of the samples at points [N, 3]: the nearest sample's."""
        return values[self.tree.query(points, workers=threads())[1]]


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """The nearest neighbours of each of P points and the plane through them (principal components).

    index: int [P, K], the point itself first. distances: [P, K], ascending. normals: float32 [P, 3], unit
    length, of either sign. residuals: [P], root mean square distance of the neighbours to their plane.
    """

    index: np.ndarray
    distances: np.ndarray
    normals: np.ndarray
    residuals: np.ndarray

    @property
    def spacing(self) -> np.ndarray:
        """Edge of a square of the area that each point stands for, [P]."""
        return self.distances[:, -1] * np.sqrt(np.pi / max(self.index.shape[1] - 1, 1))

    @classmethod
    def of(cls, points: np.ndarray, count: int) -> "Neighbourhoods":
        """Of points float [P, 3], each with its `count` nearest (fewer where there are fewer)."""
        count = min(count, len(points))
        distances, index = cKDTree(points).query(points, count, workers=threads())
        normals, residuals = np.empty((len(points), 3), np.float32), np.empty(len(points), np.float32)
        for start in range(0, len(points), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            _, values, normals[chunk] = _planes(points[index[chunk]].astype(np.float64))
            residuals[chunk] = np.sqrt(np.maximum(values[:, 0], 0))
        return cls(index, distances, normals, residuals)


def inliers(points: np.ndarray) -> np.ndarray:
    """Bool [P]: which points lie on a surface that others show too.

    A point is left out where it is farther from its neighbours than most points are and, besides, lies off
    their plane or has none: sparse parts of a surface stay.
    """
    if len(points) <= _JUDGES:
        return np.ones(len(points), bool)
    distances, index = cKDTree(points).query(points, _JUDGES + 1, workers=threads())
    own = distances[:, 1:].mean(axis=1)
    lonely = np.flatnonzero(own > _LONELY * np.median(own))
    kept = np.ones(len(points), bool)
    for chunk in np.array_split(lonely, len(lonely) // _CHUNK + 1):
        centre, values, normals = _planes(points[index[chunk, 1:]])
        off = np.abs(((points[chunk] - centre) * normals).sum(axis=1)) / own[chunk]
        spread = np.sqrt(np.maximum(values[:, 0], 0) / np.maximum(values[:, 1], 1e-300))
        kept[chunk] = (off < _OFF_PLANE) & (spread < _OFF_PLANE)
    return kept


def _planes(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of groups of points [N, K, 3]: centres [N, 3], mean squares [N, 3] along the principal axes, ascending,
    and normals [N, 3] of the planes through them."""
    centre = groups.mean(axis=1)
    around = groups - centre[:, None]
    values, vectors = np.linalg.eigh(np.einsum("pki,pkj->pij", around, around) / groups.shape[1])
    return centre, values, vectors[:, :, 0]


def smoothed(points: np.ndarray, around: Neighbourhoods) -> tuple[np.ndarray, np.ndarray]:
    """Points [P, 3] moved along their normals onto the quadric surfaces that fit their neighbours best, and
    the normals [P, 3] of those there (osculating jets of order 2; Cazals and Pouget 2005).

    Neighbours count by a Gaussian of the distance, half as wide as the farthest is away. A plane instead of a
    quadric would shrink what is curved.
    """
    moved, normals = np.empty((len(points), 3)), np.empty((len(points), 3), np.float32)
    for start in range(0, len(points), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        frame = _frames(around.normals[chunk].astype(np.float64))
        offsets = points[around.index[chunk]] - points[chunk, None]
        u, v, h = np.einsum("pki,pai->apk", offsets, frame)
        reach = around.distances[chunk, -1:]
        weight = np.exp(-0.5 * (around.distances[chunk] / (reach / 2)) ** 2)
        u, v = u / reach, v / reach
        terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=2)
        left = np.einsum("pki,pkj,pk->pij", terms, terms, weight) + 1e-6 * np.eye(6)
        right = np.einsum("pki,pk,pk->pi", terms, h, weight)
        fit = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        moved[chunk] = points[chunk] + fit[:, :1] * frame[:, 2]
        slope = fit[:, 1:3] / reach
        tilted = frame[:, 2] - slope[:, :1] * frame[:, 0] - slope[:, 1:] * frame[:, 1]
        normals[chunk] = tilted / np.linalg.norm(tilted, axis=1, keepdims=True)
    return moved, normals


def _frames(normals: np.ndarray) -> np.ndarray:
    """Orthonormal axes [P, 3, 3] (rows u, v, n) with the given last ones."""
    helper = np.eye(3)[np.abs(normals).argmin(axis=1)]
    u = np.cross(helper, normals)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    return np.stack([u, np.cross(normals, u), normals], axis=1)


def turned_towards(normals: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Normals [P, 3] of either sign turned to the side of directions [P, 3]: those to the sensor, say."""
    return np.where((normals * directions).sum(1, keepdims=True) < 0, -normals, normals)


def oriented_by_tree(points: np.ndarray, around: Neighbourhoods, links: int = 10) -> np.ndarray:
    """Normals [P, 3] turned so that neighbours agree (Hoppe et al. 1992): along the spanning tree of the
    neighbours' graph with the least sum of 1 - |cos| of the angle between normals.

    Each connected part starts from the one of its six extreme points whose normal is most nearly along that
    axis; it points out of the box there.
    """
    normals, count = around.normals, len(points)
    index = around.index[:, 1 : links + 1]
    start, stop = np.repeat(np.arange(count), index.shape[1]), index.ravel()
    cosine = np.abs((normals[start] * normals[stop]).sum(1))
    graph = coo_array((1 - cosine + 1e-4, (start, stop)), shape=(count, count)).tocsr()
    graph = graph.maximum(graph.T)  # the weights of both directions are equal: this makes them mutual
    tree = minimum_spanning_tree(graph)
    tree = tree + tree.T
    parts, part = connected_components(tree, directed=False)
    sign = np.zeros(count, np.float32)
    for root in _roots(points, normals, part, parts):
        axis = int(np.abs(normals[root]).argmax())
        side = 1 if points[root, axis] >= points[part == part[root], axis].mean() else -1
        order, before = breadth_first_order(tree, root, directed=False)
        signs = {root: np.float32(np.sign(normals[root, axis]) * side)}
        agree = np.sign((normals[order[1:]] * normals[before[order[1:]]]).sum(1))
        for point, parent, same in zip(order[1:].tolist(), before[order[1:]].tolist(), agree.tolist()):
            signs[point] = signs[parent] * (same or 1.0)
        sign[list(signs)] = list(signs.values())
    return normals * sign[:, None]


def _roots(points: np.ndarray, normals: np.ndarray, part: np.ndarray, parts: int) -> list[int]:
    """For each part, of its extreme points along the axes, the one whose normal is most nearly along its
    axis."""
    roots = []
    by_part = np.split(np.argsort(part, kind="stable"), np.cumsum(np.bincount(part, minlength=parts))[:-1])
    for members in by_part:
        extremes = [
            (members[pick(points[members, axis])], axis)
            for axis in range(3)
            for pick in (np.argmin, np.argmax)
        ]
        roots.append(int(max(extremes, key=lambda end: abs(normals[end[0], end[1]]))[0]))
    return roots
