"""Points drawn on a surface, evenly by area."""

import numpy as np
from jaxtyping import Float, Float32, Int32

from ..runtime.errors import InputError
from .mesh import Mesh

__all__ = ["SurfaceSampler", "sample_surface"]


def sample_surface(
    mesh: Mesh, count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "{count} 3"], Int32[np.ndarray, "{count}"]]:
    """`count` points on the triangles of `mesh`, float64, and the face of each: independent, uniform by area.

    Within a face a point is a + sqrt(r1) (1 - r2) (b - a) + sqrt(r1) r2 (c - a) (Osada et al. 2002, equation
    1). Equal for an equal `rng`. Raises InputError where the whole surface has no area.
    """
    share = _cumulative_area(mesh)
    face = np.searchsorted(share[:-1], rng.random(count) * share[-1], side="right").astype(np.int32)
    root, r2 = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces[face]].astype(np.float64), 1, 0)
    return a + root * (1 - r2) * (b - a) + root * r2 * (c - a), face


class SurfaceSampler:
    """Draws on one mesh again and again, in single precision: one point in each of `count` equal parts of the
    area, in the order of faces.

    Such a stratified draw covers the surface more evenly than independent points, and neighbours in it lie
    near each other, which makes it fast to draw and to label.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._share = _cumulative_area(mesh)
        self._corners = mesh.vertices.astype(np.float32)[mesh.faces]

    def draw(self, count: int, rng: np.random.Generator) -> Float32[np.ndarray, "{count} 3"]:
        """`count` points; equal for an equal `rng`."""
        level = (np.arange(count) + rng.random(count)) * (self._share[-1] / max(count, 1))
        face = np.searchsorted(self._share, level, side="right").clip(max=len(self._share) - 1)
        root = np.sqrt(rng.random(count, np.float32))[:, None]
        r2 = rng.random(count, np.float32)[:, None]
        corners = self._corners[face]
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        return a + root * ((1 - r2) * (b - a) + r2 * (c - a))


def _cumulative_area(mesh: Mesh) -> np.ndarray:
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[mesh.faces], 1, 0)
    share = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    if len(share) == 0 or not share[-1] > 0:
        raise InputError(
            "the mesh has no area, so no points can be drawn on it",
            "surface samples",
            "Give a mesh with a surface.",
        )
    return share
