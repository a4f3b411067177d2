"""The closed forms are distances, and the meshes lie on them."""

import numpy as np
import pytest
import torch

from isofield.geometry import closed_forms as forms

SHAPES = {
    "sphere": (forms.sphere_distance(0.6, (0.1, -0.2, 0.3)), forms.sphere_mesh(3, 0.6, (0.1, -0.2, 0.3))),
    "box": (
        forms.box_distance((0.3, 0.5, 0.2), (0.1, 0.0, -0.1)),
        forms.box_mesh((0.3, 0.5, 0.2), (0.1, 0.0, -0.1)),
    ),
    "torus": (
        forms.torus_distance(0.6, 0.2, (0.0, 0.1, 0.2)),
        forms.torus_mesh(0.6, 0.2, 96, 48, (0.0, 0.1, 0.2)),
    ),
}
VOLUMES = {"sphere": 4 / 3 * np.pi * 0.6**3, "box": 0.6 * 1.0 * 0.4, "torus": 2 * np.pi**2 * 0.6 * 0.2**2}
EULER = {"sphere": 2, "box": 2, "torus": 0}


def volume(mesh):
    return np.linalg.det(mesh.vertices[mesh.faces]).sum() / 6


@pytest.mark.parametrize("name", SHAPES)
def test_vertices_of_the_mesh_are_at_distance_zero(name):
    distance, mesh = SHAPES[name]
    assert distance(torch.from_numpy(mesh.vertices)).abs().max() < 1e-12


@pytest.mark.parametrize("name", SHAPES)
def test_gradient_of_a_distance_has_unit_length(name):
    distance, _ = SHAPES[name]
    points = torch.randn(
        500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(points).sum(), points)
    assert (gradient.norm(dim=1) - 1).abs().max() < 1e-9


@pytest.mark.parametrize("name", SHAPES)
def test_mesh_is_closed_outward_and_of_the_right_volume_and_genus(name):
    _, mesh = SHAPES[name]
    directed = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    there, back = {tuple(e) for e in directed}, {tuple(e[::-1]) for e in directed}
    assert len(there) == len(directed)
    assert there == back
    assert len(mesh.vertices) - len(there) // 2 + len(mesh.faces) == EULER[name]
    # inscribed in a curved surface: smaller by about (edge / diameter)^2
    assert volume(mesh) == pytest.approx(VOLUMES[name], rel=1e-12 if name == "box" else 2e-2)
    assert volume(mesh) <= VOLUMES[name] * (1 + 1e-12)


@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_normals_are_the_gradient_of_the_distance(name):
    distance, mesh = SHAPES[name]
    points = torch.from_numpy(mesh.vertices).requires_grad_()
    (gradient,) = torch.autograd.grad(distance(points).sum(), points)
    np.testing.assert_allclose(mesh.normals, gradient.numpy(), atol=1e-6)


def test_volume_of_the_sphere_mesh_converges_with_order_two():
    errors = [VOLUMES["sphere"] - volume(forms.sphere_mesh(n, 0.6)) for n in (3, 4)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)


def test_distances_keep_the_shape_and_type_of_the_batch():
    assert forms.box_distance()(torch.zeros(2, 5, 3, dtype=torch.float64)).shape == (2, 5)
    assert forms.torus_distance()(torch.zeros(0, 3)).dtype == torch.float32
