"""Extracted surfaces: closed forms, closedness, what happens at zeros and borders, errors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.extraction.surface import SEARCHES, extract_surface, marching_cubes
from isofield.geometry.certificate import certify
from isofield.geometry.level import Above, Below
from isofield.runtime.errors import FailedError, InputError


def grid_points(resolution):
    axis = torch.linspace(-1, 1, resolution + 1)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)


def is_sound(certificate):
    return (
        certificate.manifold
        and certificate.closed
        and certificate.oriented
        and certificate.degenerate_faces == 0
    )


@pytest.mark.parametrize("name", ["sphere", "box", "torus", "two_spheres"])
@pytest.mark.parametrize("search", ["dense", "mise"])
def test_closed_forms_have_their_area_volume_and_topology(shapes, name, search):
    shape = shapes[name]
    found = extract_surface(
        shape.distance, Below(), 64, search=search, coarse=16 if search == "mise" else None
    )
    certificate = certify(found.mesh, from_marching_cubes=True)
    assert is_sound(certificate)
    assert certificate.outward
    assert certificate.euler_number == shape.euler
    assert certificate.components == shape.components
    assert certificate.genus == shape.components - shape.euler // 2
    # cells of h = 1/32: chords of a sphere of radius r lose about (h/r)^2 / 2, r >= 1/4; the box its edges,
    # cut at 45 degrees
    assert certificate.area == pytest.approx(shape.area, rel=0.03)
    assert certificate.volume == pytest.approx(shape.volume, rel=0.01)


@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_distance_of_vertices_to_the_surface_falls_with_the_square_of_the_cell(shapes, name):
    errors = []
    for resolution in (16, 32, 64, 128):
        mesh = extract_surface(shapes[name].distance, Below(), resolution).mesh
        errors.append(shapes[name].distance(torch.from_numpy(mesh.vertices)).abs().max().item())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(orders > 1.7)
    assert orders.mean() == pytest.approx(2, abs=0.15)


def test_level_and_side_are_as_stated(shapes):
    distance = shapes["sphere"].distance
    below = extract_surface(distance, Below(0.1), 32).mesh
    above = extract_surface(lambda p: -8 * distance(p), Above(-0.8), 32).mesh
    assert certify(below, 0).volume == pytest.approx(4 / 3 * math.pi * 0.7**3, rel=0.01)
    np.testing.assert_allclose(above.vertices, below.vertices, atol=1e-5)
    np.testing.assert_array_equal(above.faces, below.faces)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.tuples(*[st.integers(2, 12)] * 3), st.sampled_from([0.0, 0.8, -0.8]))
def test_white_noise_gives_closed_manifolds(seed, shape, level):
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    mesh = marching_cubes(values, (-1.0, 1.0), Above(level))
    certificate = certify(mesh, from_marching_cubes=True)
    assert len(mesh.faces) == 0 or (is_sound(certificate) and certificate.outward)
    assert certificate.unused_vertices == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_many_exact_zeros_give_closed_manifolds_without_flat_faces(seed):
    values = np.random.default_rng(seed).integers(-1, 2, (9, 9, 9)).astype(np.float32)
    assert is_sound(certify(marching_cubes(values, (-1.0, 1.0), Above()), from_marching_cubes=True))


def test_grid_points_on_the_level_are_outside():
    values = np.zeros((5, 5, 5), np.float32)
    assert len(marching_cubes(values, (-1.0, 1.0), Below()).faces) == 0
    values[2, 2, 2] = -1
    mesh = marching_cubes(values, (-1.0, 1.0), Below())
    assert len(mesh.faces) == 8  # an octahedron that nearly reaches the six neighbours
    np.testing.assert_allclose(np.abs(mesh.vertices).max(axis=0), 0.5 * (1 - 1e-3), rtol=1e-6)


def test_box_aligned_with_the_grid_keeps_its_size():
    half = 0.5  # on grid planes of 16 cells: all its surface points are zeros

    def field(p):
        return p.abs().amax(dim=1) - half

    certificate = certify(extract_surface(field, Below(), 16).mesh, from_marching_cubes=True)
    assert is_sound(certificate)
    # the faces lie 1e-3 cells inside; the edges are cut off by triangles, of the cells at the corners a sixth
    # is left
    cell = 1 / 8
    cut = 12 * (1 - 2 * cell) * cell**2 / 2 + 8 * 5 / 6 * cell**3
    assert certificate.volume == pytest.approx(1 - cut - 6e-3 * cell, abs=3e-4)


@pytest.mark.parametrize("search", ["dense", "mise"])
def test_solid_cut_by_the_box_is_closed_by_a_flat_cap(search):
    def field(p):  # a bar along x through the whole box
        return torch.hypot(p[:, 1], p[:, 2]) - 0.5

    found = extract_surface(field, Below(), 32, search=search, coarse=8 if search == "mise" else None)
    certificate = certify(found.mesh, from_marching_cubes=True)
    assert is_sound(certificate)
    assert (certificate.euler_number, certificate.components) == (2, 1)
    assert certificate.volume == pytest.approx(math.pi / 4 * 2, rel=0.01)
    ends = np.abs(found.mesh.vertices[:, 0]) > 1 - 0.5 * found.cell
    np.testing.assert_allclose(np.abs(found.mesh.vertices[ends, 0]), 1 - 1e-3 * found.cell, atol=1e-6)


def test_field_that_is_inside_everywhere_gives_the_box():
    certificate = certify(extract_surface(lambda p: -torch.ones(len(p)), Below(), 64).mesh, 0)
    assert certificate.volume == pytest.approx(8, rel=2e-3)  # less its edges
    assert certificate.closed


def test_box_with_bounds_for_each_axis(shapes):
    bounds = ((-0.7, -0.8, -0.9), (0.9, 0.7, 0.8))
    found = extract_surface(shapes["sphere"].distance, Below(), 48, box=bounds)
    certificate = certify(found.mesh, from_marching_cubes=True)
    assert is_sound(certificate)
    assert certificate.volume == pytest.approx(shapes["sphere"].volume, rel=0.01)


def test_values_of_a_grid_and_their_field_give_the_same_mesh(shapes):
    values = shapes["torus"].distance(grid_points(32)).reshape(33, 33, 33).numpy()
    from_values = marching_cubes(values, (-1.0, 1.0), Below())
    from_field = extract_surface(shapes["torus"].distance, Below(), 32, search="dense").mesh
    np.testing.assert_array_equal(from_values.vertices, from_field.vertices)
    np.testing.assert_array_equal(from_values.faces, from_field.faces)


def test_dense_reads_every_point_once_in_batches_of_one_size(shapes):
    sizes = []

    def field(p):
        sizes.append(len(p))
        return shapes["sphere"].distance(p)

    assert extract_surface(field, Below(), 40, search="dense").evaluations == 41**3
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("search", sorted(SEARCHES))
def test_field_without_surface_is_an_error_that_tells_its_range(search):
    with pytest.raises(
        FailedError, match=r"no surface at level 0 in this box; its values range over \[1, 2\]"
    ):
        extract_surface(lambda p: 1.5 + 0.5 * p[:, 0].sign(), Below(), 16, search=search)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_value_that_is_not_finite_is_an_error_that_tells_where(bad):
    def field(p):
        return torch.where(
            (p - torch.tensor([0.5, -0.25, 0.75])).norm(dim=1) < 1e-4, bad, p.norm(dim=1) - 0.6
        )

    with pytest.raises(FailedError, match=r"the field is (nan|inf) at \(0.5, -0.25, 0.75\)"):
        extract_surface(field, Below(), 16, search="dense")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"search": "voxels"}, "Choose one of mise, dense"),
        ({"coarse": 24}, "Choose one of 64, 32, 16, 8, 4, 2, 1"),
        ({"search": "dense", "coarse": 32}, "no coarse grid"),
        ({"box": (1.0, -1.0)}, "empty or not finite"),
        ({"box": (1e6, 1e6 + 2)}, "float32 cannot tell the points"),
        ({"resolution": 0}, "2 points or more"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, text):
    with pytest.raises(InputError) as error:
        extract_surface(lambda p: p[:, 0], Below(), **{"resolution": 64, **settings})
    assert text in str(error.value)


def test_field_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match="a field maps points"):
        extract_surface(lambda p: p[:, :1], Below(), 16)


def test_progress_rises_to_one(shapes):
    shares = []
    extract_surface(
        shapes["sphere"].distance, Below(), 64, coarse=32, progress=lambda share, text: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1
