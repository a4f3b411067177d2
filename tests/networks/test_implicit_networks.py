"""Perceptrons, SIREN, DeepSDF's decoder: initialisation and structure."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from isofield.networks.deepsdf import DeepSDFDecoder
from isofield.networks.geometric import AddTanh, igr_network, initialise_as_sphere, sal_decoder
from isofield.networks.mlp import MLP, WeightNormLinear, normalise_weights
from isofield.networks.siren import Siren, relu_positional_key, relu_positional_network, siren_key


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_perceptron_without_hidden_layers_is_its_linear_layer():
    mlp, x = MLP(3, [], 2), torch.randn(5, 3)
    assert torch.equal(mlp(x), mlp.lin0(x))


def test_layer_before_a_skip_is_narrower_by_the_input_and_the_next_one_gets_hidden_and_input_in_this_order():
    mlp, x = MLP(3, [8, 8], 1, skips=[1], skip_scale=0.5), torch.randn(5, 3)
    assert mlp.lin0.out_features == 5
    joined = torch.cat([mlp.lin0(x).relu(), x], 1) * 0.5
    torch.testing.assert_close(mlp(x), mlp.lin2(mlp.lin1(joined).relu()))


def test_normalised_weights_start_without_changing_the_network():
    mlp, x = MLP(3, [16, 16], 1, skips=[1]), torch.randn(20, 3)
    before = mlp(x)
    normalise_weights(mlp)
    assert [type(layer) for layer in mlp.layers] == [WeightNormLinear, WeightNormLinear, nn.Linear]
    torch.testing.assert_close(mlp(x), before)


@given(st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_output_of_a_weight_normalised_layer_does_not_depend_on_the_length_of_its_rows(factor):
    layer, x = WeightNormLinear(nn.Linear(4, 6)).double(), torch.randn(3, 4, dtype=torch.float64)
    before = layer(x)
    with torch.no_grad():
        layer.weight_v *= factor
    torch.testing.assert_close(layer(x), before)
    with torch.no_grad():
        layer.weight_g *= 2
    torch.testing.assert_close(layer(x) - layer.bias, 2 * (before - layer.bias))


@pytest.mark.parametrize(("slope", "radius"), [(1.0, 1.0), (2.0, 1.0), (1.0, 0.4)])
def test_geometric_initialisation_approximates_the_distance_to_a_sphere(slope, radius):
    mlp = MLP(3, [1024] * 3, 1)
    initialise_as_sphere(mlp, radius, slope)
    directions = nn.functional.normalize(torch.randn(100, 3), dim=-1)
    for r in (0.0, 0.5, 1.0, 2.0):
        values = mlp(r * directions)
        # the slope of one draw is off by about sqrt(2 / width) a layer: five such deviations
        assert values.mean().item() == pytest.approx(
            slope * r - radius, abs=5 * slope * r * math.sqrt(6 / 1024) + 1e-6
        )
        assert values.std().item() <= 0.15 * slope * r + 1e-6


@pytest.mark.parametrize("network", [igr_network, sal_decoder])
def test_networks_for_raw_points_start_negative_inside_and_positive_outside(network):
    field = network()
    directions = nn.functional.normalize(torch.randn(200, 3), dim=-1)
    assert (field(0.1 * directions) < 0).all()
    assert (field(2.0 * directions) > 0).all()


def test_adding_tanh_keeps_signs_and_doubles_the_slope_at_zero():
    values = torch.linspace(-3, 3, 61, dtype=torch.float64)[:, None].requires_grad_()
    out = AddTanh()(values)
    assert (out.sign() == values.detach().sign()).all()
    (slope,) = torch.autograd.grad(out.sum(), values)
    assert slope[30].item() == pytest.approx(2.0)


@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 3), st.floats(1, 60))
@settings(max_examples=25, deadline=None)
def test_siren_weights_start_within_the_published_bounds(axes, width, layers, omega):
    network = Siren(axes, 2, width, layers, omega)
    assert len(network.layers) == layers + 2
    for k, layer in enumerate(network.layers):
        bound = 1 / axes if k == 0 else math.sqrt(6 / layer.in_features) / omega
        assert layer.weight.abs().max() <= bound * (1 + 1e-6)
        assert layer.bias.abs().max() <= 1 / math.sqrt(layer.in_features)


def test_siren_activations_keep_their_distribution_through_the_layers():
    """Sitzmann et al. 2020, theorem 1.8: arguments of sines are about N(0, 1), outputs have variance 1/2."""
    x, network = 2 * torch.rand(2000, 3) - 1, Siren(hidden_layers=6)
    for k, layer in enumerate(network.layers[:-1]):
        argument = network.omega * (x @ layer.weight.T)
        if k > 0:
            assert argument.std().item() == pytest.approx(1.0, abs=0.1)
        x = torch.sin(network.omega * layer(x))
        assert x.var().item() == pytest.approx(0.5, abs=0.1)


def test_siren_is_periodic_features_and_a_linear_layer_without_hidden_layers():
    network, x = Siren(2, 1, 8, 0), torch.randn(7, 2)
    expected = torch.sin(30 * network.layers[0](x)) @ network.layers[1].weight.T + network.layers[1].bias
    torch.testing.assert_close(network(x), expected)


def test_published_keys_name_every_parameter_of_our_networks():
    published = [f"net.net.{k}.0.{p}" for k in range(5) for p in ("weight", "bias")]
    assert {siren_key(key) for key in published} == set(Siren().state_dict())
    assert {relu_positional_key(key) for key in published} == set(relu_positional_network().state_dict())


def test_relu_network_keeps_the_scale_of_activations():
    """Kaiming's initialisation: the second moment stays that of the encoding's output, within a factor 2."""
    encoding, mlp = relu_positional_network(hidden_features=512)
    hidden = encoding(2 * torch.rand(500, 3) - 1)
    moment = (hidden**2).mean()
    for layer in mlp.layers[:-1]:
        hidden = layer(hidden).relu()
        assert 0.5 < ((hidden**2).mean() / moment).item() < 2


def test_deepsdf_decoder_stays_within_one_and_drops_out_in_training_alone():
    decoder, rows = DeepSDFDecoder(8, [32] * 3, dropout=[0, 1, 2], latent_in=[2]), 10 * torch.randn(50, 11)
    assert decoder(rows).abs().max() < 1
    assert not torch.equal(decoder(rows), decoder(rows))
    decoder.eval()
    assert torch.equal(decoder(rows), decoder(rows))


def test_deepsdf_latent_dropout_touches_the_code_alone():
    decoder = DeepSDFDecoder(8, [32] * 3, dropout=None, latent_in=[], latent_dropout=True)
    rows = torch.randn(50, 11)
    assert not torch.equal(decoder(rows), decoder(rows))
    rows[:, :8] = 0
    assert torch.equal(decoder(rows), decoder(rows))


def test_a_second_tanh_squeezes_the_output():
    once = DeepSDFDecoder(0, [16], dropout=None, latent_in=[], weight_norm=False, norm_layers=[])
    twice = DeepSDFDecoder(
        0, [16], dropout=None, latent_in=[], weight_norm=False, norm_layers=[], use_tanh=True
    )
    twice.load_state_dict(once.state_dict())
    x = torch.randn(9, 3)
    torch.testing.assert_close(twice(x), once(x).tanh())
