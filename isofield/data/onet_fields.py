"""The files of an Occupancy Networks data set (Mescheder et al. 2019), one shape's, and what training draws
from them.

A shape is stored in a frame of its own, in which its box is centred and its longest edge is 1: coordinates in
the source are scale * point + loc. The draws are the published ones in the published order, by a
`numpy.random.RandomState`, whose stream never changes: for equal states they are equal bit for bit. A
`RandomState` over `numpy.random.Philox` serves where draws are to depend on (seed, step) alone.

| file | read | then, in this order |
|---|---|---|
| points.npz | `read_points` | `dithered`, `drawn_points` or `drawn_by_side` |
| pointcloud.npz | `read_cloud` | for partial clouds `partial_cloud`; `drawn_cloud`, `noisy_cloud` |
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy.random import RandomState

from ..runtime.errors import InputError
from .npz import Archive, ArrayForm, open_npz

__all__ = [
    "OccupancyPoints",
    "SurfaceCloud",
    "dithered",
    "drawn_by_side",
    "drawn_cloud",
    "drawn_points",
    "noisy_cloud",
    "partial_cloud",
    "read_cloud",
    "read_points",
]

DITHER = 1e-4  # standard deviation; half precision is spaced by 2.4e-4 in [0.25, 0.5) and 4.9e-4 above
KEPT_LENGTH = 0.7  # of a cloud's length, that a partial one has at least

_MISSING = "Files of Occupancy Networks data sets have it; write the file again."
_ROWS = ArrayForm((np.floating,), (None, 3), "floating-point numbers of the shape (N, 3)")
_FLAGS = ArrayForm(
    (np.bool_, np.integer, np.floating), (None,), "truth values, packed or not, of the shape (N,)"
)
_LOC = ArrayForm((np.floating,), (3,), "three floating-point numbers")
_SCALE = ArrayForm((np.floating,), (), "one floating-point number of the shape ()")


@dataclass(frozen=True, eq=False)
class OccupancyPoints:
    """Points of the box around a shape, and whether each is inside.

    points: as stored, float16, float32 or float64. loc: float64 [3], in the source's units. scale: units of
    the source for one of the points. source: the file.
    """

    points: Float[np.ndarray, "points 3"]
    occupied: Bool[np.ndarray, " points"]
    loc: Float[np.ndarray, "3"]
    scale: float
    source: str

    @property
    def volume(self) -> float:
        """The share of the points that are inside: the shape's part of the box they are uniform in."""
        return float(np.mean(self.occupied))


@dataclass(frozen=True, eq=False)
class SurfaceCloud:
    """Points on the surface of a shape, evenly by area, with the outward normals of their faces; loc, scale
    and source as of `OccupancyPoints`."""

    points: Float32[np.ndarray, "points 3"]
    normals: Float32[np.ndarray, "points 3"]
    loc: Float[np.ndarray, "3"]
    scale: float
    source: str


