"""The lenses of OpenCV: radial and tangential (k1..k6, p1, p2) and fisheye (k1..k4)."""

import numpy as np
from jaxtyping import Bool, Float
from numpy.polynomial import Polynomial

from ..kernels.rays.reference import distort, undistort

__all__ = ["distort", "reach", "undistort"]


def reach(
    distortion: Float[np.ndarray, "cameras 8"], fisheye: Bool[np.ndarray, " cameras"]
) -> Float[np.ndarray, " cameras"]:
    """How far from the axis each lens is one to one: the radius on the plane z = 1, for a fisheye the angle
    (at most pi), at which what is seen stops moving outwards; infinite where it never does.

    Beyond it two directions share a pixel, so nothing there is seen, and `undistort` does not go there.
    Tangential terms are left out: they are small where a calibration is sound.
    """
    lenses, which = np.unique(np.column_stack([distortion, fisheye]), axis=0, return_inverse=True)
    return np.array([_reach(lens[:8], bool(lens[8])) for lens in lenses])[which.reshape(-1)]


def _reach(coefficients: np.ndarray, fisheye: bool) -> float:
    k1, k2, _, _, k3, k4, k5, k6 = coefficients
    if fisheye:
        powers = np.array([1.0, 3, 5, 7, 9]) * [1, *coefficients[:4]]  # d(bent)/dt as a polynomial of t^2
        return min(_first_root(Polynomial(powers)), np.pi)
    above, below = Polynomial([1, k1, k2, k3]), Polynomial([1, k4, k5, k6])
    # d(r above/below)/dr times below^2, as a polynomial of s = r^2
    growth = above * below + Polynomial([0, 2]) * (above.deriv() * below - above * below.deriv())
    return min(_first_root(growth), _first_root(below))


def _first_root(polynomial: Polynomial) -> float:
    """The square root of the least positive root, shortened by a thousandth to stay off the fold itself."""
    roots = polynomial.trim(1e-12).roots()
    roots = roots.real[(abs(roots.imag) < 1e-9 * abs(roots)) & (roots.real > 0)]
    return 0.999 * float(np.sqrt(roots.min())) if len(roots) else np.inf
