"""Operations on solids: levels by closed forms, volumes by counting cells."""

import numpy as np
import pytest
import torch

from isofield.geometry.closed_forms import box_distance, sphere_distance
from isofield.geometry.combine import OPERATIONS, smooth_minimum

A, B = sphere_distance(0.5, (-0.2, 0.0, 0.0)), box_distance((0.3, 0.4, 0.5), (0.3, 0.0, 0.0))


def points(count: int = 20_000) -> torch.Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("union", lambda a, b: a | b),
        ("intersection", lambda a, b: a & b),
        ("difference", lambda a, b: a & ~b),
    ],
)
def test_sharp_operations_are_those_of_sets(name, inside):
    p = points()
    a, b = A(p), B(p)
    result = OPERATIONS[name].apply(a, b, 0.0) < 0
    assert torch.equal(result, inside(a < 0, b <= 0 if name == "difference" else b < 0))


@pytest.mark.parametrize("sharp", ["union", "intersection", "difference"])
def test_smooth_operations_differ_only_beside_both_surfaces(sharp):
    p, radius = points(), 0.2
    a, b = A(p), B(p)
    plain = OPERATIONS[sharp].apply(a, b, 0.0)
    smooth = OPERATIONS[f"smooth_{sharp}"].apply(a, b, radius)
    other = -b if sharp == "difference" else b
    apart = (a - other).abs() > radius
    assert torch.allclose(plain[apart], smooth[apart])
    assert float((plain - smooth).abs().max()) <= radius / 4 + 1e-6
    assert float((plain - smooth).abs().max()) > radius / 5


def test_the_smooth_minimum_has_a_continuous_slope():
    a = torch.linspace(-1, 1, 4001, dtype=torch.float64)
    slope = torch.diff(smooth_minimum(a, torch.zeros_like(a), 0.5)) / torch.diff(a)
    assert float(torch.diff(slope).abs().max()) < 2e-3
    assert float(slope[0]) == pytest.approx(1)
    assert float(slope[-1]) == pytest.approx(0)


def test_offset_and_shell_of_a_ball_are_balls():
    p = points()
    radius = p.norm(dim=1)
    ball = sphere_distance(0.5)(p)
    assert torch.equal(OPERATIONS["offset"].apply(ball, None, 0.1) < 0, radius < 0.6)
    inside = OPERATIONS["shell"].apply(ball, None, 0.1) < 0
    assert np.mean(inside.numpy() == ((radius < 0.5) & (radius > 0.4)).numpy()) > 0.9999
