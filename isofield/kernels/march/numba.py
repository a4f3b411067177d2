"""Ray marching compiled.

The cells of the occupancy grid lie in words of 64 bits, one for 4 x 4 x 4 cells, so that one look says
whether all of them are empty: 256 KiB hold 128^3 cells and stay in the core's cache.
"""

import numpy as np
from numba import njit

__all__ = ["march", "place"]

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@njit(inline="always")
def _place_of(number, least, cone, bends):
    """t after `number` steps: see reference.t_of_step."""
    if cone <= _ZERO:
        return number * least
    log = np.log(_ONE + cone)
    if number < bends[0]:
        return number * least
    if number < bends[1]:
        return np.exp((number - bends[2]) * log)
    return bends[3] + (number - bends[1]) * bends[4]


@njit(inline="always")
def _number_of(t, least, cone, bends):
    """How many steps lie before t: see reference.step_of_t."""
    if cone <= _ZERO:
        return t / least
    number = t / least
    if number < bends[0]:
        return number
    if t < bends[3]:
        return np.log(t) / np.log(_ONE + cone) + bends[2]
    return bends[1] + (t - bends[3]) / bends[4]


@njit(inline="always")
def _cascade_of(reach, length, cascades, cells):
    """The finest cascade that holds a point at `reach` from the middle, and whose cells are not finer than a
    step."""
    cascade = 0
    half = _HALF
    while (half < reach or length * np.float32(cells) >= half) and cascade < cascades - 1:
        cascade += 1
        half *= np.float32(2)
    return cascade


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def march(
    origins, directions, jitter, words, cells, least, cone, bends, near, first, last, most, counts, places
):
    """Fill places with t of the samples of rays first..last, one ray after another, and counts[ray]. Returns
    how many, or -1 where `places` is too short. Arguments as in `kernels.march.march`."""
    cascades = words.shape[0]
    blocks = cells // 4
    low, high = (
        _HALF - _HALF * np.float32(1 << (cascades - 1)),
        _HALF + _HALF * np.float32(1 << (cascades - 1)),
    )
    tiny = np.float32(1e-12)
    capacity, n = places.shape[0], 0
    for r in range(first, last):
        ox, oy, oz = origins[r, 0], origins[r, 1], origins[r, 2]
        dx, dy, dz = directions[r, 0], directions[r, 1], directions[r, 2]
        if abs(dx) < tiny:
            dx = tiny
        if abs(dy) < tiny:
            dy = tiny
        if abs(dz) < tiny:
            dz = tiny
        ix, iy, iz = _ONE / dx, _ONE / dy, _ONE / dz
        ax, bx = (low - ox) * ix, (high - ox) * ix
        ay, by = (low - oy) * iy, (high - oy) * iy
        az, bz = (low - oz) * iz, (high - oz) * iz
        entry = max(max(min(ax, bx), min(ay, by)), max(min(az, bz), near))
        leave = min(min(max(ax, bx), max(ay, by)), max(az, bz))
        start = n
        if leave > entry:
            # the first sample is a part of a step inside; all others lie whole steps behind it
            number = _number_of(entry, least, cone, bends) + jitter[r]
            t = _place_of(number, least, cone, bends)
            sx = _ONE if dx > 0 else _ZERO
            sy = _ONE if dy > 0 else _ZERO
            sz = _ONE if dz > 0 else _ZERO
            while t < leave and n - start < most:
                px, py, pz = ox + t * dx, oy + t * dy, oz + t * dz
                cascade = 0
                size = _ONE
                if cascades > 1:
                    length = _place_of(number + _ONE, least, cone, bends) - t
                    reach = max(max(abs(px - _HALF), abs(py - _HALF)), abs(pz - _HALF))
                    cascade = _cascade_of(reach, length, cascades, cells)
                    size = np.float32(1 << cascade)
                corner = _HALF - _HALF * size
                scale = np.float32(cells) / size
                qx, qy, qz = (px - corner) * scale, (py - corner) * scale, (pz - corner) * scale
                cx = min(max(np.int32(qx), 0), cells - 1)
                cy = min(max(np.int32(qy), 0), cells - 1)
                cz = min(max(np.int32(qz), 0), cells - 1)
                word = words[cascade, ((cz >> 2) * blocks + (cy >> 2)) * blocks + (cx >> 2)]
                if word == np.uint64(0):
                    gx = np.float32(cx & ~3) + np.float32(4) * sx
                    gy = np.float32(cy & ~3) + np.float32(4) * sy
                    gz = np.float32(cz & ~3) + np.float32(4) * sz
                else:
                    bit = np.uint64((cx & 3) | ((cy & 3) << 2) | ((cz & 3) << 4))
                    if (word >> bit) & np.uint64(1):
                        if n >= capacity:
                            return -1
                        places[n] = t
                        n += 1
                        number += _ONE
                        t = _place_of(number, least, cone, bends)
                        continue
                    gx, gy, gz = np.float32(cx) + sx, np.float32(cy) + sy, np.float32(cz) + sz
                ahead = min(min((gx - qx) * ix, (gy - qy) * iy), (gz - qz) * iz) / scale
                target = _number_of(t + max(ahead, _ZERO), least, cone, bends)
                number += max(np.ceil(target - number), _ONE)
                t = _place_of(number, least, cone, bends)
        counts[r] = n - start
    return n


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def place(origins, directions, starts, places, corner, scale, first, last, points):
    """points[i] = (origin + t direction - corner) * scale for the samples of rays first..last."""
    for r in range(first, last):
        ox, oy, oz = origins[r, 0] - corner, origins[r, 1] - corner, origins[r, 2] - corner
        dx, dy, dz = directions[r, 0], directions[r, 1], directions[r, 2]
        for i in range(starts[r], starts[r + 1]):
            t = places[i]
            points[i, 0] = (ox + t * dx) * scale
            points[i, 1] = (oy + t * dy) * scale
            points[i, 2] = (oz + t * dz) * scale
