"""Outlines of plane sections as an SVG drawing in the units of the shape."""

from html import escape

import numpy as np

__all__ = ["outlines_svg"]

WIDTH, MARGIN = 800, 0.04  # pixels; share of the longer side
PAPER, FILL, LINE = "#f8f7f4", "#d9c7ae", "#3a3532"


def outlines_svg(outlines: list[np.ndarray], low: np.ndarray, high: np.ndarray, title: str) -> str:
    """Polylines [N, 2] in a window from `low` to `high`, the second coordinate upwards; what closed ones
    enclose is filled (even-odd). Coordinates in the file are those of the shape, mirrored: y' = -y."""
    margin = MARGIN * float(np.max(high - low))
    left, top = low[0] - margin, -high[1] - margin
    width, height = (high - low) + 2 * margin
    path = "".join(
        "M" + "L".join(f"{x:.9g} {-y:.9g}" for x, y in outline) + ("Z" if _closed(outline) else "")
        for outline in outlines
    )
    filled = FILL if any(_closed(outline) for outline in outlines) else "none"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{WIDTH * height / width:.0f}" '
        f'viewBox="{left:.9g} {top:.9g} {width:.9g} {height:.9g}">\n<title>{escape(title)}</title>\n'
        f'<rect x="{left:.9g}" y="{top:.9g}" width="{width:.9g}" height="{height:.9g}" fill="{PAPER}"/>\n'
        f'<path fill="{filled}" fill-rule="evenodd" stroke="{LINE}" stroke-width="{width / WIDTH * 1.5:.4g}" '
        f'stroke-linejoin="round" d="{path}"/>\n</svg>\n'
    )


def _closed(outline: np.ndarray) -> bool:
    return len(outline) > 3 and bool(np.array_equal(outline[0], outline[-1]))
