"""Ray marching through an occupancy grid, as instant-ngp does it (Mueller et al. 2022, appendix E.1), in
numpy."""

import math

import numpy as np

__all__ = ["Steps", "march", "pack_cells", "place", "step_of_t", "t_of_step", "unpack_cells"]


class Steps:
    """Where the samples of a ray may lie: after whole numbers of steps, plus a part of one.

    Steps are `least` long near the origin; where t > least / cone they grow with it, t (1 + cone)^n, up to
    `greatest` (finite: infinity is nothing that the compiled kernel knows). cone 0: all are `least`. All
    lengths in units of the innermost cascade's edge.
    """

    def __init__(self, least: float, cone: float = 0.0, greatest: float = 1e30) -> None:
        self.least, self.cone, self.greatest = least, cone, greatest
        if cone > 0:
            log = math.log1p(cone)
            low, high = least / log, greatest / log  # dt/dn = t log(1 + cone) between these
            self.low, self.high = low, high
            self.first = low / least  # number of steps where growth begins
            self.shift = self.first - math.log(low) / log
            self.second = math.log(high) / log + self.shift

    @property
    def bends(self) -> np.ndarray:
        """The numbers that the compiled kernel needs, float32 [5]."""
        if self.cone == 0:
            return np.zeros(5, np.float32)
        return np.array([self.first, self.second, self.shift, self.high, self.greatest], np.float32)


def t_of_step(number: np.ndarray | float, steps: Steps) -> np.ndarray | float:
    """t after so many steps."""
    number = np.asarray(number, np.float64)
    if steps.cone == 0:
        return number * steps.least
    grown = np.exp((np.minimum(number, steps.second) - steps.shift) * math.log1p(steps.cone))
    beyond = steps.high + (number - steps.second) * steps.greatest
    return np.where(
        number < steps.first, number * steps.least, np.where(number < steps.second, grown, beyond)
    )


def step_of_t(t: np.ndarray | float, steps: Steps) -> np.ndarray | float:
    """How many steps lie before t: the inverse of `t_of_step`."""
    t = np.asarray(t, np.float64)
    if steps.cone == 0:
        return t / steps.least
    grown = np.log(np.maximum(t, steps.least)) / math.log1p(steps.cone) + steps.shift
    beyond = steps.second + (t - steps.high) / steps.greatest
    return np.where(t < steps.low, t / steps.least, np.where(t < steps.high, grown, beyond))


def pack_cells(occupied: np.ndarray) -> np.ndarray:
    """Cells [cascades, z, y, x] bool as words uint64 [cascades, cells^3 / 64]: one for each 4 x 4 x 4 cells,
    in the order of z, y, x; bit x + 4 y + 16 z of a word is a cell in it."""
    cascades, cells = occupied.shape[:2]
    blocks = occupied.reshape(cascades, cells // 4, 4, cells // 4, 4, cells // 4, 4)
    bits = blocks.transpose(0, 1, 3, 5, 2, 4, 6).reshape(cascades, -1, 8, 8)
    return np.packbits(bits, axis=3, bitorder="little").reshape(cascades, -1).view("<u8").astype(np.uint64)


def unpack_cells(words: np.ndarray) -> np.ndarray:
    """The inverse of `pack_cells`."""
    cascades, blocks = len(words), round(words.shape[1] ** (1 / 3))
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little").astype(bool)
    bits = bits.reshape(cascades, blocks, blocks, blocks, 4, 4, 4).transpose(0, 1, 4, 2, 5, 3, 6)
    return bits.reshape(cascades, 4 * blocks, 4 * blocks, 4 * blocks)


def march(
    origins: np.ndarray,
    directions: np.ndarray,
    jitter: np.ndarray,
    occupied: np.ndarray,
    steps: Steps,
    near: float = 0.0,
    most: int = 1024,
) -> list[np.ndarray]:
    """t of the samples of each ray: see `kernels.march.march`; occupied: bool [cascades, z, y, x]."""
    return [
        _march_one(*ray, occupied, steps, near, most)
        for ray in zip(*(each.astype(np.float64) for each in (origins, directions, jitter)))
    ]


def place(
    origins: np.ndarray, directions: np.ndarray, places: np.ndarray, starts: np.ndarray, cascades: int
) -> np.ndarray:
    """Points of samples, [samples, 3] in [0, 1]^3 of the outermost cascade."""
    counts = np.diff(starts)
    points = origins.repeat(counts, 0) + places[:, None] * directions.repeat(counts, 0)
    return (points - 0.5) / 2 ** (cascades - 1) + 0.5


def _march_one(origin, direction, jitter, occupied, steps, near, most) -> np.ndarray:
    cascades, cells = occupied.shape[:2]
    direction = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    half = 0.5 * 2 ** (cascades - 1)
    sides = (np.array([[0.5 - half], [0.5 + half]]) - origin) / direction
    entry, leave = max(sides.min(0).max(), near), sides.max(0).min()
    found: list[float] = []
    if leave <= entry:
        return np.array(found)
    number = float(step_of_t(entry, steps)) + jitter
    while (t := float(t_of_step(number, steps))) < leave and len(found) < most:
        point = origin + t * direction
        length = float(t_of_step(number + 1, steps)) - t
        reach = np.abs(point - 0.5).max()
        cascade = 0
        while cascade < cascades - 1 and (0.5 * 2**cascade < reach or length * 2 * cells >= 2**cascade):
            cascade += 1
        size = 2**cascade
        position = (point - (0.5 - 0.5 * size)) * cells / size
        x, y, z = np.clip(position.astype(int), 0, cells - 1)
        if occupied[cascade, z, y, x]:
            found.append(t)
            number += 1
            continue
        border = np.array([x, y, z]) + (direction > 0)
        ahead = ((border - position) / direction).min() * size / cells
        number += max(math.ceil(step_of_t(t + max(ahead, 0.0), steps) - number), 1)
    return np.array(found)
