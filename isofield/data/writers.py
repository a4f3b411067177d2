"""Meshes and points as files, whole or not at all."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float, UInt8

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .gltf import write_glb
from .obj import write_obj
from .off import write_off
from .pcd import write_pcd
from .ply import write_ply
from .points import write_npz, write_xyz
from .stl import write_stl

__all__ = ["POINT_WRITERS", "WRITERS", "in_file_precision", "write_mesh", "write_points"]

# a writer gets the open file, the mesh (vertices float32 where that is enough, else float64), comments
WRITERS: dict[str, Callable[[BinaryIO, Mesh, list[str]], None]] = {
    ".ply": write_ply,
    ".obj": write_obj,
    ".stl": write_stl,
    ".off": write_off,
    ".glb": write_glb,
}
# the same of points: meshes without faces
POINT_WRITERS: dict[str, Callable[[BinaryIO, Mesh, list[str]], None]] = {
    ".ply": write_ply,
    ".xyz": write_xyz,
    ".npz": write_npz,
    ".pcd": write_pcd,
}
# of the box's longest edge: coordinates that float32 would move by more stay in double precision
FLOAT32_LOSS = 1e-6
TEXT = (".obj", ".off")


def write_mesh(
    path: str | os.PathLike, mesh: Mesh, comments: Sequence[str] = (), tolerance: float | None = None
) -> None:
    """Write `mesh` in the format that the name's ending says (WRITERS), with comments where it can.

    Coordinates keep the input's digits: see `in_file_precision`, also for `tolerance`; with 0 they come back
    bit for bit, except from STL and GLB, which hold single precision. PLY, OBJ and GLB hold
    normals and colours, OFF colours, STL neither. Raises InputError for an unknown ending, FailedError where
    writing fails.
    """
    mesh = in_file_precision(mesh, tolerance)
    if (
        tolerance == 0 and Path(path).suffix.lower() in TEXT
    ):  # the shortest text of a single is another double
        mesh = dataclasses.replace(mesh, vertices=mesh.vertices.astype(np.float64))
    _write(WRITERS, "meshes", path, mesh, comments)


def in_file_precision(mesh: Mesh, tolerance: float | None = None) -> Mesh:
    """The mesh with vertices in single precision where that moves none by more than `tolerance`, else in
    double. None: 1e-6 of the longest edge of their box."""
    vertices = mesh.vertices
    if tolerance is None:
        tolerance = FLOAT32_LOSS * float(np.max(np.ptp(vertices, axis=0))) if len(vertices) else 0.0
    with np.errstate(over="ignore", under="ignore"):
        single = vertices.astype(np.float32)
        suffices = np.max(np.abs(single - np.asarray(vertices, np.float64)), initial=0.0) <= tolerance
    return dataclasses.replace(mesh, vertices=np.ascontiguousarray(single if suffices else vertices))


def write_points(
    path: str | os.PathLike,
    points: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"] | None = None,
    colours: UInt8[np.ndarray, "points 3"] | None = None,
    comments: Sequence[str] = (),
) -> None:
    """Write points in the format that the name's ending says (POINT_WRITERS), with their unit normals and
    sRGB colours where given, and comments where it can.

    `load` gives the coordinates back bit for bit: in PLY and PCD they are in double precision where single
    would change any, elsewhere always. Raises InputError for an unknown ending, FailedError where writing
    fails.
    """
    cloud = Mesh(points, np.zeros((0, 3), np.int32), normals, colours)
    _write(POINT_WRITERS, "points", path, in_file_precision(cloud, 0.0), comments)


def _write(
    writers: dict[str, Callable[[BinaryIO, Mesh, list[str]], None]],
    what: str,
    path: str | os.PathLike,
    mesh: Mesh,
    comments: Sequence[str],
) -> None:
    """Write `mesh` by the writer for the name's ending, whole or not at all."""
    path = Path(path)
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(
            f"no writer for '{path.suffix}' files",
            path,
            f"Name the output of {what} with one of: {' '.join(sorted(writers))}.",
        )
    lines = [line for comment in comments for line in comment.splitlines()]
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        writer(file, mesh, lines)
