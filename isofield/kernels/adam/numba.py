"""Adam compiled: one pass over parameter, gradient and both moments."""

import numpy as np
from numba import njit

__all__ = ["adam_step"]


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def adam_step(parameter, gradient, mean, variance, first, last, rate, beta1, beta2, scale, eps):
    """Update [first, last) of flat arrays. rate: learning rate over (1 - beta1^t); scale: 1 / (1 -
    beta2^t)."""
    rest1, rest2 = np.float32(1) - beta1, np.float32(1) - beta2
    # slices that start at 0: with an offset in every index the compiler does not vectorise the loop
    p, g, m, v = parameter[first:last], gradient[first:last], mean[first:last], variance[first:last]
    for i in range(p.shape[0]):
        slope = g[i]
        first_moment = beta1 * m[i] + rest1 * slope
        second_moment = beta2 * v[i] + rest2 * slope * slope
        m[i] = first_moment
        v[i] = second_moment
        p[i] -= rate * first_moment / (np.sqrt(second_moment * scale) + eps)
