"""What is inside a mesh, and how far its surface is: the labels of shape fields."""

from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from ..kernels import bvh
from ..kernels.topology import first_occurrences
from .mesh import Mesh, barycentric
from .surface_samples import SurfaceSampler, sample_surface

__all__ = ["Solid", "count_open_edges", "signed_volume"]

_SAMPLES = 20_000  # of the surface and of the box, for the two measures of trust
_STEP = 2e-5  # to either side of the surface, in longest edges of its box: within a blade, beyond rounding


def signed_volume(mesh: Mesh) -> float:
    """Volume inside a closed mesh, positive where its faces point out.

    An open mesh counts as closed by triangles from its borders to its centre of area.
    """
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[mesh.faces], 1, 0)
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    centroids = (a + b + c) / 3
    centre = areas @ centroids / max(float(areas.sum()), 1e-300)
    return float(np.sum((centroids - centre) * normals)) / 6


def count_open_edges(mesh: Mesh) -> int:
    """Number of edges that faces do not use equally often in both directions.

    Vertices at the same place count as one. Without such edges the winding number is whole everywhere.
    Holes have them, and so do neighbours that face opposite ways.
    """
    corners = first_occurrences(mesh.vertices)[1][mesh.faces]
    tail, head = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    edge = np.minimum(tail, head).astype(np.int64) * len(mesh.vertices) + np.maximum(tail, head)
    _, index = np.unique(edge, return_inverse=True)
    return int(np.count_nonzero(np.bincount(index.reshape(-1), weights=np.sign(head - tail))))


class Solid:
    """The inside of a mesh: where its generalised winding number is above one half (Jacobson et al. 2013).

    Any triangles will do. Holes are closed by the level one half of the winding number, parts that overlap
    count once, and a mesh of negative signed volume is turned first. mesh: the mesh with faces pointing out.
    gap: how far from what was measured its surface may be. open_edges: see `count_open_edges`. Points and
    distances are in the units of the mesh; points are finite and taken as float32.
    """

    gap = 0.0
    notes: tuple[str, ...] = ()  # on how it was made

    def __init__(self, mesh: Mesh) -> None:
        turned = signed_volume(mesh) < 0
        self.mesh = Mesh(mesh.vertices, np.ascontiguousarray(mesh.faces[:, ::-1])) if turned else mesh
        self.open_edges = count_open_edges(mesh)
        self.tree = bvh.build(self.mesh.vertices, self.mesh.faces)

    def winding_number(self, points: Float[np.ndarray, "points 3"]) -> Float32[np.ndarray, " points"]:
        """Generalised winding numbers; the error is below 0.003."""
        return bvh.winding_number(self.tree, points)

    def occupancy(self, points: Float[np.ndarray, "points 3"]) -> Bool[np.ndarray, " points"]:
        """Whether each point is inside."""
        return self.winding_number(points) > 0.5

    def signed_distance(
        self, points: Float[np.ndarray, "points 3"], limit: float = np.inf
    ) -> Float32[np.ndarray, " points"]:
        """Distances to the border of the solid, negative inside, cut off at +-limit.

        For a closed mesh this is the distance to the surface. Across the holes of an open one the border is
        the level 1/2 of the winding number w, at 4 w (1 - w) |w - 1/2| / |grad w|: right to first order,
        and exact on the axis of a round flat hole. So nothing jumps where a hole is crossed.
        """
        points = np.ascontiguousarray(points, np.float32)
        distance, _, _ = bvh.nearest(self.tree, points, limit)
        winding = self.winding_number(points)
        if self.open_edges > 0:
            between = np.flatnonzero((winding > 0.05) & (winding < 0.95))
            _, gradient = bvh.winding_number_and_gradient(self.tree, points[between])
            slope = np.maximum(np.linalg.norm(gradient, axis=1), 1e-12)
            w = winding[between]
            distance[between] = np.minimum(distance[between], 4 * w * (1 - w) * np.abs(w - 0.5) / slope)
        return np.where(winding > 0.5, -distance, distance)

    def distance(
        self, points: Float[np.ndarray, "points 3"], limit: float = np.inf
    ) -> Float32[np.ndarray, " points"]:
        """Distances to the surface, cut off at `limit`."""
        return bvh.nearest(self.tree, np.ascontiguousarray(points, np.float32), limit)[0]

    def nearest(
        self, points: Float[np.ndarray, "points 3"]
    ) -> tuple[Int[np.ndarray, " points"], Float32[np.ndarray, "points 3"]]:
        """The face that is nearest to each point, and the nearest place on it."""
        _, face, place = bvh.nearest(self.tree, np.ascontiguousarray(points, np.float32))
        return face, place

    def carried(
        self, values: Float[np.ndarray, "vertices channels"], points: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, "points channels"]:
        """Values of the vertices at the nearest places of the surface: blended over the face."""
        _, face, closest = bvh.nearest(self.tree, np.ascontiguousarray(points, np.float32))
        corners = self.mesh.faces[face]
        weights = barycentric(self.mesh.vertices[corners].astype(np.float64), closest.astype(np.float64))
        return (values[corners] * weights[:, :, None]).sum(1)

    def surface_points(self, count: int, rng: np.random.Generator) -> Float32[np.ndarray, "{count} 3"]:
        """Points on the surface, evenly by area, in the order of the faces."""
        return self._sampler.draw(count, rng)

    @cached_property
    def _sampler(self) -> SurfaceSampler:
        return SurfaceSampler(self.mesh)

    @cached_property
    def separating_share(self) -> float:
        """Share of the surface's area that has the inside on one side and the outside on the other.

        1 for a clean solid; less with walls inside, parts that overlap, sheets, and faces turned the wrong
        way.
        """
        points, face = sample_surface(self.mesh, _SAMPLES, np.random.default_rng(0))
        a, b, c = np.moveaxis(self.mesh.vertices.astype(np.float64)[self.mesh.faces[face]], 1, 0)
        normals = np.cross(b - a, c - a)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        step = _STEP * np.max(np.ptp(self._box, axis=0)) * normals
        return float(np.mean(self.occupancy(points + step) != self.occupancy(points - step)))

    @cached_property
    def doubt(self) -> float:
        """Of the part of the box with a winding number above 1/4, the share below 3/4; 1 if there is none.

        0 for closed meshes, small for small holes; sheets that enclose nothing have large regions where the
        winding number is neither 0 nor 1.
        """
        points = np.random.default_rng(0).uniform(self._box[0], self._box[1], (_SAMPLES, 3))
        winding = self.winding_number(points)
        some = np.count_nonzero(winding > 0.25)
        return np.count_nonzero((winding > 0.25) & (winding < 0.75)) / some if some else 1.0

    @property
    def _box(self) -> np.ndarray:
        """Lower and upper corner of the faces' vertices, float64 [2, 3]."""
        corners = self.mesh.vertices[self.mesh.faces].astype(np.float64)
        return np.stack([corners.min(axis=(0, 1)), corners.max(axis=(0, 1))])
