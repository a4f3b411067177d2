"""Normals at the vertices of a surface, from its field."""

import numpy as np
from jaxtyping import Float32

from ..geometry.frames import WORKING_BOX
from ..geometry.level import Inside
from ..geometry.mesh import Mesh, area_weighted_normals
from .evaluator import Evaluator, Field
from .grid import Box, bounds

__all__ = ["vertex_normals"]

_CHUNK = 1 << 16  # vertices at a time


def vertex_normals(
    field: Field, inside: Inside, mesh: Mesh, cell: float, box: Box = WORKING_BOX
) -> Float32[np.ndarray, "vertices 3"]:
    """Unit normals that point out, from the field by central differences over half a cell to either side.

    Any callable serves, at six evaluations a vertex; the differences stay within the box. Three kinds of
    vertices take the area-weighted normal of their faces instead: those where the gradient vanishes, those
    where it points against the faces (a wall thinner than a cell), and those of the caps, within 1% of a cell
    of the box, where the surface is not a level of the field.
    """
    evaluator = Evaluator(field)
    low, high = bounds(box)
    steps = np.float32(cell / 2) * np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
    normals = area_weighted_normals(mesh)
    for start in range(0, len(mesh.vertices), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        vertices = mesh.vertices[chunk].astype(np.float32)
        points = np.clip(vertices + steps[:, None], low.astype(np.float32), high.astype(np.float32))
        depth = inside.depth(evaluator(points.reshape(-1, 3))).reshape(6, -1)
        apart = np.stack([points[a, :, a] - points[a + 3, :, a] for a in range(3)], axis=1)
        outward = (depth[3:] - depth[:3]).T / np.maximum(apart, np.float32(1e-6 * cell))
        length = np.linalg.norm(outward.astype(np.float64), axis=1, keepdims=True)
        outward /= np.where(length > 0, length, 1)
        on_cap = np.any((vertices < low + 0.01 * cell) | (vertices > high - 0.01 * cell), axis=1)
        along = np.einsum("ij,ij->i", outward, normals[chunk]) > 0
        normals[chunk] = np.where((along & ~on_cap)[:, None], outward, normals[chunk])
    return normals
