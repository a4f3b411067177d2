"""Multiresolution hash encoding (Mueller et al. 2022): `encode`, in blocks of 128 points.

Derivatives: first order in the points and in the table, and the derivatives of the points' gradient (what an
eikonal loss needs), are compiled; derivatives of the table's gradient fall back to the reference, which is
differentiable as often as wanted. In two dimensions only the derivative in the table is compiled.
"""

from functools import cache
from types import ModuleType

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...runtime.threads import run_pieces, split, threads
from .. import BLOCK, use_compiled
from . import reference
from .reference import Level, nerfstudio_levels, paper_levels, plane_levels, tcnn_levels

__all__ = [
    "Level",
    "block",
    "encode",
    "nerfstudio_levels",
    "paper_levels",
    "plane_levels",
    "tcnn_levels",
    "unblock",
]


def encode(
    points: Float[Tensor, "points axes"], table: Float[Tensor, "rows features"], levels: tuple[Level, ...]
) -> Float[Tensor, "blocks encoded 128"]:
    """Features of points in [0, 1]^3 or [0, 1]^2, as [blocks, levels * features, 128]; the last block is
    padded (its extra lanes are arbitrary).

    points: clamped to the unit cube or square. table: rows of all levels one after another. `unblock` gives
    [points, encoded].
    """
    if use_compiled(points.device.type) and points.dtype == torch.float32 and table.shape[1] == 2:
        return _Encode.apply(_padded(points), table, levels)
    return block(reference.encode(points, table, levels))


def _kernels(points: Tensor | np.ndarray) -> ModuleType:
    """The compiled functions for points of so many axes."""
    if points.shape[1] == 2:
        from .plane import numba as plane

        return plane
    from . import numba

    return numba


def block(features: Float[Tensor, "points features"]) -> Float[Tensor, "blocks features 128"]:
    """[points, features] as blocks of 128 points, features first; the last block is padded with zeros."""
    return _padded(features).reshape(-1, BLOCK, features.shape[1]).transpose(1, 2).contiguous()


def unblock(blocks: Float[Tensor, "blocks features 128"], count: int) -> Float[Tensor, "points features"]:
    """The first `count` points of blocks, as [points, features]."""
    return blocks.transpose(1, 2).reshape(-1, blocks.shape[1])[:count]


def _padded(rows: Tensor) -> Tensor:
    missing = -len(rows) % BLOCK
    return torch.nn.functional.pad(rows, (0, 0, 0, missing)) if missing else rows


@cache
def _columns(levels: tuple[Level, ...]) -> tuple[np.ndarray, ...]:
    """The levels' numbers as arrays: scales, shifts, strides, offsets (one more than levels)."""
    return (
        np.array([level.scale for level in levels], np.float32),
        np.array([level.shift for level in levels], np.float32),
        np.array([level.stride for level in levels], np.int32),
        np.array([level.offset for level in levels] + [levels[-1].offset + levels[-1].rows], np.int64),
    )


def _each_level(levels: tuple[Level, ...], call, blocks: int | None = None) -> None:
    """Run call(scale, shift, stride, level, part of the table[, first, last block]) over levels, and ranges
    of blocks if given."""
    scales, shifts, strides, offsets = _columns(levels)
    pieces = []
    for level in range(len(levels)):
        fixed = (
            scales[level],
            shifts[level],
            strides[level],
            level,
            slice(offsets[level], offsets[level + 1]),
        )
        ranges = (
            split(blocks, 1 if len(levels) >= 2 * threads() else threads()) if blocks is not None else [()]
        )
        pieces += [(*fixed, *piece) for piece in ranges]
    run_pieces(call, pieces)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, points: Tensor, table: Tensor, levels: tuple[Level, ...]) -> Tensor:
        ctx.save_for_backward(points, table)
        ctx.levels = levels
        x, rows = points.detach().contiguous().numpy(), table.detach().contiguous().numpy()
        blocks = len(x) // BLOCK
        encoded = np.empty((blocks, 2 * len(levels), BLOCK), np.float32)
        _each_level(
            levels,
            lambda scale, shift, stride, level, part, first, last: _kernels(x).encode(
                x, rows[part], scale, shift, stride, level, first, last, encoded
            ),
            blocks,
        )
        return torch.from_numpy(encoded)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        points, table = ctx.saved_tensors
        return *_EncodeBackward.apply(points, table, gradient, ctx.levels, *ctx.needs_input_grad[:2]), None


