"""The solid of oriented points: signed distance near the samples, winding numbers away from them."""

import numpy as np

from ..kernels import bvh
from ..runtime.threads import threads

__all__ = ["OrientedPoints"]

_NEIGHBOURS = 8
_CHECKED = 20_000  # samples whose two sides are looked at


class OrientedPoints:
    """Surface samples with normals pointing out, as a solid that labels points of the working box.

    Near the samples the signed distance is the average of the distances to the tangent planes of the nearest
    samples, weighted by a Gaussian of the local spacing (implicit moving least squares; Kolluri 2008).
    Elsewhere the distance is that to the nearest sample and the sign that of the winding number of the
    samples as dipoles (Barill et al. 2018, section 3.3), with the local area pi r^2 / k, r the distance to
    the k-th neighbour. positions: float32 [P, 3] in the working box. normals: float32 [P, 3], unit length.
    separating_share: see `_separating_shares`. gap: how far from the samples the surface may be. turned:
    whether the normals were turned as a whole, which happens where that leaves many more samples between
    inside and outside.
    """

    notes: tuple[str, ...] = ()  # on how it was made

    def __init__(self, positions: np.ndarray, normals: np.ndarray) -> None:
        self.positions, self.normals = positions.astype(np.float32), normals.astype(np.float32)
        from .raw_points import Samples  # here: meshes need no scipy, and it takes a while to import

        self.samples = Samples(self.positions)
        self.areas, self.spacing = self.samples.areas, self.samples.spacing
        self.gap = float(np.median(self.spacing))
        self._dipoles = bvh.build_points(positions, self.normals, self.areas)
        self.separating_share, the_other_way = self._separating_shares()
        self.turned = the_other_way > self.separating_share + 0.5
        if self.turned:
            self.normals, self.separating_share = -self.normals, the_other_way
            self._dipoles = bvh.build_points(positions, self.normals, self.areas)
        self._chance = np.cumsum(self.areas) / np.sum(self.areas)

    def _separating_shares(self) -> tuple[float, float]:
        """Share of the samples with the inside behind them and the outside before them, a spacing away:
        as the normals are, and were they all turned.

        About 1 for dense samples with right normals, less where they are sparse, 0 where normals contradict.
        """
        chosen = np.random.default_rng(0).permutation(len(self.positions))[:_CHECKED]
        step = self.spacing[chosen, None] * self.normals[chosen]
        behind, before = (self.winding_number(self.positions[chosen] + s) for s in (-step, step))
        as_it_is = np.mean((behind > 0.5) & (before < 0.5))
        return float(as_it_is), float(np.mean((-before > 0.5) & (-behind < 0.5)))

    def distance(self, points: np.ndarray, limit: float = np.inf) -> np.ndarray:
        """Distances [N] to the nearest sample, cut off at `limit`."""
        return self.samples.distance(points, limit)

    def carried(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Values [P, C] of the samples at points [N, 3]: the nearest sample's."""
        return self.samples.carried(values, points)

    def surface_points(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points [count, 3] near the surface: samples drawn by area, moved within their tangent planes by up
        to the spacing."""
        chosen = np.searchsorted(self._chance, rng.random(count)).clip(max=len(self.positions) - 1)
        move = rng.normal(0, 0.5, (count, 3)).astype(np.float32) * self.spacing[chosen, None]
        normal = self.normals[chosen]
        move -= (move * normal).sum(1, keepdims=True) * normal
        return self.positions[chosen] + move

    def winding_number(self, points: np.ndarray) -> np.ndarray:
        """Winding numbers [N]: about 1 inside, 0 outside, noisy within the spacing of the samples."""
        return bvh.winding_number(self._dipoles, points)

    def occupancy(self, points: np.ndarray) -> np.ndarray:
        """Whether each point is inside, bool [N]."""
        reach = 4 * self.gap
        return self.signed_distance(points, reach) < 0

    def signed_distance(self, points: np.ndarray, limit: float) -> np.ndarray:
        """Signed distances [N], negative inside, cut off at +-limit."""
        points = np.asarray(points, np.float32)
        distance, neighbour = self.samples.tree.query(
            points, _NEIGHBOURS, distance_upper_bound=limit, workers=threads()
        )
        nearest = distance[:, 0]
        result = np.where(nearest < limit, nearest, limit).astype(np.float32)
        near = np.flatnonzero(nearest < limit)
        first = neighbour[near, 0]
        close = nearest[near] < 3 * self.spacing[first]
        rows = near[close]
        plane = self._plane_distance(points[rows], distance[rows], neighbour[rows])
        far = np.ones(len(points), bool)
        far[rows] = False
        result[far] *= np.where(self.winding_number(points[far]) > 0.5, -1, 1).astype(np.float32)
        result[rows] = plane
        return np.clip(result, -limit, limit)

    def _plane_distance(self, points: np.ndarray, distance: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
        found = np.isfinite(distance)
        index = np.where(found, neighbour, 0)
        width = np.maximum(self.spacing[index[:, 0]], distance[:, 0])[:, None].astype(np.float32)
        weight = np.where(found, np.exp(-(((distance - distance[:, :1]) / width) ** 2)), 0).astype(np.float32)
        offset = ((points[:, None] - self.positions[index]) * self.normals[index]).sum(2)
        return (weight * offset).sum(1) / weight.sum(1)
