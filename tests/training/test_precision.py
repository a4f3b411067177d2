"""Weights in fewer bits."""

import pytest
import torch

from isofield.training.precision import in_precision, stored_bytes, with_full_precision

TENSORS = {
    "table": torch.randn(1000, 7, generator=torch.Generator().manual_seed(0))
    * torch.logspace(-6, 0, 1000)[:, None],
    "bias": torch.linspace(-1, 1, 5),
    "count": torch.tensor(3),
    "zeros": torch.zeros(5000),
}


@pytest.mark.parametrize(("precision", "size"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_tensors_come_back_with_their_names_shapes_and_nearly_their_values(precision, size):
    stored = in_precision(TENSORS, precision)
    again = with_full_precision(stored)
    assert again.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert again[name].shape == tensor.shape
        assert again[name].dtype == tensor.dtype
    assert torch.equal(again["count"], TENSORS["count"])
    assert torch.equal(again["zeros"], TENSORS["zeros"])
    block = (
        TENSORS["table"].flatten()[:6912].view(-1, 256)
    )  # 8 bits keep each block to half a step of its own
    found = again["table"].flatten()[:6912].view(-1, 256)
    bound = {"float32": 0.0, "float16": 1e-3, "int8": 0.502 / 127}[precision]
    assert bool(((block - found).abs() <= bound * block.abs().amax(1, keepdim=True) + 1e-7).all())
    assert stored_bytes(stored) == pytest.approx(size * 12_000, rel=0.02)
