"""A mesh cut by a plane across an axis."""

import numpy as np
from jaxtyping import Float

from .mesh import Mesh

__all__ = ["clipped"]


def clipped(mesh: Mesh, axis: int, at: float) -> Mesh:
    """The part of `mesh` whose coordinate along `axis` is at most `at`, left open where it is cut.

    Faces across the plane are cut exactly; their new vertices, two a face, lie at the end of the arrays, with
    normals and colours interpolated. Vertices without a face stay.
    """
    beyond = mesh.vertices[:, axis] - at  # kept where it is not positive
    kept = beyond <= 0
    counts = kept[mesh.faces].sum(axis=1)
    one, two = (_odd_vertex_first(mesh.faces[counts == n], kept == (n == 1)) for n in (1, 2))
    # of a face with one vertex kept (o, a, b) the corner at o stays; with two kept the quadrilateral a, b and
    # the two cuts, in that order, all counter-clockwise as the face was
    odd = np.concatenate([one, two])
    starts, ends = np.repeat(odd[:, 0], 2), odd[:, 1:].ravel()
    share = (beyond[starts] / (beyond[starts] - beyond[ends]))[:, None]

    def extended(values: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "more 3"]:
        return np.concatenate([values, values[starts] * (1 - share) + values[ends] * share])

    cuts = len(mesh.vertices) + np.arange(2 * len(odd)).reshape(-1, 2)
    first, second = cuts[: len(one)], cuts[len(one) :]
    faces = [
        mesh.faces[counts == 3],
        np.stack([one[:, 0], first[:, 0], first[:, 1]], axis=1),
        np.stack([two[:, 1], two[:, 2], second[:, 1]], axis=1),
        np.stack([two[:, 1], second[:, 1], second[:, 0]], axis=1),
    ]
    return Mesh(
        extended(np.asarray(mesh.vertices, np.float64)),
        np.concatenate(faces).astype(np.int32),
        None if mesh.normals is None else extended(mesh.normals).astype(np.float32),
        None if mesh.colours is None else np.rint(extended(mesh.colours.astype(float))).astype(np.uint8),
    )


def _odd_vertex_first(faces: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Faces [F, 3] turned so that the one vertex with `odd` [V] comes first."""
    turn = (np.argmax(odd[faces], axis=1)[:, None] + np.arange(3)) % 3
    return np.take_along_axis(faces, turn, axis=1)
