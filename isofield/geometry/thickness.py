"""How thick a solid is: the largest balls inside it."""

import numpy as np
from jaxtyping import Float

from .mesh import face_normals
from .solid import Solid
from .surface_samples import sample_surface

__all__ = ["thickness"]

STEPS = 30  # the balls are nearly always found within ten
STANDS = 1e-4  # a ball that nothing enters by more than this share of its radius stands
WALL = -0.5  # cosine of the normals on both sides of a wall: 120 degrees apart or more


def thickness(
    solid: Solid, count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "samples"], Float[np.ndarray, "samples 3"]]:
    """Wall thickness at samples of the surface, in the solid's units, and where.

    At a surface point a ball touches from inside; while a place of the surface lies in it, it shrinks until
    it touches there (Ma, Bae and Choi 2012, "3D medial axis point approximation using nearest neighbors and
    the normal field", section 3). Its diameter is the thickness when it last touched a place that faces away
    from the point, the other side of a wall; it may shrink on, into edges and between the facets of a round
    side. Points that meet no other side are left out, so that fewer than `count` come back.
    """
    points, face = sample_surface(solid.mesh, count, rng)
    normals = face_normals(solid.mesh)
    inward = -normals[face]
    wall = np.full(count, np.inf)
    radius = np.full(count, 2 * float(np.max(np.ptp(solid.mesh.vertices, axis=0))))
    active = np.arange(count)
    for _ in range(STEPS):
        centres = points[active] + radius[active, None] * inward[active]
        found, place = solid.nearest(centres)
        apart = place - points[active]
        along = np.einsum("ij,ij->i", apart, inward[active])
        entered = np.linalg.norm(place - centres, axis=1) < radius[active] * (1 - STANDS)
        shrinking = np.flatnonzero(entered & (along > 0))
        apart, along, found, active = (each[shrinking] for each in (apart, along, found, active))
        radius[active] = np.einsum("ij,ij->i", apart, apart) / (2 * along)
        opposite = np.einsum("ij,ij->i", normals[face[active]], normals[found]) < WALL
        wall[active[opposite]] = radius[active[opposite]]
        if not len(active):
            break
    met = np.isfinite(wall)
    return 2 * wall[met], points[met]
