"""Weights in fewer bits: float16, or 8 bits with a scale for every block of weights."""

from typing import Literal, get_args

import torch
from torch import Tensor

__all__ = ["PRECISIONS", "Precision", "in_precision", "stored_bytes", "with_full_precision"]

Precision = Literal["float32", "float16", "int8"]
PRECISIONS = get_args(Precision)
BLOCK = 256  # weights that share a scale
FEW = 4096  # a tensor of fewer weights is kept as float16: small layers feel every bit, and cost none
SCALES = "/scales"  # of NAME: how its 8-bit blocks are to be multiplied


def in_precision(tensors: dict[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """The tensors as they are stored; those that are not floating-point are kept as they are.

    int8: block b of 256 successive weights is round(w / s_b) in [-127, 127], s_b = max |w| / 127 in float16,
    stored as NAME and NAME/scales; small tensors stay float16.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or precision == "float32":
            stored[name] = tensor
        elif precision == "float16" or tensor.numel() < FEW:
            stored[name] = tensor.half()
        else:
            blocks = torch.nn.functional.pad(tensor.flatten(), (0, -tensor.numel() % BLOCK)).view(-1, BLOCK)
            scales = (blocks.abs().amax(1) / 127).half()
            steps = blocks / scales.float().clamp_min(torch.finfo(torch.float16).tiny)[:, None]
            whole = steps.round().clamp(-127, 127).to(torch.int8)
            stored[name] = whole.flatten()[: tensor.numel()].view(tensor.shape)
            stored[name + SCALES] = scales
    return stored


def with_full_precision(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that `in_precision` stored, as float32 where they are numbers of any precision."""
    tensors = {}
    for name, tensor in stored.items():
        if name.endswith(SCALES):
            continue
        if name + SCALES in stored:
            factors = stored[name + SCALES].float().repeat_interleave(BLOCK)[: tensor.numel()]
            tensor = tensor.float() * factors.view(tensor.shape)
        tensors[name] = tensor.float() if tensor.dtype == torch.float16 else tensor
    return tensors


def stored_bytes(stored: dict[str, Tensor]) -> int:
    """Bytes of the tensors themselves, names and headers not counted."""
    return sum(tensor.numel() * tensor.element_size() for tensor in stored.values())
