"""The cells of a grid that triangles touch: exact overlap by separating axes."""

import numpy as np
from jaxtyping import Bool, Float

from ...runtime.errors import InputError
from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled

__all__ = ["touched_cells"]


def touched_cells(
    triangles: Float[np.ndarray, "faces 3 3"], resolution: int
) -> Bool[np.ndarray, "{resolution} {resolution} {resolution}"]:
    """Whether each cell has a point in common with a triangle.

    triangles: their corners in cells, so that cell (i, j, k) is [i, i+1] x [j, j+1] x [k, k+1]. Cells are
    closed: a triangle that only touches one counts, so one in the plane between two layers marks both, and
    one without area is the segment or the point that it is. What lies outside the grid is left out.
    A cell and a triangle are apart where their shadows on one of 13 axes are: the grid's three, the normal,
    and the cross products of both sides' edges (Akenine-Moeller 2001, "Fast 3D triangle-box overlap
    testing"). All is computed in float64, so touches are decided up to its rounding. Raises InputError where
    a corner is not finite.
    """
    triangles = np.ascontiguousarray(triangles, np.float64)
    if not np.isfinite(triangles).all():
        raise InputError(
            "a face has a vertex that is not finite", "voxels", "Remove faces with NaN or infinity first."
        )
    cells = np.zeros((resolution,) * 3, bool)
    if use_compiled():
        from .numba import mark

        # threads may mark the same cell: all write the same value
        run_pieces(mark, [(*piece, triangles, cells) for piece in split(len(triangles), 16 * threads())])
    else:
        from .reference import mark as mark_by_definition

        mark_by_definition(0, len(triangles), triangles, cells)
    return cells
