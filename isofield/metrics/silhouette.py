"""Figures of a surface against photographs whose background is cut away."""

import numpy as np
from jaxtyping import Float

from .image import psnr

__all__ = ["SILHOUETTE_FIGURES", "psnr_inside", "silhouette_iou"]

HALF = 0.5  # of a pixel covered: inside

SILHOUETTE_FIGURES = {
    "mesh_silhouette_iou_mean_of_images": "intersection over union of the pixels that the mesh and that the "
    "photograph's subject cover by half or more; the mean over the views",
    "mesh_silhouette_iou_least_of_images": "the same of the worst view",
    "mesh_psnr_inside_silhouette_mean_of_images_db": "peak signal-to-noise ratio of the mesh with its vertex "
    "colours, not lit, against the photographs, both in front of the background, over the pixels that the "
    "photograph's subject covers by half or more, seen or missed by the mesh; the mean over the views",
}


def silhouette_iou(
    coverage: Float[np.ndarray, "height width"], alpha: Float[np.ndarray, "height width"]
) -> float:
    """Intersection over union of the pixels that two silhouettes cover by half or more; 1 where both are
    empty."""
    one, other = coverage >= HALF, alpha >= HALF
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else 1.0


def psnr_inside(
    shown: Float[np.ndarray, "height width 3"],
    truth: Float[np.ndarray, "height width 3"],
    alpha: Float[np.ndarray, "height width"],
) -> float:
    """Peak signal-to-noise ratio in dB over the pixels that `alpha` covers by half or more; NaN where there
    are none."""
    inside = alpha >= HALF
    return psnr(shown[inside], truth[inside]) if inside.any() else np.nan