def read_points(path: Path) -> OccupancyPoints:
    """The arrays `points` [N, 3] and `occupancies`: N packed bits, or N truth values or numbers (inside from
    1/2 on). Without `loc` and `scale`, as in the files of rooms, they are 0 and 1.

    The labels were computed before the points were rounded to half precision, so that a few of the published
    ones are wrong near the surface.
    """
    with open_npz(path) as archive:
        points = _rows(archive, "points")
        archive.require("occupancies", _MISSING)
        flags = archive.array("occupancies", _FLAGS)
        loc, scale = _frame(archive)
    packed = flags.dtype == np.uint8 and len(flags) == -(-len(points) // 8)
    if not packed and len(flags) != len(points):
        raise InputError(
            f"has {len(flags)} values of the type {flags.dtype} for {len(points)} points",
            f"{path}, array 'occupancies'",
            f"Save one for each point, or numpy.packbits of them: {-(-len(points) // 8)} bytes.",
        )
    if not np.isfinite(flags).all():
        raise InputError(
            "has a value that is not finite", f"{path}, array 'occupancies'", "Compute it again."
        )
    occupied = np.unpackbits(flags, count=len(points)) > 0 if packed else flags >= 0.5
    return OccupancyPoints(points, occupied, loc, scale, str(path))


def read_cloud(path: Path) -> SurfaceCloud:
    """The arrays `points` and `normals` [N, 3]; `loc` and `scale` as in `read_points`."""
    with open_npz(path) as archive:
        points, normals = _rows(archive, "points"), _rows(archive, "normals")
        loc, scale = _frame(archive)
    if len(points) != len(normals):
        raise InputError(
            f"holds {len(normals)} normals for {len(points)} points", path, "Save one normal for each point."
        )
    return SurfaceCloud(points.astype(np.float32), normals.astype(np.float32), loc, scale, str(path))


def _rows(archive: Archive, name: str) -> np.ndarray:
    """Vectors [N, 3], at least one, all finite."""
    archive.require(name, _MISSING)
    rows = archive.array(name, _ROWS)
    where = f"{archive.path}, array '{name}'"
    if len(rows) == 0:
        raise InputError("is empty", where, "Write the file again.")
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise InputError(
            f"{int(bad.sum())} of {len(rows)} rows are not finite; the first is row {int(np.argmax(bad))}",
            where,
            "Leave out these shapes, or sample them again.",
        )
    return rows


def _frame(archive: Archive) -> tuple[np.ndarray, float]:
    """loc and scale."""
    loc = archive.array("loc", _LOC).astype(np.float64) if "loc" in archive.names else np.zeros(3)
    scale = float(archive.array("scale", _SCALE)) if "scale" in archive.names else 1.0
    if not (np.isfinite(loc).all() and np.isfinite(scale) and scale > 0):
        raise InputError(
            f"loc is {loc.tolist()} and scale {scale:g}, which is no frame",
            archive.path,
            "Write three finite numbers and a positive one.",
        )
    return loc, scale


def dithered(data: OccupancyPoints, rng: RandomState) -> OccupancyPoints:
    """The points in single precision; those stored in half precision are moved by normal deviates of 1e-4, so
    that they leave its lattice.

    The published code does so each time it loads them, for evaluation too.
    """
    if data.points.dtype != np.float16:
        return replace(data, points=data.points.astype(np.float32))
    noise = DITHER * rng.standard_normal(data.points.shape)
    return replace(data, points=(data.points.astype(np.float32) + noise).astype(np.float32))


def drawn_points(data: OccupancyPoints, count: int, rng: RandomState) -> OccupancyPoints:
    """`count` of the points, with replacement."""
    index = rng.randint(len(data.points), size=count)
    return replace(data, points=data.points[index], occupied=data.occupied[index])


def drawn_by_side(data: OccupancyPoints, outside: int, inside: int, rng: RandomState) -> OccupancyPoints:
    """`outside` of the points outside, then `inside` of those inside, with replacement.

    Raises InputError where all points are on one side. The share inside, with which such a draw is weighted,
    is `data.volume` of all points.
    """
    sides = [np.flatnonzero(~data.occupied), np.flatnonzero(data.occupied)]
    for side, name in zip(sides, ("outside", "inside")):
        if len(side) == 0:
            raise InputError(
                f"none of the {len(data.points)} points is {name}",
                data.source,
                "Leave the shape out, or draw points without regard to their side.",
            )
    index = np.concatenate(
        [side[rng.randint(len(side), size=n)] for side, n in zip(sides, (outside, inside))]
    )
    return replace(data, points=data.points[index], occupied=data.occupied[index])


def drawn_cloud(cloud: SurfaceCloud, count: int, rng: RandomState) -> SurfaceCloud:
    """`count` of the points with their normals, with replacement."""
    index = rng.randint(len(cloud.points), size=count)
    return replace(cloud, points=cloud.points[index], normals=cloud.normals[index])


def noisy_cloud(cloud: SurfaceCloud, deviation: float, rng: RandomState) -> SurfaceCloud:
    """The points moved by normal deviates on each axis, the normals as they were. deviation: standard, in the
    units of the points."""
    noise = (deviation * rng.standard_normal(cloud.points.shape)).astype(np.float32)
    return replace(cloud, points=cloud.points + noise)


def partial_cloud(cloud: SurfaceCloud, rng: RandomState) -> SurfaceCloud:
    """The cloud without its far end along a random axis: from 0.7 of its length to all of it is left.

    Convolutional Occupancy Networks (Peng et al. 2020), in its published code; always the upper end is cut.
    """
    along = cloud.points[:, rng.randint(3)]
    start, length = along.min(), along.max() - along.min()
    kept = along - start <= rng.uniform(KEPT_LENGTH * length, length)
    return replace(cloud, points=cloud.points[kept], normals=cloud.normals[kept])
