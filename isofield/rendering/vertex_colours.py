"""Which parts of a surface the cameras see, and the colours that they see there."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

from ..geometry.mesh import Mesh
from .cameras import Cameras
from .mesh_views import nearest_faces
from .volume import compositing_weights, sample_opacities

__all__ = ["colour_behind", "seen_vertices", "vertex_colours"]

MOST = 4  # cameras whose colours are averaged at a vertex: those that look at it most directly
GRAZING = 0.1  # cosine of the angle to the normal below which a camera does not see a vertex well
LEAST_SIZE = 400  # pixels along the longer side of a z-buffer: a coarse one hides what is thin
PIXELS = 2.0  # the depth in a z-buffer is another one within so many pixels' width
SAMPLES = 6  # along a ray into the surface
FAINT = 1e-6
_CHUNK = 1 << 15  # colours at a time


def seen_vertices(mesh: Mesh, cameras: Cameras) -> Bool[np.ndarray, " vertices"]:
    """Which vertices are a corner of a face that some camera sees through the centre of a pixel."""
    cameras, seen = _fine(cameras), np.zeros(len(mesh.vertices), bool)
    for number in range(len(cameras)):
        face, _ = nearest_faces(mesh, cameras, number)
        seen[mesh.faces[np.unique(face[face >= 0])]] = True
    return seen


def vertex_colours(
    mesh: Mesh, cameras: Cameras, colour: Callable[[Tensor, Tensor], Tensor], tolerance: float
) -> UInt8[np.ndarray, "vertices 3"]:
    """The field's colour at every vertex: the mean over the cameras that see it most directly, weighted by
    the cosine of the angle between the view and the normal.

    mesh: in the world, with normals. colour: points, unit directions [N, 3] -> sRGB [N, 3]. A camera sees a
    vertex that is no farther than its z-buffer there, up to `tolerance` (the world's units) and the width of
    a pixel or two. One that no camera sees has the colour seen from straight above it.
    """
    cosines, numbers = _best_cameras(mesh, _fine(cameras), tolerance)
    sums, total = np.zeros((len(mesh.vertices), 3), np.float32), np.zeros(len(mesh.vertices), np.float32)
    unseen = np.flatnonzero(~np.any(cosines > 0, axis=1))
    assert mesh.normals is not None
    sums[unseen] = _colours(colour, mesh.vertices[unseen], -mesh.normals[unseen])
    total[unseen] = 1
    for place in range(MOST):
        seen = np.flatnonzero(cosines[:, place] > 0)
        points, weight = mesh.vertices[seen], cosines[seen, place]
        sums[seen] += weight[:, None] * _colours(
            colour, points, points - cameras.centres[numbers[seen, place]]
        )
        total[seen] += weight
    return np.rint(255 * np.clip(sums / total[:, None], 0, 1)).astype(np.uint8)


def _fine(cameras: Cameras) -> Cameras:
    """The cameras with pictures large enough for a z-buffer."""
    ratio = -(-LEAST_SIZE // cameras.sizes.max(axis=1, keepdims=True))
    return cameras.resized(cameras.sizes * ratio)


def _best_cameras(mesh: Mesh, cameras: Cameras, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """For each vertex the cosines and the numbers of the MOST cameras that look at it most directly, 0 where
    there are fewer."""
    count = len(mesh.vertices)
    cosines, numbers = np.zeros((count, MOST), np.float32), np.zeros((count, MOST), np.int32)
    assert mesh.normals is not None
    for number in range(len(cameras)):
        _, values = nearest_faces(mesh, cameras, number)
        pixels, _ = cameras.project(number, np.asarray(mesh.vertices, np.float64))
        width, height = cameras.sizes[number]
        within = np.flatnonzero(((pixels >= 0) & (pixels < (width, height))).all(axis=1))
        columns, rows = pixels[within].astype(np.int64).T
        away = mesh.vertices[within] - cameras.centres[number]
        distance = np.linalg.norm(away, axis=1)
        cosine = -np.einsum("ij,ij->i", away, mesh.normals[within]) / distance
        nearest = values[rows, columns, 3]
        slack = tolerance + PIXELS * distance / cameras.intrinsics[number, :2].min()
        visible = ((nearest == 0) | (distance <= nearest + slack)) & (cosine > GRAZING)
        which, cosine = within[visible], cosine[visible]
        worst = cosines[which].argmin(axis=1)
        better = cosine > cosines[which, worst]
        which, worst = which[better], worst[better]
        cosines[which, worst], numbers[which, worst] = cosine[better], number
    return cosines, numbers


@torch.no_grad()
def _colours(
    colour: Callable[[Tensor, Tensor], Tensor], points: np.ndarray, directions: np.ndarray
) -> Float32[np.ndarray, "points 3"]:
    """The field's colours, seen along directions of any length."""
    found = np.empty((len(points), 3), np.float32)
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        along = directions[part] / np.linalg.norm(directions[part], axis=1, keepdims=True)
        answer = colour(*(torch.from_numpy(a.astype(np.float32)) for a in (points[part], along)))
        found[part] = answer.cpu().numpy()
    return found


def colour_behind(
    density: Callable[[Tensor], Tensor], colour: Callable[[Tensor, Tensor], Tensor], depth: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """The colour that a ray meets from a point on, points and unit directions [N, 3] -> [N, 3]: where a
    density begins to be a surface the field need not have its colour yet, which rays take from behind it.

    depth: of the layer that is looked into, composited from SAMPLES samples and divided by its opacity.
    """

    def seen(points: Tensor, directions: Tensor) -> Tensor:
        step = depth / SAMPLES
        depths = step * (torch.arange(SAMPLES) + 0.5).expand(len(points), SAMPLES)
        places = (points[:, None] + depths[..., None] * directions[:, None]).reshape(-1, 3)
        lengths = torch.full_like(depths, step)
        weights = compositing_weights(sample_opacities(density(places).view_as(depths).to(depths), lengths))
        along = directions[:, None].expand(-1, SAMPLES, -1).reshape(-1, 3)
        colours = colour(places, along).view(-1, SAMPLES, 3)
        weights = weights + FAINT  # an empty layer has the mean colour
        return (weights[..., None] * colours).sum(1) / weights.sum(1, keepdim=True)

    return seen
