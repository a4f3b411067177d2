"""Closed-form shapes: signed distances (negative inside) with their area, volume and Euler number."""

import math
from dataclasses import dataclass

import pytest
import torch


@dataclass(frozen=True)
class ClosedForm:
    distance: object
    area: float
    volume: float
    euler: int
    components: int = 1


def sphere(radius=0.6, centre=(0.05, -0.03, 0.02)):
    return lambda p: (p - torch.tensor(centre)).norm(dim=1) - radius


def box(half=(0.5, 0.41, 0.33)):
    def distance(p):
        q = p.abs() - torch.tensor(half)
        return q.clamp(min=0).norm(dim=1) + q.amax(dim=1).clamp(max=0)

    return distance


def torus(ring=0.53, tube=0.22):
    return lambda p: torch.hypot(torch.hypot(p[:, 0], p[:, 1]) - ring, p[:, 2]) - tube


def two_spheres():
    a, b = sphere(0.3, (-0.45, 0.1, 0.0)), sphere(0.25, (0.5, 0.0, 0.1))
    return lambda p: torch.minimum(a(p), b(p))


@pytest.fixture(scope="session")
def shapes():
    tau = 2 * math.pi
    return {
        "sphere": ClosedForm(sphere(), 2 * tau * 0.6**2, 2 * tau / 3 * 0.6**3, 2),
        "box": ClosedForm(box(), 8 * (0.5 * 0.41 + 0.41 * 0.33 + 0.33 * 0.5), 8 * 0.5 * 0.41 * 0.33, 2),
        "torus": ClosedForm(torus(), tau**2 * 0.53 * 0.22, tau**2 / 2 * 0.53 * 0.22**2, 0),
        "two_spheres": ClosedForm(
            two_spheres(), 2 * tau * (0.3**2 + 0.25**2), 2 * tau / 3 * (0.3**3 + 0.25**3), 4, 2
        ),
    }
