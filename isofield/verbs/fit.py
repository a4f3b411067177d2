"""The main job in one sentence: train on what the input is, make what the method can make, evaluate, write
the page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data.image import Image
from ..data.scene import Scene
from ..methods.choice import quality_named
from ..runtime.files import write_json
from ..runtime.progress import Stopwatch
from ..training.method import Picture, Surface, Views
from . import picture, surface, views
from .options import Meshing, TrainOptions
from .run import Run
from .train import read_input, train

__all__ = ["fit"]

FINISH: dict[type, Callable[[Run, Any, Meshing, Stopwatch], None]] = {
    Surface: surface.finish,
    Picture: picture.finish,
    Views: views.finish,
}


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
    """Fit `source` and return the run, whose `metrics` and products are ready: of a shape `mesh()`, `field`
    and `certificate`, of a picture `folder.reconstruction`, of a scene test views, a film and `mesh()`.

    source: a file, or the folder of a scene; a Shape, or an object such as a trimesh.Trimesh; an Image, or an
    array of pixels (uint8 or uint16 [H, W, C]). method, quality, config as for `train`; resolution, faces,
    trim, max_memory as for `extract`, of shapes and (but for trim) scenes; options: those of `TrainOptions`,
    such as out, seconds, steps, seed, resume.
    """
    watch = Stopwatch()
    chosen = quality_named(quality or "standard")
    meshing = Meshing(resolution, faces, trim, max_memory)
    if options.get("out") is not None:
        options["out"] = Path(options["out"])
    if not isinstance(source, Image):
        surface.check(meshing, chosen)
    record = read_input(source, TrainOptions(**options))
    if isinstance(record, Image):
        meshing.refuse(record.source or record.name)
    if isinstance(record, Scene):
        Meshing(trim=meshing.trim).refuse(record.source or record.name, "a scene")
    watch.lap("reading")
    run = train(record, method, config, TrainOptions(**options), quality, command)
    watch.lap("training")
    for product in run.method.products().values():
        FINISH[type(product)](run, record, meshing, watch)
    write_json(run.folder.seconds, {**watch.laps, "total": round(sum(watch.laps.values()), 3)})
    return run
