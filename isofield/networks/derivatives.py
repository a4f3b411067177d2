"""Derivatives of fields with respect to their points."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["laplacian", "value_and_gradient"]


def value_and_gradient(
    field: Callable[[Tensor], Tensor], points: Float[Tensor, "points axes"]
) -> tuple[Float[Tensor, "points values"], Float[Tensor, "points axes"]]:
    """Values of `field` at `points` and the gradient of their sum, both to be differentiated again."""
    points = points.detach().requires_grad_()
    values = field(points)
    (gradient,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    return values, gradient


def laplacian(
    field: Callable[[Tensor], Tensor], points: Float[Tensor, "points axes"]
) -> Float[Tensor, "points"]:
    """Sum of the second derivatives of `field`'s first value along each axis; can be differentiated again.

    It is 0 everywhere for a network of ReLUs, whose pieces are linear.
    """
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(field(points)[:, 0].sum(), points, create_graph=True)
    second = [
        torch.autograd.grad(component.sum(), points, create_graph=True, materialize_grads=True)[0][:, axis]
        for axis, component in enumerate(gradient.unbind(1))
    ]
    return torch.stack(second).sum(0)
