"""Figures of point sets: Chamfer distances by their several definitions, ONet's and ConvONet's evaluators.

All take points [N, 3] and [M, 3] in the same units; distances are Euclidean, to the nearest *point* of the
other set. Papers write "Chamfer distance" for sums, halves, squares and multiples of these; the names here
say which one is meant.
"""

import math

import numpy as np
from scipy.spatial import cKDTree

from ..runtime.threads import threads

__all__ = [
    "CONVONET_EMPTY_MESH",
    "ONET_EMPTY_MESH",
    "chamfer_l1_points",
    "chamfer_l2_points",
    "chamfer_squared_sum_points",
    "convonet_evaluation",
    "nearest_points",
    "onet_evaluation",
]

# What ONet's evaluator gives a mesh without vertices. Its code leaves the two Chamfer figures out of this
# table (and has a "chamfer" of 6 that no other row has), so that a mean over its rows silently forgets the
# failed meshes in these two columns; here they follow from the other entries by their definition.
ONET_EMPTY_MESH = {
    "completeness": math.sqrt(3),
    "accuracy": math.sqrt(3),
    "completeness2": 3.0,
    "accuracy2": 3.0,
    "chamfer-L1": math.sqrt(3),
    "chamfer-L2": 3.0,
    "normals completeness": -1.0,
    "normals accuracy": -1.0,
    "normals": -1.0,
    "failed": 1.0,
}
CONVONET_EMPTY_MESH = {**ONET_EMPTY_MESH, "f-score": 0.0, "f-score-15": 0.0, "f-score-20": 0.0}

# ConvONet's thresholds are entries of a table of thousandths; so are these, to the last digit.
CONVONET_THRESHOLDS = dict(
    zip(("f-score", "f-score-15", "f-score-20"), np.linspace(0.001, 1, 1000)[[9, 14, 19]])
)


def nearest_points(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance [N] from each of `points` to the nearest of `others`, and its index [N]."""
    return cKDTree(others).query(points, workers=threads())


def chamfer_l1_points(a: np.ndarray, b: np.ndarray) -> float:
    """Half the sum of the mean distance from a to b and the mean distance from b to a.

    ONet's Chamfer-L1; its tables show ten times this, for shapes whose longest edge is 1.
    """
    return float(nearest_points(a, b)[0].mean() + nearest_points(b, a)[0].mean()) / 2


def chamfer_l2_points(a: np.ndarray, b: np.ndarray) -> float:
    """Half the sum of the mean squared distance from a to b and that from b to a (ONet's chamfer-L2)."""
    return chamfer_squared_sum_points(a, b) / 2


def chamfer_squared_sum_points(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared distance from a to b plus mean squared distance from b to a, not halved.

    DeepSDF's Chamfer distance (30,000 samples each; times 1000 in its tables) and the one of ONet's training.
    """
    return float((nearest_points(a, b)[0] ** 2).mean() + (nearest_points(b, a)[0] ** 2).mean())


def onet_evaluation(
    prediction: np.ndarray,
    prediction_normals: np.ndarray,
    target: np.ndarray,
    target_normals: np.ndarray,
) -> dict[str, float]:
    """ONet's evaluation of surface samples, by its own column names, in the units of the points.

    accuracy: mean distance from the prediction's samples to the target's; completeness: the other way; those
    ending in 2: of squared distances. chamfer-L1, chamfer-L2: half the sum of both ways. normals: mean
    |cosine| of the normals of a sample and its nearest one. failed: 0, or 1 where there are no predicted
    points; then the figures are those of `ONET_EMPTY_MESH`.
    Mescheder et al. 2019, section 4.1; the published code takes 100,000 samples of each surface.
    """
    if len(prediction) == 0:
        return dict(ONET_EMPTY_MESH)
    return _evaluation(prediction, prediction_normals, target, target_normals, {})


def convonet_evaluation(
    prediction: np.ndarray,
    prediction_normals: np.ndarray,
    target: np.ndarray,
    target_normals: np.ndarray,
) -> dict[str, float]:
    """ConvONet's evaluation: ONet's, and F-scores at 0.01, 0.015 and 0.02 in the unit of the points.

    An F-score whose precision and recall are both 0 is nan, as in the published code. Peng et al. 2020.
    """
    if len(prediction) == 0:
        return dict(CONVONET_EMPTY_MESH)
    return _evaluation(prediction, prediction_normals, target, target_normals, CONVONET_THRESHOLDS)


def _evaluation(
    prediction: np.ndarray,
    prediction_normals: np.ndarray,
    target: np.ndarray,
    target_normals: np.ndarray,
    thresholds: dict[str, float],
) -> dict[str, float]:
    accuracy, of_target = nearest_points(prediction, target)
    completeness, of_prediction = nearest_points(target, prediction)
    normals_accuracy = _mean_absolute_cosine(prediction_normals, target_normals[of_target])
    normals_completeness = _mean_absolute_cosine(target_normals, prediction_normals[of_prediction])
    figures = {
        "completeness": completeness.mean(),
        "accuracy": accuracy.mean(),
        "completeness2": (completeness**2).mean(),
        "accuracy2": (accuracy**2).mean(),
        "chamfer-L1": (completeness.mean() + accuracy.mean()) / 2,
        "chamfer-L2": ((completeness**2).mean() + (accuracy**2).mean()) / 2,
        "normals completeness": normals_completeness,
        "normals accuracy": normals_accuracy,
        "normals": (normals_completeness + normals_accuracy) / 2,
        "failed": 0.0,
    }
    for name, threshold in thresholds.items():
        precision, recall = np.mean(accuracy <= threshold), np.mean(completeness <= threshold)
        figures[name] = 2 * precision * recall / (precision + recall) if precision + recall > 0 else math.nan
    return {name: float(value) for name, value in figures.items()}


def _mean_absolute_cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = (n / np.linalg.norm(n, axis=1, keepdims=True) for n in (a, b))
    return float(np.abs((a * b).sum(axis=1)).mean())
