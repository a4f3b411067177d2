"""The numbers of a run: its mesh, its picture or its views against its input."""

from math import isfinite, nan
from pathlib import Path
from typing import Any

from .. import data
from ..data.shape import Shape
from ..geometry.mesh import Mesh
from ..geometry.oriented_points import OrientedPoints
from ..metrics.shape import MESH_FIGURES, POINT_FIGURES, compare_meshes, compare_to_points
from ..runtime.errors import InputError
from ..runtime.files import write_json
from .evaluate_views import Judging, evaluate_views
from .page import page
from .picture import evaluate_picture
from .run import Run

__all__ = ["HEADLINE", "compared", "evaluate"]

HEADLINE = {
    "mesh": ("iou", "distance_mean", "normal_consistency"),
    "points": ("points_distance_mean", "points_normal_consistency"),
}


POOR = 0.95  # agreement below which a mesh is plainly not a good one
FAR = 0.02  # of the longest edge, mean distance of points from the surface above which they show none


def evaluate(
    run: Run,
    mesh: Mesh | str | Path | None = None,
    source: Any = None,
    seed: int = 0,
    judging: Judging = Judging(),  # noqa: B008 (frozen)
) -> dict[str, Any]:
    """Compare a mesh (None: RUN/mesh.ply) with the run's input, by named figures; those of the run's own mesh
    and input are written to RUN/metrics.json, and the page is made anew.

    source: the input, or another truth in the same coordinates (a mesh or points); None: the path in the run.
    Returns what `compared` does. Of a run that shows a picture, that picture is compared; of one that holds a
    scene, its views: see `evaluate_views`, also for `judging`.
    """
    if run.description["data"]["kind"] == "scene":
        return evaluate_views(run, source, judging, mesh)
    judging.refuse(run.path)
    if "image" in run.method.products():
        if mesh is not None:
            raise InputError("is no mesh's run: it shows a picture", run.path, "Leave --mesh out.")
        return evaluate_picture(run, source)
    shape = run.shape() if source is None else data.as_shape(source)
    own = mesh is None and shape.fingerprint == run.description["data"]["fingerprint"]
    if mesh is None:
        mesh = run.folder.mesh
        if not mesh.is_file():
            raise InputError("has no mesh yet", run.path, f"Make it first: isofield extract {run.path}")
    if not isinstance(mesh, Mesh):
        loaded = data.load_shape(mesh)
        mesh = Mesh(loaded.vertices, loaded.faces)
    result = compared(mesh, shape, seed)
    if own:
        write_json(run.folder.metrics, result)
        page(run, shape=shape)
    return result


def compared(mesh: Mesh, shape: Shape, seed: int = 0) -> dict[str, Any]:
    """A mesh against the truth: "figures" holds every figure, "meaning" what each one is, "headline" the few
    that matter, "truth" what was compared with, "doubts" sentences on what is plainly not good."""
    if shape.kind == "mesh":
        figures = compare_meshes(mesh, Mesh(shape.vertices, shape.faces), seed=seed)
        meaning = MESH_FIGURES
    else:
        normals = shape.solid.normals if isinstance(shape.solid, OrientedPoints) else None
        figures = compare_to_points(mesh, shape.vertices[shape.used], normals)
        meaning = POINT_FIGURES
    return {
        "truth": str(shape.source),
        "headline": {
            name: figures[name] for name in HEADLINE[shape.kind] if isfinite(figures.get(name, nan))
        },
        "doubts": _doubts(figures),
        "figures": figures,
        "meaning": {
            **{name: figure.meaning for name, figure in meaning.items()},
            "failed": "1 where the prediction has no faces, and so the worst of every figure; else 0",
        },
    }


def _doubts(figures: dict[str, float]) -> list[str]:
    if figures.get("points_distance_mean", 0.0) > FAR:
        share = f"{figures['points_distance_mean']:.1%}"
        return [
            f"the points lie {share} of the size from the surface on average: they do not show a surface, or "
            "are too few or too noisy for it"
        ]
    name = "iou" if "iou" in figures else "points_normal_consistency"
    agreement = figures.get(name, nan)
    if not agreement < POOR:  # also where it is not defined
        return []
    return [
        f"the mesh follows the input poorly ({name.replace('_', ' ')} {agreement:.3f}): train for "
        "longer (--seconds, --steps), or finer where parts are thin (--quality high); the page shows where"
    ]
