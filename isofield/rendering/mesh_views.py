"""What cameras see of a mesh, by the z-buffer of `kernels.raster`."""

import numpy as np
from jaxtyping import Float32, Int32

from ..geometry.mesh import Mesh
from ..kernels.raster import rasterise
from .cameras import Cameras
from .views import View

__all__ = ["mesh_view", "nearest_faces"]

FARTHEST = 1e6  # pixels from the corner of the picture, beyond which whole numbers would overflow
GREY = 128  # of a mesh without colours


def nearest_faces(
    mesh: Mesh, cameras: Cameras, number: int
) -> tuple[Int32[np.ndarray, "height width"], Float32[np.ndarray, "height width 4"]]:
    """The face that camera `number` sees through the centre of each pixel, -1 where there is none, and there
    the interpolated colours of its vertices (sRGB in [0, 1]) and the distance along the ray; 0 without face.

    Faces are straight between their projected vertices, also through a lens that bends them: they are to be
    small there. Those with a vertex that the lens does not see are left out.
    """
    width, height = (int(size) for size in cameras.sizes[number])
    vertices = np.asarray(mesh.vertices, np.float64)
    pixels, depth = cameras.project(number, vertices)
    seen = (np.abs(pixels) < FARTHEST).all(axis=1) & (depth > 0)  # NaN is not below
    screen = np.column_stack([np.where(seen[:, None], pixels, 0), 1 / np.where(seen, depth, 1)])
    kept = np.flatnonzero(seen[mesh.faces].all(axis=1))
    colours = np.full(mesh.vertices.shape, GREY) if mesh.colours is None else mesh.colours
    distance = np.linalg.norm(vertices - cameras.centres[number], axis=1)
    attributes = np.column_stack([colours / np.float32(255), distance]).astype(np.float32)
    face, values = rasterise(screen, mesh.faces[kept], attributes, height, width)
    if len(kept):
        face = np.where(face >= 0, kept[face].astype(np.int32), np.int32(-1))
    return face, values


def mesh_view(mesh: Mesh, cameras: Cameras, number: int, samples: int = 1) -> View:
    """What camera `number` sees of a mesh with vertex colours, without light or shade; the mean of
    `samples` x `samples` rays through each pixel."""
    fine = cameras[number].resized(cameras.sizes[[number]] * samples)
    face, values = nearest_faces(mesh, fine, 0)
    width, height = cameras.sizes[number]
    covered = np.concatenate([values, (face >= 0)[..., None]], axis=2, dtype=np.float32)
    pooled = covered.reshape(height, samples, width, samples, 5).mean(axis=(1, 3))
    return View(pooled[..., :3], pooled[..., 4], pooled[..., 3])
