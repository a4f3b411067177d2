"""From the features of samples to what rays see, and to the squared error against photographs, in one pass.

Two small networks and the compositing between them: density = unit exp(code 0), colour = network(codes,
harmonics of the direction). `reference.py` says it in plain torch. First derivatives of `squared_error` in
the features and both networks' weights exist; `look` has none.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...runtime.threads import run_pieces, split
from .. import use_compiled
from ..mlp import parameter_count
from . import reference
from .reference import BOUND, DARK, HARMONICS, ROOM

__all__ = ["BOUND", "DARK", "HARMONICS", "ROOM", "look", "network_sizes", "squared_error"]

PIECES = 16  # parts of the rays, each with sums of its own: results do not depend on the number of threads

Widths = tuple[int, int, int, int]


def network_sizes(widths: Widths) -> tuple[int, int]:
    """Numbers of weights of the network of density and of that of colour. widths: features, hidden units,
    codes, units of each of the two hidden layers of the colour's network."""
    inputs, hidden, codes, bright = widths
    return parameter_count((inputs, hidden, codes)), parameter_count((codes + HARMONICS, bright, bright, 3))


def squared_error(
    features: Float[Tensor, "blocks inputs 128"],
    dense: Float[Tensor, " dense"],
    light: Float[Tensor, " light"],
    directions: Float[Tensor, "rays 3"],
    starts: np.ndarray,
    lengths: np.ndarray,
    target: Float[Tensor, "pixels 4"],
    background: Float[Tensor, "pixels 3"],
    widths: Widths,
    unit: float,
) -> Float[Tensor, ""]:
    """Mean squared error over pixels and channels, in front of a background.

    features: of the samples of all rays one after another, in blocks. starts: int64 [rays + 1].
    lengths [samples]: of the intervals. target: premultiplied colour and alpha; it is put in front of the
    same background. A pixel is the mean of rays / pixels rays in a row, which have ROOM samples at most
    together.
    """
    error = _SquaredError.apply if use_compiled(features.device.type) else reference.squared_error
    return error(features, dense, light, directions, starts, lengths, target, background, widths, unit)


def look(
    features: Float[Tensor, "blocks inputs 128"],
    dense: Float[Tensor, " dense"],
    light: Float[Tensor, " light"],
    directions: Float[Tensor, "rays 3"],
    starts: np.ndarray,
    places: np.ndarray,
    lengths: np.ndarray,
    widths: Widths,
    unit: float,
) -> Float[Tensor, "rays 5"]:
    """What rays see: colour (3, nothing behind it), opacity, and distance (the mean of `places` t by weight).
    Arguments as for `squared_error`."""
    if not use_compiled(features.device.type):
        return reference.look(features, dense, light, directions, starts, places, lengths, widths, unit)
    from . import numba

    seen = np.empty((len(directions), 5), np.float32)
    x, d, w, v = (t.detach().contiguous().numpy() for t in (features, directions, dense, light))
    sizes = np.array(widths)
    counts = _reach(x, starts, lengths, w, sizes, unit)
    run_pieces(
        lambda first, last: numba.look(
            x, d, starts, counts, places, lengths, w, v, sizes, np.float32(unit), first, last, seen
        ),
        split(len(seen), PIECES),
    )
    return torch.from_numpy(seen)


def _reach(features, starts, lengths, dense, sizes, unit) -> np.ndarray:
    """How many samples of each ray are worth looking at: those behind get less than DARK of the light."""
    from . import numba

    if np.diff(starts).max(initial=0) > ROOM:
        raise ValueError(f"a ray has more than {ROOM} samples")
    counts, dark = np.empty(len(starts) - 1, np.int64), np.float32(-np.log(DARK))
    run_pieces(
        lambda first, last: numba.reach(
            features, starts, lengths, dense, sizes, np.float32(unit), dark, first, last, counts
        ),
        split(len(counts), PIECES),
    )
    return counts


class _SquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx, features, dense, light, directions, starts, lengths, target, background, widths, unit):
        from . import numba

        x, d, w, v, t, b = (
            a.detach().contiguous().numpy() for a in (features, directions, dense, light, target, background)
        )
        pixels, sizes = len(t), np.array(widths)
        counts = _reach(x, starts, lengths, w, sizes, unit)
        group = len(d) // max(pixels, 1)
        share = np.float32(1 / (3 * max(pixels, 1)))
        gradient = np.zeros_like(x)
        pieces = split(pixels, PIECES)
        sums = [np.zeros((len(pieces), len(a)), np.float32) for a in (w, v)]
        totals = np.zeros(len(pieces))

        def work(piece: int, first: int, last: int) -> None:
            totals[piece] = numba.learn(
                x, d, starts, counts, lengths, t, b, group, share, w, v, sizes, np.float32(unit),
                first * group, last * group, sums[0][piece], sums[1][piece], gradient,
            )  # fmt: skip

        run_pieces(work, [(number, *piece) for number, piece in enumerate(pieces)])
        ctx.gradients = [torch.from_numpy(a) for a in (gradient, sums[0].sum(0), sums[1].sum(0))]
        return torch.tensor(totals.sum() * float(share), dtype=torch.float32)

    @staticmethod
    def backward(ctx, slope):
        return *(gradient.mul_(slope) for gradient in ctx.gradients), *[None] * 7
