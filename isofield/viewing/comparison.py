"""The page and the figure of a comparison: representations side by side at equal bytes."""

import os
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.memory import size_text
from .page_parts import address_of_picture, section, write_document
from .picture import contact_sheet, draw_mesh, write_png
from .rate_chart import Series, rate_svg

__all__ = ["Comparison", "Entry", "write_comparison_page", "write_figure"]

PIXELS = 300  # of a picture's edge


@dataclass(frozen=True, eq=False)
class Entry:
    """One representation at one size.

    name; bytes: allowed; cells: of the table, in the order of `Comparison.columns`. distance: mean, as a
    share of the longest edge. surface: what it gives back, error [V]: distance of its vertices to the truth,
    as such a share; None where it could not be made.
    """

    name: str
    bytes: int
    cells: tuple[str, ...]
    distance: float
    surface: Mesh | None
    error: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """title, subtitle, command; truth; columns: of the table; entries: by size, then as they were made.
    remarks: sentences, such as how each becomes a surface."""

    title: str
    subtitle: str
    command: str
    truth: Mesh
    columns: tuple[str, ...]
    entries: list[Entry]
    remarks: list[str]

    @property
    def sizes(self) -> list[int]:
        """The numbers of bytes, in their order."""
        return list(dict.fromkeys(entry.bytes for entry in self.entries))

    @property
    def series(self) -> Series:
        """Distances against bytes."""
        lines: Series = {entry.name: [] for entry in self.entries}
        for entry in self.entries:
            if entry.surface is not None:
                lines[entry.name].append((entry.bytes, entry.distance))
        return lines

    def shaded(self, surface: Mesh | None) -> np.ndarray:
        """A picture of a surface, from where and as large as all of them; empty where there is none."""
        return self._drawn(surface)

    def coloured(self, entry: Entry, high: float) -> np.ndarray:
        """The same with the errors as colours, from 0 to `high`."""
        return self._drawn(entry.surface, scalars=entry.error, scalar_range=(0.0, high))

    def _drawn(self, surface: Mesh | None, **colours: Any) -> np.ndarray:
        if surface is None or not len(surface.faces):
            return np.zeros((PIXELS, PIXELS, 4), np.uint8)
        return draw_mesh(surface.vertices, surface.faces, size=PIXELS, **self._camera, **colours)

    @cached_property
    def _camera(self) -> dict[str, Any]:
        """Centre and radius of the truth, so that bits far from it do not make the rest small."""
        used = self.truth.vertices[np.unique(self.truth.faces)]
        centre = (used.min(axis=0) + used.max(axis=0)) / 2
        return {"centre": centre, "radius": float(np.linalg.norm(used - centre, axis=1).max())}


def write_figure(path: str | os.PathLike, comparison: Comparison) -> None:
    """Write the pictures of all as PNG: a row for each size, the truth first; below each its distance."""
    images, labels = [], []
    for size in comparison.sizes:
        entries = _of_size(comparison, size)
        images += [comparison.shaded(comparison.truth), *(comparison.shaded(e.surface) for e in entries)]
        labels += [f"{size_text(size)} for each; given:", *(_label(e) for e in entries)]
    columns = len(images) // len(comparison.sizes)
    write_png(path, contact_sheet(images, labels, columns))


def write_comparison_page(path: str | os.PathLike, comparison: Comparison) -> None:
    """Write the comparison as one HTML file that opens offline: chart, pictures, errors, tables."""
    blocks = []
    if len(comparison.sizes) > 1:
        chart = rate_svg(comparison.series, "Mean distance to the truth against bytes")
        caption = '<p class="fine">Mean distance to the truth, share of the longest edge, against bytes.</p>'
        blocks.append(section("Rate against distortion", chart + caption))
    truth = _figure(comparison.shaded(comparison.truth), "given")
    for size in comparison.sizes:
        entries = _of_size(comparison, size)
        pictures = truth + "".join(_figure(comparison.shaded(e.surface), _label(e)) for e in entries)
        high = max(
            [float(np.quantile(e.error, 0.9)) for e in entries if e.error is not None and len(e.error)],
            default=1.0,
        )
        coloured = "<figure></figure>" + "".join(_figure(comparison.coloured(e, high), "") for e in entries)
        fine = f'<p class="fine">Lower row: distance to the truth, dark from {100 * high:.2g} % on.</p>'
        body = f'<div class="side-by-side">{pictures}{coloured}</div>{fine}{_table(comparison, entries)}'
        blocks.append(section(size_text(size), body))
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in comparison.remarks)
    blocks.append(section("What was done", f'<ul class="sentences">{remarks}</ul>'))
    write_document(
        path,
        comparison.title,
        comparison.subtitle,
        comparison.command,
        "\n".join(blocks),
        ["comparison.css"],
    )


def _of_size(comparison: Comparison, size: int) -> list[Entry]:
    return [entry for entry in comparison.entries if entry.bytes == size]


def _label(entry: Entry) -> str:
    return (
        f"{entry.name}: {100 * entry.distance:.3g} %" if entry.surface is not None else f"{entry.name}: none"
    )


def _figure(image: np.ndarray, caption: str) -> str:
    text, source = escape(caption), address_of_picture(image)
    return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'


def _table(comparison: Comparison, entries: list[Entry]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in ("", *comparison.columns))
    rows = "".join(
        f'<tr><th scope="row">{escape(e.name)}</th>'
        + "".join(f"<td>{escape(c)}</td>" for c in e.cells)
        + "</tr>"
        for e in entries
    )
    return f'<table class="rates"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
