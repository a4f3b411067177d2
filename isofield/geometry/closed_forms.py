"""Shapes whose signed distance has a closed form, as callables and as meshes: exact truth for tests."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .mesh import Mesh

__all__ = ["box_distance", "box_mesh", "sphere_distance", "sphere_mesh", "torus_distance", "torus_mesh"]

Vector = tuple[float, float, float]
SignedDistance = Callable[[Float[Tensor, "*batch 3"]], Float[Tensor, "*batch"]]
ORIGIN: Vector = (0.0, 0.0, 0.0)


def sphere_distance(radius: float = 0.5, centre: Vector = ORIGIN) -> SignedDistance:
    """The signed distance to a sphere, negative inside, in the units of the points."""

    def signed_distance(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        return torch.linalg.vector_norm(points - points.new_tensor(centre), dim=-1) - radius

    return signed_distance


def box_distance(half_sizes: Vector = (0.5, 0.5, 0.5), centre: Vector = ORIGIN) -> SignedDistance:
    """The exact signed distance to a box along the axes, negative inside."""

    def signed_distance(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        beyond = (points - points.new_tensor(centre)).abs() - points.new_tensor(half_sizes)
        outside = torch.linalg.vector_norm(beyond.clamp_min(0.0), dim=-1)
        return outside + beyond.amax(dim=-1).clamp_max(0.0)

    return signed_distance


def torus_distance(major: float = 0.5, minor: float = 0.2, centre: Vector = ORIGIN) -> SignedDistance:
    """The exact signed distance to a torus around the z axis, negative inside (major > minor)."""

    def signed_distance(points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        moved = points - points.new_tensor(centre)
        ring = torch.linalg.vector_norm(moved[..., :2], dim=-1) - major
        return torch.hypot(ring, moved[..., 2]) - minor

    return signed_distance


def sphere_mesh(subdivisions: int = 3, radius: float = 0.5, centre: Vector = ORIGIN) -> Mesh:
    """An icosahedron whose faces are cut in four `subdivisions` times: 20 * 4**subdivisions triangles.

    All vertices lie on the sphere; the normals are its own.
    """
    golden = (1 + 5**0.5) / 2
    signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    directions = np.array(
        [np.roll((0, a, b * golden), shift) for shift in range(3) for a, b in signs], np.float64
    )
    # edges are 2 long, diagonals 3.2
    edge = np.linalg.norm(directions[:, None] - directions[None], axis=2) < 2.1
    corners = range(12)
    faces = np.array(
        [
            (i, j, k)
            for i in corners
            for j in corners
            for k in corners
            if i < j < k and edge[i, j] and edge[j, k] and edge[k, i]
        ]
    )
    inward = np.linalg.det(directions[faces]) < 0
    faces[inward] = faces[inward][:, ::-1]
    for _ in range(subdivisions):
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        edges, middle = np.unique(edges, axis=0, return_inverse=True)
        ab, bc, ca = (middle.reshape(-1, 3) + len(directions)).T
        a, b, c = faces.T
        directions = np.concatenate([directions, directions[edges].mean(axis=1)])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        faces = np.stack([a, ab, ca, b, bc, ab, c, ca, bc, ab, bc, ca], axis=1).reshape(-1, 3)
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return Mesh(directions * radius + centre, faces.astype(np.int32), directions.astype(np.float32))


def box_mesh(half_sizes: Vector = (0.5, 0.5, 0.5), centre: Vector = ORIGIN) -> Mesh:
    """A box along the axes: 8 vertices, 12 triangles."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    quads = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(signs * half_sizes + centre, faces.astype(np.int32))


def torus_mesh(
    major: float = 0.5, minor: float = 0.2, around: int = 64, across: int = 32, centre: Vector = ORIGIN
) -> Mesh:
    """A torus around the z axis: 2 * around * across triangles, all vertices on it, with its own normals."""
    i, j = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    u, v = i * (2 * np.pi / around), j * (2 * np.pi / across)
    normals = np.stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)], axis=-1).reshape(-1, 3)
    ring = np.stack([np.cos(u), np.sin(u), np.zeros_like(u)], axis=-1).reshape(-1, 3)
    a = (i * across + j).ravel()
    b = ((i + 1) % around * across + j).ravel()
    c = ((i + 1) % around * across + (j + 1) % across).ravel()
    d = (i * across + (j + 1) % across).ravel()
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return Mesh(ring * major + normals * minor + centre, faces.astype(np.int32), normals.astype(np.float32))
