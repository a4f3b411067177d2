"""Compositing of packed samples: those of all rays one after another, a different number for each."""

from .reference import (
    packed_distortion,
    packed_opacities,
    packed_sums,
    packed_transmittance,
    packed_weights,
    rays_of_samples,
)

__all__ = [
    "VISIBLE",
    "packed_distortion",
    "packed_opacities",
    "packed_sums",
    "packed_transmittance",
    "packed_weights",
    "rays_of_samples",
]

VISIBLE = 1e-4  # the transmittance below which a sample is not worth looking at
