"""The compiled kernel."""

import numpy as np
from numba import njit

from .reference import FLAT, STEPS

__all__ = ["fill"]

SETTLED = 1e-14  # the square of a step after which Newton errs by about as much


@njit(nogil=True, cache=True, error_model="numpy")
def fill(start, stop, numbers, pixels, poses, intrinsics, distortion, fisheye, reach, origins, directions):
    """Write origins and directions of rays start .. stop - 1."""
    for ray in range(start, stop):
        camera = numbers[ray]
        x = (pixels[ray, 0] - np.float64(intrinsics[camera, 2])) / intrinsics[camera, 0]
        y = (pixels[ray, 1] - np.float64(intrinsics[camera, 3])) / intrinsics[camera, 1]
        z = 1.0
        if fisheye[camera]:
            radius = np.sqrt(x * x + y * y)
            angle = _unbend_angle(radius, distortion[camera], reach[camera])
            along = np.sin(angle) / radius if radius > 0.0 else 0.0
            x, y, z = x * along, y * along, np.cos(angle)
        else:
            bent = False
            for k in range(8):
                bent |= distortion[camera, k] != 0.0
            if bent:
                x, y = _unbend(x, y, distortion[camera], reach[camera])
        scale = 1.0 / np.sqrt(x * x + y * y + z * z)
        x, y, z = x * scale, y * scale, z * scale
        for k in range(3):
            directions[ray, k] = poses[camera, k, 0] * x + poses[camera, k, 1] * y + poses[camera, k, 2] * z
            origins[ray, k] = poses[camera, k, 3]


@njit(nogil=True, cache=True, error_model="numpy")
def _unbend(u, v, coefficients, reach):
    """The point (x, y) that a radial and tangential lens shows at (u, v), within `reach` of the axis."""
    k1, k2, p1, p2, k3, k4, k5, k6 = coefficients
    x, y = _within(u, v, reach)
    for _ in range(STEPS):
        s = x * x + y * y
        below = 1.0 / (1.0 + s * (k4 + s * (k5 + s * k6)))
        g = (1.0 + s * (k1 + s * (k2 + s * k3))) * below
        slope = ((k1 + s * (2.0 * k2 + 3.0 * s * k3)) - g * (k4 + s * (2.0 * k5 + 3.0 * s * k6))) * below
        a = u - (g * x + 2.0 * p1 * x * y + p2 * (s + 2.0 * x * x))
        b = v - (g * y + p1 * (s + 2.0 * y * y) + 2.0 * p2 * x * y)
        xx = g + 2.0 * x * x * slope + 2.0 * p1 * y + 6.0 * p2 * x
        xy = 2.0 * (x * y * slope + p1 * x + p2 * y)
        yy = g + 2.0 * y * y * slope + 6.0 * p1 * y + 2.0 * p2 * x
        determinant = xx * yy - xy * xy
        if not determinant > FLAT:
            break
        a, b = (yy * a - xy * b) / determinant, (xx * b - xy * a) / determinant
        x, y = _within(x + a, y + b, reach)
        if a * a + b * b < SETTLED:
            break
    return x, y


@njit(nogil=True, cache=True, error_model="numpy")
def _within(x, y, reach):
    """(x, y), no further from the axis than `reach`."""
    s = x * x + y * y
    if s > reach * reach:
        scale = reach / np.sqrt(s)
        return x * scale, y * scale
    return x, y


@njit(nogil=True, cache=True, error_model="numpy")
def _unbend_angle(bent, coefficients, reach):
    """The angle that a fisheye shows at radius `bent`, in [0, reach]."""
    k1, k2, k3, k4 = coefficients[0], coefficients[1], coefficients[2], coefficients[3]
    t = min(bent, reach)
    for _ in range(STEPS):
        s = t * t
        slope = 1.0 + s * (3.0 * k1 + s * (5.0 * k2 + s * (7.0 * k3 + s * 9.0 * k4)))
        if not slope > FLAT:
            break
        step = (bent - t * (1.0 + s * (k1 + s * (k2 + s * (k3 + s * k4))))) / slope
        t = min(max(t + step, 0.0), reach)
        if step * step < SETTLED:
            break
    return t
