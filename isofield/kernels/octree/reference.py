"""The definition of MISE with a dictionary of points and a set of cells."""

from itertools import product

import numpy as np

from ..marching_cubes import NEAREST
from ..marching_cubes.table import OWNED_AXES

__all__ = ["ReferenceOctree"]

Point = tuple[int, ...]


class ReferenceOctree:
    """As `kernels.octree.Octree`. A leaf, a cell that is not split, is its lowest corner with its size."""

    def __init__(self, resolution: int, coarse: int, first: int, last: int) -> None:
        size = resolution // coarse
        self._n, self._first, self._last = resolution + 1, first, last
        corners = (
            range(first, last + 1, size),
            range(0, resolution + 1, size),
            range(0, resolution + 1, size),
        )
        self._wanted: list[Point] = list(product(*corners))
        self._asked: list[Point] = []
        self._depth: dict[Point, float] = {}
        self._leaves = dict.fromkeys(product(*(axis[:-1] for axis in corners)), size)
        self._coarse_size = size

    def query(self, limit: int) -> np.ndarray:
        self._wanted = [point for point in self._wanted if point not in self._depth]
        self._asked = self._wanted[:limit]
        return np.array([(x * self._n + y) * self._n + z for x, y, z in self._asked], np.int64)

    def update(self, depth: np.ndarray) -> None:
        self._depth |= zip(self._asked, depth)

    def insert(self, points: np.ndarray, depth: np.ndarray) -> None:
        self._depth |= zip(map(self._corner, points.tolist()), depth)

    def split(self) -> bool:
        sides: dict[Point, set[bool]] = {}
        for point, depth in self._depth.items():
            for octant in product((-1, 0), repeat=3):
                leaf = self._leaf_at(tuple(p + o for p, o in zip(point, octant)))
                if leaf is not None:
                    sides.setdefault(leaf, set()).add(bool(depth > 0))
        mixed = [leaf for leaf, found in sides.items() if len(found) == 2 and self._leaves[leaf] > 1]
        for leaf in mixed:
            half = self._leaves.pop(leaf) // 2
            points = [
                tuple(p + half * o for p, o in zip(leaf, offset)) for offset in product(range(3), repeat=3)
            ]
            self._wanted += [point for point in points if point not in self._depth]
            self._leaves |= {
                tuple(p + half * o for p, o in zip(leaf, offset)): half
                for offset in product(range(2), repeat=3)
            }
        self._wanted = list(dict.fromkeys(self._wanted))
        return bool(mixed)

    def active_cells(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        cells, cases = [], []
        for (x, y, z), size in sorted(self._leaves.items()):
            if size == 1 and first <= x < last:
                corners = [(x + (c & 1), y + (c >> 1 & 1), z + (c >> 2 & 1)) for c in range(8)]
                case = sum(bool(self._depth[corner] > 0) << c for c, corner in enumerate(corners))
                if 0 < case < 255:
                    cells.append((x * self._n + y) * self._n + z)
                    cases.append(case)
        return np.array(cells, np.int64), np.array(cases, np.uint8)

    def place_vertices(
        self, cells: np.ndarray, cases: np.ndarray, axes: tuple[np.ndarray, ...]
    ) -> np.ndarray:
        vertices = []
        for cell, case in zip(cells.tolist(), cases):
            corner = self._corner(cell)
            for axis in range(3):
                if OWNED_AXES[case] >> axis & 1:
                    end = tuple(c + (a == axis) for a, c in enumerate(corner))
                    low, high = float(self._depth[corner]), float(self._depth[end])
                    share = min(max(low / (low - high), NEAREST), 1 - NEAREST)
                    a, b = (np.array([axes[k][p[k]] for k in range(3)], np.float64) for p in (corner, end))
                    vertices.append(a + share * (b - a))
        return np.array(vertices, np.float32).reshape(-1, 3)

    def store(self, file) -> None:
        pass

    def restore(self, file) -> None:
        pass

    def _corner(self, point: int) -> Point:
        return point // self._n**2, point // self._n % self._n, point % self._n

    def _leaf_at(self, cell: Point) -> Point | None:
        """The leaf that contains a cell of the finest level; None outside the slab."""
        if not (self._first <= cell[0] < self._last and all(0 <= c < self._n - 1 for c in cell[1:])):
            return None
        size = self._coarse_size
        while self._leaves.get(leaf := tuple(c // size * size for c in cell)) != size:
            size //= 2
        return leaf
