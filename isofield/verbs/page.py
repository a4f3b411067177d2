"""The page of a run: the mesh to turn, slices, errors, curves, numbers."""

from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data.raw_points import RawSolid
from ..data.shape import Shape
from ..geometry.frames import PADDING
from ..geometry.mesh import Mesh
from ..viewing.charts import Curve
from ..viewing.page import Page, write_page
from ..viewing.page_parts import Number
from ..viewing.slices import Slices
from .run import Run

__all__ = ["curves", "details", "distance_to_input", "page"]


def page(run: Run, mesh: Mesh | None = None, shape: Shape | None = None) -> Path:
    """Write RUN/page.html from the run's mesh, certificate and metrics, and return its path.

    mesh, shape: the run's mesh and its input, where they are at hand (else they are read).
    """
    description, certificate, metrics = run.description, run.certificate, run.metrics
    shape = shape or run.shape()
    if mesh is None:
        made = data.load_shape(run.folder.mesh)
        mesh = Mesh(made.vertices, made.faces, made.normals, made.colours)
    headline = ", ".join(
        f"{name.replace('_', ' ')} {value:.5g}" for name, value in metrics["headline"].items()
    )
    closed = "closed" if certificate["closed"] else "open"
    content = Page(
        title=f"{shape.name}: {description['method']}",
        subtitle=f"{certificate['faces']:,} faces, {closed}; {headline}.",
        command=description["command"] or f"isofield.fit({str(shape.source)!r})",
        mesh=mesh,
        input_mesh=Mesh(shape.vertices, shape.faces) if shape.kind == "mesh" else None,
        **_input_points(shape),
        error=distance_to_input(mesh.vertices, shape),
        slices=_slices(run),
        curves=curves(run),
        numbers=[
            Number(name.replace("_", " "), value, metrics["meaning"].get(name, ""))
            for name, value in metrics["figures"].items()
            if name != "failed" or value
        ],
        certificate=certificate,
        notes=[*description["doubts"], *metrics["doubts"], *description["data"]["notes"]],
        details=details(run),
    )
    write_page(run.folder.page, content)
    return run.folder.page


def _input_points(shape: Shape) -> dict[str, Any]:
    """The points of the input that were used, as the page takes them: with their colours, and how clear their
    side is."""
    if shape.kind != "points":
        return {}
    return {
        "input_points": shape.vertices[shape.used],
        "input_colours": None if shape.colours is None else shape.colours[shape.used],
        "input_confidence": shape.solid.confidence if isinstance(shape.solid, RawSolid) else None,
    }


def distance_to_input(points: np.ndarray, shape: Shape) -> np.ndarray:
    """Distances [N] of points [N, 3] in the input's coordinates to the input, as shares of its longest
    edge."""
    longest_edge = 2 / PADDING  # in working units
    return shape.solid.distance(shape.frame.to_working(points)) / np.float32(longest_edge)


def _slices(run: Run) -> Slices:
    surface = run.field.surface
    return Slices.sample(
        surface.field,
        frame=run.frame,
        inside=surface.inside,
        name=surface.quantity,
        unit="input units" if surface.is_length else "",
        scale=1 / run.frame.scale if surface.is_length else 1.0,
    )


def curves(run: Run) -> list[Curve]:
    """What the run's log recorded, over seconds of training."""
    log = run.folder.read_log()
    names = {name: None for record in log for name in record if name not in ("step", "seconds")}
    return [
        Curve(
            name.removeprefix("field/").replace("_", " "),
            np.array([record["seconds"] for record in log if name in record]),
            np.array([record[name] for record in log if name in record], np.float64),
        )
        for name in names
    ]


def details(run: Run) -> dict[str, Any]:
    """How the run was trained, for the page's table."""
    description = run.description
    return {
        "method": f"{description['method']} ({description['reason']})",
        "settings": description["config"],
        "budget": {name: value for name, value in description["budget"].items() if value is not None},
        "seed": description["seed"],
        "threads": description["threads"],
        "versions": {"isofield": description["isofield"], **description["versions"]},
    }
