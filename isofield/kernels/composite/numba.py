"""Compositing compiled: one walk along each ray forward, one from its far end back."""

import math

import numpy as np
from numba import njit

__all__ = ["backward", "forward"]

_ZERO, _ONE = np.float32(0), np.float32(1)


@njit(nogil=True, cache=True, error_model="numpy")
def forward(density, colours, lengths, places, starts, first, last, weights, passing, seen):
    """seen[ray] = colour (3), opacity, distance of rays first..last; for the way back the samples' weights,
    and the transmittance behind them."""
    for ray in range(first, last):
        behind = _ONE
        red, green, blue, opacity, distance = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
        for i in range(starts[ray], starts[ray + 1]):
            alpha = -math.expm1(-density[i] * lengths[i])  # 1 - exp would lose the digits of thin samples
            weight = behind * alpha
            behind *= _ONE - alpha
            weights[i], passing[i] = weight, behind
            red += weight * colours[i, 0]
            green += weight * colours[i, 1]
            blue += weight * colours[i, 2]
            opacity += weight
            distance += weight * places[i]
        seen[ray, 0], seen[ray, 1], seen[ray, 2] = red, green, blue
        seen[ray, 3], seen[ray, 4] = opacity, distance


@njit(nogil=True, cache=True, error_model="numpy")
def backward(
    colours, lengths, places, starts, weights, passing, slope, first, last, density_slope, colour_slope
):
    """Gradients for rays first..last, from slope[ray]: those of the five values of `forward`.

    With a_i the slope in w_i, that in density_i is length_i (T_(i+1) a_i - sum_(j>i) w_j a_j).
    """
    for ray in range(first, last):
        red, green, blue = slope[ray, 0], slope[ray, 1], slope[ray, 2]
        opacity, distance = slope[ray, 3], slope[ray, 4]
        behind = _ZERO
        for back in range(starts[ray + 1] - starts[ray]):
            i = starts[ray + 1] - 1 - back
            along = red * colours[i, 0] + green * colours[i, 1] + blue * colours[i, 2]
            along += opacity + distance * places[i]
            density_slope[i] = lengths[i] * (passing[i] * along - behind)
            behind += weights[i] * along
            colour_slope[i, 0] = weights[i] * red
            colour_slope[i, 1] = weights[i] * green
            colour_slope[i, 2] = weights[i] * blue
