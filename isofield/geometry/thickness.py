"""How thick a solid is: the largest balls inside it."""

import numpy as np
from jaxtyping import Float

from .mesh import Mesh
from .solid import Solid
from .surface_samples import sample_surface

__all__ = ["thickness"]

STEPS = 30  # the balls are nearly always found within ten
TOUCHES = 1e-4  # a ball whose radius shrinks by less than this share stands
WALL = -0.5  # cosine of the normals on both sides of what counts as a wall: 120 degrees apart or more


def thickness(
    solid: Solid, count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "samples"], Float[np.ndarray, "samples 3"]]:
    """Wall thickness at samples of the surface, in the solid's units, and where.

    At a surface point the largest ball is sought that touches there from inside and holds no other point of
    the surface: it shrinks until it only touches a second place (Ma, Bae and Choi 2012, "3D medial axis point
    approximation using nearest neighbors and the normal field", section 3). Its diameter is the thickness
    where both places face away from each other; elsewhere (at edges, where balls shrink to nothing) the
    sample is left out, so that fewer than `count` come back.
    """
    points, face = sample_surface(solid.mesh, count, rng)
    normals = _face_normals(solid.mesh)
    inward = -normals[face]
    radius = np.full(count, 2 * float(np.max(np.ptp(solid.mesh.vertices, axis=0))))
    opposite = np.full(count, -1)
    active = np.arange(count)
    for _ in range(STEPS):
        centres = points[active] + radius[active, None] * inward[active]
        found, place = solid.nearest(centres)
        apart = place - points[active]
        along = np.einsum("ij,ij->i", apart, inward[active])
        touching = np.einsum("ij,ij->i", apart, apart) / np.maximum(2 * along, 1e-300)
        smaller = (along > 0) & (touching < radius[active] * (1 - TOUCHES))
        radius[active[smaller]] = touching[smaller]
        opposite[active[smaller]] = found[smaller]
        active = active[smaller]
        if not len(active):
            break
    wall = opposite >= 0
    wall[wall] = np.einsum("ij,ij->i", normals[face[wall]], normals[opposite[wall]]) < WALL
    return 2 * radius[wall], points[wall]


def _face_normals(mesh: Mesh) -> np.ndarray:
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces].astype(np.float64), 1, 0)
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
