"""A small fully connected network with ReLU between layers, the definition.

Its parameters lie in one flat vector: for each layer the weights [out, in], row by row, then the bias [out].
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["layers", "mlp"]


def layers(parameters: Float[Tensor, "parameters"], widths: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    """Views (weights [out, in], bias [out]) of the flat vector, layer by layer. widths: (input, hidden ...,
    output)."""
    result, start = [], 0
    for inputs, outputs in pairwise(widths):
        weights = parameters[start : start + inputs * outputs].view(outputs, inputs)
        start += inputs * outputs
        result.append((weights, parameters[start : start + outputs]))
        start += outputs
    return result


def mlp(
    blocks: Float[Tensor, "*blocks inputs points"],
    parameters: Float[Tensor, "parameters"],
    widths: tuple[int, ...],
) -> Float[Tensor, "*blocks outputs points"]:
    """The network on every column of every block."""
    *hidden, last = layers(parameters, widths)
    for weights, bias in hidden:
        blocks = torch.relu(weights @ blocks + bias[:, None])
    weights, bias = last
    return weights @ blocks + bias[:, None]
