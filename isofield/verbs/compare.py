"""What is a good output representation? All of them side by side, at equal bytes."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..data.shape import Shape
from ..geometry.mesh import Mesh
from ..geometry.solid import Solid
from ..metrics.shape import MESH_FIGURES, compare_meshes
from ..runtime.errors import FailedError, InputError
from ..runtime.files import write_json, write_text
from ..runtime.memory import size_text
from ..runtime.progress import say
from ..training.run_folder import claim_folder
from ..viewing.comparison import Comparison, Entry, write_comparison_page, write_figure
from .within_bytes import REPRESENTATIONS, Made, Task

__all__ = ["compare"]

LEAST, MOST = 1024, 1 << 20  # bytes: above, half precision and 16-bit indices limit, not the bytes
SHOWN = {
    "iou": "IoU",
    "distance_mean": "distance",
    "normal_consistency": "normals",
    "f_score_half_percent": "F 0.5 %",
}


def compare(
    source: Any,
    bytes: Sequence[int] = (65536,),
    out: str | Path | None = None,
    seed: int = 0,
    command: str = "",
) -> dict[str, Any]:
    """Represent a mesh by voxels, points, a simplified mesh, an occupancy and an SDF network, each within so
    many bytes of payload; turn each back into a surface; measure it against the mesh.

    Writes comparison.json, comparison.md, figure.png and page.html into the folder `out` (None:
    runs/NNNN-compare-NAME), and the runs of the networks below it; returns what comparison.json holds. A
    comparison that was begun there is gone on with. Distances are shares of the longest edge. Raises
    InputError for what is not a mesh (or voxels), and for sizes out of range.
    """
    for size in bytes:
        if not LEAST <= size <= MOST:
            raise InputError(
                f"must be from {LEAST} to {MOST}, not {size}", "--bytes", "Usual are 4096 to 262144."
            )
    shape = data.as_shape(source)
    if shape.kind != "mesh" or not isinstance(shape.solid, Solid):
        raise InputError(
            "is not a mesh, so there is no surface to compare with",
            shape.source,
            "Fit it first; compare the mesh.",
        )
    folder = _folder(out, shape, seed)
    begun = {"shape": str(shape.source), "fingerprint": shape.fingerprint, "seed": seed}
    if not (folder / "comparison.json").is_file():
        write_json(folder / "comparison.json", {**begun, "rows": []})
    rows, entries = [], []
    for size in sorted(set(bytes)):
        for name, representation in REPRESENTATIONS.items():
            start = time.perf_counter()
            task = Task(shape, shape.solid, size, seed, folder)
            try:
                made: Made | None = representation.make(task)
                what = made.size if made else ""
            except FailedError as error:
                made, what = None, error.what
            seconds = time.perf_counter() - start + (made.seconds_before if made else 0.0)
            figures = compare_meshes(made.surface if made else NOTHING, shape.solid.mesh, seed=seed)
            rows.append(_row(name, size, made, what, seconds, figures))
            entries.append(_entry(rows[-1], made, shape.solid))
            say(f"{size_text(size)} {name}: distance {100 * figures['distance_mean']:.4f} % ({what})")
    result: dict[str, Any] = {
        **begun,
        "rows": rows,
        "nearest": {str(size): _nearest(rows, size) for size in sorted(set(bytes))},
        "becomes_a_surface": {name: r.becomes for name, r in REPRESENTATIONS.items()},
        "meaning": {name: MESH_FIGURES[name].meaning for name in SHOWN},
        "folder": str(folder),
    }
    write_json(folder / "comparison.json", result)
    write_text(folder / "comparison.md", _markdown(shape.name, result))
    page = Comparison(
        title=f"{shape.name}: representations at equal bytes",
        subtitle="; ".join(
            f"at {size_text(int(s))} nearest: {name}" for s, name in result["nearest"].items()
        ),
        command=command or f"isofield.compare({str(shape.source)!r}, {list(bytes)}, seed={seed})",
        truth=shape.solid.mesh,
        columns=tuple(_header()),
        entries=entries,
        remarks=_remarks(result),
    )
    write_figure(folder / "figure.png", page)
    write_comparison_page(folder / "page.html", page)
    return result


NOTHING = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))


def _folder(out: str | Path | None, shape: Shape, seed: int) -> Path:
    """A new folder, or that of a comparison of the same shape and seed that was begun (else InputError)."""
    known = None if out is None else Path(out) / "comparison.json"
    if known is None or not known.is_file():
        return claim_folder(out, f"compare-{shape.name}").path
    begun = json.loads(known.read_text(encoding="utf-8"))
    if (begun.get("fingerprint"), begun.get("seed")) != (shape.fingerprint, seed):
        raise InputError(
            "holds a comparison of another shape or seed", known.parent, "Name another folder with --out."
        )
    return known.parent


def _row(
    name: str, size: int, made: Made | None, what: str, seconds: float, figures: dict[str, float]
) -> dict[str, Any]:
    return {
        "representation": name,
        "bytes_allowed": size,
        "bytes": made.payload if made else None,
        "what": what,
        "seconds": round(seconds, 2),
        "figures": figures,
    }


def _entry(row: dict[str, Any], made: Made | None, solid: Solid) -> Entry:
    vertices = made.surface.vertices if made else np.zeros((0, 3))
    longest = float(np.max(np.ptp(solid.mesh.vertices[np.unique(solid.mesh.faces)], axis=0)))
    return Entry(
        row["representation"],
        row["bytes_allowed"],
        tuple(_cells(row)),
        row["figures"]["distance_mean"],
        made.surface if made else None,
        solid.distance(vertices) / longest if made else None,
    )


def _nearest(rows: list[dict[str, Any]], size: int) -> str:
    """The representation of the smallest mean distance."""
    of_size = [row for row in rows if row["bytes_allowed"] == size]
    return min(of_size, key=lambda row: row["figures"]["distance_mean"])["representation"]


def _header() -> list[str]:
    return ["bytes", *SHOWN.values(), "seconds", "what"]


def _cells(row: dict[str, Any]) -> list[str]:
    figures = row["figures"]
    size = "-" if row["bytes"] is None else f"{row['bytes']:,}"
    values = [f"{100 * figures[n]:.4f} %" if "distance" in n else f"{figures[n]:.4f}" for n in SHOWN]
    return [size, *values, f"{row['seconds']:.1f}", row["what"]]


def _remarks(result: dict[str, Any]) -> list[str]:
    becomes = [f"{name}, as a surface: {how}." for name, how in result["becomes_a_surface"].items()]
    meaning = [f"{SHOWN[name]}: {text}." for name, text in result["meaning"].items()]
    return ["Bytes are those of the payload (cells, coordinates, indices, weights).", *becomes, *meaning]


def _markdown(name: str, result: dict[str, Any]) -> str:
    lines = [f"# {name}: representations at equal bytes", ""]
    for size, nearest in result["nearest"].items():
        lines += [f"## {size_text(int(size))} (nearest: {nearest})", ""]
        lines += [f"| representation | {' | '.join(_header())} |", "|---" * (len(_header()) + 1) + "|"]
        lines += [
            f"| {row['representation']} | {' | '.join(_cells(row))} |"
            for row in result["rows"]
            if row["bytes_allowed"] == int(size)
        ]
        lines.append("")
    return "\n".join([*lines, *(f"- {remark}" for remark in _remarks(result)), ""])
