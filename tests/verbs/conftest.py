"""Shapes and a small training that the tests of the verbs share."""

from pathlib import Path

import numpy as np
import pytest

from isofield.data.shape import Shape
from isofield.extraction.surface import extract_surface
from isofield.geometry.level import Below
from isofield.verbs.options import TrainOptions
from isofield.verbs.run import Run
from isofield.verbs.train import train

SMALL = {"points": 4096, "network": {"levels": 3, "coarsest": 8, "finest": 32, "log2_table": 15}}


def ball(radius: float = 0.8, centre: tuple[float, float, float] = (0.0, 0.0, 0.0), **more) -> Shape:
    """A ball as a mesh in some input's coordinates."""
    mesh = extract_surface(lambda points: points.norm(dim=1) - 0.9, Below(), 32).mesh
    vertices = mesh.vertices.astype(np.float64) / 0.9 * radius + centre
    return Shape("ball", "mesh", vertices, mesh.faces, source="ball.ply", **more)


@pytest.fixture(scope="session")
def make_ball():
    """Balls by radius and centre."""
    return ball


@pytest.fixture(scope="session")
def small() -> dict:
    """Settings of a network that learns a simple shape in a second."""
    return SMALL


@pytest.fixture(scope="module")
def far_run(tmp_path_factory) -> Run:
    """A ball of radius 3 around (100, 0, -50); its field holds distances up to 0.66."""
    out = Path(tmp_path_factory.mktemp("far")) / "run"
    config = {**SMALL, "truncation": 0.2, "sigmas": [0.02, 0.15]}
    return train(ball(3.0, (100, 0, -50)), "sdf", config, TrainOptions(out=out, steps=60))
