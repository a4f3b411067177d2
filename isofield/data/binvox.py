"""binvox: a grid of filled and empty cells, run-length coded (Patrick Min's format, version 1)."""

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .voxels import VoxelGrid

__all__ = ["read_binvox", "write_binvox"]

LONGEST_RUN = 255
_DATA = re.compile(rb"^data[ \t]*\r?\n", re.MULTILINE)


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
    if pairs[:, 0].max(initial=0) > 1:
        raise InputError(
            f"a run has the value {pairs[:, 0].max()}, where only 0 and 1 are known", path, "Export it again."
        )
    coded, cells = int(pairs[:, 1].sum(dtype=np.int64)), size[0] * size[1] * size[2]
    if coded != cells:
        raise InputError(
            f"the runs code {coded} cells, but the header promises "
            f"{size[0]} x {size[1]} x {size[2]} = {cells}",
            path,
            "The file is damaged or cut short; copy or export it again.",
        )
    runs = np.repeat(pairs[:, 0].astype(bool), pairs[:, 1])
    filled = runs.reshape(size[0], size[2], size[1]).transpose(0, 2, 1)
    if not scale > 0:
        raise InputError(f"the scale is {scale:g}, not positive", path, "Export the file again.")
    return VoxelGrid(
        np.ascontiguousarray(filled), (translate[0], translate[1], translate[2]), (scale, scale, scale)
    )


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
    """Write `grid` as binvox, version 1.

    The format knows boxes of three equal edges only: others get empty cells until they are cubes, which
    takes cubic cells (InputError).
    """
    grid = _cube(grid, path)
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
            "translate " + " ".join(repr(float(v)) for v in grid.low),
            f"scale {float(grid.edges[0])!r}",
            "data\n",
        ]
    )
    with atomic_path(path) as temporary:
        temporary.write_bytes(header.encode() + pairs.tobytes())


def _cube(grid: VoxelGrid, path: str | os.PathLike) -> VoxelGrid:
    """The grid in a box of equal edges, with empty cells added at the high ends where it had others."""
    if len(set(grid.edges)) == 1:
        return grid
    if not np.allclose(grid.cell, grid.cell[0], rtol=1e-9, atol=0):
        raise InputError(
            "binvox holds cubic cells or cubic boxes only", path, "Write .npz instead, which holds any."
        )
    longest = max(grid.filled.shape)
    filled = np.pad(grid.filled, [(0, longest - count) for count in grid.filled.shape])
    edge = max(grid.edges)
    return dataclasses.replace(grid, filled=filled, edges=(edge, edge, edge))
