"""`isofield measure SHAPE`: numbers in the shape's own units."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Measure a shape: volume, area, box, thickness of its walls, plane sections.

Takes meshes, points, voxels, runs and fields; all but meshes are measured by their surface.

Examples: isofield measure bunny.ply
          isofield measure runs/0001-sdf-bunny --section z=50% --section x=0.01 --out sections"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield measure`."""

    source: tyro.conf.Positional[Path]
    """a file or the folder of a run"""
    section: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """a plane to cut with: z=0.05 in the shape's units, or z=50% of its extent; may be repeated"""
    out: Path | None = None
    """folder for drawings of the sections (SVG)"""
    resolution: int | None = None
    """cells along an axis of the surface of a field or of points"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, measure, print."""
    a = parse(Arguments, arguments, "measure", DESCRIPTION)
    from ..verbs.measure import measure  # after parsing: --help need not wait for torch

    a.shared.apply()
    result = measure(a.source, a.section, a.out, a.resolution)
    show(result, a.shared.json, _text(result))


def _text(result: dict[str, Any]) -> str:
    def numbers(values: list[float]) -> str:
        return " ".join(f"{value:.9g}" for value in values)

    rows = {
        "box": f"{numbers(result['box'][0])} to {numbers(result['box'][1])}",
        "size": numbers(result["size"]),
        "area": f"{result['area']:.6g}",
    }
    if result["volume"] is not None:
        rows["volume"] = f"{result['volume']:.6g}"
        rows["centroid"] = numbers(result["centroid"])
    if (walls := result["thickness"]) is not None:
        rows["thickness"] = (
            f"median {walls['median']:.4g}, largest {walls['largest']:.4g}; one hundredth is below "
            f"{walls['thin']:.4g}, as at {numbers(walls['thin_at'])}"
        )
    rows["parts"] = f"{result['components']}" + (", closed" if result["closed"] else ", open")
    for cut in result["sections"]:
        area = "" if cut["area"] is None else f", area {cut['area']:.6g}"
        file = f" -> {cut['file']}" if "file" in cut else ""
        rows[f"section {cut['plane']}"] = (
            f"{cut['outlines']} outlines, length {cut['length']:.6g}{area}{file}"
        )
    width = max(map(len, rows))
    lines = [f"{name:<{width}}  {value}" for name, value in rows.items()]
    return "\n".join([*lines, *(f"note: {note}" for note in result["notes"])])
