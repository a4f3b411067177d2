"""At which density the surface of a radiance field lies.

A density has no level of its own: the surface is where rays end. So of the surfaces at many levels that one
is taken which the cameras see where they see the field: same outline, same distances.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..geometry.level import Above
from ..geometry.mesh import Mesh
from ..rendering.cameras import Cameras
from ..rendering.mesh_views import mesh_view
from ..rendering.rays import Rays
from ..rendering.views import View, render_view
from ..rendering.volume import Rendered
from ..runtime.errors import FailedError
from ..runtime.progress import Progress
from .evaluator import Evaluator
from .grid import Box, Grid, bounds
from .surface import marching_cubes

__all__ = ["Levels", "agreement", "best_level"]

RESOLUTION = 128  # cells of the grid on which levels are tried
VIEWS, LONGEST = 6, 100  # views that are compared, pixels along their longer side
CELLS = 2.0  # distances that differ by so many cells do not agree at all
OPAQUE = 8.0  # mean free paths in a cell of the highest level
STEP = 2**0.5  # from one level to the next


@dataclass(frozen=True, eq=False)
class Levels:
    """Surfaces on a coarse grid and how well each agrees with the views, in [0, 1].

    tried: (density, agreement), ascending. level: the density of the best. mesh: its surface. cell: of the
    grid, in the scene's units.
    """

    tried: tuple[tuple[float, float], ...]
    level: float
    mesh: Mesh
    cell: float


def agreement(one: View, other: View, tolerance: float) -> tuple[int, int]:
    """In how many pixels two views of one camera see the same, at distances less than `tolerance` apart, and
    in how many either sees something. Without distances it would be the intersection over union of the
    outlines.

    How far apart does not count: a field's mean distance lies a little behind its surface everywhere, and
    levels that fit it best would leave out what is thin or faint.
    """
    nearer, farther = np.minimum(one.depth, other.depth), np.maximum(one.depth, other.depth)
    both, either = np.isfinite(farther), np.isfinite(nearer)
    same = farther[both] - nearer[both] < tolerance
    return int(same.sum()), int(either.sum())


def best_level(
    density: Callable[[Tensor], Tensor],
    render: Callable[[Rays], Rendered],
    cameras: Cameras,
    box: Box,
    progress: Progress | None = None,
    asked: float | None = None,
) -> Levels:
    """The density at which the surface lies, judged by a few of the cameras, evenly chosen.

    Levels are tried in steps of half an octave, from one whose mean free path (1 / density) is the box's
    longest edge to one of an eighth of a cell: there a single cell is opaque, and the grid cannot tell more.
    Of equally good ones the middle is taken. asked: try this one alone. Raises FailedError where no
    level has a surface that a camera sees.
    """
    grid = Grid.cubic(RESOLUTION, box)
    values = Evaluator(density)(np.stack(np.meshgrid(*grid.axes, indexing="ij"), axis=-1).reshape(-1, 3))
    some = cameras[np.unique(np.linspace(0, len(cameras) - 1, VIEWS).round().astype(int))]
    some = some.shrunk(LONGEST)
    views = [
        render_view(render, some, n, progress, (n / len(some), (n + 1) / len(some))) for n in range(len(some))
    ]
    low, high = bounds(box)
    levels = np.exp(np.arange(np.log(1 / np.max(high - low)), np.log(OPAQUE / grid.cell), np.log(STEP)))
    if asked is not None:
        levels = np.array([asked])
    tried, meshes = [], {}
    for level in levels:
        mesh = marching_cubes(values.reshape(grid.shape), box, Above(float(level)))
        if len(mesh.faces) == 0:
            break
        pairs = [agreement(view, mesh_view(mesh, some, n), CELLS * grid.cell) for n, view in enumerate(views)]
        good, seen = np.sum(pairs, axis=0)
        tried.append((float(level), float(good / max(seen, 1))))
        meshes[float(level)] = mesh
    best = max((score for _, score in tried), default=0.0)
    if best == 0:
        raise FailedError(
            f"no density from {levels[0]:.3g} to {levels[-1]:.3g} has a surface where the training views see "
            "one",
            "extraction",
            "Train for longer, or give the density of the surface by --level.",
        )
    equal = [level for level, score in tried if score == best]
    chosen = equal[len(equal) // 2]
    return Levels(tuple(tried), chosen, meshes[chosen], grid.cell)
