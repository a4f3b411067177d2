"""Where a scene can be at all, as its silhouettes tell: the visual hull (Laurentini 1994)."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import maximum_filter

from .scene import Scene

__all__ = ["visual_hull"]


def visual_hull(
    scene: Scene, lower: Float[np.ndarray, "3"], side: float, cells: int, views: int = 32
) -> Bool[np.ndarray, "cells cells cells"]:
    """Which cells [z, y, x] of the cube from `lower` can hold something: those that no training view shows as
    background alone.

    The pictures must have alpha. A cell is taken for the ball around it and a pixel more, so that nothing
    is cut off; where a view does not show a cell, it says nothing about it. At most `views` views are
    asked, evenly spread.
    """
    axis = (np.arange(cells) + 0.5) * (side / cells)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    centres = np.stack([x, y, z], axis=-1).reshape(-1, 3) + lower
    possible = np.arange(len(centres))
    chosen = scene.train[np.unique(np.linspace(0, len(scene.train) - 1, views).round().astype(int))]
    for frame in chosen:
        pixels, depth = scene.cameras.project(int(frame), centres[possible])
        width, height = scene.cameras.sizes[frame]
        shown = (pixels >= 0).all(1) & (pixels < (width, height)).all(1)  # NaN: not shown
        nearest = float(np.min(depth, where=shown, initial=np.inf))
        radius = 0.87 * side / cells * float(scene.cameras.intrinsics[frame, :2].max()) / nearest
        if not shown.any() or not 0 < radius <= min(width, height):  # a camera among the cells
            continue
        reach = 2 * int(np.ceil(radius) + 1) + 1
        alpha = scene.photographs.picture(frame)[..., 3]
        if (counted := scene.photographs.counted_in(frame)) is not None:
            alpha = np.where(counted, alpha, 255)  # behind a mask there may be anything
        silhouette = maximum_filter(alpha, reach, mode="constant")
        place = pixels[shown].astype(int)
        kept = np.ones(len(possible), bool)
        kept[shown] = silhouette[place[:, 1], place[:, 0]] > 0
        possible = possible[kept]
    hull = np.zeros(cells**3, bool)
    hull[possible] = True
    return hull.reshape(cells, cells, cells)
