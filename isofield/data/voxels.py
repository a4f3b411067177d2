"""A grid of filled and empty cells: its surface, a solid as such a grid, and the grid as numpy arrays."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Int64

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .npz import ArrayForm, open_npz

__all__ = [
    "VoxelGrid",
    "boundary_mesh",
    "boundary_quads",
    "holds_voxels",
    "read_voxels_npz",
    "voxelised",
    "write_voxels_npz",
]

CHUNK = 1 << 20  # cells asked for at a time
MOST_CELLS = 1 << 31
Triple = tuple[float, float, float]
_CELLS = ArrayForm((np.bool_, np.integer), (None, None, None), "truth values of the shape (X, Y, Z)")
_TRIPLE = ArrayForm((np.floating,), (3,), "three floating-point numbers")


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A grid of cells in a box along the axes.

    filled: bool [X, Y, Z]. low: the low corner of the box; edges: its edge lengths, in the file's units: the
    centre of cell (i, j, k) is low + edges * ((i + 0.5) / X, (j + 0.5) / Y, (k + 0.5) / Z).
    """

    filled: np.ndarray
    low: Triple = (0.0, 0.0, 0.0)
    edges: Triple = (1.0, 1.0, 1.0)

    @property
    def cell(self) -> Triple:
        """Edge lengths of a cell."""
        x, y, z = (edge / count for edge, count in zip(self.edges, self.filled.shape))
        return x, y, z

    def to_world(self, cells: np.ndarray) -> np.ndarray:
        """Positions [N, 3] in cells, where (0, 0, 0) is the low corner, in the file's units."""
        return np.asarray(cells, np.float64) / self.filled.shape * self.edges + self.low


def voxelised(
    inside: Callable[[Float[np.ndarray, "cells 3"]], Bool[np.ndarray, " cells"]],
    low: np.ndarray,
    high: np.ndarray,
    resolution: int,
) -> VoxelGrid:
    """The cells whose centres are inside, of a cube with `resolution` cells along an axis.

    inside: of points [N, 3]. low, high: the box of the solid; the cube has its centre, its longest edge, and
    an empty cell on every side.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    edge = float(np.max(high - low)) * resolution / (resolution - 2)
    corner = (low + high) / 2 - edge / 2
    x, y, z = (float(c) for c in corner)
    grid = VoxelGrid(np.zeros((resolution,) * 3, bool), (x, y, z), (edge,) * 3)
    flat = grid.filled.reshape(-1)
    for start in range(0, flat.size, CHUNK):
        index = np.arange(start, min(start + CHUNK, flat.size))
        centres = np.stack(np.unravel_index(index, grid.filled.shape), axis=1) + 0.5
        flat[index] = inside(grid.to_world(centres))
    return grid


def boundary_quads(
    filled: Bool[np.ndarray, "X Y Z"],
) -> tuple[Int64[np.ndarray, "corners 3"], Int[np.ndarray, "quads 4"]]:
    """The faces between filled and empty cells (or the outside): (corners in cells, quads).

    Quads face outward. Every edge has an even number of them, so the surface is closed; where filled cells
    meet only at an edge, four share it.
    """
    padded = np.pad(filled, 1)
    inner = (slice(1, -1),) * 3
    lattice = tuple(n + 1 for n in filled.shape)
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        # the square across the axis, counter-clockwise seen from its positive end
        around = np.zeros((4, 3), np.int64)
        around[1:3, u] = around[2:4, v] = 1
        for side in (0, 1):
            beyond = np.roll(padded, -1 if side else 1, axis)[inner]
            cells = np.argwhere(filled & ~beyond)
            cells[:, axis] += side
            corners = cells[:, None, :] + around[:: 1 if side else -1]
            quads.append(np.ravel_multi_index(tuple(np.moveaxis(corners, 2, 0)), lattice))
    names, index = np.unique(np.concatenate(quads), return_inverse=True)
    return np.stack(np.unravel_index(names, lattice), axis=1), index.reshape(-1, 4)


def boundary_mesh(grid: VoxelGrid) -> Mesh:
    """The closed surface of the filled cells as triangles, in the file's units."""
    corners, quads = boundary_quads(grid.filled)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Mesh(grid.to_world(corners), faces.astype(np.int32))


def write_voxels_npz(path: str | os.PathLike, grid: VoxelGrid) -> None:
    """Write the arrays `voxels` (bool [X, Y, Z]), `low` and `edges` (float64 [3])."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, voxels=grid.filled, low=np.array(grid.low), edges=np.array(grid.edges))


def holds_voxels(path: Path) -> bool:
    """Whether a file is a .npz archive with an array `voxels`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "voxels.npy" in archive.namelist()
    except Exception:  # damaged archives raise many things; the reader that is asked next says which
        return False


def read_voxels_npz(path: Path) -> VoxelGrid:
    """The grid in the arrays `voxels` (whole or truth values [X, Y, Z], filled where not 0), `low` and
    `edges` [3]; without these the cells have edges of 1 and the low corner is the origin."""
    with open_npz(path) as archive:
        _refuse_false_promises(archive.file, path)
        archive.require("voxels", "Save it with numpy.savez(path, voxels=...).")
        filled = archive.array("voxels", _CELLS)
        low = archive.array("low", _TRIPLE) if "low" in archive.names else np.zeros(3)
        edges = archive.array("edges", _TRIPLE) if "edges" in archive.names else np.array(filled.shape, float)
    if 0 in filled.shape:
        raise InputError(f"has the shape {filled.shape}, no cells", f"{path}, array 'voxels'", "Save some.")
    for name, array in (("low", low), ("edges", edges)):
        if not np.isfinite(array).all():
            raise InputError("is not three finite numbers", f"{path}, array '{name}'", "Save it so.")
    if not (edges > 0).all():
        raise InputError("has an edge that is not positive", f"{path}, array 'edges'", "Save it so.")
    x, y, z = (float(c) for c in low)
    u, v, w = (float(c) for c in edges)
    return VoxelGrid(filled != 0, (x, y, z), (u, v, w))


def _refuse_false_promises(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise InputError where the archive would unpack to more cells than can be worked with."""
    promised = sum(member.file_size for member in archive.infolist())
    if promised > MOST_CELLS:
        raise InputError(f"promises {promised} bytes", path, f"Give at most {MOST_CELLS} cells.")
