"""The one-pass Adam equals its definition and torch's."""

import pytest
import torch

from isofield.kernels.adam import Adam


def train(optimiser_class, **settings):
    torch.manual_seed(0)
    parameters = [torch.randn(7, 3).requires_grad_(), torch.randn(50_000).requires_grad_()]
    optimiser = optimiser_class(parameters, **settings)
    for step in range(5):
        for parameter in parameters:
            parameter.grad = torch.sin(parameter.detach() * (step + 1))
        optimiser.step()
    return parameters


@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_equals_torch_adam(backend, monkeypatch):
    monkeypatch.setenv("ISOFIELD_KERNELS", backend)
    ours = train(Adam, rate=1e-2, betas=(0.9, 0.99), eps=1e-8)
    theirs = train(torch.optim.Adam, lr=1e-2, betas=(0.9, 0.99), eps=1e-8)
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_first_step_moves_every_touched_entry_by_the_rate_and_leaves_untouched_ones():
    parameter = torch.zeros(100).requires_grad_()
    parameter.grad = torch.zeros(100)
    parameter.grad[:50] = torch.logspace(-10, 3, 50)
    Adam([parameter], rate=0.5).step()
    torch.testing.assert_close(parameter[:50].detach(), torch.full((50,), -0.5), rtol=1e-4, atol=0)
    assert torch.equal(parameter[50:].detach(), torch.zeros(50))


def test_parameters_without_gradient_are_left_alone():
    parameter = torch.ones(3).requires_grad_()
    Adam([parameter]).step()
    assert torch.equal(parameter.detach(), torch.ones(3))
