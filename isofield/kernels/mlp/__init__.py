"""Small fully connected network with ReLU, fused: `mlp` on blocks of 128 points, with a hand-written backward
pass.

Derivatives: first order in the input and in the parameters are compiled; second order falls back to the
reference.
"""

from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...runtime.threads import run_pieces, split
from .. import BLOCK, use_compiled
from . import reference
from .reference import layers

__all__ = ["layers", "mlp", "parameter_count"]

_PIECES = 16  # gradient sums are kept for so many pieces of a batch and added in order


def parameter_count(widths: tuple[int, ...]) -> int:
    """Length of the flat parameter vector of a network with these widths (input, hidden ..., output)."""
    return sum(inputs * outputs + outputs for inputs, outputs in pairwise(widths))


def mlp(
    blocks: Float[Tensor, "blocks inputs 128"],
    parameters: Float[Tensor, "parameters"],
    widths: tuple[int, ...],
) -> Float[Tensor, "blocks outputs 128"]:
    """The network widths[0] -> widths[1] -> ... -> widths[-1] on every column of every block; ReLU between
    layers.

    parameters: one flat vector (see `layers` for views of it). At least one hidden layer.
    """
    if use_compiled(blocks.device.type) and blocks.dtype == torch.float32:
        return _MLP.apply(blocks, parameters, widths)
    return reference.mlp(blocks, parameters, widths)


class _MLP(torch.autograd.Function):
    @staticmethod
    def forward(ctx, blocks: Tensor, parameters: Tensor, widths: tuple[int, ...]) -> Tensor:
        from . import numba

        x, flat = blocks.detach().contiguous().numpy(), parameters.detach().contiguous().numpy()
        sizes = np.array(widths, np.int64)
        result = np.empty((len(x), widths[-1], BLOCK), np.float32)

        def piece(first: int, last: int) -> None:
            numba.forward(x, flat, sizes, _hidden(widths), first, last, result)

        run_pieces(piece, split(len(x), _PIECES))
        ctx.save_for_backward(blocks, parameters)
        ctx.widths = widths
        return torch.from_numpy(result)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return *_MLPBackward.apply(*ctx.saved_tensors, gradient, ctx.widths), None


class _MLPBackward(torch.autograd.Function):
    """(blocks, parameters, output gradient) -> (gradient of the blocks, gradient of the parameters);
    differentiable again."""

    @staticmethod
    def forward(ctx, blocks, parameters, gradient, widths):
        from . import numba

        ctx.save_for_backward(blocks, parameters, gradient)
        ctx.widths = widths
        x, flat, g = (t.detach().contiguous().numpy() for t in (blocks, parameters, gradient))
        sizes, widest = np.array(widths, np.int64), max(widths)
        pieces = split(len(x), _PIECES)
        sums = np.zeros((len(pieces), len(flat)), np.float32)
        input_gradient = np.empty_like(x)

        def piece(index: int, first: int, last: int) -> None:
            scratch = np.empty((3, widest, max(BLOCK, widest)), np.float32)
            numba.backward(
                x, flat, sizes, _hidden(widths), g, first, last, sums[index], scratch, input_gradient
            )

        run_pieces(piece, [(index, *bounds) for index, bounds in enumerate(pieces)])
        return torch.from_numpy(input_gradient), torch.from_numpy(sums.sum(0))

    @staticmethod
    def backward(ctx, *cotangents):
        inputs = [t.detach().requires_grad_() for t in ctx.saved_tensors]
        blocks, parameters, gradient = inputs
        with torch.enable_grad():
            result = reference.mlp(blocks, parameters, ctx.widths)
            firsts = torch.autograd.grad(result, (blocks, parameters), gradient, create_graph=True)
            total = sum((first * cotangent).sum() for first, cotangent in zip(firsts, cotangents))
            return *torch.autograd.grad(total, inputs, allow_unused=True), None


def _hidden(widths: tuple[int, ...]) -> np.ndarray:
    return np.empty((sum(widths[1:-1]), BLOCK), np.float32)
