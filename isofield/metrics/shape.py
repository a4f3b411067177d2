"""Figures that compare a mesh with a true mesh, or with measured points.

Distances run from sampled points to the *surface* of the other mesh and are shares of the longest edge of the
truth's bounding box, so that they mean the same for every shape in every unit.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..geometry.mesh import Mesh
from ..geometry.solid import signed_volume
from ..geometry.surface_samples import sample_surface
from ..kernels import bvh
from ..runtime.errors import InputError

__all__ = [
    "IOU_POINTS",
    "MESH_FIGURES",
    "POINT_FIGURES",
    "Figure",
    "SurfaceDistances",
    "compare_meshes",
    "compare_to_points",
    "f_score",
    "hausdorff_distance",
    "iou",
    "mesh_accuracy",
    "mesh_distances",
    "summarise",
]

IOU_POINTS = 200_000
IOU_PADDING = 0.05  # of the truth's longest edge, on each side of its box


@dataclass(frozen=True)
class Figure:
    """What a figure means, and the penalty of a prediction without faces.

    Penalties of distances and normals are those of ONet's evaluator: the diagonal of the unit cube, and -1.
    """

    meaning: str
    penalty: float


MESH_FIGURES = {
    "iou": Figure(f"intersection over union of {IOU_POINTS:,} uniform points in the truth's padded box", 0.0),
    "distance_mean": Figure("mean of accuracy_mean and completeness_mean", math.sqrt(3)),
    "accuracy_mean": Figure(
        "mean distance from samples of the prediction to the true surface, share of the longest edge",
        math.sqrt(3),
    ),
    "completeness_mean": Figure(
        "mean distance from samples of the truth to the predicted surface, share of the longest edge",
        math.sqrt(3),
    ),
    "hausdorff": Figure("largest of all these distances, share of the longest edge", math.sqrt(3)),
    "normal_consistency": Figure(
        "mean |cosine| of the face normals at a sample and at its nearest point, both ways", -1.0
    ),
    "normal_consistency_signed": Figure("the same with sign: a face turned inside out counts -1", -1.0),
    "f_score_half_percent": Figure(
        "harmonic mean of the shares of samples, each way, within 0.5 % of the longest edge", 0.0
    ),
    "f_score_one_percent": Figure(
        "harmonic mean of the shares of samples, each way, within 1 % of the longest edge", 0.0
    ),
}

POINT_FIGURES = {
    "points_distance_mean": Figure(
        "mean distance from the measured points to the surface, share of the longest edge", math.sqrt(3)
    ),
    "points_distance_largest": Figure(
        "largest distance from the measured points to the surface, share of the longest edge", math.sqrt(3)
    ),
    "points_within_half_percent": Figure(
        "share of the measured points within 0.5 % of the longest edge of the surface", 0.0
    ),
    "points_within_one_percent": Figure(
        "share of the measured points within 1 % of the longest edge of the surface", 0.0
    ),
    "points_normal_consistency": Figure(
        "mean |cosine| of the measured normal and the face normal at its nearest point", -1.0
    ),
    "points_normal_consistency_signed": Figure(
        "the same with sign: a face turned inside out counts -1", -1.0
    ),
}


def iou(inside_a: np.ndarray, inside_b: np.ndarray) -> float:
    """Points inside both over points inside either (bool [N] each); nan where no point is inside either."""
    union = np.count_nonzero(inside_a | inside_b)
    return float(np.count_nonzero(inside_a & inside_b) / union) if union else math.nan


def f_score(accuracy: np.ndarray, completeness: np.ndarray, threshold: float) -> float:
    """Harmonic mean of precision and recall: the shares of the two sets of distances within `threshold`.

    accuracy, completeness: distances of samples of the prediction to the truth, and of the truth to the
    prediction. 0 where both shares are 0. Knapitsch et al. 2017, section 4.
    """
    precision, recall = np.mean(accuracy <= threshold), np.mean(completeness <= threshold)
    return float(2 * precision * recall / (precision + recall)) if precision + recall > 0 else 0.0


def hausdorff_distance(accuracy: np.ndarray, completeness: np.ndarray) -> float:
    """The largest distance of either way: the Hausdorff distance from below, as only samples are measured."""
    return float(max(accuracy.max(), completeness.max()))


def mesh_accuracy(accuracy: np.ndarray, share: float = 0.9) -> float:
    """The smallest distance within which `share` of the samples of the prediction lie.

    DeepSDF's "mesh accuracy" with share 0.9 (Park et al. 2019, section 6; after Seitz et al. 2006).
    """
    return float(np.quantile(accuracy, share, method="inverted_cdf"))


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Point-to-surface distances of samples, in the unit of the meshes, and cosines of face normals.

    accuracy [N]: samples of the prediction to the true surface. completeness [N]: samples of the truth to the
    predicted surface. accuracy_cosines, completeness_cosines [N]: of the face normals at a sample and at its
    nearest point, with sign.
    """

    accuracy: np.ndarray
    completeness: np.ndarray
    accuracy_cosines: np.ndarray
    completeness_cosines: np.ndarray

    @property
    def normal_consistency(self) -> float:
        """Mean |cosine|, mean of both ways (ONet's convention): orientation does not count."""
        return float(np.abs(self.accuracy_cosines).mean() + np.abs(self.completeness_cosines).mean()) / 2

    @property
    def normal_consistency_signed(self) -> float:
        """Mean cosine, mean of both ways: faces turned inside out count -1."""
        return float(self.accuracy_cosines.mean() + self.completeness_cosines.mean()) / 2


