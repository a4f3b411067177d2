"""A judge of meshes that shares no code with isofield: libigl for distances and winding numbers, trimesh and
manifold3d for topology."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import igl
import manifold3d
import numpy as np
import trimesh
from inputs import Triangles, read_mesh, sample_surface

__all__ = ["PADDING", "Figures", "Truth", "is_closed_and_manifold"]

PADDING = 0.05  # of the longest edge, on each side of the truth's box


@dataclass(frozen=True)
class Figures:
    """A mesh against the truth.

    iou: of the insides, at uniform points in the truth's padded box. distance: mean of both ways from samples
    to the surface, share of the truth's longest edge. normal_consistency: mean |cosine| of face normals, both
    ways.
    """

    iou: float
    distance: float
    normal_consistency: float

    @property
    def cells(self) -> tuple[str, str, str]:
        """The three as text for a table."""
        return f"{self.iou:.4f}", f"{self.distance:.5f}", f"{self.normal_consistency:.4f}"


class Truth:
    """A true mesh, made ready to judge others. points: of the intersection over union. samples: on each
    surface."""

    def __init__(self, path: Path, points: int = 200_000, samples: int = 100_000, seed: int = 1) -> None:
        vertices, faces = read_mesh(path)
        used = vertices[np.unique(faces)]
        low, high = used.min(0), used.max(0)
        self.centre, self.edge = (low + high) / 2, float((high - low).max())
        self.mesh = self._scaled((vertices, faces))
        self._samples, self._rng = samples, np.random.default_rng(seed)
        reach = (high - low) / 2 / self.edge + PADDING
        self._points = self._rng.uniform(-reach, reach, (points, 3))

    @property
    def points(self) -> np.ndarray:
        """The points of the intersection over union, [N, 3], in the file's own coordinates."""
        return self._points * self.edge + self.centre

    @cached_property
    def inside(self) -> np.ndarray:
        """Which of `points` are inside, bool [N]."""
        return inside(self.mesh, self._points)

    def iou(self, others_inside: np.ndarray) -> float:
        """Intersection over union with another inside, given at `points`."""
        union = np.count_nonzero(self.inside | others_inside)
        return np.count_nonzero(self.inside & others_inside) / union

    def judge(self, path: Path) -> Figures:
        """The figures of the mesh in a file."""
        mesh = self._scaled(read_mesh(path))
        one, one_cosine = self._one_way(mesh, self.mesh)
        other, other_cosine = self._one_way(self.mesh, mesh)
        return Figures(
            self.iou(inside(mesh, self._points)), (one + other) / 2, (one_cosine + other_cosine) / 2
        )

    def _scaled(self, mesh: Triangles) -> Triangles:
        return np.ascontiguousarray((mesh[0] - self.centre) / self.edge), np.ascontiguousarray(mesh[1])

    def _one_way(self, source: Triangles, target: Triangles) -> tuple[float, float]:
        """Mean distance of samples of `source` to the surface `target`, and mean |cosine| of the normals
        there."""
        points, normals, _ = sample_surface(source, self._samples, self._rng)
        squared, face, _ = igl.point_mesh_squared_distance(points, *target)
        a, b, c = np.moveaxis(target[0][target[1][face]], 1, 0)
        crosses = np.cross(b - a, c - a)
        lengths = np.linalg.norm(crosses, axis=1)
        cosines = (normals * crosses).sum(1) / np.where(lengths > 0, lengths, 1)
        return float(np.sqrt(squared).mean()), float(np.abs(cosines).mean())


def inside(mesh: Triangles, points: np.ndarray) -> np.ndarray:
    """Where the winding number exceeds one half, after turning a mesh whose volume, seen from its middle, is
    negative."""
    a, b, c = np.moveaxis(mesh[0][mesh[1]] - mesh[0][mesh[1]].mean((0, 1)), 1, 0)
    outward = np.einsum("ij,ij->", a, np.cross(b, c)) >= 0
    winding = igl.fast_winding_number(*mesh, np.ascontiguousarray(points))
    return (winding if outward else -winding) > 0.5


def is_closed_and_manifold(path: Path) -> bool:
    """Whether trimesh finds the mesh watertight and consistently wound, and manifold3d takes it as a solid of
    positive volume."""
    vertices, faces = read_mesh(path)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    solid = manifold3d.Manifold(manifold3d.Mesh64(vertices, faces.astype(np.uint64)))
    return bool(
        mesh.is_watertight
        and mesh.is_winding_consistent
        and solid.status() == manifold3d.Error.NoError
        and solid.volume() > 0
    )
