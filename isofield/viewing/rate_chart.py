"""Rate against distortion as inline SVG: how near each representation comes for its bytes."""

from html import escape

import numpy as np

from ..runtime.memory import size_text
from .charts import number_text

__all__ = ["Series", "rate_svg"]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 16, 44
COLOURS = ("#2d68a3", "#c8841d", "#3f8f5b", "#8a4fa3", "#b23a48")
LABEL_GAP = 16  # least distance between the names at the ends of lines

Series = dict[str, list[tuple[int, float]]]
"""Name -> (bytes, distance) in the order of bytes."""


def rate_svg(series: Series, title: str) -> str:
    """Both axes logarithmic; a line with dots and its name for each series."""
    sizes = sorted({size for line in series.values() for size, _ in line})
    values = np.array([value for line in series.values() for _, value in line if value > 0])
    if not len(values):
        return "<p>No distances were measured.</p>"
    low, high = np.floor(np.log10(values.min()) * 2) / 2, np.ceil(np.log10(values.max()) * 2) / 2
    left, right = np.log2(sizes[0]), max(np.log2(sizes[-1]), np.log2(sizes[0]) + 1)

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (np.log2(size) - left) / (right - left)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - np.log10(value)) / max(high - low, 0.5)

    ticks = [10**power for power in np.arange(low, high + 0.25, 0.5)]
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{number_text(100 * tick)} %</text>'
        for tick in ticks
    )
    marks = "".join(
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size_text(size)}</text>'
        for size in sizes
    )
    lines = "".join(
        _line([(x(size), y(value)) for size, value in line if value > 0], COLOURS[i % len(COLOURS)])
        for i, line in enumerate(series.values())
    )
    ends = {name: y(line[-1][1]) for name, line in series.items() if line and line[-1][1] > 0}
    names = "".join(
        f'<text x="{WIDTH - RIGHT + 12}" y="{height + 4:.1f}" style="fill:{_colour(series, name)}">'
        f"{escape(name)}</text>"
        for name, height in _apart(ends).items()
    )
    return (
        f'<svg class="rates" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<g class="grid">{grid}</g><g class="axis">{marks}</g>{lines}{names}</svg>'
    )


def _colour(series: Series, name: str) -> str:
    return COLOURS[list(series).index(name) % len(COLOURS)]


def _line(places: list[tuple[float, float]], colour: str) -> str:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places)
    return f'<path style="stroke:{colour}" d="M{path}"/>{dots}' if places else ""


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """The heights of names, moved down where they would overlap."""
    placed: dict[str, float] = {}
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        lowest = max(placed.values(), default=-LABEL_GAP)
        placed[name] = max(height, lowest + LABEL_GAP)
    return placed
