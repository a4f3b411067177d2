"""Moving the vertices of a mesh onto the level of its field."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.frames import WORKING_BOX
from ..geometry.level import Inside
from ..geometry.mesh import Mesh, area_weighted_normals
from .evaluator import Evaluator, Field
from .grid import Box, bounds

__all__ = ["dirichlet_weights", "refine", "refine_onet"]

_CHUNK = 1 << 17  # vertices at a time
_TURN = 0.5  # a face may turn by 60 degrees (the cosine of the angle)


def refine(
    field: Field,
    inside: Inside,
    mesh: Mesh,
    cell: float,
    reach: float = 0.25,
    steps: int = 4,
    box: Box = WORKING_BOX,
) -> Mesh:
    """Move each vertex along its area-weighted normal to the level of the field, at most `reach` cells.

    The crossing is bracketed by the values at both ends of the reach and found by `steps` steps of regula
    falsi (Illinois variant, Dowell and Jarratt 1971): 2 + steps evaluations a vertex. Vertices whose two ends
    lie on the same side stay, as do those of caps on the box; vertices of a face that would turn by more than
    60 degrees are put back. Normals of the mesh are dropped.
    """
    evaluator = Evaluator(field)
    low, high = bounds(box)
    normals = area_weighted_normals(mesh)
    moved = np.array(mesh.vertices, np.float32)
    for start in range(0, len(moved), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        vertices, along = moved[chunk].copy(), normals[chunk]
        free = np.all((vertices > low + reach * cell) & (vertices < high - reach * cell), axis=1)
        free[free] = np.any(along[free] != 0, axis=1)
        vertices, along = vertices[free], along[free]

        def depth(offset: np.ndarray, vertices=vertices, along=along) -> np.ndarray:
            return inside.depth(evaluator(vertices + offset[:, None] * along)).astype(np.float64)

        offset = _crossing(depth, np.full(len(vertices), np.float32(reach * cell)), steps)
        moved[chunk][free] = vertices + offset[:, None] * along
    return replace(mesh, vertices=_without_turned_faces(mesh, moved), normals=None)


def _crossing(depth: Callable[[np.ndarray], np.ndarray], reach: np.ndarray, steps: int) -> np.ndarray:
    """Offsets in [-reach, reach] where a depth falls from positive to negative; 0 if it does not."""
    inner, outer = -reach, reach.copy()
    at_inner, at_outer = depth(inner), depth(outer)
    bracketed = (at_inner > 0) & (at_outer <= 0)
    at_inner, at_outer = np.where(bracketed, at_inner, 1.0), np.where(bracketed, at_outer, -1.0)
    offset = np.zeros_like(reach)
    last = np.zeros(len(reach), np.int8)  # the side that was replaced last
    for _ in range(steps):
        offset = (inner + (outer - inner) * (at_inner / (at_inner - at_outer))).astype(np.float32)
        found = depth(offset)
        is_inner = found > 0
        # where the same side is replaced again, halving the other side's value keeps the steps from creeping
        at_outer = np.where(is_inner, np.where(last == 1, at_outer / 2, at_outer), found)
        at_inner = np.where(is_inner, found, np.where(last == -1, at_inner / 2, at_inner))
        inner, outer = np.where(is_inner, offset, inner), np.where(is_inner, outer, offset)
        last = np.where(is_inner, 1, -1).astype(np.int8)
    return np.where(bracketed, offset, 0).astype(np.float32)


def _without_turned_faces(mesh: Mesh, moved: np.ndarray) -> np.ndarray:
    """The moved vertices, those of turned faces put back where they were, until no face is turned."""
    before = _unit_normals(mesh.vertices, mesh.faces)
    vertices = moved
    while True:
        turned = np.einsum("ij,ij->i", before, _unit_normals(vertices, mesh.faces)) < _TURN
        back = np.unique(mesh.faces[turned])
        back = back[np.any(vertices[back] != mesh.vertices[back], axis=1)]
        if len(back) == 0:
            return vertices
        vertices[back] = mesh.vertices[back]


def _unit_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    normals = np.empty((len(faces), 3), np.float32)
    for start in range(0, len(faces), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        a, b, c = (vertices[faces[chunk, k]].astype(np.float64) for k in range(3))
        cross = np.cross(b - a, c - a)
        normals[chunk] = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-300)
    return normals


def refine_onet(
    logits: Callable[[Tensor], Tensor],
    mesh: Mesh,
    threshold: float,
    weights: Iterable[Float[np.ndarray, "faces 3"]],
    rate: float = 1e-4,
    normal_weight: float = 0.01,
) -> Mesh:
    """RMSprop on the vertices, as published with Occupancy Networks (Mescheder et al. 2019, section 3.3).

    Part of that paper's protocol, for whoever repeats its figures: no command uses it, extraction moves
    vertices by `refine`.

    logits: points [N, 3] to occupancy logits [N], differentiable twice. threshold: a probability.
    weights: for each step the barycentric coordinates of one point a face, see `dirichlet_weights` (the
    published demonstration takes 30 steps, after simplifying to 5,000 faces).
    Loss: mean (s(q) - threshold)^2 + normal_weight * mean |n_face - n(q)|^2, where s = sigmoid(logits) and n
    is -grad s of unit length, differentiated too. As in the published code, s is a probability, not a logit,
    and the means are over faces, where the paper writes sums. Normals of the mesh are dropped.
    """
    vertices = torch.from_numpy(np.array(mesh.vertices, np.float32)).requires_grad_()
    faces = torch.from_numpy(mesh.faces.astype(np.int64))
    optimiser = torch.optim.RMSprop([vertices], lr=rate)
    for step_weights in weights:
        corners = vertices[faces]
        points = (corners * torch.from_numpy(np.asarray(step_weights, np.float32))[:, :, None]).sum(1)
        face_normals = torch.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1], dim=1)
        face_normals = face_normals / (face_normals.norm(dim=1, keepdim=True) + 1e-10)
        occupancy = torch.sigmoid(logits(points))
        (gradient,) = torch.autograd.grad(occupancy.sum(), points, create_graph=True)
        field_normals = -gradient / (gradient.norm(dim=1, keepdim=True) + 1e-10)
        loss = (occupancy - threshold).square().mean()
        loss = loss + normal_weight * (face_normals - field_normals).square().sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return replace(mesh, vertices=vertices.detach().numpy(), normals=None)


def dirichlet_weights(faces: int, steps: int, seed: int) -> Iterable[Float[np.ndarray, "{faces} 3"]]:
    """Random barycentric coordinates of one point a face for each step, Dirichlet(1/2, 1/2, 1/2)."""
    random = np.random.default_rng(seed)
    return (random.dirichlet((0.5, 0.5, 0.5), faces).astype(np.float32) for _ in range(steps))
