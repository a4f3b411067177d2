"""Samples along rays where an occupancy grid says that there may be something (Mueller et al. 2022).

The grid has cascades of cells^3 cells: cascade 0 covers the unit cube [0, 1]^3, each further one a cube of
twice the edge around the same middle. Rays are in these coordinates.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...runtime.threads import run_pieces, split, threads
from .. import BLOCK, use_compiled
from . import reference
from .reference import Steps, pack_cells, step_of_t, t_of_step

__all__ = ["Steps", "march", "pack_cells", "place", "step_of_t", "t_of_step"]

PIECE = 1024  # rays marched by a thread at a time


def march(
    origins: Float[Tensor, "rays 3"],
    directions: Float[Tensor, "rays 3"],
    jitter: Float[Tensor, " rays"],
    words: np.ndarray,
    steps: Steps,
    near: float = 0.0,
    most: int = 1024,
) -> tuple[np.ndarray, np.ndarray]:
    """Samples of rays, packed: t float32 [samples], and where the samples of each ray start, int64
    [rays + 1].

    directions: of unit length. jitter: [0, 1), the share of a step by which a ray's samples are moved.
    words: cells as `pack_cells` packs them, a multiple of 4 cells along an axis. near: no sample is nearer.
    most: samples of a ray at most. A cell is looked up in the finest cascade that holds the point and whose
    cells are not finer than a step.
    """
    o, d, j = (t.detach().contiguous().numpy() for t in (origins, directions, jitter))
    if not use_compiled(origins.device.type):
        rays = reference.march(o, d, j, reference.unpack_cells(words), steps, near, most)
        starts = np.concatenate([[0], np.cumsum([len(ray) for ray in rays], dtype=np.int64)])
        return np.concatenate([np.empty(0), *rays]).astype(np.float32), starts
    from . import numba

    cells, count = round((64 * words.shape[1]) ** (1 / 3)), len(o)
    counts = np.empty(count, np.int64)
    pieces = split(count, -(-count // PIECE)) if count else []
    found: list[np.ndarray] = [np.empty(0, np.float32)] * len(pieces)
    numbers = tuple(np.float32(x) for x in (steps.least, steps.cone))

    def work(piece: int, first: int, last: int) -> None:
        room = 32 * (last - first)
        while True:
            places = np.empty(room, np.float32)
            taken = numba.march(
                o, d, j, words, cells, *numbers, steps.bends, np.float32(near), first, last, most, counts,
                places,
            )  # fmt: skip
            if taken >= 0:
                found[piece] = places[:taken]
                return
            room *= 4

    run_pieces(work, [(number, *piece) for number, piece in enumerate(pieces)])
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return np.concatenate([np.empty(0, np.float32), *found]), starts


def place(
    origins: Float[Tensor, "rays 3"],
    directions: Float[Tensor, "rays 3"],
    places: np.ndarray,
    starts: np.ndarray,
    cascades: int,
) -> Float[Tensor, "padded 3"]:
    """Points of the samples, [0, 1]^3 of the outermost cascade; padded with zeros to a multiple of 128."""
    points = torch.zeros(-(-len(places) // BLOCK) * BLOCK, 3)
    o, d = (t.detach().contiguous().numpy() for t in (origins, directions))
    if not use_compiled(origins.device.type):
        points.numpy()[: len(places)] = reference.place(o, d, places, starts, cascades)
        return points
    from . import numba

    half = 0.5 * 2 ** (cascades - 1)
    corner, scale = np.float32(0.5 - half), np.float32(0.5 / half)
    run_pieces(
        lambda first, last: numba.place(o, d, starts, places, corner, scale, first, last, points.numpy()),
        split(len(o), 4 * threads()),
    )
    return points
