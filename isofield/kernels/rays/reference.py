"""The definition in plain numpy, all rays at once: pixel -> place on the plane z = 1 -> through the lens ->
world."""

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["distort", "fill", "undistort"]

STEPS = 20  # of Newton; on lenses of cameras it ends after 3 to 6
FLAT = 1e-6  # a determinant below this is a fold of the lens


def fill(
    start: int,
    stop: int,
    numbers: np.ndarray,
    pixels: np.ndarray,
    poses: np.ndarray,
    intrinsics: np.ndarray,
    distortion: np.ndarray,
    fisheye: np.ndarray,
    reach: np.ndarray,
    origins: np.ndarray,
    directions: np.ndarray,
) -> None:
    """Write origins and directions of rays start .. stop - 1; as `kernels.rays.camera_rays`."""
    which = numbers[start:stop]
    focal, centre = np.split(intrinsics[which].astype(np.float64), 2, axis=1)
    seen = undistort((pixels[start:stop] - centre) / focal, distortion[which], fisheye[which], reach[which])
    directions[start:stop] = np.einsum("nij,nj->ni", poses[which, :, :3], seen)
    origins[start:stop] = poses[which, :, 3]


def distort(
    points: Float[np.ndarray, "points 3"],
    distortion: Float[np.ndarray, "points 8"],
    fisheye: Bool[np.ndarray, " points"],
) -> Float[np.ndarray, "points 2"]:
    """Where points in front of cameras (camera's axes) appear on the plane z = 1 behind the lens.

    An ideal lens: (x, y) = (X, Y) / Z. Radial and tangential, with s = x^2 + y^2:
        g = (1 + k1 s + k2 s^2 + k3 s^3) / (1 + k4 s + k5 s^2 + k6 s^3)
        x' = g x + 2 p1 x y + p2 (s + 2 x^2),   y' = g y + p1 (s + 2 y^2) + 2 p2 x y.
    Fisheye, with the angle t off the axis: (x', y') = t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8) along (X, Y);
    t may exceed 90 degrees. (OpenCV, calib3d.)
    """
    result = np.empty((len(points), 2))
    ordinary = ~fisheye
    with np.errstate(divide="ignore", invalid="ignore"):
        result[ordinary] = _bend(points[ordinary, :2] / points[ordinary, 2:], distortion[ordinary])[0]
    across = np.hypot(points[fisheye, 0], points[fisheye, 1])
    bent = _bend_angle(np.arctan2(across, points[fisheye, 2]), distortion[fisheye])[0]
    result[fisheye] = points[fisheye, :2] * (bent / np.maximum(across, np.finfo(float).tiny))[:, None]
    return result


def undistort(
    places: Float[np.ndarray, "points 2"],
    distortion: Float[np.ndarray, "points 8"],
    fisheye: Bool[np.ndarray, " points"],
    reach: Float[np.ndarray, " points"],
) -> Float[np.ndarray, "points 3"]:
    """The inverse of `distort`: unit directions (camera's axes) that appear at places on the plane z = 1.

    Newton's method with the analytic Jacobian, from the place itself, kept within `reach`: the radius (the
    angle, for a fisheye) up to which the lens is one to one. A place further out than the lens can bend
    anything has no direction; it gets one on the border of the reach, about where the place lies.
    """
    directions = np.empty((len(places), 3))
    ordinary = ~fisheye
    directions[ordinary, :2] = _unbend(places[ordinary], distortion[ordinary], reach[ordinary])
    directions[ordinary, 2] = 1
    radius = np.hypot(*places[fisheye].T)
    angle = _unbend_angle(radius, distortion[fisheye], reach[fisheye])
    along = places[fisheye] / np.maximum(radius, np.finfo(float).tiny)[:, None]
    directions[fisheye] = np.column_stack([np.sin(angle)[:, None] * along, np.cos(angle)])
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _bend(p: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The radial and tangential lens [N, 2] and its Jacobian, symmetric: xx, xy, yy [3, N]."""
    x, y = p.T
    k1, k2, p1, p2, k3, k4, k5, k6 = coefficients.T
    s = x * x + y * y
    below = 1 + s * (k4 + s * (k5 + s * k6))
    g = (1 + s * (k1 + s * (k2 + s * k3))) / below
    slope = ((k1 + s * (2 * k2 + 3 * s * k3)) - g * (k4 + s * (2 * k5 + 3 * s * k6))) / below  # dg/ds
    bent = np.column_stack(
        [
            g * x + 2 * p1 * x * y + p2 * (s + 2 * x * x),
            g * y + p1 * (s + 2 * y * y) + 2 * p2 * x * y,
        ]
    )
    xx = g + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
    xy = 2 * (x * y * slope + p1 * x + p2 * y)
    yy = g + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
    return bent, np.stack([xx, xy, yy])


def _bend_angle(t: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bent angle and its derivative."""
    k1, k2, k3, k4 = coefficients.T[:4]
    s = t * t
    bent = t * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4))))
    return bent, 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * 9 * k4)))


def _unbend(places: np.ndarray, coefficients: np.ndarray, reach: np.ndarray) -> np.ndarray:
    p = _within(places, reach)
    for _ in range(STEPS):
        bent, (xx, xy, yy) = _bend(p, coefficients)
        a, b = (places - bent).T
        determinant = xx * yy - xy * xy
        usable = determinant > FLAT
        step = np.stack([yy * a - xy * b, xx * b - xy * a]) / np.where(usable, determinant, 1)
        p = _within(p + np.where(usable, step, 0).T, reach)
    return p


def _unbend_angle(places: np.ndarray, coefficients: np.ndarray, reach: np.ndarray) -> np.ndarray:
    t = np.minimum(places, reach)
    for _ in range(STEPS):
        bent, slope = _bend_angle(t, coefficients)
        usable = slope > FLAT
        t = np.clip(t + np.where(usable, (places - bent) / np.where(usable, slope, 1), 0), 0, reach)
    return t


def _within(p: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Points no further from the axis than `reach`."""
    radius = np.maximum(np.hypot(*p.T), np.finfo(float).tiny)
    return p * np.minimum(1, reach / radius)[:, None]
