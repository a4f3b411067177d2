"""The fused network equals its definition and torch's own layers."""

import pytest
import torch

from isofield.kernels.hashgrid import block, unblock
from isofield.kernels.mlp import layers, mlp, parameter_count, reference
from isofield.runtime import threads

WIDTHS = [(16, 32, 32, 1), (6, 16, 3), (5, 24, 8, 12, 4)]


def inputs(widths, count=300):
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(parameter_count(widths), generator=generator) * 0.5
    return torch.randn(count, widths[0], generator=generator), flat


@pytest.mark.parametrize("widths", WIDTHS)
def test_reference_equals_torch_linear_layers(widths):
    x, flat = inputs(widths)
    value = x
    for index, (weights, bias) in enumerate(layers(flat, widths)):
        value = torch.nn.functional.linear(value, weights, bias)
        value = value.relu() if index < len(widths) - 2 else value
    torch.testing.assert_close(
        unblock(reference.mlp(block(x), flat, widths), len(x)), value, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("widths", WIDTHS)
def test_values_and_gradients_equal_the_reference(widths):
    x, flat = inputs(widths)
    results = []
    for network in (mlp, reference.mlp):
        x_, flat_ = x.clone().requires_grad_(), flat.clone().requires_grad_()
        out = unblock(network(block(x_), flat_, widths), len(x))
        results.append((out, *torch.autograd.grad(torch.sin(out).sum(), (x_, flat_))))
    for fast, slow in zip(*results):
        torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4 * slow.abs().max().item())


def test_second_derivatives_equal_the_reference():
    widths = (3, 16, 16, 1)
    x, flat = inputs(widths, 100)
    results = []
    for network in (mlp, reference.mlp):
        x_, flat_ = x.clone().requires_grad_(), flat.clone().requires_grad_()
        slope = torch.autograd.grad(
            torch.tanh(unblock(network(block(x_), flat_, widths), 100)).sum(), x_, create_graph=True
        )[0]
        results.append(torch.autograd.grad(((slope.norm(dim=1) - 1) ** 2).sum(), flat_)[0])
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-3)


def test_gradients_are_equal_bit_for_bit_at_any_number_of_threads():
    widths = (16, 32, 32, 1)
    x, flat = inputs(widths, 5000)
    before, gradients = threads.threads(), []
    for count in (1, 2, 5):
        threads.set_threads(count)
        flat_ = flat.clone().requires_grad_()
        gradients.append(torch.autograd.grad(mlp(block(x), flat_, widths).sin().sum(), flat_)[0])
    threads.set_threads(before)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


def test_a_point_has_the_same_value_in_any_batch_and_lane():
    widths = (16, 32, 32, 1)
    x, flat = inputs(widths, 1000)
    whole = unblock(mlp(block(x), flat, widths), 1000)
    for start in (1, 77, 613):
        assert torch.equal(whole[start:], unblock(mlp(block(x[start:]), flat, widths), 1000 - start))
