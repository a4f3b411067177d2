"""The compiled compositing equals its definition, forward and backward."""

import pytest
import torch

from isofield.kernels.composite import composite, reference

CASES = {
    "many rays": [5, 0, 9, 1, 14, 3, 0] * 20,
    "a single sample": [1],
    "no sample": [0, 0],
    "no ray": [],
    "a long ray": [2000],
}


def rays(counts, density=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    samples, drawn = sum(counts), lambda *shape: torch.rand(*shape, generator=generator)
    first = torch.tensor([0, *counts]).cumsum(0)
    return density * drawn(samples), drawn(samples, 3), 0.1 * drawn(samples), 4 * drawn(samples), first


def seen_and_gradients(function, density, colours, lengths, places, first):
    density, colours = density.clone().requires_grad_(), colours.clone().requires_grad_()
    seen = function(density, colours, lengths, places, first)
    seen = (
        seen if isinstance(seen, torch.Tensor) else torch.cat([seen[0], *(a[:, None] for a in seen[1:])], 1)
    )
    coefficients = torch.linspace(-1, 1, seen.numel(), dtype=seen.dtype).view(seen.shape)
    return seen.detach(), *torch.autograd.grad((seen * coefficients).sum(), (density, colours))


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_equal_the_definition(name):
    given = rays(CASES[name])
    exact = (*(each.double() for each in given[:4]), given[4])
    for ours, expected in zip(
        seen_and_gradients(composite, *given), seen_and_gradients(reference.composite, *exact)
    ):
        torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=1e-5)


def test_opaque_samples_hide_what_is_behind_them_and_leave_what_is_before():
    density, colours, lengths, places, first = rays([6, 6])
    density[2] = density[9] = density[11] = 1e4 / 0.05
    lengths[[2, 9, 11]] = 0.05
    given = density, colours, lengths, places, first
    exact = (*(each.double() for each in given[:4]), first)
    ours = seen_and_gradients(composite, *given)
    for mine, expected in zip(ours, seen_and_gradients(reference.composite, *exact)):
        torch.testing.assert_close(mine.double(), expected, rtol=1e-5, atol=1e-6)
    assert not ours[1][3:6].any()
    assert not ours[2][3:6].any()
    torch.testing.assert_close(ours[0][:, 3], torch.ones(2))


def test_thin_samples_keep_their_digits():
    density, colours, lengths, places, first = rays([3], density=1e-6)
    _, opacity, _ = composite(density, colours, lengths, places, first)
    torch.testing.assert_close(opacity, (density * lengths).sum()[None], rtol=1e-5, atol=0)


def test_lengths_and_places_are_constants_in_every_precision():
    for kind in (torch.float32, torch.float64):
        density, colours, lengths, places, first = rays([4, 2])
        varied = [each.to(kind).requires_grad_() for each in (density, colours, lengths, places)]
        sum(each.sum() for each in composite(*varied, first)).backward()
        assert [each.grad is None for each in varied] == [False, False, True, True]


def test_results_do_not_depend_on_the_number_of_threads(by_threads):
    given = rays(CASES["many rays"])
    one, *others = by_threads(lambda: seen_and_gradients(composite, *given))
    for other in others:
        assert all(a.equal(b) for a, b in zip(one, other))
