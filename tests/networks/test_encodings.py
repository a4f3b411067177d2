"""Every encoding's documented order, widths and invariances."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.networks.encodings import (
    CosineFirstFourierFeatures,
    FourierFeatures,
    Identity,
    InterleavedPositionalEncoding,
    PositionalEncoding,
    basic_frequencies,
    gaussian_frequencies,
    octave_frequencies,
    octave_frequencies_by_axis,
    octave_frequencies_less_one,
)
from isofield.networks.spherical_harmonics import (
    CONDON_SHORTLEY_SIGNS,
    PLAIN_SIGNS,
    SphericalHarmonics,
    spherical_harmonics,
)

coordinate = st.floats(-1, 1)
point = st.tuples(coordinate, coordinate, coordinate).map(lambda p: torch.tensor(p, dtype=torch.float64))


@pytest.mark.parametrize(
    "encoding",
    [
        Identity(2),
        PositionalEncoding(3, 4),
        PositionalEncoding(2, 3, math.pi, include_input=False),
        InterleavedPositionalEncoding(3, 5),
        FourierFeatures(gaussian_frequencies(7)),
        CosineFirstFourierFeatures(octave_frequencies(3, 5.0)),
        SphericalHarmonics(2),
    ],
    ids=lambda encoding: type(encoding).__name__,
)
def test_encodings_have_the_widths_that_they_state_for_any_batch_shape_and_precision(encoding):
    for dtype in (torch.float32, torch.float64):
        encoding = encoding.to(dtype)
        for batch in ((), (5,), (2, 3)):
            out = encoding(torch.rand(*batch, encoding.in_features, dtype=dtype))
            assert out.shape == (*batch, encoding.out_features)
            assert out.dtype == dtype


def test_positional_encoding_is_in_the_documented_order():
    sin, cos = math.sin, math.cos
    out = PositionalEncoding(2, 2).double()(torch.tensor([0.3, 0.7], dtype=torch.float64))
    expected = [0.3, 0.7, sin(0.3), sin(0.7), cos(0.3), cos(0.7), sin(0.6), sin(1.4), cos(0.6), cos(1.4)]
    np.testing.assert_allclose(out, expected, rtol=1e-15)


def test_interleaved_encoding_is_in_the_documented_order():
    sin, cos, pi = math.sin, math.cos, math.pi
    out = InterleavedPositionalEncoding(2, 2).double()(torch.tensor([0.3, 0.7], dtype=torch.float64))
    expected = [0.3, 0.7, *(f(k * pi * x) for k in (1, 2) for x in (0.3, 0.7) for f in (sin, cos))]
    np.testing.assert_allclose(out, expected, rtol=1e-14)


def test_fourier_features_are_in_the_documented_order():
    rows = torch.tensor([[1.0, 0.0], [2.0, 1.0]], dtype=torch.float64)
    x, scale = torch.tensor([0.1, 0.2], dtype=torch.float64), torch.tensor([1.0, 0.5], dtype=torch.float64)
    angles = [2 * math.pi * 0.1, 2 * math.pi * 0.4]
    waves = [[f(a) * s for a, s in zip(angles, (1.0, 0.5))] for f in (math.sin, math.cos)]
    np.testing.assert_allclose(FourierFeatures(rows, scale)(x), waves[0] + waves[1], rtol=1e-12)
    np.testing.assert_allclose(
        CosineFirstFourierFeatures(rows, scale)(2 * x), waves[1] + waves[0], rtol=1e-12
    )


@given(point, point, point)
def test_products_of_fourier_features_depend_on_the_difference_of_points_alone(x, y, shift):
    """The kernel of Tancik et al. 2020, section 5: features have products sum a^2 cos(2 pi b.(x - y))."""
    frequencies = gaussian_frequencies(32, 2.0, generator=torch.Generator().manual_seed(0)).double()
    encode = FourierFeatures(frequencies)
    product = encode(x) @ encode(y)
    assert torch.isclose(product, encode(x + shift) @ encode(y + shift), rtol=0, atol=1e-9)
    assert torch.isclose(product, (2 * math.pi * frequencies @ (x - y)).cos().sum(), rtol=0, atol=1e-9)
    assert torch.isclose(encode(x) @ encode(x), torch.tensor(32.0, dtype=torch.float64))


def test_frequencies_are_those_documented():
    assert torch.equal(basic_frequencies(2), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert octave_frequencies_by_axis(3, 2.0).tolist() == [[0, 0], [1, 0], [3, 0], [0, 0], [0, 1], [0, 3]]
    assert octave_frequencies_less_one(3, 2.0, 2).tolist() == [[0, 0], [0, 0], [1, 0], [0, 1], [3, 0], [0, 3]]
    assert octave_frequencies(3, 2.0, 2).tolist() == [[1, 0], [0, 1], [2, 0], [0, 2], [4, 0], [0, 4]]
    draw = [gaussian_frequencies(4000, 5.0, generator=torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*draw)
    assert draw[0].std().item() == pytest.approx(5.0, rel=0.03)


def sphere_quadrature(order=16):
    """Directions and weights that integrate polynomials below degree `order` exactly over the sphere."""
    z, weight = np.polynomial.legendre.leggauss(order)
    azimuth = 2 * np.pi * np.arange(2 * order) / (2 * order)
    radius = np.sqrt(1 - z**2)[:, None]
    directions = np.stack(
        np.broadcast_arrays(radius * np.cos(azimuth), radius * np.sin(azimuth), z[:, None]), -1
    )
    weights = np.broadcast_to(weight[:, None] * np.pi / order, directions.shape[:2])
    return torch.from_numpy(directions.reshape(-1, 3)), torch.from_numpy(weights.ravel().copy())


def test_spherical_harmonics_are_orthonormal():
    directions, weights = sphere_quadrature()
    values = spherical_harmonics(directions)
    products = values.T @ (weights[:, None] * values)
    torch.testing.assert_close(products, torch.eye(25, dtype=torch.float64), rtol=0, atol=1e-13)


@given(point.filter(lambda p: p.norm() > 1e-3))
@settings(max_examples=30)
def test_squares_of_a_band_sum_to_a_constant(p):
    """Addition theorem: the squares of the 2 l + 1 values of band l sum to (2 l + 1) / (4 pi)."""
    values = spherical_harmonics(p / p.norm())
    for l in range(5):
        band = values[l * l : (l + 1) ** 2]
        assert (band**2).sum().item() == pytest.approx((2 * l + 1) / (4 * math.pi), rel=1e-9)


def test_sign_conventions_differ_in_the_odd_orders_alone():
    orders = [m for l in range(5) for m in range(-l, l + 1)]
    assert [-1.0 if m % 2 else 1.0 for m in orders] == list(CONDON_SHORTLEY_SIGNS)
    assert set(PLAIN_SIGNS) == {1.0}
    x, y, z = direction = torch.tensor([0.6, 0.0, 0.8])
    c = math.sqrt(3 / (4 * math.pi))
    torch.testing.assert_close(SphericalHarmonics(1, PLAIN_SIGNS)(direction)[1:], c * torch.stack([y, z, x]))
    torch.testing.assert_close(
        SphericalHarmonics(1, CONDON_SHORTLEY_SIGNS)(direction)[1:], c * torch.stack([-y, z, -x])
    )