def mesh_distances(prediction: Mesh, truth: Mesh, samples: int = 100_000, seed: int = 0) -> SurfaceDistances:
    """Distances of `samples` area-weighted points of each mesh to the surface of the other, in their unit."""
    return _distances(_Surface(prediction), _Surface(truth), samples, np.random.default_rng(seed))


def compare_meshes(
    prediction: Mesh,
    truth: Mesh,
    samples: int = 100_000,
    seed: int = 0,
    box: tuple[np.ndarray, np.ndarray] | None = None,
) -> dict[str, float]:
    """The `MESH_FIGURES` of `prediction` against `truth`, both in the same coordinates.

    samples: area-weighted points on each surface. box: lower and upper corner of the box of the points of
    "iou"; where None, the truth's box padded on each side by 5 % of its longest edge. Inside is where the
    winding number exceeds 0.5, after turning a mesh whose signed volume is negative.
    "failed" is 0, or 1 for a prediction without faces, which scores the penalties.
    Raises InputError for a truth without faces, or a mesh whose faces all have zero area.
    """
    if len(truth.faces) == 0:
        raise InputError("the true mesh has no faces", "truth", "Compare with its points, or give a mesh.")
    if len(prediction.faces) == 0:
        return _penalties(MESH_FIGURES)
    low, high = _bounds(truth.vertices[np.unique(truth.faces)])
    edge = float(np.max(high - low))
    if box is None:
        box = low - IOU_PADDING * edge, high + IOU_PADDING * edge
    predicted, true = (_Surface(_scaled(mesh, low, high)) for mesh in (prediction, truth))
    generator = np.random.default_rng(seed)
    lower, upper = ((np.asarray(corner, np.float64) - (low + high) / 2) / edge for corner in box)
    points = generator.uniform(lower, upper, (IOU_POINTS, 3)).astype(np.float32)
    d = _distances(predicted, true, samples, generator)
    return {
        "iou": iou(true.inside(points), predicted.inside(points)),
        "distance_mean": float(d.accuracy.mean() + d.completeness.mean()) / 2,
        "accuracy_mean": float(d.accuracy.mean()),
        "completeness_mean": float(d.completeness.mean()),
        "hausdorff": hausdorff_distance(d.accuracy, d.completeness),
        "normal_consistency": d.normal_consistency,
        "normal_consistency_signed": d.normal_consistency_signed,
        "f_score_half_percent": f_score(d.accuracy, d.completeness, 0.005),
        "f_score_one_percent": f_score(d.accuracy, d.completeness, 0.01),
        "failed": 0.0,
    }


