"""Coordinate networks by name, and the one for a number of parameters."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.methods.choice import Size
from isofield.networks.coordinate import FEWEST, LARGEST_SIREN, CoordinateNetwork
from isofield.networks.siren import Siren
from isofield.runtime.errors import InputError

SIZES = [4096, 16_384, 65_536, 262_144]  # bytes of float16 weights


def _count(network: CoordinateNetwork) -> int:
    return sum(parameter.numel() for parameter in network.build().parameters())


def test_width_and_omega_are_those_of_the_sines():
    built = CoordinateNetwork(kind="siren", width=24, omega=15.0).build()
    assert isinstance(built, Siren)
    assert built.omega == 15.0
    assert [tuple(layer.weight.shape) for layer in built.layers] == [(24, 3), *[(24, 24)] * 3, (1, 24)]


@pytest.mark.parametrize("size", SIZES)
def test_network_within_a_size_uses_most_of_it(size):
    network = CoordinateNetwork.within(size // 2)
    assert 0.85 * size <= 2 * _count(network) <= size
    assert network.parameters == _count(network)


@given(st.integers(FEWEST, 2_000_000))
@settings(max_examples=30, deadline=None)
def test_network_never_exceeds_the_parameters_and_uses_four_fifths_where_they_are_more_than_few(parameters):
    used = _count(CoordinateNetwork.within(parameters))
    assert used <= parameters
    assert used >= 0.8 * parameters or parameters < 1000


@pytest.mark.parametrize("parameters", [LARGEST_SIREN + 1, 32_768, 131_072, 1_000_000])
def test_coarsest_level_of_a_grid_within_a_size_is_not_hashed(parameters):
    assert CoordinateNetwork.within(parameters).build().grid.levels[0].stride > 0


def test_counting_parameters_leaves_the_random_state_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    assert CoordinateNetwork().parameters > 0
    assert torch.equal(torch.rand(1), expected)


def test_too_few_parameters_are_refused():
    with pytest.raises(InputError, match="too few"):
        CoordinateNetwork.within(FEWEST - 1)


def test_smaller_networks_look_further_from_the_surface():
    bands = [Size.within(size // 2).band for size in SIZES]
    assert bands == sorted(bands, reverse=True)
