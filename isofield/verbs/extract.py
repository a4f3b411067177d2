"""From a trained field to a certified mesh in the input's frame and units."""

from pathlib import Path
from typing import Any

import numpy as np

from ..data import write_mesh
from ..data.shape import Shape
from ..data.writers import WRITERS
from ..extraction.floaters import without_floaters
from ..extraction.normals import vertex_normals
from ..extraction.simplify import simplify
from ..extraction.surface import Extraction, extract_surface
from ..extraction.trim import trim as trim_unsupported
from ..geometry.certificate import Certificate, certify
from ..geometry.mesh import Mesh
from ..kernels import bvh
from ..runtime.errors import InputError
from ..runtime.files import write_json
from ..runtime.memory import available_memory, parse_size, size_text
from ..runtime.progress import progress, say
from ..runtime.threads import threads
from .run import Run

__all__ = ["check_extraction", "extract"]


def extract(
    run: Run,
    resolution: int = 256,
    method: str = "mise",
    faces: int | None = None,
    trim: bool = False,
    max_memory: str | int | None = None,
    out: str | Path | None = None,
    shape: Shape | None = None,
) -> tuple[Mesh, dict[str, Any]]:
    """The surface of the run's field: (mesh in the input's coordinates, its certificate); both are also
    written.

    resolution: cells along each axis of the working box. method: "mise" or "dense". faces: simplify to about
    so many. trim: drop surface that no input supports. max_memory: bytes, or text such as "1GiB". out: file
    of the mesh (.ply .obj .stl .off .glb), with the certificate beside it; None for RUN/mesh.ply. shape: the
    input, if it is at hand (else read again where it is needed).
    """
    limit = check_extraction(resolution, faces, max_memory, out)
    surface = run.surface
    with progress("extracting") as bar:
        found = extract_surface(
            surface.field,
            surface.inside,
            resolution,
            method=method,
            max_memory=_limit(resolution) if limit is None else limit,
            progress=bar.update,
        )
    shape = shape or _input(run, trim)
    mesh, floaters, moved = found.mesh, 0, False
    if shape is not None:
        reach = 2 * found.cell
        support = _support(shape, reach)
        mesh, floaters = without_floaters(mesh, support, reach)
        if trim:
            mesh = trim_unsupported(mesh, support, reach)
    if faces is not None and faces < len(mesh.faces):
        mesh, moved = simplify(mesh, faces), True
    normals = vertex_normals(surface.field, surface.inside, mesh, found.cell)
    colours = None if shape is None or shape.colours is None else _colours(shape, shape.colours, mesh)
    mesh = Mesh(run.frame.to_input(mesh.vertices), mesh.faces, normals, colours)
    certificate = certify(mesh, from_marching_cubes=not moved)
    report = _report(run, found, certificate, trim, floaters if shape is not None else None)
    target = run.folder.mesh if out is None else Path(out)
    write_mesh(
        target,
        mesh,
        comments=[
            f"isofield {run.description['isofield']}, "
            f"{run.description['method']} of {run.description['data']['name']}"
        ],
    )
    write_json(run.folder.certificate if out is None else target.with_suffix(".certificate.json"), report)
    return mesh, report


def check_extraction(
    resolution: int,
    faces: int | None = None,
    max_memory: str | int | None = None,
    out: str | Path | None = None,
) -> int | None:
    """Raise InputError for settings of `extract` that cannot work, before any long work.

    Returns max_memory in bytes.
    """
    if resolution < 2:
        raise InputError(
            f"must be at least 2, not {resolution}", "--resolution", "Usual are 128, 256 and 512."
        )
    if faces is not None and faces < 4:
        raise InputError(
            f"must be at least 4, not {faces}", "--faces", "A closed mesh has four faces or more."
        )
    if out is not None and Path(out).suffix.lower() not in WRITERS:
        endings = " ".join(sorted(WRITERS))
        raise InputError(
            f"no writer for '{Path(out).suffix}' files", out, f"Name the output with one of: {endings}."
        )
    if out is not None and not Path(out).parent.is_dir():
        raise InputError("there is no such folder", Path(out).parent, "Make it, or name another output.")
    return parse_size(max_memory) if isinstance(max_memory, str) else max_memory


