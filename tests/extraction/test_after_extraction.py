"""Normals, refinement, simplification and trimming of extracted surfaces."""

import numpy as np
import pytest
import torch

from isofield.extraction.normals import vertex_normals
from isofield.extraction.refine import dirichlet_weights, refine, refine_onet
from isofield.extraction.simplify import simplify
from isofield.extraction.surface import extract_surface
from isofield.extraction.trim import trim
from isofield.geometry.certificate import certify
from isofield.geometry.level import Above, Below
from isofield.geometry.mesh import Mesh, area_weighted_normals
from isofield.runtime.errors import FailedError


def sphere(p):
    return p.norm(dim=1) - 0.6


def waves(p):
    return p.norm(dim=1) - 0.6 + 0.05 * torch.sin(12 * p[:, 0]) * torch.sin(11 * p[:, 1])


@pytest.fixture(scope="module")
def ball():
    return extract_surface(sphere, Below(), 48)


def radial(mesh):
    return mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)


def test_normals_of_a_sphere_are_its_radii(ball):
    normals = vertex_normals(sphere, Below(), ball.mesh, ball.cell)
    np.testing.assert_allclose(normals, radial(ball.mesh), atol=2e-3)
    outward = vertex_normals(lambda p: -7 * sphere(p), Above(), ball.mesh, ball.cell)
    np.testing.assert_allclose(outward, normals, atol=1e-3)


def test_area_weighted_normals_are_near_those_of_the_field(ball):
    # tiny faces weigh little, but those around one vertex look to one side
    cosines = np.einsum("ij,ij->i", area_weighted_normals(ball.mesh), radial(ball.mesh))
    assert cosines.min() > 0.98


def test_normals_come_from_the_faces_where_the_gradient_vanishes(ball):
    normals = vertex_normals(lambda p: torch.zeros(len(p)), Below(), ball.mesh, ball.cell)
    np.testing.assert_array_equal(normals, area_weighted_normals(ball.mesh))


def test_normals_on_the_cap_of_a_cut_solid_are_those_of_the_cap():
    def bar(p):
        return torch.hypot(p[:, 1], p[:, 2]) - 0.5

    found = extract_surface(bar, Below(), 32)
    normals = vertex_normals(bar, Below(), found.mesh, found.cell)
    middle = (found.mesh.vertices[:, 0] > 0.99) & (np.hypot(*found.mesh.vertices[:, 1:].T) < 0.4)
    assert middle.sum() > 50
    np.testing.assert_allclose(normals[middle], np.tile([1, 0, 0], (middle.sum(), 1)), atol=1e-3)


def test_refined_vertices_lie_on_the_level_and_the_surface_stays_sound(ball):
    for field, before in ((sphere, ball), (waves, extract_surface(waves, Below(), 48))):
        refined = refine(field, Below(), before.mesh, before.cell)
        errors = [field(torch.from_numpy(m.vertices)).abs().numpy() for m in (before.mesh, refined)]
        assert errors[1].mean() < errors[0].mean() / 20
        moved = np.linalg.norm(refined.vertices - before.mesh.vertices, axis=1)
        assert moved.max() <= 0.25 * before.cell * 1.001
        certificate = certify(refined, 0)
        assert certificate.closed
        assert certificate.outward
        assert certificate.degenerate_faces == 0


def test_refining_turns_no_face(ball):
    rough = Mesh(ball.mesh.vertices, ball.mesh.faces)

    def trap(p):  # a level that is nowhere near the surface, in every direction
        return sphere(p) + 0.02 * torch.sin(400 * p[:, 0]) + 0.02 * torch.sin(370 * p[:, 1])

    refined = refine(trap, Below(), rough, ball.cell, reach=2.0)
    a, b, c = (refined.vertices[refined.faces[:, k]] for k in range(3))
    d, e, f = (rough.vertices[rough.faces[:, k]] for k in range(3))
    assert np.einsum("ij,ij->i", np.cross(b - a, c - a), np.cross(e - d, f - d)).min() > 0


def test_published_refinement_brings_a_coarse_ball_nearer():
    mesh = extract_surface(lambda p: -sphere(p).sign() * 0.5 + 0.0 * p[:, 0], Above(), 24).mesh  # a staircase
    refined = refine_onet(
        lambda p: -20 * sphere(p), mesh, 0.5, dirichlet_weights(len(mesh.faces), 60, 0), rate=1e-3
    )
    errors = [np.abs(np.linalg.norm(m.vertices, axis=1) - 0.6).mean() for m in (mesh, refined)]
    assert errors[1] < errors[0] / 2


def test_simplified_surface_stays_closed_and_near(ball):
    few = simplify(ball.mesh, 1000)
    certificate = certify(few, 0)
    assert certificate.closed
    assert certificate.manifold
    assert certificate.outward
    assert 900 <= len(few.faces) <= 1000
    assert np.abs(np.linalg.norm(few.vertices, axis=1) - 0.6).max() < 0.01
    assert simplify(few, 5000) is few


def test_simplification_that_tears_the_surface_is_an_error(monkeypatch, ball):
    import fast_simplification

    def torn(vertices, faces, **_):
        return vertices, faces[1:]

    monkeypatch.setattr(fast_simplification, "simplify", torn)
    with pytest.raises(FailedError, match="tears the surface"):
        simplify(ball.mesh, 100)


def upper_half(points):
    """Distance from the half space z > 0."""
    return np.maximum(-points[:, 2], 0)


def test_trimmed_ball_is_an_open_oriented_manifold(ball):
    certificate = certify(trim(ball.mesh, upper_half, 0.01), 0)
    assert certificate.manifold
    assert certificate.oriented
    assert not certificate.closed
    assert (certificate.components, certificate.euler_number, certificate.unused_vertices) == (1, 1, 0)
    assert certificate.area == pytest.approx(2 * np.pi * 0.6 * 0.61, rel=0.03)


def test_fans_that_only_share_a_vertex_are_separated(ball):
    random = np.random.default_rng(0)
    kept = random.random(len(ball.mesh.faces)) < 0.6
    certificate = certify(trim(ball.mesh, lambda p: np.where(kept, 0.0, 1.0), 0.5, smallest=0.0), 0)
    assert certificate.faces == kept.sum()
    assert certificate.manifold
    assert certificate.oriented
    assert certificate.unused_vertices == 0
    assert certificate.vertices > len(np.unique(ball.mesh.faces[kept]))


def test_small_fragments_are_dropped_and_normals_follow(ball):
    normals = vertex_normals(sphere, Below(), ball.mesh, ball.cell)
    mesh = Mesh(ball.mesh.vertices, ball.mesh.faces, normals)

    def top_and_speck(points):
        speck = np.linalg.norm(points - [0, 0, -0.6], axis=1) < 0.05
        return np.where(speck, 0, upper_half(points))

    trimmed = trim(mesh, top_and_speck, 0.01)
    assert trimmed.vertices[:, 2].min() > -0.1
    np.testing.assert_allclose(trimmed.normals, radial(trimmed), atol=2e-3)


def test_trimming_everything_is_an_error(ball):
    with pytest.raises(FailedError, match="no face of the surface lies within"):
        trim(ball.mesh, lambda p: np.ones(len(p)), 0.5)
