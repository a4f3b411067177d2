"""Points drawn on a surface, evenly by area."""

import numpy as np
from jaxtyping import Float, Int32

from ..runtime.errors import InputError
from .mesh import Mesh

__all__ = ["sample_surface"]


def sample_surface(
    mesh: Mesh, count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "{count} 3"], Int32[np.ndarray, "{count}"]]:
    """Points on the triangles of `mesh`, uniform by area and independent, and the face of each.

    Within a face a point is a + sqrt(r1) (1 - r2) (b - a) + sqrt(r1) r2 (c - a) (Osada et al. 2002,
    equation 1). Raises InputError where the whole surface has no area.
    """
    a, b, c = np.moveaxis(mesh.vertices.astype(np.float64)[mesh.faces], 1, 0)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    share = np.cumsum(areas)
    if len(share) == 0 or not share[-1] > 0:
        raise InputError(
            "the mesh has no area, so no points can be drawn on it",
            "sample_surface",
            "Give a mesh with a surface.",
        )
    face = np.searchsorted(share[:-1], rng.random(count) * share[-1], side="right").astype(np.int32)
    root, r2 = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
    a, b, c = a[face], b[face], c[face]
    return a + root * (1 - r2) * (b - a) + root * r2 * (c - a), face
