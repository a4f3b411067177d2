"""Adam (Kingma and Ba 2015, algorithm 1), the definition."""

import torch
from torch import Tensor

__all__ = ["adam_step"]


def adam_step(
    parameter: Tensor,
    gradient: Tensor,
    mean: Tensor,
    variance: Tensor,
    step: int,
    rate: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """One update of `parameter` in place; `mean` and `variance` are the running moments. step counts from
    1."""
    beta1, beta2 = betas
    with torch.no_grad():
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        variance.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        corrected = (variance / (1 - beta2**step)).sqrt_().add_(eps)
        parameter.addcdiv_(mean, corrected, value=-rate / (1 - beta1**step))
