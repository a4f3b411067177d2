"""What a fit makes of a scene: the mesh, figures of its test views, these views, a film, the page."""

import time

from ..data.scene import Scene
from ..rendering.views import render_view
from ..runtime.errors import FailedError, InputError
from ..runtime.files import write_json
from ..runtime.progress import Stopwatch, say
from .evaluate_views import Judging, compared_views
from .extract import extract
from .options import Filming, Meshing
from .render_views import render_views
from .run import Run
from .views_page import views_page

__all__ = ["finish"]

FILMING = Filming(seconds=4, fps=12)
WIDEST, NARROWEST = 200, 48  # pixels along the longer side of the film
VIEWS_SECONDS, FILM_SECONDS = 60.0, 8.0  # then fewer views are judged, and the film is smaller
PROBE = 64  # pixels along the longer side of the view by which the speed is measured


def finish(run: Run, scene: Scene, meshing: Meshing, watch: Stopwatch) -> None:
    """Write the mesh, metrics, test views (training views, where there are no others), a film and the page.

    A scene in which the cameras see no surface gets no mesh, and a note.
    """
    try:
        extract(run, meshing.resolution, faces=meshing.faces, max_memory=meshing.max_memory)
    except (InputError, FailedError) as error:
        say(f"note: no mesh was made: {error}")
    watch.lap("extraction")
    pace = _seconds_per_pixel(run)
    which, numbers = scene.judged
    sizes = scene.cameras.sizes[numbers].prod(axis=1)
    views = max(int(VIEWS_SECONDS / (pace * float(sizes.mean()))), 1)
    if views < len(numbers):
        say(f"note: {views} of {len(numbers)} views are judged; all of them: isofield evaluate {run.path}")
    judging = Judging(views=views, out=run.path / which)
    write_json(run.folder.metrics, compared_views(run, scene, judging))
    watch.lap("evaluation")
    width, height = (int(size) for size in run.cameras.sizes[scene.train[0]])
    frames = round((FILMING.seconds or 0) * (FILMING.fps or 0))
    affordable = (FILM_SECONDS / (pace * frames * width * height)) ** 0.5  # of each side
    longest = min(max(affordable * max(width, height), NARROWEST), WIDEST)
    share = longest / max(width, height)
    render_views(run, None, max(round(width * share), 1), max(round(height * share), 1), FILMING)
    watch.lap("film")
    views_page(run, scene)
    watch.lap("page")


def _seconds_per_pixel(run: Run) -> float:
    """How long a pixel takes, by a small view; the first one compiles."""
    small = run.cameras[run.frames("train")[:1]].shrunk(PROBE)
    seconds = 0.0
    for _ in range(2):
        before = time.perf_counter()
        render_view(run.views.render, small, 0, rays=run.views.rays)
        seconds = time.perf_counter() - before
    return seconds / float(small.sizes.prod())
