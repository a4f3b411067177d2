"""binvox: a grid of filled and empty cells, run-length coded (Patrick Min's format, version 1)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .border import Contents

__all__ = ["VoxelGrid", "boundary_quads", "read_binvox", "read_binvox_as_mesh", "write_binvox"]

LONGEST_RUN = 255
_DATA = re.compile(rb"^data[ \t]*\r?\n", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A grid of cells.

    filled: bool [X, Y, Z]. translate: the low corner of the grid. scale: edge of the whole grid, in the
    file's units: the centre of cell (i, j, k) is scale * ((i + 0.5) / X, (j + 0.5) / Y, (k + 0.5) / Z) +
    translate.
    """

    filled: np.ndarray
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0

    def to_world(self, cells: np.ndarray) -> np.ndarray:
        """Positions [N, 3] in cells, where (0, 0, 0) is the low corner, in the file's units."""
        return np.asarray(cells, np.float64) / self.filled.shape * self.scale + self.translate


def read_binvox(path: str | os.PathLike) -> VoxelGrid:
    """The grid in a binvox file. The runs fill it with x slowest, then z, then y."""
    path = Path(path)
    data = path.read_bytes()
    start = _DATA.search(data)
    if not data.startswith(b"#binvox") or start is None:
        raise InputError(
            "does not begin with a '#binvox' header that ends with a line 'data'",
            path,
            "Export the file again.",
        )
    header = {}
    for line in data[: start.start()].decode("latin-1").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            header[words[0]] = words[1:]
    size = tuple(int(v) for v in _numbers(header, "dim", 3, path))
    if min(size) < 1:
        raise InputError(f"the grid has {size} cells along its axes", path, "Export the file again.")
    translate = _numbers(header, "translate", 3, path, (0.0, 0.0, 0.0))
    (scale,) = _numbers(header, "scale", 1, path, (1.0,))
    pairs = np.frombuffer(data, np.uint8, offset=start.end())
    pairs = pairs[: len(pairs) // 2 * 2].reshape(-1, 2)
    coded, cells = int(pairs[:, 1].sum(dtype=np.int64)), size[0] * size[1] * size[2]
    if coded != cells or pairs[:, 0].max(initial=0) > 1:
        raise InputError(
            f"the runs code {coded} cells of 0 or 1, but the header promises "
            f"{size[0]} x {size[1]} x {size[2]} = {cells}",
            path,
            "The file is damaged or cut short; copy or export it again.",
        )
    runs = np.repeat(pairs[:, 0].astype(bool), pairs[:, 1])
    filled = runs.reshape(size[0], size[2], size[1]).transpose(0, 2, 1)
    return VoxelGrid(np.ascontiguousarray(filled), (translate[0], translate[1], translate[2]), scale)


def _numbers(
    header: dict[str, list[str]], name: str, count: int, path: Path, default: tuple[float, ...] | None = None
) -> tuple[float, ...]:
    """The finite numbers on the header's line `name`."""
    words = header.get(name)
    if words is None and default is not None:
        return default
    try:
        values = tuple(float(word) for word in words or ())
    except ValueError:
        values = ()
    if len(values) != count or not np.isfinite(values).all():
        raise InputError(
            f"the header needs a line '{name}' with {count} numbers", path, "Export the file again."
        )
    return values


def write_binvox(path: str | os.PathLike, grid: VoxelGrid) -> None:
    """Write `grid` as binvox, version 1."""
    flat = grid.filled.transpose(0, 2, 1).ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(np.append(starts, len(flat)))
    pieces = -(-lengths // LONGEST_RUN)
    pairs = np.full((int(pieces.sum()), 2), LONGEST_RUN, np.uint8)
    pairs[:, 0] = np.repeat(flat[starts], pieces)
    # the last piece of each run takes the rest
    pairs[np.cumsum(pieces) - 1, 1] = lengths - (pieces - 1) * LONGEST_RUN
    header = "#binvox 1\n" + "\n".join(
        [
            "dim " + " ".join(str(n) for n in grid.filled.shape),
            "translate " + " ".join(repr(float(v)) for v in grid.translate),
            f"scale {float(grid.scale)!r}",
            "data\n",
        ]
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(header.encode() + pairs.tobytes())


def boundary_quads(filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The faces between filled and empty cells (or the outside): (corners [V, 3] in cells, quads [Q, 4]).

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


def read_binvox_as_mesh(path: Path) -> Contents:
    """The closed surface of the filled cells as triangles."""
    grid = read_binvox(path)
    if not grid.filled.any():
        raise InputError("none of the cells is filled", path, "Check the voxelisation.")
    corners, quads = boundary_quads(grid.filled)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    note = (
        f"The surface of {int(grid.filled.sum())} filled cells of {' x '.join(map(str, grid.filled.shape))}."
    )
    return Contents(grid.to_world(corners), faces, notes=(note,))
