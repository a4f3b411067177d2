"""Fewer faces for about the same surface."""

import numpy as np

from ..geometry.mesh import Mesh
from ..kernels.topology import EdgesAndFans, edges_and_fans
from ..runtime.errors import FailedError

__all__ = ["simplify"]

# Occupancy Networks' choice (the library's default is 7): slower growth of the error that is allowed
_AGGRESSIVENESS = 5
_RETRIES = (1.0, 1.3, 2.0, 4.0)  # on a result that is not sound, ask for so many times the faces


def simplify(mesh: Mesh, faces: int) -> Mesh:
    """Collapse edges of least quadric error (Garland and Heckbert 1997) until about `faces` faces are left.

    A closed manifold stays one, with the orientation it had: where the collapses broke that, more faces are
    kept, so that the result can have up to four times as many as asked for. Raises FailedError where even
    that is not sound. The result has no normals and no colours; vertices float32.
    """
    import fast_simplification

    if faces >= len(mesh.faces):
        return mesh
    before = edges_and_fans(mesh.faces, len(mesh.vertices))
    vertices = mesh.vertices.astype(np.float64)
    for factor in _RETRIES:
        target = min(int(faces * factor), len(mesh.faces))
        points, triangles = fast_simplification.simplify(
            vertices, mesh.faces, target_count=target, agg=_AGGRESSIVENESS
        )
        result = Mesh(points.astype(np.float32), np.ascontiguousarray(triangles, np.int32))
        if _is_sound(result, before):
            return result
    raise FailedError(
        f"simplification to {faces} faces tears the surface",
        "simplify",
        f"Keep more faces (the mesh has {len(mesh.faces)}).",
    )


def _is_sound(mesh: Mesh, before: EdgesAndFans) -> bool:
    """Whether no fault is there that was not there before."""
    a, b, c = mesh.faces.T
    if len(a) == 0 or np.any((a == b) | (b == c) | (c == a)):
        return False
    after = edges_and_fans(mesh.faces, len(mesh.vertices))
    return all(
        getattr(before, fault) > 0 or getattr(after, fault) == 0
        for fault in ("boundary", "misoriented", "non_manifold", "pinched")
    )
