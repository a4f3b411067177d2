"""A quantity over time as inline SVG, coloured by the page's style; numbers as text."""

from dataclasses import dataclass
from html import escape

import numpy as np

__all__ = ["MINUS", "Curve", "curve_svg", "number_text"]

WIDTH, HEIGHT = 420, 236
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 12, 40
FLOOR = HEIGHT - BOTTOM
BUCKETS = 260  # the smallest and the largest value of each are drawn, so that no peak is lost
LOGARITHMIC = 30  # positive values that span more than this factor get a logarithmic axis

MINUS, TIMES, NARROW_SPACE = "\u2212", "\u00d7", "\u202f"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over training time; values that are not finite leave gaps.

    name. seconds [N]; values [N].
    """

    name: str
    seconds: np.ndarray
    values: np.ndarray


def curve_svg(curve: Curve) -> str:
    """The curve as an SVG element with axes; a sentence instead where it has no finite value."""
    seconds, values = np.asarray(curve.seconds, np.float64), np.asarray(curve.values, np.float64)
    finite = np.isfinite(seconds) & np.isfinite(values)
    if not finite.any():
        return "<p>No finite values were recorded.</p>"
    seconds, values = _thinned(np.where(finite, seconds, np.nan), np.where(finite, values, np.nan))
    shown = values[np.isfinite(values)]
    if shown.min() > 0 and shown.max() / shown.min() > LOGARITHMIC:
        ticks = _decades(shown.min(), shown.max())
        heights, marks = np.log10(values), np.log10(ticks)
    else:
        ticks = _ticks(shown.min(), shown.max(), 5)
        heights, marks = values, ticks
    low, high, end = marks[0], marks[-1], max(np.nanmax(seconds), 1e-9)

    def across(time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time / end

    def up(height: float) -> float:
        return FLOOR - (FLOOR - TOP) * (height - low) / (high - low)

    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(mark):.1f}" y2="{up(mark):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{up(mark) + 4:.1f}" text-anchor="end">{_tick_text(tick)}</text>'
        for tick, mark in zip(ticks, marks, strict=True)
    )
    times = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{FLOOR}" y2="{FLOOR + 4}"/>'
        f'<text x="{x:.1f}" y="{FLOOR + 18}" text-anchor="middle">{_tick_text(time)}</text>'
        for time, x in ((time, across(time)) for time in _ticks(0, end, 6) if time <= end)
    )
    strokes, pen = [], "M"
    for time, height in zip(seconds, heights, strict=True):
        if np.isfinite(height):
            strokes.append(f"{pen}{across(time):.1f} {up(height):.1f}")
        pen = "L" if np.isfinite(height) else "M"
    first, last = number_text(float(shown[0])), number_text(float(shown[-1]))
    label = f"{curve.name} over {number_text(float(end))} seconds, from {first} to {last}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<g class="grid">{grid}</g><g class="axis">{times}'
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{FLOOR}" y2="{FLOOR}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 5}" text-anchor="end">seconds</text></g>'
        f'<path d="{"".join(strokes)}"/></svg>'
    )


def number_text(value: float) -> str:
    """A number for reading: four significant digits, a power of ten where it is very large or very small.

    Whole numbers (int) are written in full.
    """
    if isinstance(value, int):
        text = f"{value:,}"
    elif not np.isfinite(value):
        return "not finite"
    elif value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}{TIMES}10{str(int(exponent)).translate(RAISED)}"
    else:
        text = f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return text.replace("-", MINUS).replace(",", NARROW_SPACE)


def _tick_text(value: float) -> str:
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}".replace("-", MINUS)
    mantissa, exponent = f"{value:.2e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = f"10{str(int(exponent)).translate(RAISED)}"
    return power if mantissa == "1" else f"{mantissa}{TIMES}{power}".replace("-", MINUS)


def _thinned(seconds: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest value of each of BUCKETS runs, in their order; all where they are few."""
    if len(values) <= 2 * BUCKETS:
        return seconds, values
    kept: list[int] = []
    for run in np.array_split(np.arange(len(values)), BUCKETS):
        finite = run[np.isfinite(values[run])]
        if len(finite) == 0:
            kept.append(run[0])
        else:
            kept += sorted({finite[values[finite].argmin()], finite[values[finite].argmax()]})
    return seconds[kept], values[kept]


def _ticks(low: float, high: float, wanted: int) -> np.ndarray:
    """Multiples of 1, 2 or 5 times a power of ten that enclose [low, high]: two at least, about `wanted`."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** np.floor(np.log10(span / wanted))
    step *= next((factor for factor in (1, 2, 5) if span / (step * factor) <= wanted), 10)
    first = np.floor(low / step)
    return np.arange(first, max(np.ceil(high / step), first + 1) + 1) * step


def _decades(low: float, high: float) -> np.ndarray:
    """Powers of ten that enclose [low, high], six at most."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    stride = -(-(last - first) // 5)
    return 10.0 ** np.arange(first, last + stride, stride)
