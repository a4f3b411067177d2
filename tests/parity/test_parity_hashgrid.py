"""The hash encoding equals the published conventions: tiny-cuda-nn, the paper, nerfstudio (pack
`hashgrid`)."""

import json

import numpy as np
import pytest
import torch

from isofield.kernels import hashgrid
from isofield.kernels.hashgrid import reference

CASES = ("tcnn3d", "tcnn3d_frac", "tcnn2d", "tcnn3d_smooth", "paper3d", "paper2d", "nerfstudio3d")


def levels_of(case: dict) -> tuple[reference.Level, ...]:
    if case["conv"].startswith("tcnn"):
        return hashgrid.tcnn_levels(case["L"], case["Nmin"], case["b"], case["log2T"], case["D"])
    if case["conv"] == "paper":
        finest = case["Nmin"] * case["b"] ** (case["L"] - 1)
        return hashgrid.paper_levels(case["L"], case["Nmin"], finest, case["log2T"], case["D"])
    return hashgrid.nerfstudio_levels(case["L"], case["Nmin"], case["Nmax"], case["log2T"])


@pytest.fixture(scope="module")
def pack(shared):
    folder = shared / "parity" / "hashgrid"
    return tuple(
        json.loads((folder / "pack.json").read_text())
        if name == "pack"
        else dict(np.load(folder / f"{name}.npz"))
        for name in ("pack", "inputs", "weights", "outputs")
    )


@pytest.mark.parametrize("name", CASES)
def test_reference_equals_the_published_encoding(pack, name):
    description, inputs, weights, outputs = pack
    case = description["cases"][name]
    levels, smooth = levels_of(case), bool(case.get("smooth"))
    x = torch.from_numpy(inputs[f"{name}/x"]).double().requires_grad_()
    table = torch.from_numpy(weights[f"{name}/table"]).double().requires_grad_()
    assert levels[-1].offset + levels[-1].rows == len(table)
    y = reference.encode(x, table, levels, smooth)
    gradients = torch.autograd.grad((y * torch.from_numpy(inputs[f"{name}/cotangent"])).sum(), (x, table))
    close = {"rtol": 1e-9, "atol": 1e-12}
    np.testing.assert_allclose(y.detach(), outputs[f"{name}/y"], **close)
    np.testing.assert_allclose(gradients[1], outputs[f"{name}/grad_table"], **close)
    # points on the border of the unit cube sit on the clamp's kink: its derivative there is torch's choice
    inner = ((x > 0) & (x < 1)).all(1).numpy()
    np.testing.assert_allclose(
        gradients[0].numpy()[inner], outputs[f"{name}/grad_x"][inner], rtol=1e-9, atol=1e-9
    )
    if f"{name}/corner_index" in outputs:
        for index, level in enumerate(levels):
            rows, corner_weights = reference.corners(x, level, smooth)
            stored = outputs[f"{name}/corner_index"][:, index]
            offset = (
                0 if stored.min() < level.offset else level.offset
            )  # stored within the level or within the table
            np.testing.assert_array_equal(rows - level.offset + offset, stored)
            np.testing.assert_allclose(
                corner_weights.detach(), outputs[f"{name}/corner_weight"][:, index], atol=1e-6
            )


@pytest.mark.parametrize("name", ["tcnn3d", "paper3d", "nerfstudio3d"])
def test_compiled_kernel_equals_the_published_encoding(pack, name):
    description, inputs, weights, outputs = pack
    levels = levels_of(description["cases"][name])
    x = torch.from_numpy(inputs[f"{name}/x"])
    table = torch.from_numpy(weights[f"{name}/table"]).float().requires_grad_()
    y = hashgrid.unblock(hashgrid.encode(x, table, levels), len(x))
    (y * torch.from_numpy(inputs[f"{name}/cotangent"])).sum().backward()
    np.testing.assert_allclose(y.detach(), outputs[f"{name}/y"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(table.grad, outputs[f"{name}/grad_table"], rtol=1e-4, atol=1e-4)
