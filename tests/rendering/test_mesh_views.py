"""What cameras see of meshes, the level of a density, the colours of vertices: on balls, in closed form."""

import numpy as np
import pytest
import torch

from isofield.extraction.surface import extract_surface
from isofield.extraction.surface_level import agreement, best_level
from isofield.geometry.level import Above
from isofield.geometry.mesh import Mesh, area_weighted_normals
from isofield.metrics.silhouette import psnr_inside, silhouette_iou
from isofield.rendering.cameras import Cameras, focal_length, looking_at, pinholes
from isofield.rendering.mesh_views import mesh_view, nearest_faces
from isofield.rendering.rays import Rays, ray_sphere
from isofield.rendering.vertex_colours import seen_vertices, vertex_colours
from isofield.rendering.views import View, render_view
from isofield.rendering.volume import Rendered
from isofield.runtime.errors import FailedError

RADIUS, SIZE = 0.6, (64, 48)


def around(count: int = 8) -> Cameras:
    """Cameras all around the origin, 3 away."""
    angles, heights = 2.4 * np.arange(count), np.linspace(-0.9, 0.9, count)
    across = np.sqrt(1 - heights**2)
    places = 3 * np.stack([across * np.cos(angles), across * np.sin(angles), heights], axis=1)
    poses = [looking_at(place, np.zeros(3), np.array([0, 0, 1.0])) for place in places]
    return pinholes(np.array(poses), focal_length(SIZE[0], 0.8), SIZE)


def ball(radius: float = RADIUS, centre: tuple[float, float, float] = (0, 0, 0), cells: int = 48) -> Mesh:
    middle = torch.tensor(centre)
    mesh = extract_surface(lambda p: radius - (p - middle).norm(dim=1), Above(0), cells).mesh
    colours = np.rint(127.5 * (mesh.vertices - np.array(centre)) / radius + 127.5)
    return Mesh(mesh.vertices, mesh.faces, area_weighted_normals(mesh), colours.clip(0, 255).astype(np.uint8))


def together(one: Mesh, other: Mesh) -> Mesh:
    faces = np.concatenate([one.faces, other.faces + len(one.vertices)]).astype(np.int32)
    vertices, normals = (
        np.concatenate([getattr(one, a), getattr(other, a)]) for a in ("vertices", "normals")
    )
    return Mesh(vertices, faces, normals)


def opaque_ball(rays: Rays) -> Rendered:
    entry, leave = ray_sphere(rays, torch.zeros(3), RADIUS)
    opacity = (leave > entry).float()
    points = rays.origins + entry[:, None] * rays.directions
    return Rendered(opacity[:, None] * (points / RADIUS * 0.5 + 0.5), opacity, opacity * entry)


def test_a_mesh_is_seen_where_rays_meet_it_with_its_colours_and_distances():
    cameras = around()
    for number in range(len(cameras)):
        true, seen = render_view(opaque_ball, cameras, number), mesh_view(ball(), cameras, number)
        both = (true.opacity == 1) & (seen.opacity == 1)
        assert np.count_nonzero(true.opacity != seen.opacity) <= 0.02 * np.count_nonzero(both)  # the outline
        distance = np.abs(true.distance - seen.distance)[both]
        assert np.median(distance) < 1e-3
        assert np.median(np.abs(true.colour - seen.colour)[both]) < 1 / 255


def test_coverage_of_pixels_is_the_share_of_the_rays_that_meet_the_mesh():
    cameras = around(1)
    area = mesh_view(ball(), cameras, 0, 8).opacity.sum()
    focal, distance = cameras.intrinsics[0, 0], 3
    outline = np.pi * focal**2 * RADIUS**2 / (distance**2 - RADIUS**2)  # of a ball on the axis: a circle
    assert area == pytest.approx(outline, rel=4e-3)  # chords lie inside


def test_faces_behind_the_camera_are_not_seen():
    camera = pinholes(looking_at(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))[None], 50.0, SIZE)
    behind = Mesh(np.float32([[-1, 0, 0], [-1, 1, 0], [-1, 0, 1]]), np.int32([[0, 1, 2]]))
    assert (nearest_faces(behind, camera, 0)[0] == -1).all()


def test_agreement_is_the_overlap_of_the_outlines_where_distances_are_equal():
    def view(covered, distance):
        opacity = np.float32(covered)[None]
        return View(np.zeros((1, 4, 3), np.float32), opacity, opacity * np.float32(distance))

    one = view([1, 1, 1, 0], 2)
    assert agreement(one, view([0, 1, 1, 0], 2), 0.5) == (2, 3)
    assert agreement(one, view([0, 1, 1, 0], 2.25), 0.5) == (2, 3)
    assert agreement(one, view([0, 1, 1, 0], 2.75), 0.5) == (0, 3)
    assert agreement(one, view([0, 0, 0, 1], 2), 0.5) == (0, 4)


@pytest.mark.parametrize("softness", [0.02, 0.05])
def test_the_chosen_level_puts_the_surface_where_the_rays_end(softness):
    def density(points):  # rises through the surface from almost nothing to almost opaque
        return 40 * torch.exp((RADIUS - points.norm(dim=1)) / softness)

    levels = best_level(density, opaque_ball, around(), (-1.0, 1.0))
    radii = np.linalg.norm(levels.mesh.vertices, axis=1)
    step = softness * np.log(2) / 2  # levels are half an octave apart
    assert radii.mean() == pytest.approx(RADIUS, abs=step)
    assert dict(levels.tried)[levels.level] == max(score for _, score in levels.tried)


def test_where_nothing_is_seen_no_level_is_chosen():
    with pytest.raises(FailedError, match="--level"):
        best_level(lambda points: torch.zeros(len(points)), opaque_ball, around(), (-1.0, 1.0))


def test_colours_come_from_the_cameras_that_see_a_vertex():
    hidden = ball(0.2)
    mesh, cameras = together(ball(), hidden), around()
    seen = seen_vertices(mesh, cameras)
    assert not seen[-len(hidden.vertices) :].any()
    assert seen[: -len(hidden.vertices)].mean() > 0.8

    def colour(points, directions):  # red where a camera looks from: what is seen from within would be dark
        return torch.stack([-(points / points.norm(dim=1, keepdim=True) * directions).sum(1)] * 3, 1)

    colours = vertex_colours(mesh, cameras, colour, 0.02)
    assert colours.min() > 20  # no camera looks from within
    own = vertex_colours(ball(), cameras, lambda points, directions: points / RADIUS * 0.5 + 0.5, 0.02)
    assert np.abs(own.astype(int) - ball().colours).max() <= 1


def test_figures_of_silhouettes_in_closed_form():
    one, other = np.zeros((4, 4)), np.zeros((4, 4))
    one[:, :2], other[:, 1:3] = 1, 0.6
    assert silhouette_iou(one, other) == pytest.approx(1 / 3)
    assert silhouette_iou(np.zeros((4, 4)), np.zeros((4, 4))) == 1
    truth = np.zeros((4, 4, 3))
    shown = np.where(other[..., None] > 0, 0.1, 1.0) * np.ones(3)  # wrong outside, where it does not count
    assert psnr_inside(shown, truth, other) == pytest.approx(20)
    assert np.isnan(psnr_inside(shown, truth, np.zeros((4, 4))))
