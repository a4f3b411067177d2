"""What cameras see of a field: whole views, a part of their rays at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from ..runtime.progress import Progress
from .cameras import Cameras
from .rays import Rays
from .volume import Rendered

__all__ = ["PixelRays", "View", "depths", "render_view", "through_centres"]

RAYS = 1 << 13  # at a time: more are hardly faster, and a large network needs memory for each
SEEN = 0.5  # opacity from which on a ray ends at something

PixelRays = Callable[[Cameras, int | Int[np.ndarray, " rays"], Int[np.ndarray, "rays 2"]], Rays]
"""Cameras, their numbers (or one), pixels (column, row) -> the rays through them: one for each pixel, or as
many in a row for each, whose mean it is."""


def through_centres(
    cameras: Cameras, numbers: int | Int[np.ndarray, " rays"], pixels: Int[np.ndarray, "rays 2"]
) -> Rays:
    """Rays with unit directions through the centres of pixels (column, row)."""
    return cameras.rays(numbers, pixels + 0.5)


@dataclass(frozen=True, eq=False)
class View:
    """A view, float32: colour [H, W, 3], opacity and distance [H, W] as in `volume.Rendered`."""

    colour: Float[np.ndarray, "height width 3"]
    opacity: Float[np.ndarray, "height width"]
    distance: Float[np.ndarray, "height width"]

    def over(self, background: float) -> Float[np.ndarray, "height width 3"]:
        """The colour in front of a grey background (0 black, 1 white), in [0, 1]."""
        return np.clip(self.colour + (1 - self.opacity[..., None]) * np.float32(background), 0, 1)

    @property
    def depth(self) -> Float[np.ndarray, "height width"]:
        """The mean distance along each ray of what it meets; infinite where it meets less than half of
        something."""
        seen = self.opacity >= SEEN
        return np.where(seen, self.distance / np.where(seen, self.opacity, 1), np.float32(np.inf))


@torch.no_grad()
def render_view(
    render: Callable[[Rays], Rendered],
    cameras: Cameras,
    number: int,
    progress: Progress | None = None,
    span: tuple[float, float] = (0.0, 1.0),
    rays: PixelRays = through_centres,
) -> View:
    """What camera `number` sees, by `render`: rays -> what they see.

    progress: told the share done, from span[0] to span[1]. rays: where in the pixels they pass, and how many
    make a pixel; with directions of any length, which distances are then multiplied by.
    """
    width, height = (int(size) for size in cameras.sizes[number])
    values = np.empty((height * width, 5), np.float32)
    for start in range(0, len(values), RAYS):
        rows, columns = np.divmod(np.arange(start, min(start + RAYS, len(values))), width)
        chosen = rays(cameras, number, np.column_stack([columns, rows]))
        seen = render(chosen)
        distance = seen.distance * chosen.directions.norm(dim=1)
        parts = torch.cat([seen.colour, seen.opacity[:, None], distance[:, None]], dim=1)
        values[start : start + RAYS] = parts.view(len(rows), -1, 5).mean(1).cpu().numpy()
        if progress is not None:
            share = min(start + RAYS, len(values)) / len(values)
            progress.update(span[0] + share * (span[1] - span[0]))
    colour, opacity, distance = np.split(values.reshape(height, width, 5), (3, 4), axis=2)
    return View(colour, opacity[..., 0], distance[..., 0])


def depths(
    render: Callable[[Rays], Rendered],
    cameras: Cameras,
    longest: int = 40,
    views: int = 5,
    rays: PixelRays = through_centres,
) -> tuple[float, float]:
    """The range of depths in a few small views of the cameras, but for a hundredth at each end: what colours
    of depth are to span. (0, 1) where they see nothing."""
    small = cameras[np.unique(np.linspace(0, len(cameras) - 1, views).round().astype(int))].shrunk(longest)
    seen = [render_view(render, small, number, rays=rays) for number in range(len(small))]
    found = np.concatenate([view.depth.ravel() for view in seen])
    found = found[np.isfinite(found)]
    if len(found) == 0:
        return 0.0, 1.0
    low, high = np.quantile(found, (0.01, 0.99))
    return float(low), float(high)
