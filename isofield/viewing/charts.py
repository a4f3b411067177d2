"""A quantity over time as inline SVG: axes, units, no scripts; its colours come from the page's style."""

from dataclasses import dataclass
from html import escape

import numpy as np

__all__ = ["Curve", "curve_svg", "number_text"]

WIDTH, HEIGHT = 420, 236
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 12, 40
BUCKETS = 260  # the smallest and largest value of each are drawn, so that no peak is lost
LOGARITHMIC = 30  # positive values that span more than this factor get a logarithmic axis


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over training time: name, unit ("" if none), seconds [N], values [N]. Values that are not finite leave gaps."""

    name: str
    unit: str
    seconds: np.ndarray
    values: np.ndarray


def curve_svg(curve: Curve) -> str:
    """The curve as an SVG element with axes and units; a sentence instead where it has no finite value."""
    seconds, values = np.asarray(curve.seconds, np.float64), np.asarray(curve.values, np.float64)
    finite = np.isfinite(seconds) & np.isfinite(values)
    if not finite.any():
        return "<p>No finite values were recorded.</p>"
    seconds, values = _thinned(seconds, np.where(finite, values, np.nan))
    shown = values[np.isfinite(values)]
    logarithmic = shown.min() > 0 and shown.max() / shown.min() > LOGARITHMIC
    if logarithmic:
        ticks = _decades(shown.min(), shown.max())
        heights, marks = np.log10(values), np.log10(ticks)
    else:
        ticks = _ticks(shown.min(), shown.max(), 5)
        heights, marks = values, ticks
    low, high = min(np.nanmin(heights), marks[0]), max(np.nanmax(heights), marks[-1])
    end = max(np.nanmax(seconds), 1e-9)

    def across(time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time / end

    def up(height: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (height - low) / ((high - low) or 1)

    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(mark):.1f}" y2="{up(mark):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{up(mark) + 4:.1f}" text-anchor="end">{_tick_text(tick)}</text>'
        for tick, mark in zip(ticks, marks, strict=True)
    )
    times = "".join(
        f'<line x1="{across(time):.1f}" x2="{across(time):.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}"/>'
        f'<text x="{across(time):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_tick_text(time)}</text>'
        for time in _ticks(0, end, 6)
        if time <= end
    )
    strokes, pen = [], "M"
    for time, height in zip(seconds, heights, strict=True):
        if np.isfinite(height):
            strokes.append(f"{pen}{across(time):.1f} {up(height):.1f}")
        pen = "L" if np.isfinite(height) else "M"
    label = f"{curve.name} over {number_text(end)} seconds, from {number_text(shown[0])} to {number_text(shown[-1])} {curve.unit}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label.strip())}">'
        f'<g class="grid">{grid}</g><g class="axis">{times}'
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 5}" text-anchor="end">seconds</text></g>'
        f'<path d="{"".join(strokes)}"/></svg>'
    )


def number_text(value: float) -> str:
    """A number for reading: four significant digits, powers of ten written out where it is very large or small."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "\u202f")  # narrow spaces between thousands
    if not np.isfinite(value):
        return "not finite" if np.isnan(value) else ("∞" if value > 0 else "−∞")
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else f"{value:.2e}".split("e")
        return f"{mantissa}×10{str(int(exponent)).translate(_RAISED)}".replace("-", "−")
    return (
        f"{value:.4g}".replace("-", "−") if abs(value) < 1e4 else f"{round(value):,}".replace(",", "\u202f")
    )


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _tick_text(value: float) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
        mantissa = value / 10.0**exponent
        factor = "" if round(mantissa, 6) == 1 else f"{mantissa:.3g}×"
        return f"{factor}10{str(exponent).translate(_RAISED)}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def _thinned(seconds: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and largest value of each of BUCKETS runs, in their order; all values where they are few."""
    if len(values) <= 2 * BUCKETS:
        return seconds, values
    kept: list[int] = []
    for run in np.array_split(np.arange(len(values)), BUCKETS):
        finite = run[np.isfinite(values[run])]
        kept += (
            sorted({finite[values[finite].argmin()], finite[values[finite].argmax()]})
            if len(finite)
            else [run[0]]
        )
    return seconds[kept], values[kept]


def _ticks(low: float, high: float, wanted: int) -> np.ndarray:
    """Multiples of 1, 2 or 5 times a power of ten that enclose [low, high], about `wanted` of them."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** np.floor(np.log10(span / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= wanted)
    return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step


def _decades(low: float, high: float) -> np.ndarray:
    """Powers of ten that enclose [low, high], thinned to six at most."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    stride = -(-(last - first) // 5)
    return 10.0 ** np.arange(first, last + stride, stride)
