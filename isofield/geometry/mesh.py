"""A triangle mesh as arrays: what extraction makes, what metrics compare, what writers write."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

__all__ = ["Mesh", "area_weighted_normals", "barycentric", "face_normals"]

_FACES = 1 << 18  # at a time


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles.

    vertices: float [V, 3]. faces: int32 [F, 3], counter-clockwise seen from outside. normals: float32 [V, 3]
    of unit length, pointing out, or None. colours: uint8 [V, 3] sRGB, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None
    colours: np.ndarray | None = None


def area_weighted_normals(mesh: Mesh) -> Float32[np.ndarray, "vertices 3"]:
    """Unit normals of the vertices, each the mean over its faces weighted by area; 0 where that vanishes."""
    sums = np.zeros((3, len(mesh.vertices)), np.float32)
    size = float(np.max(np.ptp(mesh.vertices, axis=0))) or 1.0 if len(mesh.vertices) else 1.0
    for start in range(0, len(mesh.faces), _FACES):
        faces = mesh.faces[start : start + _FACES]
        a, b, c = (mesh.vertices[faces[:, k]].astype(np.float64) / size for k in range(3))
        twice_areas = np.cross(b - a, c - a).astype(np.float32)
        for axis in range(3):
            for corner in range(3):
                np.add.at(sums[axis], faces[:, corner], twice_areas[:, axis])
    sums /= np.maximum(np.sqrt(np.einsum("ij,ij->j", sums, sums)), np.finfo(np.float32).tiny)
    return np.ascontiguousarray(sums.T)


def face_normals(mesh: Mesh) -> Float64[np.ndarray, "faces 3"]:
    """Unit normals of the faces, on the side from which they are counter-clockwise; 0 for faces of no
    area."""
    a, b, c = np.moveaxis(np.asarray(mesh.vertices, np.float64)[mesh.faces], 1, 0)
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(np.float64).tiny)


def barycentric(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Barycentric coordinates [N, 3] of points [N, 3] in the planes of triangles [N, 3, 3]; a degenerate one
    takes its first corner."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    determinant = uu * vv - uv * uv
    safe = np.where(determinant > 0, determinant, 1)
    second = np.where(determinant > 0, (vv * wu - uv * wv) / safe, 0)
    third = np.where(determinant > 0, (uu * wv - uv * wu) / safe, 0)
    return np.clip(np.stack([1 - second - third, second, third], 1), 0, 1)