def _limit(resolution: int) -> int | None:
    """Stream by itself where the grid would not fit in half of the free memory."""
    needed, free = 600 * resolution**2, available_memory()
    if needed < free / 2:
        return None
    say(f"note: {resolution} cells may need {size_text(needed)} of {size_text(free)} free; working in slabs")
    return free // 2


def _report(
    run: Run, found: Extraction, certificate: Certificate, trim: bool, floaters: int | None
) -> dict[str, Any]:
    scale = run.frame.scale
    return {
        **certificate.to_json(),
        "units": "the input's own",
        "extraction": {
            "method": found.method,
            "resolution": found.resolution,
            "coarse": found.coarse,
            "cell": found.cell / scale,
            "evaluations": found.evaluations,
            "trimmed": trim,
            "floaters_removed": floaters,
        },
        "heuristic": _heuristics(found, trim),
    }


def _heuristics(found: Extraction, trim: bool) -> list[str]:
    text = ["that the field follows the input is measured (metrics.json), not proved"]
    if found.method == "mise":
        text.append(
            f"components that no point of the grid of {found.coarse} cells an axis falls into are not found; "
            "`isofield extract --method dense` reads every point"
        )
    if trim:
        text.append("surface farther than two cells from the input was left out")
    return text


def _input(run: Run, needed: bool) -> Shape | None:
    """The run's input, read again; None, with a note, where it is gone and the mesh can do without it."""
    try:
        return run.shape()
    except InputError as error:
        if needed:
            raise
        say(f"note: the input cannot be read ({error.what}): floaters stay, colours are not carried over")
        return None


def _support(shape: Shape, reach: float):
    """Distance of points of the working box to what was measured, cut off a little beyond `reach`."""
    positions = shape.frame.to_working(shape.vertices)
    if shape.kind == "mesh":
        tree = bvh.build(positions, shape.faces)
        return lambda points: bvh.nearest(tree, points, 1.01 * reach)[0]
    from scipy.spatial import cKDTree

    points_tree = cKDTree(positions)
    spacing = float(np.median(points_tree.query(positions[:: max(len(positions) // 1000, 1)], 2)[0][:, 1]))
    return lambda points: np.maximum(points_tree.query(points, workers=threads())[0] - spacing, 0)


def _colours(shape: Shape, colours: np.ndarray, mesh: Mesh) -> np.ndarray:
    """The input's colours at the vertices of `mesh` (working box): blended on the nearest face, or the
    nearest point's."""
    positions = shape.frame.to_working(shape.vertices)
    if shape.kind == "points":
        from scipy.spatial import cKDTree

        return colours[cKDTree(positions).query(mesh.vertices)[1]]
    tree = bvh.build(positions, shape.faces)
    _, face, closest = bvh.nearest(tree, np.ascontiguousarray(mesh.vertices, np.float32))
    corners = shape.faces[face]
    weights = barycentric(positions[corners].astype(np.float64), closest.astype(np.float64))
    blended = (colours[corners] * weights[:, :, None]).sum(1)
    return np.clip(np.rint(blended), 0, 255).astype(np.uint8)


def barycentric(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Barycentric coordinates [N, 3] of points [N, 3] in the planes of triangles [N, 3, 3]; a degenerate one
    takes its first corner."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    determinant = uu * vv - uv * uv
    safe = np.where(determinant > 0, determinant, 1)
    second = np.where(determinant > 0, (vv * wu - uv * wv) / safe, 0)
    third = np.where(determinant > 0, (uu * wv - uv * wu) / safe, 0)
    return np.clip(np.stack([1 - second - third, second, third], 1), 0, 1)
