"""Marching cubes on a grid read only where the surface passes: MISE (Mescheder et al. 2019)."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from ..kernels.octree import Octree, octree
from ..runtime.errors import InputError
from ..runtime.memory import size_text
from .dense import CHUNK_BYTES, CHUNK_POINTS, Piece, Read, dense_pieces
from .grid import Grid

__all__ = ["coarse_resolution", "mise_pieces", "published_mise"]

_POINT_BYTES = 6  # of a slab of which all points are read: 4 for the depth, then bits and lists
_EMIT_POINTS = 1 << 21  # grid points in the layers whose triangles are made at a time
_EMIT_BYTES = 16 << 20


def coarse_resolution(resolution: int, coarse: int | None) -> int:
    """Cells of the coarse grid along each axis: `coarse`, or the largest resolution / 2^k of at most 128.

    Above a resolution of 512 it is at most 256. Raises InputError where `coarse` is not resolution / 2^k.
    """
    possible = [resolution >> k for k in range(17) if resolution % (1 << k) == 0]
    if coarse is None:
        limit = 128 if resolution <= 512 else 256
        return next((c for c in possible if c <= limit), possible[-1])
    if coarse not in possible:
        raise InputError(
            f"a coarse grid of {coarse} cells cannot be refined to {resolution}",
            "coarse",
            f"Choose one of {', '.join(map(str, possible))}.",
        )
    return coarse


def mise_pieces(
    read: Read, grid: Grid, coarse: int | None, memory: int | None, report: Callable[[float, str], None]
) -> Iterator[Piece]:
    """The surface from a coarse grid, refined where the surface passes.

    With `memory` (bytes), the search goes slab by slab, with slabs so thin that even a surface that fills the
    box would fit: each slab hands the points on its two faces to its neighbours, until none has news. As the
    rule only ever adds cells, the order does not matter, and the result is that of the whole. Raises
    InputError where one layer of coarse cells does not fit.
    """
    resolution = grid.shape[0] - 1
    coarse = coarse_resolution(resolution, coarse)
    if coarse == resolution:
        yield from dense_pieces(read, grid, None, memory, report)
        return
    slabs = _slabs(resolution, resolution // coarse, memory)
    # a shape that fills most of the box has some 3 resolution^2 active cells, with three points for each
    expected = (coarse + 1) ** 3 + 10 * resolution**2
    done = 0

    def counted(points: np.ndarray) -> np.ndarray:
        nonlocal done
        done += len(points)
        report(min(done / expected, 0.99), "")
        return read(points)

    for tree, (first, last) in zip(_searched(counted, resolution, coarse, slabs), slabs):
        layers = max(_EMIT_POINTS // (grid.shape[1] * grid.shape[2]) // 2 * 2, 2)
        for start in range(first, last, layers):
            cells, cases = tree.active_cells(start, min(start + layers, last))
            yield cells, cases, tree.place_vertices(cells, cases, grid.axes)
    report(1.0, "")


def _slabs(resolution: int, step: int, memory: int | None) -> list[tuple[int, int]]:
    """First and last plane of each slab."""
    if memory is None:
        return [(0, resolution)]
    plane = (resolution + 1) ** 2 * _POINT_BYTES
    smallest = CHUNK_BYTES + _EMIT_BYTES + (step + 1) * plane
    if memory < smallest:
        raise InputError(
            f"{size_text(memory)} of memory are too few for MISE to {resolution} from {resolution // step}",
            "max_memory",
            f"Give {size_text(1.05 * smallest)} or more, a finer coarse grid, or a lower resolution.",
        )
    planes = ((memory - CHUNK_BYTES - _EMIT_BYTES) // plane - 1) // step * step
    return [(first, min(first + planes, resolution)) for first in range(0, resolution, planes)]


class _Slab:
    """A part of the search between two planes; while others are at work it lies in a temporary file.

    shared: the planes in common with the slab before (-1) and the slab after (1).
    inbox: what these have read there, points and depths.
    """

    def __init__(self, resolution: int, coarse: int, first: int, last: int) -> None:
        self.shared = {step: plane for step, plane in ((-1, first), (1, last)) if 0 < plane < resolution}
        self.inbox: list[tuple[np.ndarray, np.ndarray]] = []
        self._shape = resolution, coarse, first, last
        self._tree: Octree | None = None
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the slab is there

    def open(self) -> Octree:
        """The search, with the news of its neighbours."""
        if self._tree is None:
            self._tree = octree(*self._shape)
        else:
            self._file.seek(0)
            self._tree.restore(self._file)
        for points, depth in self.inbox:
            self._tree.insert(points, depth)
        self.inbox.clear()
        return self._tree

    def close(self) -> None:
        """Put the search into the file."""
        assert self._tree is not None
        self._file.seek(0)
        self._tree.store(self._file)


def _searched(read: Read, resolution: int, coarse: int, slabs: list[tuple[int, int]]) -> Iterator[Octree]:
    """The finished octree of each slab in turn."""
    if len(slabs) == 1:
        yield _search(octree(resolution, coarse), read)
        return
    parts = [_Slab(resolution, coarse, *slab) for slab in slabs]
    order = list(range(len(parts)))
    waiting = set(order)
    while waiting:
        for number in order:
            if number in waiting:
                waiting.remove(number)
                waiting |= _search_part(parts, number, read, (resolution + 1) ** 2)
        order.reverse()  # news travels to the end in one sweep, and back in the next
    while parts:
        yield parts.pop(0).open()


def _search(tree: Octree, read: Read) -> Octree:
    while True:
        while len(points := tree.query(CHUNK_POINTS)):
            tree.update(read(points))
        if not tree.split():
            return tree


def _search_part(parts: list[_Slab], number: int, read: Read, plane: int) -> set[int]:
    """Finish one slab and hand the points on its faces to its neighbours; returns those with news."""
    news = set()

    def shared(points: np.ndarray) -> np.ndarray:
        depth, planes = read(points), points // plane
        for neighbour, face in parts[number].shared.items():
            on_face = planes == face
            if on_face.any():
                parts[number + neighbour].inbox.append((points[on_face], depth[on_face]))
                news.add(number + neighbour)
        return depth

    _search(parts[number].open(), shared)
    parts[number].close()
    return news


def published_mise(
    evaluate: Callable[[np.ndarray], np.ndarray], coarse: int, depth: int, threshold: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """The published procedure on its own: what it asks for in each round, and its grid of values.

    evaluate: integer grid points [N, 3], 0 to coarse * 2^depth, to values [N], above `threshold` inside.
    Returns the points of each round [N, 3] and float64 values of the whole grid, where a point that was never
    read has the value of the one before it along x, else along y, else along z (the published `to_dense`).
    """
    resolution = coarse << depth
    shape = (resolution + 1,) * 3
    values = np.full(shape, np.nan)
    rounds: list[np.ndarray] = []
    tree = octree(resolution, coarse)
    while not rounds or tree.split():
        points = tree.query(values.size)
        rounds.append(np.stack(np.unravel_index(points, shape), axis=1))
        found = evaluate(rounds[-1])
        values.reshape(-1)[points] = found
        tree.update((found - threshold).astype(np.float32))
    for axis in range(3):
        for before, plane in pairwise(np.moveaxis(values, axis, 0)):
            plane[np.isnan(plane)] = before[np.isnan(plane)]
    return rounds, values
