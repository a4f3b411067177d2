"""What a fit makes of a surface: the mesh with its certificate, its figures, its page."""

from ..data.shape import Shape
from ..methods.choice import Quality
from ..runtime.files import write_json
from ..runtime.progress import Stopwatch
from .evaluate import compared
from .extract import check_extraction, extract
from .options import Meshing
from .page import page
from .run import Run

__all__ = ["check", "finish"]


def check(meshing: Meshing, quality: Quality) -> None:
    """Raise InputError where the extraction could not be done as asked: before the training, not after."""
    resolution = quality.resolution if meshing.resolution is None else meshing.resolution
    check_extraction(resolution, meshing.faces, meshing.max_memory)


def finish(run: Run, shape: Shape, meshing: Meshing, watch: Stopwatch) -> None:
    """Write mesh, certificate, metrics and page."""
    mesh, _ = extract(
        run,
        meshing.resolution,
        faces=meshing.faces,
        trim=meshing.trim,
        max_memory=meshing.max_memory,
        shape=shape,
    )
    watch.lap("extraction")
    write_json(run.folder.metrics, compared(mesh, shape))
    watch.lap("evaluation")
    page(run, mesh, shape)
    watch.lap("page")
