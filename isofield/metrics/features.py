"""How alike pictures look: distances between what a network makes of them.

The figures that the literature calls LPIPS and FID need the weights of networks trained on photographs. Here the
network is a fixed one of random convolutions, which needs no file and is the same on every machine; its numbers are
comparable among themselves only, and have names of their own.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

__all__ = ["frechet_distance", "kernel_distance", "perceptual_random_convolutions"]

CHANNELS = (3, 32, 64, 64, 64)  # each layer halves the picture


def _layers() -> list[Tensor]:
    """Filters of 3 x 3 with mean 0 (plain areas give nothing), drawn once and for all."""
    generator = np.random.default_rng(0)
    layers = []
    for given, made in zip(CHANNELS, CHANNELS[1:]):
        filters = generator.standard_normal((made, given, 3, 3))
        filters -= filters.mean(axis=(2, 3), keepdims=True)
        filters *= np.sqrt(2 / (9 * given))
        layers.append(torch.from_numpy(filters.astype(np.float32)))
    return layers


@torch.no_grad()
def perceptual_random_convolutions(
    one: Float[np.ndarray, "height width 3"], other: Float[np.ndarray, "height width 3"]
) -> float:
    """Distance of two pictures in [0, 1] by four layers of random convolutions, seed 0: 0 for equal ones.

    As LPIPS is built (Zhang et al. 2018, equation 1), with a network that was never trained: features of each layer
    are brought to unit length at every pixel, squared differences summed over the features, averaged over the pixels
    and over the layers.
    """
    maps = torch.from_numpy(np.stack([one, other]).astype(np.float32)).permute(0, 3, 1, 2)
    total = 0.0
    layers = _layers()
    for filters in layers:
        maps = functional.conv2d(functional.pad(maps, (1, 1, 1, 1), "replicate"), filters, stride=2).relu()
        unit = maps / (maps.square().sum(1, keepdim=True) + 1e-6).sqrt()  # what is faint stays faint
        total += float((unit[0] - unit[1]).square().sum(0).mean())
    return total / len(layers)


def frechet_distance(one: Float[np.ndarray, "images features"], other: Float[np.ndarray, "others features"]) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) between the features of two sets of pictures, S the covariances of
    samples (Heusel et al. 2017, equation 6). At least two pictures each."""
    means = [x.astype(np.float64).mean(axis=0) for x in (one, other)]
    covariances = [np.atleast_2d(np.cov(x.astype(np.float64), rowvar=False)) for x in (one, other)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # S1 S2 has the eigenvalues of this symmetric matrix
    shared = np.linalg.eigvalsh(root @ covariances[1] @ root)
    trace = np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.sqrt(np.maximum(shared, 0)).sum()
    return float(((means[0] - means[1]) ** 2).sum() + trace)


def kernel_distance(one: Float[np.ndarray, "images features"], other: Float[np.ndarray, "images features"]) -> float:
    """The unbiased squared maximum mean discrepancy between the features of two sets of as many pictures, for the
    kernel (x . y / features + 1)^3 (Binkowski et al. 2018, section 3). May be negative."""
    count, features = one.shape

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x.astype(np.float64) @ y.T.astype(np.float64) / features + 1) ** 3

    within = [k.sum() - np.trace(k) for k in (kernel(one, one), kernel(other, other))]
    return float(sum(within) / (count * (count - 1)) - 2 * kernel(one, other).mean())