class _EncodeBackward(torch.autograd.Function):
    """(points, table, gradient of the encoding) -> (gradient of the points, gradient of the table);
    differentiable again."""

    @staticmethod
    def forward(ctx, points, table, gradient, levels, for_points: bool, for_table: bool):
        ctx.save_for_backward(points, table, gradient)
        ctx.levels = levels
        ctx.set_materialize_grads(False)
        x, g, rows = (t.detach().contiguous().numpy() for t in (points, gradient, table))
        point_gradient = table_gradient = None
        if for_points and x.shape[1] == 2:
            point_gradient = _point_gradient_by_reference(points, table, gradient, levels)
        elif for_points:
            from . import numba

            result = np.empty_like(x)
            run_pieces(
                lambda first, last: numba.point_gradient(x, g, rows, *_columns(levels), first, last, result),
                split(len(g), threads()),
            )
            point_gradient = torch.from_numpy(result)
        if for_table:
            table_gradient = _scatter(_kernels(x).scatter, (x, g), table, levels)
        return point_gradient, table_gradient

    @staticmethod
    def backward(ctx, point_cotangent, table_cotangent):
        points, table, gradient = ctx.saved_tensors
        plane = ctx.saved_tensors[0].shape[1] == 2
        if table_cotangent is not None or (plane and point_cotangent is not None):
            return *_second_order_by_reference(ctx, point_cotangent, table_cotangent), None, None, None
        if point_cotangent is None:
            return (None,) * 6
        from . import numba

        levels = ctx.levels
        x, v, g, rows = (t.detach().contiguous().numpy() for t in (points, point_cotangent, gradient, table))
        v = np.where((x >= 0) & (x <= 1), v, np.float32(0))  # a clamped coordinate has no gradient
        point_gradient = table_gradient = None
        if ctx.needs_input_grad[0]:
            result = np.empty_like(x)
            run_pieces(
                lambda first, last: numba.point_gradient_tangent(
                    x, v, g, rows, *_columns(levels), first, last, result
                ),
                split(len(g), threads()),
            )
            point_gradient = torch.from_numpy(np.where((x >= 0) & (x <= 1), result, np.float32(0)))
        if ctx.needs_input_grad[1]:
            table_gradient = _scatter(numba.scatter_tangent, (x, v, g), table, levels)
        encoded = np.empty_like(g)
        _each_level(
            levels,
            lambda scale, shift, stride, level, part, first, last: numba.encode_tangent(
                x, v, rows[part], scale, shift, stride, level, first, last, encoded
            ),
            len(g),
        )
        return point_gradient, table_gradient, torch.from_numpy(encoded), None, None, None


def _scatter(kernel, arrays: tuple[np.ndarray, ...], table: Tensor, levels: tuple[Level, ...]) -> Tensor:
    result = np.zeros(tuple(table.shape), np.float32)
    _each_level(
        levels,
        lambda scale, shift, stride, level, part: kernel(*arrays, scale, shift, stride, level, result[part]),
    )
    return torch.from_numpy(result)


def _point_gradient_by_reference(points, table, gradient, levels) -> Tensor:
    points = points.detach().requires_grad_()
    with torch.enable_grad():
        encoded = block(reference.encode(points, table.detach(), levels))
        return torch.autograd.grad(encoded, points, gradient)[0]


def _second_order_by_reference(ctx, point_cotangent, table_cotangent):
    """Gradients of <cotangents, first-order gradients> by the reference's own double backward."""
    inputs = [t.detach().requires_grad_() for t in ctx.saved_tensors]
    points, table, gradient = inputs
    with torch.enable_grad():
        encoded = block(reference.encode(points, table, ctx.levels))
        firsts = torch.autograd.grad(encoded, (points, table), gradient, create_graph=True)
        total = sum(
            (first * cotangent).sum()
            for first, cotangent in zip(firsts, (point_cotangent, table_cotangent))
            if cotangent is not None
        )
        return torch.autograd.grad(total, inputs, allow_unused=True)
