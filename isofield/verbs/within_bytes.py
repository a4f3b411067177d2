"""Each representation of a shape within a number of bytes, and the surface that it gives back.

Bytes are those of the payload: packed cells, coordinates, indices, weights; not of headers. Coordinates are
those of the working box.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np

from ..data.raw_points import solid_of_raw_points
from ..data.shape import Shape
from ..extraction.simplify import simplify
from ..extraction.surface import extract_surface, marching_cubes
from ..geometry.level import Above
from ..geometry.mesh import Mesh
from ..geometry.solid import Solid
from ..geometry.surface_samples import SurfaceSampler
from ..methods import METHODS
from ..methods.choice import Size
from ..runtime.errors import FailedError, InputError
from ..training.precision import in_precision, stored_bytes
from ..training.run_folder import RunFolder
from .field_file import rounded, weights_of
from .options import TrainOptions
from .train import train

__all__ = ["REPRESENTATIONS", "Made", "Task"]

RESOLUTION = 256  # cells along an axis of the surfaces of fields
MOST_VERTICES = 1 << 16  # that 16-bit indices tell apart
SLACK = 0.98  # next try of a mesh that came out too large


@dataclass(frozen=True, eq=False)
class Made:
    """A representation within its bytes. payload: bytes it takes. surface: what it gives back. size: how much
    of it there is, in words. seconds_before: of training that an earlier comparison had done."""

    payload: int
    surface: Mesh
    size: str
    seconds_before: float = 0.0


@dataclass(frozen=True, eq=False)
class Task:
    """shape and its solid; bytes: at most so many; seed; folder: for the runs of networks."""

    shape: Shape
    solid: Solid
    bytes: int
    seed: int
    folder: Path


def voxels(task: Task) -> Made:
    """One bit a cell, cubic cells in the shape's own box."""
    low, high = _box(task.solid)
    edge = float(np.cbrt(np.prod(high - low) / (8 * task.bytes)))
    while np.prod(counts := [ceil(length / edge) for length in high - low]) > 8 * task.bytes:
        edge *= 1.002
    axes = [start + edge * (np.arange(n) + 0.5) for start, n in zip(low, counts)]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    filled = task.solid.occupancy(centres).reshape(counts)
    outer = tuple(low - edge / 2), tuple(low + edge * (np.array(counts) + 0.5))
    surface = marching_cubes(np.pad(filled, 1).astype(np.float32), outer, Above(0.5))
    return Made(len(np.packbits(filled)), surface, " x ".join(map(str, counts)) + " cells")


def points(task: Task) -> Made:
    """Three float16 a point, one in each of equal parts of the area."""
    count = task.bytes // 6
    drawn = SurfaceSampler(task.solid.mesh).draw(count, np.random.default_rng(task.seed)).astype(np.float16)
    once = np.unique(drawn, axis=0).astype(np.float64)
    try:
        solid = solid_of_raw_points(once, None, task.shape.name)
    except InputError as error:
        raise FailedError(error.what, error.where, error.remedy) from None
    return Made(drawn.nbytes, solid.mesh, f"{count:,} points")


def mesh(task: Task) -> Made:
    """Vertices of three float16, faces of three 16-bit indices, edges collapsed by least quadric error."""
    given = _without_unused(task.solid.mesh)
    result, faces = given, len(given.faces)
    while _bytes_of(result) > task.bytes or len(result.vertices) > MOST_VERTICES:
        faces = min(int(faces * SLACK), task.bytes // 9)
        if faces < 4:
            raise FailedError("no mesh is this small", task.shape.name, "Give more bytes.")
        result = _without_unused(simplify(given, faces))
    rounded_vertices = result.vertices.astype(np.float16).astype(np.float32)
    size = f"{len(result.vertices):,} vertices, {len(result.faces):,} faces"
    return Made(_bytes_of(result), replace(result, vertices=rounded_vertices), size)


def occupancy(task: Task) -> Made:
    """A network of float16 weights, trained on which points are inside."""
    return _network(task, "occupancy")


def sdf(task: Task) -> Made:
    """A network of float16 weights, trained on signed distances beside the surface."""
    return _network(task, "sdf")


@dataclass(frozen=True)
class Candidate:
    """make: within a task's bytes. becomes: how it is turned into a surface."""

    make: Callable[[Task], Made]
    becomes: str


REPRESENTATIONS = {
    "voxels": Candidate(voxels, "marching cubes of the cells, 0 or 1 at their centres, at 1/2"),
    "points": Candidate(points, "normals, orientation and inside by Poisson's equation on 256 cells"),
    "mesh": Candidate(mesh, "as it is"),
    "occupancy": Candidate(occupancy, f"marching cubes of the field on {RESOLUTION} cells"),
    "sdf": Candidate(sdf, f"marching cubes of the field on {RESOLUTION} cells"),
}


def _network(task: Task, method: str) -> Made:
    size = Size.within(task.bytes // 2)
    config = METHODS[method].load()[1]().of(size)
    name = f"{method}-{task.bytes}"
    options = TrainOptions(out=task.folder / name, steps=size.steps, seed=task.seed, resume=True)
    before = sum(record["seconds"] for record in RunFolder(task.folder / name).read_log()[-1:])
    field = rounded(train(task.shape, method, config, options).field, "float16")
    assert field.network is not None
    payload = stored_bytes(in_precision(weights_of(field.network.method), "float16"))
    surface = extract_surface(field.surface.field, field.surface.inside, RESOLUTION, search="dense").mesh
    return Made(payload, surface, f"{payload // 2:,} weights ({size.network.kind})", before)


def _box(solid: Solid) -> tuple[np.ndarray, np.ndarray]:
    corners = solid.mesh.vertices[solid.mesh.faces].astype(np.float64).reshape(-1, 3)
    return corners.min(axis=0), corners.max(axis=0)


def _without_unused(given: Mesh) -> Mesh:
    used, index = np.unique(given.faces, return_inverse=True)
    return Mesh(given.vertices[used], index.reshape(-1, 3).astype(np.int32))


def _bytes_of(given: Mesh) -> int:
    return 6 * (len(given.vertices) + len(given.faces))