def compare_to_points(
    prediction: Mesh, points: np.ndarray, normals: np.ndarray | None = None
) -> dict[str, float]:
    """The `POINT_FIGURES` of `prediction` against measured points [N, 3], where no true surface is known.

    normals: unit, [N, 3], or None; then the two figures of normals are left out. The longest edge is that of
    the box of the points. Surface where nothing was measured is not judged. "failed" as in `compare_meshes`.
    """
    if len(prediction.faces) == 0:
        penalties = _penalties(POINT_FIGURES)
        return {k: v for k, v in penalties.items() if normals is not None or "normal" not in k}
    points = np.asarray(points, np.float64)
    low, high = _bounds(points)
    surface = _Surface(_scaled(prediction, low, high))
    queries = (points - (low + high) / 2) / np.max(high - low)
    distance, nearest_normals = surface.nearest(queries.astype(np.float32))
    figures = {
        "points_distance_mean": float(distance.mean()),
        "points_distance_largest": float(distance.max()),
        "points_within_half_percent": float(np.mean(distance <= 0.005)),
        "points_within_one_percent": float(np.mean(distance <= 0.01)),
        "failed": 0.0,
    }
    if normals is not None:
        cosines = (normals * nearest_normals).sum(axis=1)
        figures["points_normal_consistency"] = float(np.abs(cosines).mean())
        figures["points_normal_consistency_signed"] = float(cosines.mean())
    return figures


def summarise(results: list[dict[str, float]]) -> dict[str, float]:
    """Means over many results, each with its "failed" (0 or 1): no failed mesh is dropped unsaid.

    Gives "count", "failed", and of every figure NAME "NAME_mean_with_penalties" (over all results; a failed
    one holds its penalties) and "NAME_mean_of_succeeded". An undefined figure (nan, as the IoU of two meshes
    without inside, or absent) is left out of both and counted in "NAME_undefined", present where not 0.
    """
    succeeded = np.array([result["failed"] == 0 for result in results], bool)
    summary = {"count": float(len(results)), "failed": float(np.count_nonzero(~succeeded))}
    for name in dict.fromkeys(name for result in results for name in result if name != "failed"):
        values = np.array([result.get(name, math.nan) for result in results])
        defined = ~np.isnan(values)
        summary[f"{name}_mean_with_penalties"] = _mean(values[defined])
        summary[f"{name}_mean_of_succeeded"] = _mean(values[defined & succeeded])
        if not defined.all():
            summary[f"{name}_undefined"] = float(np.count_nonzero(~defined))
    return summary


class _Surface:
    """A mesh made ready for queries: without faces of zero area, with unit face normals and a tree."""

    def __init__(self, mesh: Mesh) -> None:
        corners = mesh.vertices[mesh.faces].astype(np.float64)
        crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(crosses, axis=1)
        full = lengths > 0
        if not full.any():
            raise InputError("every face of the mesh has zero area", "compare", "Give a mesh with a surface.")
        self.mesh = Mesh(mesh.vertices, mesh.faces[full])
        self.normals = crosses[full] / lengths[full, None]
        self.tree = bvh.build(self.mesh.vertices, self.mesh.faces)
        self.outward = signed_volume(mesh) >= 0

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Whether float32 points [N, 3] are inside, after turning a mesh of negative volume."""
        winding = bvh.winding_number(self.tree, points)
        return (winding if self.outward else -winding) > 0.5

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances [N] of float32 points [N, 3] and the normals [N, 3] of the nearest faces."""
        distance, face, _ = bvh.nearest(self.tree, points)
        return distance.astype(np.float64), self.normals[face]

    def samples(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Area-weighted points, float32 [count, 3], and the normals of their faces."""
        points, face = sample_surface(self.mesh, count, generator)
        return points.astype(np.float32), self.normals[face]


def _distances(
    prediction: _Surface, truth: _Surface, samples: int, generator: np.random.Generator
) -> SurfaceDistances:
    points, normals = truth.samples(samples, generator)  # first: they do not depend on the prediction
    completeness, nearest_normals = prediction.nearest(points)
    completeness_cosines = (normals * nearest_normals).sum(axis=1)
    points, normals = prediction.samples(samples, generator)
    accuracy, nearest_normals = truth.nearest(points)
    return SurfaceDistances(
        accuracy, completeness, (normals * nearest_normals).sum(axis=1), completeness_cosines
    )


def _bounds(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)


def _scaled(mesh: Mesh, low: np.ndarray, high: np.ndarray) -> Mesh:
    """The mesh around the centre of a box, in units of its longest edge: float32 has its digits there."""
    return Mesh((np.asarray(mesh.vertices, np.float64) - (low + high) / 2) / np.max(high - low), mesh.faces)


def _penalties(figures: dict[str, Figure]) -> dict[str, float]:
    return {**{name: figure.penalty for name, figure in figures.items()}, "failed": 1.0}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
