"""From raw points, without normals, to a solid: outliers left out, normals found and oriented, noise
smoothed, the inside by Poisson's equation."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from ..extraction.surface import marching_cubes
from ..geometry.frames import PADDING, WORKING_BOX
from ..geometry.level import Above
from ..geometry.mesh import Mesh
from ..geometry.raw_points import (
    Neighbourhoods,
    Samples,
    oriented_by_tree,
    smoothed,
    turned_towards,
)
from ..geometry.solid import Solid
from ..kernels.topology import components
from ..runtime.errors import InputError
from ..solvers.poisson import Indicator, spectral_poisson

__all__ = ["RawSolid", "solid_of_raw_points"]

FEWEST = 30  # points that can show a solid
NEIGHBOURS = 24
NOISY = 0.35  # residuals of planes over the spacing of points, above which more neighbours are needed
TREES = (12, 24)  # neighbours of the normals that further spanning trees go by
RESOLUTION = 256  # of the grid of Poisson's equation
FEW_ON_A_PART, SHARE_ON_A_PART = 50, 0.005  # points that a part of the surface needs, the fewer of the two
CLEAR = 0.5  # share of the jump of the indicator that a sure point has from behind to before it


class RawSolid(Solid):
    """The solid that raw points show. Labels are those of the reconstructed surface; what is asked for the
    nearest place of the input is answered by the points themselves.

    samples: the points that were kept. confidence: float32 [kept points], how clearly each parts inside from
    outside: 1 for dense points that agree, 0 where they contradict. separating_share: share of those that do
    so clearly. notes: what was done, one sentence each.
    """

    def __init__(self, mesh: Mesh, samples: Samples, confidence: np.ndarray, notes: Sequence[str]) -> None:
        super().__init__(mesh)
        self.samples, self.confidence, self.notes = samples, confidence, tuple(notes)
        self.separating_share = float(np.mean(confidence > CLEAR))
        self.gap = float(np.median(samples.spacing))

    def distance(self, points, limit: float = np.inf):
        """Distances to the nearest sample, cut off at `limit`."""
        return self.samples.distance(points, limit)

    def carried(self, values, points):
        """Values of the samples at points: the nearest sample's."""
        return self.samples.carried(values, points)


def solid_of_raw_points(
    points: Float[np.ndarray, "points 3"],
    towards_sensor: Float[np.ndarray, "points 3"] | None,
    where: str,
) -> RawSolid:
    """The solid of points in the working box, outliers left out before.

    towards_sensor: directions to what saw the points, which say on which side of the surface is air; without
    them neighbours are made to agree. where: for messages. Raises InputError for too few points.
    """
    if len(points) < FEWEST:
        raise InputError(
            f"{len(points)} points are too few to show a solid",
            where,
            f"Give {FEWEST} or more; thousands are usual.",
        )
    around = Neighbourhoods.of(points, NEIGHBOURS)
    noise, passes = float(np.median(around.residuals)), 1
    if noise > NOISY * float(np.median(around.spacing)):
        around, passes = Neighbourhoods.of(points, 2 * NEIGHBOURS), 3
    count = around.index.shape[1]
    normals = (
        oriented_by_tree(points, around)
        if towards_sensor is None
        else turned_towards(around.normals, towards_sensor)
    )
    moved = points
    for number in range(passes):
        if number:
            around = Neighbourhoods.of(moved, count)
            normals = turned_towards(around.normals, normals)
        moved, normals = smoothed(moved, dataclasses.replace(around, normals=normals))
    samples = Samples(moved)
    candidates = [normals]
    if towards_sensor is None:
        # a spanning tree fails where sheets lie close, and each in another place: the field tells which
        # failed least
        trees = (oriented_by_tree(moved, Neighbourhoods.of(moved, count)) for count in TREES)
        candidates += [turned_towards(normals, tree) for tree in trees]
    indicator, confidence = max(
        (_solved(moved, each, samples.areas) for each in candidates), key=lambda s: s[1].sum()
    )
    by = "the directions to the sensor" if towards_sensor is not None else "a spanning tree of neighbours"
    clear, size = np.mean(confidence > CLEAR), 2 / PADDING
    notes = [
        f"Normals of {count} neighbours each, oriented by {by}; the inside by Poisson's equation.",
        f"Noise of about {noise / size:.2%} of the size; {clear:.0%} of the points part inside from outside.",
    ]
    low, high = WORKING_BOX
    box = (low, high - (high - low) / RESOLUTION)
    mesh = marching_cubes(indicator.values, box, Above(indicator.level))
    if len(mesh.faces) == 0:
        raise InputError("the points enclose nothing", where, "Check their place; give normals, or a mesh.")
    return RawSolid(_without_lonely_parts(mesh, moved), samples, confidence, notes)


def _without_lonely_parts(mesh: Mesh, points: np.ndarray) -> Mesh:
    """The mesh without the bubbles that stray points blow: parts that few points lie on."""
    part = components(mesh.faces, len(mesh.vertices))
    names, counts = np.unique(part[cKDTree(mesh.vertices).query(points)[1]], return_counts=True)
    kept = names[counts >= min(FEW_ON_A_PART, SHARE_ON_A_PART * len(points))]
    return Mesh(mesh.vertices, mesh.faces[np.isin(part[mesh.faces[:, 0]], kept)])


def _solved(points: np.ndarray, normals: np.ndarray, areas: np.ndarray) -> tuple[Indicator, np.ndarray]:
    """The indicator, and how much of its jump it makes from behind each point to before it, in [0, 1]."""
    indicator = spectral_poisson(points, normals, areas, RESOLUTION)
    if indicator.jump < 0:  # neighbours agree, all of them the wrong way
        return _solved(points, -normals, areas)
    step = 3 * (WORKING_BOX[1] - WORKING_BOX[0]) / RESOLUTION * normals
    change = indicator.at(points - step) - indicator.at(points + step)
    return indicator, np.clip(change / max(indicator.jump, 1e-12), 0, 1).astype(np.float32)
