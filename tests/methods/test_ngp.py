"""The fast radiance field: where it looks, which rays make a pixel, and that its parts say the same."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from isofield.data.hull import visual_hull
from isofield.data.scene import Box, Photographs, Scene
from isofield.methods.ngp import NGP, Config
from isofield.rendering.cameras import looking_at, pinholes
from isofield.rendering.rays import Rays
from isofield.rendering.views import render_view
from isofield.runtime.errors import InputError
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train
from tests.ball_scene import CENTRE, RADIUS, all_around, ball_from_all_sides

SMALL = Config(levels=4, log2_table=12, finest=64, samples=4096, cells=64, steps_across=128)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return ball_from_all_sides()


@pytest.fixture(scope="module")
def trained(scene) -> NGP:
    """Four hundred steps on the ball."""
    torch.manual_seed(0)
    method = NGP(SMALL.for_data(scene))
    method.prepare(scene, 0)
    train(method, Clock(Budget(steps=400)), [])
    return method


def forward_scene() -> Scene:
    """Noise seen by cameras that all look along +z, where there is something from 4 on."""
    places = np.array([[x, y, 0.0] for x in (-0.3, 0.0, 0.3) for y in (-0.2, 0.2)])
    up, forward = np.array([0.0, 1, 0]), np.array([0.0, 0, 1])
    poses = np.array([looking_at(place, place + forward, up) for place in places])
    cameras = pinholes(poses, 40.0, (32, 24))
    pixels = np.random.default_rng(0).integers(0, 256, (6 * 32 * 24, 3), np.uint8)
    photographs = Photographs(pixels, np.arange(7) * 32 * 24, cameras.sizes)
    frames = np.arange(6)
    return Scene(
        "noise", tuple("abcdef"), cameras, photographs, frames[1:], frames[:1],
        Box((-5.0, -5.0, 4.0), (5.0, 5.0, 12.0)), True, 4.0, 12.0, True,
    )  # fmt: skip


def test_the_cube_holds_the_ball_and_little_else(scene):
    config = Config().for_data(scene)
    lower, side = np.array(config.lower), config.side
    assert side < 3 * RADIUS < max(np.subtract(scene.box.upper, scene.box.lower))
    assert (lower < CENTRE.numpy() - RADIUS).all()
    assert (lower + side > CENTRE.numpy() + RADIUS).all()


def test_cells_outside_the_silhouettes_are_never_sampled(scene):
    method = NGP(SMALL.for_data(scene))
    method.prepare(scene, 0)
    method.field.look_for_empty_cells(np.random.default_rng(0), 1 << 20)
    config, values = method.config, method.field.occupancy.values[0].numpy()
    middles = (np.argwhere(values >= 0)[:, ::-1] + 0.5) / 64 * config.side + config.lower
    away = np.linalg.norm(middles - CENTRE.numpy(), axis=1)
    assert away.max() < 1.5 * RADIUS
    assert (values < 0).mean() > 0.3


def test_four_hundred_steps_show_the_ball(trained, scene):
    name, psnr = trained.metric()
    assert name == "psnr_held_out_db"
    assert psnr > 24
    views = trained.products()["views"]
    view = render_view(views.render, scene.cameras, int(scene.test[0]), rays=views.rays)
    alpha = scene.photographs.picture(scene.test[0])[..., 3] / 255
    assert np.abs(view.opacity - alpha).mean() < 0.02
    toward = CENTRE.numpy() - scene.cameras.centres[scene.test[0]]
    assert view.depth.min() == pytest.approx(np.linalg.norm(toward) - RADIUS, abs=0.15)


def test_a_pixel_is_the_mean_of_its_rays(trained, scene):
    method = NGP(replace(trained.config, rays_per_pixel=4))
    method.field.load_state_dict(trained.field.state_dict())
    views, centres = (each.products()["views"] for each in (method, trained))
    number = int(scene.test[0])
    seen = render_view(views.render, scene.cameras, number, rays=views.rays)
    fine = scene.cameras.resized(scene.cameras.sizes * 2)
    expected = render_view(centres.render, fine, number).colour.reshape(48, 2, 48, 2, 3).mean((1, 3))
    np.testing.assert_allclose(seen.colour, expected, atol=1e-4)


def opacities(views, rays: Rays, distances: torch.Tensor) -> torch.Tensor:
    """1 - exp(-integral of the density), at the middles of many short intervals [rays, intervals]."""
    middles = (distances[1:] + distances[:-1]) / 2
    points = rays.origins[:, None] + middles[:, None] * rays.directions[:, None]
    density = views.density(points.reshape(-1, 3)).view(len(rays), -1)
    return 1 - torch.exp(-(density * distances.diff()).sum(1))


def test_density_is_per_unit_of_the_world(trained, scene):
    views = trained.products()["views"]
    rays = all_around(3, 0.5).resized(np.full((3, 2), 12)).picture_rays(0)
    expected = opacities(views, rays, torch.linspace(2, 6, 4000))
    seen = views.render(rays).opacity
    assert (seen - expected).abs().mean() < 0.01
    assert 0.03 < expected.mean() < 0.9


def test_density_is_per_unit_of_the_world_before_forward_facing_cameras():
    scene = forward_scene()
    torch.manual_seed(0)
    method = NGP(replace(SMALL, steps_across=512).for_data(scene))
    method.prepare(scene, 0)
    train(method, Clock(Budget(steps=20)), [])
    views, rays = method.products()["views"], scene.cameras.resized(scene.cameras.sizes // 4).picture_rays(0)
    seen, near, far = views.render(rays), 2.9, 400.0
    depths = near / (1 - torch.linspace(0, 1 - near / far, 4000))  # even in disparity
    expected = opacities(views, rays, depths)
    assert (seen.opacity - expected).abs().mean() < 0.02
    assert 0.1 < expected.mean() <= 1
    reached = seen.distance / seen.opacity
    assert (reached > near).all()


def test_what_a_ray_sees_is_the_colour_of_its_points_by_their_density(trained):
    views = trained.products()["views"]
    rays, ends = all_around(3, 0.5).resized(np.full((3, 2), 12)).picture_rays(0), torch.linspace(2, 6, 2000)
    points = rays.origins[:, None] + (ends[1:, None] + ends[:-1, None]) / 2 * rays.directions[:, None]
    directions = rays.directions[:, None].expand_as(points).reshape(-1, 3)
    density = views.density(points.view(-1, 3)).view(points.shape[:2])
    colour = views.colour(points.view(-1, 3), directions).view(points.shape)
    opacity = 1 - torch.exp(-density * ends.diff())
    reached = torch.cumprod(torch.nn.functional.pad(1 - opacity, (1, 0), value=1.0), dim=1)[:, :-1]
    expected = ((reached * opacity)[..., None] * colour).sum(1)
    assert (views.render(rays).colour - expected).abs().max() < 0.03
    assert expected.max() > 0.5


def test_steps_grow_to_eight_times_their_size():
    config = Config(samples=1000, growth=50)
    assert [config.samples_at(step) for step in (0, 25, 100, 350, 1000)] == [1000, 1500, 3000, 8000, 8000]


def test_nothing_is_beyond_infinity():
    scene = forward_scene()
    method = NGP(SMALL.for_data(scene))
    method.prepare(scene, 0)
    beyond = math.ceil((1 - method.config.lower[2]) / method.config.side * 64)
    assert (method.field.occupancy.values[0, beyond:] == -1).all()
    assert (method.field.occupancy.values[0, :beyond] == 0).all()


def test_a_batch_has_the_samples_of_a_step_and_follows_from_seed_and_step(trained):
    first, again, other = (trained.batch("field", step, 0.5) for step in (5, 5, 6))
    assert torch.equal(first.target, again.target)
    assert torch.equal(first.jitter, again.jitter)
    assert not torch.equal(first.jitter[:10], other.jitter[:10])
    expected = len(first.rays) * trained.field.samples_a_ray.item()
    assert expected == pytest.approx(trained.config.samples, rel=0.05)


def test_a_pixel_is_one_ray_at_first(scene):
    method = NGP(replace(SMALL, rays_per_pixel=4).for_data(scene))
    method.prepare(scene, 0)
    for progress, group in ((0.0, 1), (method.config.single, 4)):
        batch = method.batch("field", 1, progress)
        assert len(batch.rays) == group * len(batch.target)


def test_a_step_is_that_of_the_plain_kernels(trained, monkeypatch):
    words, batch = trained.field.words.clone(), trained.batch("field", 5, 0.5)
    few = replace(
        batch, rays=batch.rays[torch.arange(64)], views=batch.views[:64], jitter=batch.jitter[:64],
        target=batch.target[:64], background=batch.background[:64],
    )  # fmt: skip
    found = []
    for backend in ("numba", "reference"):
        monkeypatch.setenv("ISOFIELD_KERNELS", backend)
        trained.field.zero_grad()
        error = trained.loss("field", few, 0.5)["squared_error"]
        error.backward()
        found.append([error.detach(), *(each.grad.clone() for each in trained.field.parameters())])
    assert torch.equal(words, trained.field.words)
    for one, other in zip(*found):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * other.abs().max().item())


def test_an_unbounded_scene_has_cubes_around_the_inner_one(scene):
    photographs = replace(scene.photographs, pixels=np.ascontiguousarray(scene.photographs.pixels[:, :3]))
    outdoors = replace(scene, photographs=photographs, unbounded=True)
    method = NGP(SMALL.for_data(outdoors))
    views = method.products()["views"]
    assert method.config.cascades == 3
    assert np.subtract(views.upper, views.lower) == pytest.approx([4 * method.config.side] * 3)
    assert method.config.along.cone > 0
    assert math.isclose(method.config.side, max(np.subtract(scene.box.upper, scene.box.lower)))


def test_rays_that_go_backward_see_nothing_of_a_forward_facing_scene():
    scene = forward_scene()
    method = NGP(SMALL.for_data(scene))
    method.prepare(scene, 0)
    method.before_step(0)
    views, rays = method.products()["views"], scene.cameras.picture_rays(0)
    assert views.render(rays).opacity.any()
    seen = views.render(Rays(rays.origins, -rays.directions))
    assert not seen.opacity.any()
    assert not seen.distance.any()


@pytest.mark.parametrize(
    "settings", [{"rays_per_pixel": 3}, {"rays_per_pixel": 1089}, {"cells": 66}, {"samples": 0}]
)
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(InputError):
        Config(**settings)


def test_a_camera_among_the_cells_says_nothing_about_them(scene):
    inside = scene.cameras.poses.copy()
    inside[scene.train[0], :, 3] = 0.3
    cameras = replace(scene.cameras, poses=inside)
    hull = visual_hull(replace(scene, cameras=cameras, train=scene.train[:1]), np.full(3, -1.0), 2.0, 64)
    assert hull.all()


def test_what_a_mask_leaves_out_is_not_carved_away(scene):
    nothing = np.zeros(len(scene.photographs.pixels), bool)
    empty = replace(scene.photographs, pixels=np.zeros_like(scene.photographs.pixels))
    for counted, left in ((None, False), (nothing, True)):
        pictures = replace(empty, counted=counted)
        hull = visual_hull(replace(scene, photographs=pictures), np.full(3, -0.5), 1.0, 16)
        assert hull.all() == left


def test_behind_a_bounded_scene_without_alpha_it_is_black(scene):
    opaque = replace(scene, photographs=replace(scene.photographs, pixels=scene.photographs.pixels[:, :3]))
    for given, black in ((opaque, True), (replace(opaque, unbounded=True), False), (scene, False)):
        method = NGP(SMALL.for_data(given))
        method.prepare(given, 0)
        assert (not method.batch("field", 0, 0.0).background.any()) == black
