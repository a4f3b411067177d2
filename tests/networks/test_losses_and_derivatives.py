"""Derivatives in closed form; losses that vanish where their papers say so."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from isofield.networks.derivatives import laplacian, value_and_gradient
from isofield.networks.losses import (
    igr_loss,
    igr_loss_without_normals,
    sal_loss,
    sal_reconstruction_loss,
    siren_sdf_loss,
)
from isofield.networks.mlp import MLP
from isofield.networks.siren import Siren

points = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
on_sphere = nn.functional.normalize(points, dim=-1)


def sphere(x):
    """Signed distance to the unit sphere."""
    return x.norm(dim=-1, keepdim=True) - 1


def test_gradient_of_a_quadratic_form_is_linear_and_its_laplacian_is_twice_the_trace():
    matrix = torch.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, -4.0]], dtype=torch.float64)

    def field(x):
        return (x @ matrix * x).sum(-1, keepdim=True)

    values, gradient = value_and_gradient(field, points)
    torch.testing.assert_close(values, field(points))
    torch.testing.assert_close(gradient, 2 * points @ matrix)
    torch.testing.assert_close(laplacian(field, points), torch.full((40,), 2 * (2 + 1 - 4.0)).double())


def test_laplacian_of_the_newtonian_potential_vanishes():
    values = laplacian(lambda x: 1 / x.norm(dim=-1, keepdim=True), 2 * on_sphere + 0.1)
    torch.testing.assert_close(values, torch.zeros_like(values), rtol=0, atol=1e-12)


def test_laplacian_of_a_network_of_relus_is_zero():
    assert laplacian(MLP(3, [8, 8], 1).double(), points).abs().max() == 0


def test_signed_distance_of_a_sphere_has_no_igr_loss():
    on, on_gradient = value_and_gradient(sphere, on_sphere)
    _, off_gradient = value_and_gradient(sphere, 2 * points)
    terms = igr_loss(on[:, 0], on_gradient, on_sphere, off_gradient)
    assert set(terms) == {"surface", "normal", "eikonal"}
    assert sum(terms.values()).item() < 1e-12
    on, on_gradient = value_and_gradient(lambda x: 2 * sphere(x) + 1, on_sphere)
    terms = igr_loss(on[:, 0], on_gradient, on_sphere, 3 * off_gradient)
    assert [round(terms[name].item(), 9) for name in ("surface", "normal", "eikonal")] == [1.0, 1.0, 0.4]
    alone = igr_loss_without_normals(on[:, 0], 3 * off_gradient)
    assert alone == {name: terms[name] for name in ("surface", "eikonal")}


def test_signed_distance_of_a_sphere_has_no_siren_loss_but_off_the_surface():
    x = torch.cat([on_sphere, 3 * on_sphere])
    values, gradients = value_and_gradient(sphere, x)
    on_surface = torch.arange(80) < 40
    normals = torch.where(on_surface[:, None], on_sphere.repeat(2, 1), -1.0)
    terms = siren_sdf_loss(values[:, 0], gradients, normals, on_surface)
    assert terms["surface"] + terms["normal"] + terms["eikonal"] < 1e-9
    assert terms["space"].item() == pytest.approx(0.0)  # 100 exp(-200) / 2
    near = siren_sdf_loss(0.01 * values[:, 0], gradients, normals, on_surface)["space"]
    assert near.item() == pytest.approx(100 * 0.5 * torch.exp(torch.tensor(-2.0)).item(), rel=1e-6)


@given(st.lists(st.sampled_from([-1.0, 1.0]), min_size=40, max_size=40))
@settings(max_examples=20)
def test_sal_loss_does_not_see_signs(signs):
    distance = sphere(points)[:, 0].abs()
    assert sal_loss(torch.tensor(signs).double() * distance, distance)["distance"].item() == 0


def test_sal_reconstruction_loss_vanishes_for_plus_and_minus_one_around_a_surface_of_zeros():
    terms = sal_reconstruction_loss(torch.tensor([-1.0, 1.0, 1.0]), torch.zeros(4))
    assert [terms["space"].item(), terms["surface"].item()] == [0, 0]


def test_eikonal_terms_reach_the_parameters():
    torch.manual_seed(0)
    network = Siren(hidden_features=16, hidden_layers=1).double()
    _, gradients = value_and_gradient(network, points)
    terms = igr_loss(torch.zeros(40).double(), gradients, on_sphere, gradients)
    terms["eikonal"].backward()
    step, bias = 1e-6, network.layers[0].bias
    with torch.no_grad():
        slopes = []
        for sign in (1, -1):
            bias[0] += sign * step
            with torch.enable_grad():
                _, gradients = value_and_gradient(network, points)
            slopes.append(igr_loss(torch.zeros(40).double(), gradients, on_sphere, gradients)["eikonal"])
            bias[0] -= sign * step
    assert bias.grad[0].item() == pytest.approx(((slopes[0] - slopes[1]) / (2 * step)).item(), rel=1e-5)
