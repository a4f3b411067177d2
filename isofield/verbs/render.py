"""What a trained field shows: a picture at any resolution, a scene from anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..runtime.errors import InputError
from ..training.method import Picture, Views
from .options import Filming
from .picture import render_picture
from .render_views import render_views
from .run import Run

__all__ = ["render"]

RENDER: dict[type, Callable[[Run, str | Path | None, int | None, int | None, Filming], Any]] = {
    Picture: render_picture,
    Views: render_views,
}


def render(
    run: Run,
    out: str | Path | None = None,
    width: int | None = None,
    height: int | None = None,
    filming: Filming = Filming(),  # noqa: B008 (frozen)
) -> Any:
    """Show what the run holds; see `picture.render_picture` and `render_views.render_views` for what `out` may be
    and what is returned. Raises InputError for a run that shows neither."""
    for product in run.method.products().values():
        if type(product) in RENDER:
            return RENDER[type(product)](run, out, width, height, filming)
    raise InputError(
        "shows no picture: it holds a shape", run.path, "Take isofield extract for its surface."
    )
