"""The inputs of the benchmarks: the real meshes beside the checkout, read and written without isofield."""

import sys
from pathlib import Path

import numpy as np
import trimesh
from report import ROOT

__all__ = [
    "DATA",
    "MESHES",
    "Triangles",
    "mesh_path",
    "read_mesh",
    "sample_surface",
    "write_cloud",
    "write_mesh",
    "write_points",
]

DATA = ROOT.parent / "shared" / "data"
MESHES = DATA / "meshes"

Triangles = tuple[np.ndarray, np.ndarray]
"""Vertices float64 [V, 3] and faces int64 [F, 3]."""


def mesh_path(name: str) -> Path:
    """The file of a mesh by its name; leaves the program with a message where it is not there."""
    path = MESHES / f"{name}.ply"
    if not path.is_file():
        sys.exit(
            f"The benchmarks read ../shared/data/meshes (beside the checkout); {path.name} is not there."
        )
    return path


def read_mesh(path: Path) -> Triangles:
    """A mesh as the file has it: nothing merged, nothing dropped."""
    mesh = trimesh.load(path, process=False)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)


def read_points(path: Path) -> np.ndarray:
    """The points [N, 3] of a file without faces."""
    return np.asarray(trimesh.load(path, process=False).vertices, np.float64)


def sample_surface(
    mesh: Triangles, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points [N, 3] drawn evenly by area, the unit normals [N, 3] of their faces, and the faces [N]."""
    a, b, c = np.moveaxis(mesh[0][mesh[1]], 1, 0)
    crosses = np.cross(b - a, c - a)
    areas = np.linalg.norm(crosses, axis=1)
    face = rng.choice(len(areas), count, p=areas / areas.sum())
    u, v = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    points = (1 - u) * a[face] + u * (1 - v) * b[face] + u * v * c[face]
    return points, crosses[face] / areas[face, None], face


def write_points(path: Path, points: np.ndarray, normals: np.ndarray) -> None:
    """Points with normals as binary PLY of single precision."""
    names = ("x", "y", "z", "nx", "ny", "nz")
    properties = "".join(f"property float {name}\n" for name in names)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n{properties}end_header\n"
    path.write_bytes(header.encode() + np.hstack([points, normals]).astype("<f4").tobytes())


def write_cloud(path: Path, points: np.ndarray) -> None:
    """Points alone as binary PLY of single precision."""
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\n"
    header += "".join(f"property float {name}\n" for name in "xyz") + "end_header\n"
    path.write_bytes(header.encode() + points.astype("<f4").tobytes())


def write_mesh(path: Path, mesh: Triangles) -> None:
    """A mesh as binary PLY."""
    trimesh.Trimesh(*mesh, process=False).export(path)
