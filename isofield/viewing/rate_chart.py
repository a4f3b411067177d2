"""Rate against distortion as inline SVG: how near each representation comes for its bytes."""

from html import escape

import numpy as np

from ..runtime.memory import size_text

__all__ = ["Series", "rate_svg"]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 16, 44
LINES = 5  # colours that comparison.css knows
LABEL_GAP = 16  # least distance between the names at the ends of lines

Series = dict[str, list[tuple[int, float]]]
"""Name -> (bytes, distance) in the order of bytes."""


def rate_svg(series: Series, title: str) -> str:
    """Both axes logarithmic; a line with dots and its name for each series."""
    sizes = sorted({size for line in series.values() for size, _ in line})
    values = np.array([value for line in series.values() for _, value in line if value > 0])
    if not len(values):
        return "<p>No distances were measured.</p>"
    ticks = np.array([factor * 10.0**power for power in range(-9, 3) for factor in (1, 3)])
    ticks = ticks[_enclosing(ticks, values.min(), values.max())]
    low, high = np.log10(ticks[0]), np.log10(ticks[-1])
    left, right = np.log2(sizes[0]), max(np.log2(sizes[-1]), np.log2(sizes[0]) + 1)

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (np.log2(size) - left) / (right - left)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - np.log10(value)) / (high - low)

    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.2g} %</text>'
        for tick in ticks
    )
    marks = "".join(
        f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size_text(size)}</text>'
        for size in sizes
    )
    lines = "".join(
        _line([(x(size), y(value)) for size, value in line if value > 0], i % LINES)
        for i, line in enumerate(series.values())
    )
    ends = {name: y(line[-1][1]) for name, line in series.items() if line and line[-1][1] > 0}
    names = "".join(
        f'<text x="{WIDTH - RIGHT + 12}" y="{height + 4:.1f}">{escape(name)}</text>'
        for name, height in _apart(ends).items()
    )
    return (
        f'<svg class="rates" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<g class="grid">{grid}</g><g class="axis">{marks}</g>{lines}{names}</svg>'
    )


def _enclosing(ticks: np.ndarray, low: float, high: float) -> slice:
    """The ticks from the last at or below `low` to the first at or above `high`, two at least."""
    first = int(np.searchsorted(ticks, low, side="right")) - 1
    return slice(first, max(int(np.searchsorted(ticks, high)), first + 1) + 1)


def _line(places: list[tuple[float, float]], number: int) -> str:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places)
    return f'<g class="line{number}"><path d="M{path}"/>{dots}</g>' if places else ""


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """The heights of names, moved down where they would overlap."""
    placed: dict[str, float] = {}
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        lowest = max(placed.values(), default=-LABEL_GAP)
        placed[name] = max(height, lowest + LABEL_GAP)
    return placed
