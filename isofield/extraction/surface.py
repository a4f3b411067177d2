"""From a field, any callable from points to values, to the triangles of its surface."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from ..geometry.frames import WORKING_BOX
from ..geometry.level import Inside
from ..geometry.mesh import Mesh
from ..kernels.marching_cubes import connect
from ..kernels.marching_cubes.table import FACE_COUNTS
from ..runtime.errors import FailedError, InputError
from .dense import Piece, dense_pieces, slab_pieces
from .evaluator import Evaluator, Field, grid_depth
from .grid import Box, Grid
from .mise import coarse_resolution, mise_pieces
from .storage import Storage

__all__ = ["SEARCHES", "Extraction", "extract_surface", "marching_cubes"]


@dataclass(frozen=True, eq=False)
class Extraction:
    """A surface and how it was found.

    mesh: vertices float32, in the coordinates of the box. evaluations: points at which the field was read.
    search, resolution: as asked for. coarse: as asked for or chosen, None for the dense search. cell: edge of
    a grid cell.
    """

    mesh: Mesh
    evaluations: int
    search: str
    resolution: int
    coarse: int | None
    cell: float


SEARCHES: dict[str, Callable[..., Iterable[Piece]]] = {"mise": mise_pieces, "dense": dense_pieces}
"""How the grid is read: (read, grid, coarse, memory, report) to the surface in pieces."""


def extract_surface(
    field: Field,
    inside: Inside,
    resolution: int,
    box: Box = WORKING_BOX,
    search: str = "mise",
    coarse: int | None = None,
    max_memory: int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Extraction:
    """The surface of a field in a box, by marching cubes on a grid of `resolution` cells along each axis.

    search: "dense" reads every grid point; "mise" starts from a coarse grid and refines where the surface
    passes, which gives the same on every component that the coarse grid meets.
    coarse: cells of that grid along each axis, resolution / 2^k; see `coarse_resolution` for None.
    max_memory: bytes for the extraction itself (the field and Python come on top). The work is then done in
    slabs, and intermediate and final arrays lie in temporary files. The mesh is the same, bit for bit.
    progress: called with the share done, in [0, 1], and a short text.

    The mesh is closed and oriented outward, each face of positive area; vertices are in the order of their
    grid edges, faces in that of the cells. Raises InputError for settings that cannot work, FailedError for a
    field that is not finite or has no surface.
    """
    if search not in SEARCHES:
        raise InputError(f"there is no search {search!r}", "search", f"Choose one of {', '.join(SEARCHES)}.")
    grid = Grid.cubic(resolution, box)
    evaluator = Evaluator(field)
    storage = Storage(on_disk=max_memory is not None)
    pieces = SEARCHES[search](
        partial(grid_depth, evaluator, grid, inside), grid, coarse, max_memory, progress or _silent
    )
    mesh = _assemble(pieces, grid, storage)
    if len(mesh.faces) == 0:
        raise FailedError(
            f"the field has no surface at level {inside.level:g} in this box; "
            f"its values range over [{evaluator.lowest:.6g}, {evaluator.highest:.6g}]",
            "extraction",
            "Check the level and the box; a field that was trained too shortly may have none yet.",
        )
    return Extraction(
        mesh=mesh,
        evaluations=evaluator.evaluations,
        search=search,
        resolution=resolution,
        coarse=coarse_resolution(resolution, coarse) if search == "mise" else None,
        cell=grid.cell,
    )


def marching_cubes(values: Float[np.ndarray, "X Y Z"], box: Box, inside: Inside) -> Mesh:
    """The surface of a grid of values whose first and last points along each axis lie on the faces of `box`.

    Border points count as outside, so that the surface closes; an empty mesh where nothing is inside.
    """
    grid = Grid(values.shape, box)
    depth = inside.depth(values).astype(np.float32)
    for axis in range(3):
        for end in (0, -1):
            border = np.moveaxis(depth, axis, 0)[end]
            np.minimum(border, 0, out=border)
    return _assemble([slab_pieces(depth, 0, grid)], grid, Storage(on_disk=False))


def _assemble(pieces: Iterable[Piece], grid: Grid, storage: Storage) -> Mesh:
    """One mesh from the pieces of its surface in order."""
    growing = storage.growing(np.int64), storage.growing(np.uint8), storage.growing(np.float32, 3)
    for piece in pieces:
        for whole, part in zip(growing, piece):
            whole.append(part)
    cells, cases, vertices = (whole.finish() for whole in growing)
    faces = storage.empty((int(FACE_COUNTS[cases].sum(dtype=np.int64)), 3), np.int32)
    if len(cells):
        connect(cells, cases, grid.shape[1:], faces)
    return Mesh(vertices, faces)


def _silent(share: float, text: str) -> None:
    pass
