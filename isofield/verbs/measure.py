"""Numbers of a shape in its own units: volume, area, box, thickness, plane sections."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.certificate import certify
from ..geometry.frames import Frame
from ..geometry.mesh import Mesh
from ..geometry.sections import section
from ..geometry.solid import Solid
from ..geometry.thickness import thickness
from ..runtime.errors import FailedError, InputError
from ..runtime.files import write_text
from ..viewing.outlines import outlines_svg
from .combine import length_of
from .representation import in_words, kind_of, opened, surface_of

__all__ = ["measure"]

SAMPLES = 20_000  # places where thickness is measured
AXES = "xyz"


def measure(
    source: Any,
    sections: Sequence[str] = (),
    out: str | Path | None = None,
    resolution: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure any representation of a shape: a mesh as it is, others by their surface (`surface_of`).

    sections: planes such as "z=0.05" (in the shape's units) or "z=50%" (of its extent). out: a folder, which
    is made, for their drawings as SVG. Lengths are in the shape's own units, areas and volumes in their
    powers. "volume", "centroid" and "thickness" are None where the surface is not closed, the last also for
    voxels, whose walls are stairs. Raises InputError for planes that cannot be read.
    """
    given = opened(source)
    mesh = surface_of(given, resolution)
    used = np.asarray(mesh.vertices, np.float64)[np.unique(mesh.faces)]
    low, high = used.min(axis=0), used.max(axis=0)
    planes = [_plane(text, low, high) for text in sections]
    certificate = certify(mesh)
    closed = certificate.volume is not None
    notes = [] if kind_of(given) == "mesh" else [f"measured on the surface of the {in_words(given)}"]
    if not closed:
        notes.append("the surface is not closed and oriented, so it encloses no volume; fit closes it")
    result: dict[str, Any] = {
        "kind": kind_of(given),
        "box": [low.tolist(), high.tolist()],
        "size": (high - low).tolist(),
        "area": certificate.area,
        "volume": certificate.volume,
        "centroid": _centroid(mesh, used[0]) if closed else None,
        "thickness": _thickness(mesh, used, seed) if closed and kind_of(given) != "voxels" else None,
        "closed": certificate.closed,
        "components": certificate.components,
        "genus": certificate.genus,
        "sections": [_section(mesh, axis, at, low, high, out) for axis, at in planes],
        "notes": notes,
    }
    return result


def _centroid(mesh: Mesh, origin: np.ndarray) -> list[float]:
    """Centre of mass of the enclosed volume, from the tetrahedra of the faces with one point."""
    a, b, c = np.moveaxis(np.asarray(mesh.vertices, np.float64)[mesh.faces] - origin, 1, 0)
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
    return ((volumes[:, None] * (a + b + c)).sum(axis=0) / (4 * volumes.sum()) + origin).tolist()


def _thickness(mesh: Mesh, used: np.ndarray, seed: int) -> dict[str, Any] | None:
    """Wall thickness over the surface: its thinnest hundredth, its median, its largest, where it is thin."""
    frame = Frame.around(used)
    solid = Solid(Mesh(frame.to_working(mesh.vertices), mesh.faces))
    values, places = thickness(solid, SAMPLES, np.random.default_rng(seed))
    if not len(values):
        return None
    thin = float(np.quantile(values, 0.01))
    place = places[np.argmin(np.abs(values - thin))]
    return {
        "thin": thin / frame.scale,
        "median": float(np.median(values)) / frame.scale,
        "largest": float(values.max()) / frame.scale,
        "thin_at": frame.to_input(place[None])[0].tolist(),
        "share_of_surface": len(values) / SAMPLES,
    }


def _plane(text: str, low: np.ndarray, high: np.ndarray) -> tuple[int, float]:
    name, _, place = text.partition("=")
    if len(name) != 1 or name not in AXES or not place:
        raise InputError(f"{text!r} is not a plane", "--section", "Write z=0.05, or z=50% of the extent.")
    axis = AXES.index(name)
    at = length_of(place, float(high[axis] - low[axis]), "--section")
    return axis, at + low[axis] if place.endswith("%") else at


def _section(
    mesh: Mesh, axis: int, at: float, low: np.ndarray, high: np.ndarray, out: str | Path | None
) -> dict[str, Any]:
    outlines = section(mesh, axis, at)
    plane = f"{AXES[axis]}={at:.6g}"
    around = [np.roll(outline, -1, axis=0) for outline in outlines]
    doubled = sum(float(np.sum(a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1])) for a, b in zip(outlines, around))
    length = sum(float(np.linalg.norm(np.diff(a, axis=0), axis=1).sum()) for a in outlines)
    result: dict[str, Any] = {
        "plane": plane,
        "outlines": len(outlines),
        "length": length,
        "area": doubled / 2 if all(np.array_equal(a[0], a[-1]) for a in outlines) else None,
    }
    if out is not None:
        result["file"] = str(_drawn(Path(out), plane, outlines, axis, low, high))
    return result


def _drawn(
    folder: Path, plane: str, outlines: list[np.ndarray], axis: int, low: np.ndarray, high: np.ndarray
) -> Path:
    across = [(axis + 1) % 3, (axis + 2) % 3]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FailedError(
            f"the folder cannot be made ({error.strerror})", folder, "Name another with --out."
        ) from None
    file = folder / f"section-{plane}.svg"
    write_text(file, outlines_svg(outlines, low[across], high[across], f"section {plane}"))
    return file
