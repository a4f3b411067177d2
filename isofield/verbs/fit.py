"""The main job in one sentence: train on what the input is, extract, evaluate, write the page."""

import time
from pathlib import Path
from typing import Any

from .. import data
from ..methods.choice import quality_named
from ..runtime.files import write_json
from .evaluate import compared
from .extract import check_extraction, extract
from .options import TrainOptions
from .page import page
from .run import Run
from .train import train

__all__ = ["fit"]


def fit(
    source: Any,
    method: str | None = None,
    quality: str | None = None,
    *,
    resolution: int | None = None,
    faces: int | None = None,
    trim: bool = False,
    max_memory: str | int | None = None,
    config: Any = None,
    command: str = "",
    **options: Any,
) -> Run:
    """Fit `source` (a file, a Shape, or an object such as a trimesh.Trimesh), and return the run: its
    `certificate`, `metrics`, `mesh()` and `field` are ready.

    method, quality, config as for `train`; resolution, faces, trim, max_memory as for `extract`; options:
    those of `TrainOptions`, such as out, seconds, steps, seed, resume.
    """
    watch = _Watch()
    chosen = quality_named(quality or "standard")
    check_extraction(chosen.resolution if resolution is None else resolution, faces, max_memory)
    if options.get("out") is not None:
        options["out"] = Path(options["out"])
    shape = data.as_shape(source)
    watch.lap("reading")
    run = train(shape, method, config, TrainOptions(**options), quality, command)
    watch.lap("training")
    mesh, _ = extract(
        run,
        resolution,
        faces=faces,
        trim=trim,
        max_memory=max_memory,
        shape=shape,
    )
    watch.lap("extraction")
    write_json(run.folder.metrics, compared(mesh, shape))
    watch.lap("evaluation")
    page(run, mesh, shape)
    watch.lap("page")
    write_json(run.folder.seconds, {**watch.laps, "total": round(sum(watch.laps.values()), 3)})
    return run


class _Watch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now
