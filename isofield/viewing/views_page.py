"""The page of a trained scene: one HTML file that opens offline, with views beside photographs, errors,
depth, an orbit, the mesh to turn, cameras, curves, numbers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np

from ..geometry.mesh import Mesh
from .charts import TIMES, Curve
from .image_page import amplified_difference
from .page import SCRIPTS, Page, stage
from .page_parts import (
    Number,
    address_of_file,
    address_of_photograph,
    address_of_picture,
    curves_section,
    notes_section,
    numbers_section,
    section,
    tables_section,
    write_document,
)
from .picture import Up

__all__ = ["Beside", "ViewsPage", "write_views_page"]

LONGEST = 400  # pixels along an axis of a view shown; larger ones are scaled down for the page


@dataclass(frozen=True, eq=False)
class Beside:
    """A view beside its photograph, in front of the same background.

    caption: which one, and how good. given, shown, depth: photograph, view and colours of its depth, uint8
    [H, W, 3] of one size.
    """

    caption: str
    given: np.ndarray
    shown: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True, eq=False)
class ViewsPage:
    """All that the page of a scene shows. Every string is shown as it is, whatever characters it holds.

    title. subtitle: one sentence with the headline result. command: what made it. views: some of them, the
    worst first. remark: a sentence on which those are. film: an animated WebP and its title, or None.
    cameras: the drawing of the cameras (`scene_picture`), uint8 [H, W, 3]. mesh: the surface, world. up: the
    axis that points up in its first view. notes: sentences. details: tables by name.
    """

    title: str
    subtitle: str
    command: str
    views: list[Beside]
    remark: str
    film: tuple[bytes, str] | None
    cameras: np.ndarray
    mesh: Mesh | None = None
    up: Up = "z"
    curves: tuple[Curve, ...] | list[Curve] = ()
    numbers: tuple[Number, ...] | list[Number] = ()
    notes: tuple[str, ...] | list[str] = ()
    details: Mapping[str, object] = field(default_factory=dict)


def write_views_page(path: str | os.PathLike, page: ViewsPage) -> None:
    """Write `page` as one HTML file that opens from disk in any browser and loads nothing: a few megabytes,
    most of them the mesh."""
    mesh = page.mesh if page.mesh is not None and len(page.mesh.faces) else None
    blocks = (
        stage(Page(page.title, page.subtitle, page.command, mesh, up=page.up)) if mesh is not None else "",
        _moving(page),
        _views(page),
        notes_section(page.notes),
        numbers_section(page.numbers),
        curves_section(page.curves),
        tables_section({"Details": page.details}),
    )
    main = "\n".join(block for block in blocks if block)
    scripts = SCRIPTS if mesh is not None else ()
    write_document(path, page.title, page.subtitle, page.command, main, ["views_page.css"], scripts)


def _moving(page: ViewsPage) -> str:
    figures = _figure("Cameras: blue to learn from, orange to test on", address_of_picture(page.cameras))
    if page.film is not None:
        film, words = page.film
        figures = _figure(words, address_of_file(film, "image/webp")) + figures
    return section("From all sides", f'<div class="moving">{figures}</div>')


def _views(page: ViewsPage) -> str:
    """A row for each view: photograph, view, difference with one factor for all, depth."""
    flat = [[picture.reshape(1, -1, 3) for picture in (v.given, v.shown)] for v in page.views]
    given, shown = (np.concatenate(parts, axis=1) for parts in zip(*flat, strict=True))
    difference, factor = amplified_difference(given, shown)
    ends = np.cumsum([view.given.shape[0] * view.given.shape[1] for view in page.views])
    parts = np.split(difference, ends[:-1], axis=1)
    rows = []
    for view, part in zip(page.views, parts, strict=True):
        cells = {
            "Photograph": view.given,
            "Rendered": view.shown,
            f"Difference {TIMES}{factor}": part.reshape(view.given.shape),
            "Depth": view.depth,
        }
        figures = "".join(_figure(n, address_of_photograph(p, LONGEST)) for n, p in cells.items())
        rows.append(f'<h3 class="facts-title">{escape(view.caption)}</h3><div class="views">{figures}</div>')
    fine = (
        f"{page.remark} Differences are of the colours, all by the same factor. Depth: near is dark, white "
        "where nothing is met."
    )
    return section("Views", "".join(rows) + f'<p class="fine">{escape(fine)}</p>')


def _figure(caption: str, source: str) -> str:
    text = escape(caption)
    return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'
