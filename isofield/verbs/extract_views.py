"""The surface of a trained scene: at the density at which its cameras see one, in the colours they see."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..extraction.floaters import without_unsupported
from ..extraction.surface_level import best_level
from ..geometry.frames import Frame
from ..geometry.level import Above
from ..geometry.mesh import Mesh
from ..rendering.vertex_colours import colour_behind, seen_vertices, vertex_colours
from ..runtime.errors import InputError
from ..runtime.progress import progress
from .extractable import Extractable
from .run import Run

__all__ = ["surface_of_views"]

SMALLEST = 3e-4  # share of the area below which a part is a floater
FREE_PATHS = 3.0  # at the level: how deep into the surface rays take their colours
COLOUR_CELLS = 2.0  # how far behind what a camera sees a vertex may lie and still be seen, in cells


def surface_of_views(run: Run, shape: Any, trim: bool, level: float | None) -> Extractable:
    """The level set of a scene's density, in the world of its cameras; no data is read.

    level: the density, per unit of length; None for the best of many as the training cameras see them
    (`extraction.surface_level`). Floaters are parts that no training camera sees, or tiny ones. The working
    box is drawn around what a coarse grid finds at that level.
    """
    if trim:
        raise InputError("is for shapes: what no camera sees stays closed", "--open", "Leave it out.")
    if shape is not None:
        raise InputError("holds a scene, not a shape", run.path, "Leave shape= out.")
    if level is not None and not level > 0:
        raise InputError(f"must be above 0, not {level}", "--level", "Densities are per unit of length.")
    views, cameras = run.views, run.cameras[run.frames("train")]
    with progress("choosing the level") as bar:
        found = best_level(views.density, views.render, cameras, (views.lower, views.upper), bar, level)
    coarse, _ = without_unsupported(found.mesh, seen_vertices(found.mesh, cameras), SMALLEST)
    corners = np.array([coarse.vertices.min(axis=0), coarse.vertices.max(axis=0)], np.float64)
    frame = Frame.around(np.clip(corners + found.cell * np.array([[-1], [1]]), views.lower, views.upper))
    offset = torch.tensor(frame.offset, dtype=torch.float32)

    def density(points: Tensor) -> Tensor:
        return views.density(points / frame.scale + offset)

    def cleaned(mesh: Mesh, cell: float) -> tuple[Mesh, int | None]:
        world = Mesh(frame.to_input(mesh.vertices), mesh.faces)
        return without_unsupported(mesh, seen_vertices(world, cameras), SMALLEST)

    def colours(mesh: Mesh, cell: float) -> np.ndarray:
        seen = colour_behind(views.density, views.colour, FREE_PATHS / found.level)
        return vertex_colours(mesh, cameras, seen, COLOUR_CELLS * cell)

    return Extractable(
        density,
        Above(found.level),
        frame,
        cleaned,
        colours,
        (
            "where a density has its surface is chosen, not proved: `level` says how",
            f"parts that no training camera sees, or of less than {SMALLEST:g} of the area, were left out",
        ),
        {
            "level": {
                "density": found.level,
                "chosen": "asked for"
                if level is not None
                else "of those tried, the one whose surface the training cameras see where they see the "
                "field: agreement is the share of pixels in which both are seen, less than two cells of "
                "the coarse grid apart, of those in which either is",
                "agreement": dict(found.tried)[found.level],
                "tried": [list(pair) for pair in found.tried],
            },
            "frame": "the world of the cameras, as the scene's files have it",
        },
    )
