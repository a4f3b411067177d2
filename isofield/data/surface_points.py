"""The points that a method learns from when it asks for no inside: those of a cloud, or samples of a mesh."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from ..geometry.mesh import face_normals
from ..geometry.oriented_points import OrientedPoints
from ..geometry.surface_samples import sample_surface
from ..runtime.threads import threads
from .samples import generator
from .shape import Shape

__all__ = ["SurfacePoints", "torch_rows"]

MESH_SAMPLES = 30_000
HELD_OUT = 1_024  # or a tenth of the points, if that is less, but never none


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points of a surface in the working box.

    positions: float32 [P, 3]. normals: float32 [P, 3] of unit length, pointing out, or None. reach: float32
    [P, 1], distance to the k-th nearest other point. held_out: float32 [H, 3], points kept apart. tree: of
    `positions`.
    """

    positions: np.ndarray
    normals: np.ndarray | None
    reach: np.ndarray
    held_out: Tensor
    tree: cKDTree

    @classmethod
    def of(cls, shape: Shape, neighbour: int, seed: int) -> "SurfacePoints":
        """The points of `shape`, outliers left out; of a mesh, samples with the normals of their faces.

        neighbour: k. seed: of the samples and of the choice of those that are kept apart.
        """
        positions, normals = _surface(shape, generator(seed, 0, "surface"))
        order = generator(seed, 0, "held out").permutation(len(positions))
        apart, kept = np.split(order, [min(HELD_OUT, max(len(order) // 10, 1))])
        held_out, positions = positions[apart], positions[kept]
        tree = cKDTree(positions)
        nearest = tree.query(positions, min(neighbour + 1, len(positions)), workers=threads())[0]
        return cls(
            positions,
            None if normals is None else normals[kept],
            nearest[:, -1:].astype(np.float32),
            torch.from_numpy(held_out),
            tree,
        )

    def moved(self, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The chosen points, each moved by a normal deviate as wide as its reach: float32 [N, 3]."""
        step = rng.standard_normal((len(chosen), 3), np.float32)
        return self.positions[chosen] + self.reach[chosen] * step

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distances, float32 [N], of points [N, 3] to the nearest one."""
        return self.tree.query(points, workers=threads())[0].astype(np.float32)


def torch_rows(rows: np.ndarray) -> Tensor:
    """An array as a float32 tensor."""
    return torch.from_numpy(np.ascontiguousarray(rows, np.float32))


def _surface(shape: Shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    """Points float32 [P, 3] in the working box, and their normals where these are known."""
    if shape.is_raw:
        return shape.frame.to_working(shape.vertices[shape.used]), None
    solid = shape.solid
    if isinstance(solid, OrientedPoints):
        return solid.positions, solid.normals  # turned where they point inward as a whole
    points, face = sample_surface(solid.mesh, MESH_SAMPLES, rng)  # of faces that point out
    return points.astype(np.float32), face_normals(solid.mesh)[face].astype(np.float32)
