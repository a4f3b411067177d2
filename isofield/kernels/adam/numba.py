"""Adam compiled: one pass over parameter, gradient and both moments."""

import numpy as np
from numba import njit

__all__ = ["adam_step"]


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def adam_step(parameter, gradient, mean, variance, first, last, rate, beta1, beta2, scale, eps):
    """Update [first, last) of flat arrays. rate: learning rate over (1 - beta1^t); scale: 1 / (1 -
    beta2^t)."""
    one = np.float32(1)
    for i in range(first, last):
        g = gradient[i]
        m = beta1 * mean[i] + (one - beta1) * g
        v = beta2 * variance[i] + (one - beta2) * g * g
        mean[i] = m
        variance[i] = v
        parameter[i] -= rate * m / (np.sqrt(v * scale) + eps)
