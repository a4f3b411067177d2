"""Numbers of a shape in its own units: volume, area, box, thickness, plane sections."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.shape import Shape
from ..geometry.certificate import certify
from ..geometry.frames import Frame
from ..geometry.mesh import Mesh
from ..geometry.sections import section
from ..geometry.solid import Solid, count_open_edges, signed_volume
from ..geometry.thickness import thickness
from ..methods.choice import CLEAN
from ..runtime.errors import FailedError, InputError
from ..runtime.files import write_text
from ..viewing.outlines import outlines_svg
from .lengths import length_of
from .representation import Representation, as_field, in_words, kind_of, opened, surface_of

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
    """Measure any representation of a shape: a mesh as it is (turned, where it is inside out), others by
    their surface (`surface_of`), and so a mesh whose parts overlap or contradict each other.

    sections: planes such as "z=0.05" (in the shape's units) or "z=50%" (of its extent). out: a folder, which
    is made, for their drawings as SVG. Lengths are in the shape's own units, areas and volumes in their
    powers. "volume", "centroid" and "thickness" are None where the surface is not closed, the last also for
    voxels, whose walls are stairs. Raises InputError for planes that cannot be read.
    """
    given = opened(source)
    mesh, notes = _measured(given, resolution)
    used = np.asarray(mesh.vertices, np.float64)[np.unique(mesh.faces)]
    low, high = used.min(axis=0), used.max(axis=0)
    planes = [(text, *_plane(text, low, high)) for text in sections]
    certificate = certify(mesh)
    closed = certificate.volume is not None or kind_of(given) == "voxels"  # whose cells may share edges
    if not closed:
        notes.append("the surface is not closed and oriented, so it encloses no volume; fit closes it")
    cuts = [_section(mesh, *plane, low, high, out) for plane in planes]
    notes += [f"the plane {cut['plane']} does not meet the shape" for cut in cuts if not cut["outlines"]]
    result: dict[str, Any] = {
        "kind": kind_of(given),
        "box": [low.tolist(), high.tolist()],
        "size": (high - low).tolist(),
        "area": certificate.area,
        "volume": _volume(mesh, used[0]) if closed else None,
        "centroid": _centroid(mesh, used[0]) if closed else None,
        "thickness": _thickness(mesh, used, seed) if closed and kind_of(given) != "voxels" else None,
        "closed": certificate.closed,
        "components": certificate.components,
        "genus": certificate.genus,
        "sections": cuts,
        "notes": notes,
    }
    return result


def _measured(given: Representation, resolution: int | None) -> tuple[Mesh, list[str]]:
    """The surface that is measured, and sentences on how it was made."""
    if not isinstance(given, Shape) or given.kind == "points":
        return surface_of(given, resolution), [f"measured on the surface of the {in_words(given)}"]
    mesh = surface_of(given)
    if given.voxels is not None:
        return mesh, ["the surface is that of the cells: its area counts their steps, up to half too much"]
    if count_open_edges(mesh) > 0:
        return mesh, []
    if given.solid.separating_share < CLEAN:
        solid = as_field(given).mesh(resolution)
        return solid, ["parts of it overlap or contradict each other: measured is the surface of its solid"]
    if signed_volume(mesh) < 0:
        return Mesh(mesh.vertices, mesh.faces[:, ::-1]), ["its faces point inward: it was turned"]
    return mesh, []


def _volume(mesh: Mesh, origin: np.ndarray) -> float:
    return float(_tetrahedra(mesh, origin)[1].sum())


def _centroid(mesh: Mesh, origin: np.ndarray) -> list[float]:
    """Centre of mass of the enclosed volume, from the tetrahedra of the faces with one point."""
    corners, volumes = _tetrahedra(mesh, origin)
    middle = (volumes[:, None] * corners.sum(axis=1)).sum(axis=0) / (4 * volumes.sum())
    return (middle + origin).tolist()


def _tetrahedra(mesh: Mesh, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners [F, 3, 3] of the faces seen from `origin`, and the signed volumes [F] of the tetrahedra."""
    corners = np.asarray(mesh.vertices, np.float64)[mesh.faces] - origin
    return corners, np.linalg.det(corners) / 6


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
    mesh: Mesh, text: str, axis: int, at: float, low: np.ndarray, high: np.ndarray, out: str | Path | None
) -> dict[str, Any]:
    outlines = section(mesh, axis, at)
    plane = f"{AXES[axis]}={at!r}"
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
        result["file"] = str(_drawn(Path(out), text, outlines, axis, low, high))
    return result


def _drawn(
    folder: Path, text: str, outlines: list[np.ndarray], axis: int, low: np.ndarray, high: np.ndarray
) -> Path:
    across = [(axis + 1) % 3, (axis + 2) % 3]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FailedError(
            f"the folder cannot be made ({error.strerror})", folder, "Name another with --out."
        ) from None
    file = folder / f"section-{text}.svg"
    write_text(file, outlines_svg(outlines, low[across], high[across], f"section {text}"))
    return file
