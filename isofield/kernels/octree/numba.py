"""Compiled MISE: depths in bricks of 8^3 points, and two bits a cell: is it split, must it be looked at."""

import numpy as np
from numba import njit

from ...runtime.threads import run_pieces, split, threads
from ..marching_cubes import NEAREST, active_cells, first_vertices
from ..marching_cubes.table import OWNED_AXES

__all__ = ["CompiledOctree"]

_LARGE = ("_coarse", "_directory", "_places", "_waiting", "_values", "_split_bits", "_check_bits")
_SMALL = 4096  # cells; below this, starting a thread costs more than the work
_WANTED = np.float32(np.inf)  # in a brick: the depth is wanted. nan: nobody asked


class CompiledOctree:
    """As `kernels.octree.Octree`. Coordinates within are relative to the slab's first plane.

    A brick holds the 8^3 points from a multiple of 8 on; `directory` says which one, or -1. The coarse points
    lie in an array of their own and are copied into a brick when it is made. A cell of level l has the edge
    step >> l; the bits of all levels but the finest lie one after the other, from word `starts[l]` on.
    """

    def __init__(self, resolution: int, coarse: int, first: int, last: int) -> None:
        self._n, self._first, self._step = resolution + 1, first, resolution // coarse
        self._levels = self._step.bit_length() - 1
        planes = (last - first) // self._step
        # cells along x, and along y and z, of each level but the finest
        self._grids = [(planes << level, coarse << level) for level in range(self._levels)]
        self._starts = np.cumsum([0] + [-(-x * y * y // 64) for x, y in self._grids])
        self._coarse = np.full((planes + 1, coarse + 1, coarse + 1), np.nan, np.float32)
        self._directory = np.full([((last - first) >> 3) + 1] + 2 * [(resolution >> 3) + 1], -1, np.int32)
        self._places = np.empty((self._directory.size, 3), np.int32)  # of the bricks, in bricks
        self._waiting = np.zeros(self._directory.size, np.int16)  # of the bricks: number of wanted depths
        self._bricks = 0
        self._values = np.empty(0, np.float32)
        self._split_bits = np.zeros(self._starts[-1], np.uint64)
        self._check_bits = np.zeros(self._starts[-1], np.uint64)
        self._coarse_asked = 0  # coarse points before this one have been asked for
        self._coarse_split = False
        self._asked: tuple[np.ndarray, np.ndarray] | None = None  # the array and the places in it
        self._inserted: list[tuple[np.ndarray, np.ndarray]] = []

    def query(self, limit: int) -> np.ndarray:
        coarse = self._coarse.reshape(-1)
        while self._coarse_asked < len(coarse):
            part = coarse[self._coarse_asked : self._coarse_asked + limit]
            wanted = np.flatnonzero(np.isnan(part)) + self._coarse_asked
            self._coarse_asked += len(part)
            if len(wanted):
                self._asked = coarse, wanted
                return self._linear(*(self._step * c for c in np.unravel_index(wanted, self._coarse.shape)))
        waiting = np.flatnonzero(self._waiting)
        bricks = waiting[: max(np.searchsorted(np.cumsum(self._waiting[waiting]), limit, "right"), 1)]
        brick, local = np.nonzero(self._values.reshape(-1, 512)[bricks] == _WANTED)
        self._waiting[bricks] = 0
        self._asked = self._values, bricks[brick] << 9 | local
        x, y, z = (8 * self._places[bricks[brick]].astype(np.int64)).T
        return self._linear(x + (local >> 6), y + (local >> 3 & 7), z + (local & 7))

    def update(self, depth: np.ndarray) -> None:
        assert self._asked is not None
        values, places = self._asked
        values[places] = depth

    def insert(self, points: np.ndarray, depth: np.ndarray) -> None:
        place = self._place(points)
        on_coarse = np.all([c % self._step == 0 for c in place], axis=0)
        self._coarse[tuple(c[on_coarse] // self._step for c in place)] = depth[on_coarse]
        self._inserted.append((points[~on_coarse], depth[~on_coarse]))

    def split(self) -> bool:
        for points, depth in self._inserted:
            self._take(points, depth)
        self._inserted = []
        if not self._coarse_split:
            self._coarse_split = True
            corners, _ = active_cells(self._coarse, 0)
            x, y, z = np.unravel_index(corners, self._coarse.shape)
            if self._split(0, (x * self._grids[0][1] + y) * self._grids[0][1] + z):
                return True
        mixed = [self._mixed(level) for level in range(self._levels)]
        return sum([self._split(level, cells) for level, cells in enumerate(mixed)]) > 0

    def active_cells(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        layer = self._grids[-1][1] ** 2
        start, stop = ((plane - self._first) // 2 * layer for plane in (first, last))
        words = self._split_bits[self._starts[-2] + start // 64 : self._starts[-2] - (-stop // 64)]
        found = np.empty(8 * int(np.bitwise_count(words).sum(dtype=np.int64)), np.int64)
        numbers = (*self._numbers(self._levels - 1)[:2], self._n, self._first)
        count = _find_active(start, stop, *numbers, self._split_bits, *self._depths(), found)
        found = np.sort(found[:count])  # by cell; the case lies in the low byte
        return found >> 8, (found & 255).astype(np.uint8)

    def place_vertices(
        self, cells: np.ndarray, cases: np.ndarray, axes: tuple[np.ndarray, ...]
    ) -> np.ndarray:
        first = first_vertices(cases)
        vertices = np.empty((first[-1], 3), np.float32)
        pieces = split(len(cells), 4 * threads() if len(cells) > _SMALL else 1)
        fixed = (cells, cases, OWNED_AXES, first, self._n, self._first, *self._depths(), *axes, vertices)
        run_pieces(_place_vertices, [(*piece, *fixed) for piece in pieces])
        return vertices

    def store(self, file) -> None:
        for name in _LARGE:
            array = getattr(self, name)
            array.tofile(file)
            setattr(self, name, (array.shape, array.dtype))
        self._asked = None

    def restore(self, file) -> None:
        for name in _LARGE:
            array = np.empty(*getattr(self, name))
            file.readinto(array)
            setattr(self, name, array)

    def _linear(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return ((x + self._first) * self._n + y) * self._n + z

    def _place(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        row, z = np.divmod(points, self._n)
        return row // self._n - self._first, row % self._n, z

    def _numbers(self, level: int) -> tuple[int, int, int]:
        """First word of a level's bits, its cells along y and z, the size of a cell."""
        return int(self._starts[level]), self._grids[level][1], self._step >> level

    def _depths(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        return self._directory, self._values, self._coarse, self._levels

    def _mixed(self, level: int) -> np.ndarray:
        """Cells of a level that are marked for a look and have both sides; the marks are taken away."""
        words = self._check_bits[self._starts[level] : self._starts[level + 1]]
        pieces = split(len(words), 4 * threads() if len(words) > _SMALL else 1)
        found = [np.empty(0, np.int64) for _ in pieces]

        def look(piece: int) -> None:
            start, stop = pieces[piece]
            marked = np.empty(int(np.bitwise_count(words[start:stop]).sum(dtype=np.int64)), np.int64)
            if len(marked):
                numbers = self._numbers(level)
                bits = self._split_bits, self._check_bits
                count = _find_mixed(start, stop, *numbers, *bits, *self._depths(), marked)
                found[piece] = marked[:count]

        run_pieces(look, [(piece,) for piece in range(len(pieces))])
        return np.concatenate(found)

    def _split(self, level: int, cells: np.ndarray) -> int:
        """Split cells of a level; returns their number."""
        if len(cells) == 0:
            return 0
        numbers = self._numbers(level)
        self._make_bricks(_find_bricks(cells, *numbers, self._directory, self._places, self._bricks))
        bits = self._starts, self._split_bits, self._check_bits
        bricks = self._directory, self._values, self._waiting
        _split_cells(cells, level, *numbers, self._grids[level][0], *bits, *bricks)
        return len(cells)

    def _make_bricks(self, count: int) -> None:
        """Room for `count` bricks, the new ones empty but for the coarse points in them."""
        before, self._bricks = self._bricks, count
        self._values.resize(512 * count, refcheck=False)  # grows in place where the system can
        fresh = self._values[512 * before :].reshape(-1, 8, 8, 8)
        fresh[:] = np.nan
        corners = 8 * self._places[before:count].astype(np.int64)
        offsets = range(0, 8, min(self._step, 8))
        for x, y, z in ((x, y, z) for x in offsets for y in offsets for z in offsets):
            points = corners + np.array([x, y, z])
            held = np.all((points % self._step == 0) & (points // self._step < self._coarse.shape), axis=1)
            fresh[held, x, y, z] = self._coarse[tuple((points[held] // self._step).T)]

    def _take(self, points: np.ndarray, depth: np.ndarray) -> None:
        """Enter points of another slab, and mark the cells around them for a look."""
        x, y, z = self._place(points)
        bricks = np.ravel_multi_index((x >> 3, y >> 3, z >> 3), self._directory.shape)
        missing = np.unique(bricks[self._directory.reshape(-1)[bricks] < 0])
        count = self._bricks + len(missing)
        self._directory.reshape(-1)[missing] = np.arange(self._bricks, count)
        self._places[self._bricks : count] = np.stack(
            np.unravel_index(missing, self._directory.shape), axis=1
        )
        self._make_bricks(count)
        brick = self._directory.reshape(-1)[bricks].astype(np.int64)
        self._values[brick << 9 | (x & 7) << 6 | (y & 7) << 3 | z & 7] = depth
        for octant in range(8):
            cell = np.stack([x - (octant & 1), y - (octant >> 1 & 1), z - (octant >> 2)])
            end = self._step * np.array([self._grids[0][0], self._grids[0][1], self._grids[0][1]])[:, None]
            cell = cell[:, np.all((cell >= 0) & (cell < end), axis=0)]
            for level in range(self._levels):  # down to the leaf that holds the cell
                x_cell, y_cell, z_cell = cell // (self._step >> level)
                bit = (x_cell * self._grids[level][1] + y_cell) * self._grids[level][1] + z_cell
                word, mask = self._starts[level] + (bit >> 6), np.uint64(1) << (bit & 63).astype(np.uint64)
                is_split = (self._split_bits[word] & mask) != 0
                np.bitwise_or.at(self._check_bits, word[~is_split], mask[~is_split])
                cell = cell[:, is_split]


@njit(nogil=True, cache=True)
def _depth(directory, values, coarse, levels, x, y, z):
    """The depth at a point, nan where it is not known."""
    brick = np.int64(directory[x >> 3, y >> 3, z >> 3])
    if brick >= 0:
        return values[brick << 9 | (x & 7) << 6 | (y & 7) << 3 | z & 7]
    if (x | y | z) & ((1 << levels) - 1) == 0:
        return coarse[x >> levels, y >> levels, z >> levels]
    return np.float32(np.nan)


@njit(nogil=True, cache=True)
def _find_mixed(
    first, last, start, side, size, split_bits, check_bits, directory, values, coarse, levels, found
):
    """Look at the marked cells of words first..last of a level; write those with both sides to `found`."""
    count = 0
    for w in range(first, last):
        word = check_bits[start + w]
        if word == 0:
            continue
        check_bits[start + w] = 0
        word &= ~split_bits[start + w]  # a cell can be split after it was marked
        for b in range(64):
            if word >> np.uint64(b) & np.uint64(1) == 0:
                continue
            cell = w * 64 + b
            row = cell // side
            x, y, z = row // side * size, row % side * size, cell % side * size
            inside, outside = False, False
            for i in range(size + 1):
                for j in range(size + 1):
                    # the points on the cell's surface: whole rows on its sides, else the two ends of rows
                    stride = 1 if i == 0 or i == size or j == 0 or j == size else size
                    k, row_end, brick, row = 0, -1, -1, 0
                    while k <= size:
                        if k > row_end:
                            brick = np.int64(directory[(x + i) >> 3, (y + j) >> 3, (z + k) >> 3])
                            row = brick << 9 | ((x + i) & 7) << 6 | ((y + j) & 7) << 3
                            row_end = ((z + k) | 7) - z
                        if brick >= 0:
                            depth = values[row | (z + k) & 7]
                        else:
                            depth = _depth(directory, values, coarse, levels, x + i, y + j, z + k)
                        inside |= depth > 0
                        outside |= depth <= 0
                        k += stride
                if inside and outside:
                    break
            if inside and outside:
                found[count] = cell
                count += 1
    return count


@njit(nogil=True, cache=True)
def _find_bricks(cells, start, side, size, directory, places, count):
    """Number every brick that the 27 points of some cells need; returns the number of bricks then."""
    half = size >> 1
    for cell in cells:
        row = cell // side
        x, y, z = row // side * size, row % side * size, cell % side * size
        for i in range(3):
            for j in range(3):
                for k in range(3):
                    a, b, c = (x + i * half) >> 3, (y + j * half) >> 3, (z + k * half) >> 3
                    if directory[a, b, c] < 0:
                        directory[a, b, c] = count
                        places[count, 0], places[count, 1], places[count, 2] = a, b, c
                        count += 1
    return count


@njit(nogil=True, cache=True)
def _split_cells(
    cells, level, start, side, size, layers, starts, split_bits, check_bits, directory, values, waiting
):
    """Split cells: want missing points, mark children and leaves that touch new points for a look."""
    half = size >> 1
    one = np.uint64(1)
    for cell in cells:
        row = cell // side
        x, y, z = row // side, row % side, cell % side
        split_bits[start + (cell >> 6)] |= one << np.uint64(cell & 63)
        for i in range(3):
            for j in range(3):
                for k in range(3):
                    a, b, c = x * size + i * half, y * size + j * half, z * size + k * half
                    brick = np.int64(directory[a >> 3, b >> 3, c >> 3])
                    place = brick << 9 | (a & 7) << 6 | (b & 7) << 3 | c & 7
                    if np.isnan(values[place]):
                        values[place] = _WANTED
                        waiting[brick] += 1
                    if half > 1 and i < 2 and j < 2 and k < 2:
                        child = ((2 * x + i) * 2 * side + 2 * y + j) * 2 * side + 2 * z + k
                        check_bits[starts[level + 1] + (child >> 6)] |= one << np.uint64(child & 63)
                    distance = (i != 1) + (j != 1) + (k != 1)
                    if distance == 0 or distance == 3:
                        continue
                    # the neighbours across faces and edges meet new points: mark the leaf that holds each
                    a, b, c = x + i - 1, y + j - 1, z + k - 1
                    if a < 0 or b < 0 or c < 0 or a >= layers or b >= side or c >= side:
                        continue
                    for above in range(level, -1, -1):
                        side_above = side >> above
                        leaf = ((a >> above) * side_above + (b >> above)) * side_above + (c >> above)
                        word = starts[level - above] + (leaf >> 6)
                        bit = one << np.uint64(leaf & 63)
                        if split_bits[word] & bit == 0:
                            check_bits[word] |= bit
                            break


@njit(nogil=True, cache=True)
def _find_active(
    first, last, start, side, n, first_plane, split_bits, directory, values, coarse, levels, found
):
    """The active finest cells in split cells first..last of the level above: cell << 8 | case, unsorted."""
    count = 0
    for w in range(first >> 6, (last + 63) >> 6):
        word = split_bits[start + w]
        for b in range(64):
            cell = w * 64 + b
            if word >> np.uint64(b) & np.uint64(1) == 0 or cell < first or cell >= last:
                continue
            row = cell // side
            x, y, z = 2 * (row // side), 2 * (row % side), 2 * (cell % side)
            signs = 0  # of the 27 points, bit 9 dx + 3 dy + dz
            for i in range(3):
                for j in range(3):
                    for k in range(3):
                        depth = _depth(directory, values, coarse, levels, x + i, y + j, z + k)
                        signs |= np.int64(depth > 0) << (9 * i + 3 * j + k)
            for child in range(8):
                i, j, k = child & 1, child >> 1 & 1, child >> 2
                near = signs >> (9 * i + 3 * j + k)
                case = near & 1 | (near >> 9 & 1) << 1 | (near >> 3 & 1) << 2 | (near >> 12 & 1) << 3
                near >>= 1
                case |= (near & 1 | (near >> 9 & 1) << 1 | (near >> 3 & 1) << 2 | (near >> 12 & 1) << 3) << 4
                if case != 0 and case != 255:
                    found[count] = (((x + i + first_plane) * n + y + j) * n + z + k) << 8 | case
                    count += 1
    return count


@njit(nogil=True, cache=True)
def _place_vertices(
    start, stop, cells, cases, owned_axes, first, n, first_plane, directory, values, coarse, levels,
    x_axis, y_axis, z_axis, vertices,
):  # fmt: skip
    for c in range(start, stop):
        owned = owned_axes[cases[c]]
        if owned == 0:
            continue
        row = cells[c] // n
        i, j, k = row // n, row % n, cells[c] % n
        low = np.float64(_depth(directory, values, coarse, levels, i - first_plane, j, k))
        vertex = first[c]
        for axis in range(3):
            if not owned >> axis & 1:
                continue
            a, b, d = i + np.int64(axis == 0), j + np.int64(axis == 1), k + np.int64(axis == 2)
            high = np.float64(_depth(directory, values, coarse, levels, a - first_plane, b, d))
            share = min(max(low / (low - high), NEAREST), 1 - NEAREST)
            x, y, z = np.float64(x_axis[i]), np.float64(y_axis[j]), np.float64(z_axis[k])
            vertices[vertex, 0] = x + share * (np.float64(x_axis[a]) - x)
            vertices[vertex, 1] = y + share * (np.float64(y_axis[b]) - y)
            vertices[vertex, 2] = z + share * (np.float64(z_axis[d]) - z)
            vertex += 1
