"""From a trained field to a certified mesh in the input's frame and units."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data.writers import WRITERS, in_file_precision, write_mesh
from ..extraction.normals import vertex_normals
from ..extraction.refine import refine as moved_onto_level
from ..extraction.simplify import simplify
from ..extraction.surface import Extraction, extract_surface
from ..geometry.certificate import Certificate, certify
from ..geometry.mesh import Mesh
from ..methods.choice import QUALITIES
from ..runtime.errors import InputError
from ..runtime.files import write_json
from ..runtime.memory import available_memory, parse_size, size_text
from ..runtime.progress import progress, say
from ..training.method import Surface, Views
from .extract_views import surface_of_views
from .extractable import Extractable, surface_of_shape
from .run import Run

__all__ = ["check_extraction", "extract"]

# of a cell, that single precision may move a vertex by in the file: vertices lie 1e-3 of a cell apart or more
ROUNDING = 1e-4
LEAST_MEMORY = 256 << 20  # bytes that an extraction may take in any case
FINEST = 8192  # cells along an axis: twice that, and float32 cannot tell vertices from grid points
# what a surface that fills the box takes in all, for each of the resolution^2 columns of cells
BYTES_PER_SQUARE = 600

EXTRACT: dict[type, Callable[[Run, Any, bool, float | None], Extractable]] = {
    Surface: surface_of_shape,
    Views: surface_of_views,
}


def extract(
    run: Run,
    resolution: int | None = None,
    search: str = "mise",
    faces: int | None = None,
    trim: bool = False,
    refine: bool = False,
    max_memory: str | int | None = None,
    out: str | Path | None = None,
    shape: Any = None,
    level: float | None = None,
) -> tuple[Mesh, dict[str, Any]]:
    """The surface of the run's field: (mesh in the input's coordinates, its certificate); both are also
    written.

    resolution: cells along each axis of the working box; None for that of the run's quality, two thirds of it
    for a scene. search: "mise" or "dense". faces: simplify to about so many. trim: drop surface that no input
    supports. refine: move the vertices onto the level of the field. max_memory: bytes, or text such as
    "1GiB", for the search. out: file of the mesh (.ply .obj .stl .off .glb), with the certificate beside it;
    None for RUN/mesh.ply, whose metrics and page, if the run has them, are then removed: they are those of
    another mesh. shape: the input, if it is at hand (else read again where it is needed). level: of a scene,
    the density at which the surface lies; None to choose it by what the training cameras see, see
    `extract_views`.
    """
    quality = QUALITIES[run.description["quality"]]
    makes = {type(product) for product in run.method.products().values()} & set(EXTRACT)
    if resolution is None:
        resolution = 2 * quality.resolution // 3 if Views in makes else quality.resolution
    limit = check_extraction(resolution, faces, max_memory, out)
    if out is not None and str(Path(out).resolve()) == run.description["data"]["path"]:
        raise InputError("is the input of this run", out, "Name another file.")
    if not makes:
        raise InputError("holds no surface: it shows a picture", run.path, "Take isofield render for it.")
    surface = EXTRACT[makes.pop()](run, shape, trim, level)
    with progress("extracting") as bar:
        found = extract_surface(
            surface.field,
            surface.inside,
            resolution,
            search=search,
            max_memory=_memory_limit(resolution) if limit is None else limit,
            progress=bar.update,
        )
    (mesh, floaters), moved = surface.cleaned(found.mesh, found.cell), False
    if refine:
        mesh, moved = moved_onto_level(surface.field, surface.inside, mesh, found.cell), True
    if faces is not None and faces < len(mesh.faces):
        mesh, moved = simplify(mesh, faces), True
        if not 0.9 * faces <= len(mesh.faces) <= 1.1 * faces:
            say(f"note: {len(mesh.faces):,} faces, not {faces:,}: with fewer the surface would tear")
    normals = vertex_normals(surface.field, surface.inside, mesh, found.cell)
    cell = found.cell / surface.frame.scale
    mesh = Mesh(surface.frame.to_input(mesh.vertices), mesh.faces, normals)
    mesh = replace(mesh, colours=surface.colours(mesh, cell))
    mesh = in_file_precision(mesh, ROUNDING * cell)  # first: the certificate is one of the file
    certificate = certify(mesh, from_marching_cubes=not moved)
    report = _report(surface, found, certificate, trim, refine, floaters)
    target = run.folder.mesh if out is None else Path(out)
    own = target.resolve() == run.folder.mesh.resolve()
    if own:  # first: what is left after a kill must not speak of another mesh
        for stale in (run.folder.certificate, run.folder.metrics, run.folder.page):
            stale.unlink(missing_ok=True)
    write_mesh(
        target,
        mesh,
        comments=[
            f"isofield {run.description['isofield']}, "
            f"{run.description['method']} of {run.description['data']['name']}"
        ],
        tolerance=ROUNDING * cell,
    )
    write_json(run.folder.certificate if own else target.with_name(target.name + ".certificate.json"), report)
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
    if resolution > FINEST:
        raise InputError(
            f"must be at most {FINEST}, not {resolution}", "--resolution", "Usual are 128, 256 and 512."
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


def _memory_limit(resolution: int) -> int | None:
    """Stream by itself where the grid would not fit in half of the free memory."""
    needed, free = BYTES_PER_SQUARE * resolution**2, available_memory()
    if needed < free / 2:
        return None
    say(f"note: {resolution} cells may need {size_text(needed)} of {size_text(free)} free; working in slabs")
    return max(free // 2, LEAST_MEMORY)


def _report(
    surface: Extractable,
    found: Extraction,
    certificate: Certificate,
    trim: bool,
    refined: bool,
    floaters: int | None,
) -> dict[str, Any]:
    heuristic = list(surface.heuristic)
    if found.search == "mise":
        heuristic.append(
            f"components that no point of the grid of {found.coarse} cells an axis falls into are not found; "
            "`isofield extract --search dense` reads every point"
        )
    return {
        **certificate.to_json(),
        "units": "the input's own",
        "extraction": {
            "search": found.search,
            "resolution": found.resolution,
            "coarse": found.coarse,
            "cell": found.cell / surface.frame.scale,
            "evaluations": found.evaluations,
            "trimmed": trim,
            "refined": refined,
            "floaters_removed": floaters,
        },
        **surface.findings,
        "heuristic": heuristic,
    }
