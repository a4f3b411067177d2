"""The fused radiance network equals its definition, forward and backward."""

import numpy as np
import pytest
import torch

from isofield.kernels import hashgrid, radiance
from isofield.kernels.radiance import numba, reference
from isofield.networks.spherical_harmonics import SphericalHarmonics

WIDTHS = (16, 32, 16, 32)
UNIT = 3.0


class Case:
    """Random samples of rays, networks, and pixels of `group` rays each."""

    def __init__(self, counts, group=1, widths=WIDTHS, opaque=0.0, seed=0):
        generator = torch.Generator().manual_seed(seed)
        normal = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
        uniform = lambda *shape: torch.rand(*shape, generator=generator)  # noqa: E731
        self.counts, self.group, self.widths = np.array(counts), group, widths
        self.starts = np.concatenate([[0], self.counts.cumsum()]).astype(np.int64)
        samples, rays, pixels = int(self.starts[-1]), len(counts), len(counts) // group
        self.trained = [
            normal(samples, widths[0]),
            *(0.2 * normal(size) for size in radiance.network_sizes(widths)),
        ]
        self.directions = torch.nn.functional.normalize(normal(rays, 3))
        self.lengths = (0.01 + 0.1 * uniform(samples)).numpy() + np.float32(opaque)
        self.places = uniform(samples).numpy()
        self.target, self.background = uniform(pixels, 4), uniform(pixels, 3)

    def error(self, features, dense, light):
        """`squared_error` of the compiled kernel."""
        return radiance.squared_error(
            hashgrid.block(features), dense, light, self.directions, self.starts, self.lengths, self.target,
            self.background, self.widths, UNIT,
        )  # fmt: skip

    def exact_look(self, features, dense, light):
        """The definition, double precision."""
        return reference.look(
            hashgrid.block(features.double()), dense.double(), light.double(), self.directions.double(),
            self.starts, self.places, self.lengths, self.widths, UNIT,
        )  # fmt: skip

    def exact_error(self, features, dense, light):
        return reference.squared_error(
            hashgrid.block(features.double()), dense.double(), light.double(), self.directions.double(),
            self.starts, self.lengths, self.target.double(), self.background.double(), self.widths, UNIT,
        )  # fmt: skip

    def look(self):
        features, dense, light = self.trained
        return radiance.look(
            hashgrid.block(features), dense, light, self.directions, self.starts, self.places, self.lengths,
            self.widths, UNIT,
        )  # fmt: skip

    def with_gradients(self, error):
        trained = [each.clone().requires_grad_() for each in self.trained]
        value = error(*trained)
        return value.detach(), *torch.autograd.grad(value, trained)


def drawn(rays, most, seed=0):
    return np.random.default_rng(seed).integers(0, most, rays).tolist()


CASES = {
    "one ray a pixel": {"counts": drawn(600, 40)},
    "four rays a pixel": {"counts": drawn(600, 40), "group": 4},
    "rays without samples": {"counts": [0, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0], "group": 4},
    "a ray fills the room": {"counts": [5, radiance.ROOM, 0, radiance.ROOM, 1]},
    "a pixel fills the room": {"counts": [256] * 8 + [1, 0, 1, 0] + [1021, 1, 1, 1], "group": 4},
    "borders of chunks": {"counts": [127, 1, 128, 129, 511, 128, 1, 896, 128, 1023, 1, 1, 512, 512, 512]},
    "opaque": {"counts": drawn(60, 40), "opaque": 1e4},
    "other widths": {"counts": drawn(60, 40), "widths": (8, 16, 4, 24)},
}


@pytest.mark.parametrize("name", CASES)
def test_error_and_gradients_equal_the_definition(name):
    case = Case(**CASES[name])
    for ours, expected in zip(case.with_gradients(case.error), case.with_gradients(case.exact_error)):
        scale = expected.abs().max().item()
        torch.testing.assert_close(ours.double(), expected.double(), rtol=1e-5, atol=5e-5 * scale)


@pytest.mark.parametrize("name", CASES)
def test_what_rays_see_equals_the_definition(name):
    case = Case(**CASES[name])
    seen = case.look()
    torch.testing.assert_close(seen.double(), case.exact_look(*case.trained), rtol=1e-5, atol=5e-6)
    assert not seen[case.counts == 0].any()


def test_gradients_of_the_definition_equal_finite_differences():
    case = Case([3, 0, 2, 4], group=2, widths=(2, 3, 2, 3))
    trained = [each.double().requires_grad_() for each in case.trained]
    assert torch.autograd.gradcheck(case.exact_error, trained, eps=1e-6, atol=1e-7)


def test_a_ray_without_samples_shows_the_background():
    case = Case([0, 0])
    value, *_ = case.with_gradients(case.error)
    expected = case.target[:, 3:] * case.background - case.target[:, :3]
    torch.testing.assert_close(value, expected.square().mean())


def test_densities_beyond_the_bound_count_as_the_bound():
    case = Case([4])
    _, bias = numba.layer_of(case.trained[1].numpy(), 16 * 32 + 32, 32, 16)
    bias[0] = 100
    case.lengths *= np.float32(1e-7)
    seen = case.look()
    torch.testing.assert_close(seen.double(), case.exact_look(*case.trained), rtol=1e-5, atol=5e-6)
    ours, expected = case.with_gradients(case.error)[2], case.with_gradients(case.exact_error)[2]
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=2e-5 * expected.abs().max().item())


def test_harmonics_are_those_of_the_networks():
    directions = torch.nn.functional.normalize(torch.randn(50, 3, generator=torch.Generator().manual_seed(0)))
    ours = np.empty((50, radiance.HARMONICS), np.float32)
    for direction, row in zip(directions.numpy(), ours):
        numba.harmonics(*direction, row)
    torch.testing.assert_close(torch.from_numpy(ours), SphericalHarmonics()(directions), rtol=0, atol=1e-6)


def test_a_ray_of_too_many_samples_is_refused():
    with pytest.raises(ValueError, match="more than 1024 samples"):
        Case([3, radiance.ROOM + 1]).look()


@pytest.mark.parametrize("group", [1, 4])
def test_results_are_bit_for_bit_those_of_one_thread(by_threads, group):
    case = Case(drawn(600, 40), group)
    one, *others = by_threads(lambda: (case.look(), *case.with_gradients(case.error)))
    for other in others:
        assert all(a.equal(b) for a, b in zip(one, other))


def test_gradients_follow_the_factor_on_the_error():
    case = Case(drawn(40, 20))
    once = case.with_gradients(case.error)
    thrice = case.with_gradients(lambda *trained: 3 * case.error(*trained))
    for a, b in zip(once[1:], thrice[1:]):
        torch.testing.assert_close(3 * a, b)


def test_colours_that_are_black_beyond_measure_are_numbers():
    case = Case(drawn(60, 40))
    case.trained[2] *= 60  # logits of thousands
    seen = case.look()
    assert seen.isfinite().all()
    torch.testing.assert_close(seen.double(), case.exact_look(*case.trained), rtol=1e-4, atol=1e-4)
    assert all(each.isfinite().all() for each in case.with_gradients(case.error))
