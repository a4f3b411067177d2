"""Crops of a scene, as the fully convolutional variant of Convolutional Occupancy Networks is trained on
(Peng et al. 2020), by the published code.

Around a centre lie the query volume, in which occupancies are asked for, and the input volume, larger by the
receptive field of the network, from which points are taken. Features live in the cells of the input volume:
of a `grid`, or of a plane, which drops one axis. Clouds are cropped after they were drawn and made noisy,
occupancies after `dithered` and before they are drawn (see `onet_fields`).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int64

from .onet_fields import OccupancyPoints, SurfaceCloud

__all__ = ["PLANES", "CroppedCloud", "cells_in", "cropped_cloud", "cropped_points", "normalised_in"]

PLANES = {"xz": (0, 2), "xy": (0, 1), "yz": (1, 2), "grid": (0, 1, 2)}  # the axes that each keeps

Volume = Float[np.ndarray, "2 3"]
"""Lower and upper corner."""


@dataclass(frozen=True, eq=False)
class CroppedCloud:
    """A cloud as it enters the network: of constant size, what lies outside put aside.

    cloud: points outside the input volume are 0. outside: which these are. cells: by plane, the cell of each
    point, for those outside one beyond the last.
    """

    cloud: SurfaceCloud
    outside: Bool[np.ndarray, " points"]
    cells: dict[str, Int64[np.ndarray, " points"]]


def normalised_in(
    volume: Volume, points: Float[np.ndarray, "points 3"], plane: str
) -> Float[np.ndarray, "points axes"]:
    """Coordinates on the plane's axes, 0 at the lower and 1 at the upper side of the volume."""
    axes = list(PLANES[plane])
    low, high = volume[:, axes]
    return (points[:, axes] - low) / (high - low)


def cells_in(
    volume: Volume, points: Float[np.ndarray, "points 3"], plane: str, resolution: int
) -> Int64[np.ndarray, " points"]:
    """The cell of each point: a + R b on a plane, x + R (y + R z) in the grid; at most the number of cells.

    Points at the upper side of the volume get, as in the published code, a cell of the next row or beyond.
    """
    cells = np.floor(normalised_in(volume, points, plane) * resolution).astype(np.int64)
    axes = cells.shape[1]
    return np.minimum(cells @ resolution ** np.arange(axes), resolution**axes)


def cropped_cloud(
    cloud: SurfaceCloud, input_volume: Volume, resolution: int, planes: tuple[str, ...]
) -> CroppedCloud:
    """The cloud cut to the input volume (its sides belong to it), with the cell of every point."""
    outside = ~_within(input_volume, cloud.points)
    points = np.where(outside[:, None], np.float32(0), cloud.points)
    cells = {plane: cells_in(input_volume, points, plane, resolution) for plane in planes}
    for plane, cell in cells.items():
        cell[outside] = resolution ** len(PLANES[plane])
    return CroppedCloud(replace(cloud, points=points), outside, cells)


def cropped_points(data: OccupancyPoints, query_volume: Volume) -> OccupancyPoints:
    """The points in the query volume, whose sides belong to it."""
    kept = _within(query_volume, data.points)
    return replace(data, points=data.points[kept], occupied=data.occupied[kept])


def _within(volume: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.all((points >= volume[0]) & (points <= volume[1]), axis=1)
