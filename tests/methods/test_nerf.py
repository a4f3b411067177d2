"""What the method `nerf` does with its scene, beside the parity of its parts."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from isofield.data.scene import Box, Photographs, Scene
from isofield.methods.choice import QUALITIES, suited_to
from isofield.methods.nerf import Config, NeRF
from isofield.networks.nerf import NeRFWiring
from isofield.rendering.cameras import looking_at, pinholes
from isofield.rendering.rays import Rays
from isofield.runtime.errors import InputError
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train
from isofield.verbs.options import updated

TINY = NeRFWiring(width=16, depth=2, skips=(), point_frequencies=3, view_frequencies=1, view_width=8)
UP = np.array([0.0, 0.0, 1.0])


def scene_of(colour=(255, 0, 0, 255), views=6, size=8, **settings):
    """Pictures of one colour from around the origin, the last of them kept apart."""
    angle = 2 * np.pi * np.arange(views) / views
    centres = 4 * np.column_stack([np.cos(angle), np.sin(angle), np.full(views, 0.3)])
    poses = np.stack([looking_at(centre, np.zeros(3), UP) for centre in centres])
    pixels = np.tile(np.array(colour, np.uint8), (views * size * size, 1))
    sizes = np.full((views, 2), size)
    photographs = Photographs(pixels, np.arange(views + 1) * size * size, sizes)
    usual = {"near": 2.0, "far": 6.0, **settings}
    return Scene(
        "made", tuple(f"v{k}" for k in range(views)), pinholes(poses, 10.0, (size, size)), photographs,
        np.arange(views - 1), np.arange(views - 1, views), Box((-1.5,) * 3, (1.5,) * 3), False, **usual,
    )  # fmt: skip


def method_for(scene, **settings):
    """The method with a tiny network, prepared."""
    torch.manual_seed(0)
    method = NeRF(Config(network=TINY, samples=8, rays=16, **settings).for_data(scene))
    method.prepare(scene, 0)
    return method


def tensors(batch):
    rays = batch.rays
    return [
        rays.origins,
        rays.directions,
        batch.views,
        batch.colours,
        *(d for d in vars(batch.draws).values() if d is not None),
    ]


def test_posed_photographs_are_for_this_method():
    assert suited_to(scene_of()).method in ("nerf", "ngp")


@pytest.mark.parametrize("preset", [None, "lowres", "lego", "fern"])
def test_a_config_survives_its_way_through_run_json(preset):
    config = Config(preset=preset).for_data(scene_of())
    written = json.loads(json.dumps(dataclasses.asdict(config)))
    assert updated(Config(), written, "run.json") == config
    assert config.filled() == config


def test_a_run_of_a_preset_can_be_asked_for_again():
    begun = Config(preset="lego").for_data(scene_of())
    assert updated(begun, {"preset": "lego"}, "--preset") == begun


def test_presets_are_the_published_numbers_and_given_settings_win():
    lego, fern = Config(preset="lego").filled(), Config(preset="fern", rays=100).filled()
    assert (lego.network, lego.samples, lego.importance, lego.rays) == (NeRFWiring(), 64, 128, 1024)
    assert (lego.one_image, lego.crop_steps, lego.noise, lego.learning_rate) == (True, 500, 0, 5e-4)
    assert (fern.rays, fern.noise, fern.one_image) == (100, 1, False)
    assert lego.final == pytest.approx(0.1 ** (lego.full_steps / 500_000))
    assert fern.final == pytest.approx(0.1 ** (fern.full_steps / 250_000))
    assert Config(preset="lego").steps(QUALITIES["standard"]) == 500_000


@pytest.mark.parametrize(
    "settings",
    [{}, {"one_image": True, "crop_steps": 2}, {"importance": 4, "noise": 1.0}],
    ids=["all shuffled", "one image", "noise"],
)
def test_a_batch_depends_on_seed_and_step_alone(settings):
    first, second = method_for(scene_of(), **settings), method_for(scene_of(), **settings)
    second.batch("field", 0, 0.0)
    for step in (5, 1):
        ours, theirs = (tensors(m.batch("field", step, 0.5)) for m in (first, second))
        assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True))
    assert not tensors(first.batch("field", 6, 0.5))[1].equal(tensors(first.batch("field", 5, 0.5))[1])


def test_all_pictures_shuffled_means_every_pixel_once():
    scene = scene_of()
    method = method_for(scene, crop_steps=0)
    directions = torch.cat([method.batch("field", step, 0.0).rays.directions for step in range(5 * 64 // 16)])
    assert len(torch.unique(directions, dim=0)) == 5 * 64


def test_the_crop_is_the_middle_half():
    method = method_for(scene_of(), crop_steps=1, one_image=True)
    seen = method.batch("field", 0, 0.0)
    assert len(torch.unique(seen.rays.directions, dim=0)) == 16  # 4 x 4 of 8 x 8
    axis = torch.nn.functional.normalize(-seen.rays.origins, dim=1)
    across = (seen.rays.directions - axis * (seen.rays.directions * axis).sum(1, keepdim=True)).norm(dim=1)
    assert across.max() <= np.hypot(1.5, 1.5) / 10 + 1e-5


def test_directions_have_depth_one_and_pass_the_centres_of_pixels_or_their_corners():
    for centre in (0.5, 0.0):
        scene = scene_of()
        method = method_for(scene, pixel_centre=centre)
        seen = method._pixels(np.array([2]), np.array([8 * 3 + 5]))
        pixels, depth = scene.cameras.project(2, (seen.rays.origins + seen.rays.directions).double().numpy())
        np.testing.assert_allclose(pixels, [[5 + centre, 3 + centre]], atol=1e-4)
        np.testing.assert_allclose(depth, 1, atol=1e-5)


def test_masked_pixels_are_not_learnt():
    scene = scene_of()
    counted = np.zeros(len(scene.photographs.pixels), bool)
    counted[70:75] = counted[128 + 27] = True  # at the border of the second picture, within the third
    pixels = np.random.default_rng(0).integers(0, 256, scene.photographs.pixels.shape, np.uint8)
    pixels[:, 3] = 255
    photographs = dataclasses.replace(scene.photographs, pixels=pixels, counted=counted)
    scene = dataclasses.replace(scene, photographs=photographs)
    for settings in ({"crop_steps": 0}, {"crop_steps": 20}, {"crop_steps": 0, "one_image": True}):
        method = method_for(scene, **settings)
        seen = [method.batch("field", step, 0.0) for step in range(20)]
        assert all(len(each.colours) for each in seen)
        colours = torch.cat([each.colours for each in seen]) * 255
        expected = torch.from_numpy(pixels[counted].astype(np.float32))
        away = (colours[:, None] - expected[:, :3]).abs().amax(2)
        assert away.min(1).values.max() < 0.01


def test_a_scene_with_masks_and_no_test_frames_is_watched_where_it_is_learnt():
    scene = scene_of()
    counted = np.ones(len(scene.photographs.pixels), bool)
    photographs = dataclasses.replace(scene.photographs, counted=counted)
    scene = dataclasses.replace(scene, photographs=photographs, test=scene.test[:0])
    name, psnr = method_for(scene).metric()
    assert name == "psnr_db"
    assert np.isfinite(psnr)


def test_a_scene_whose_masks_leave_out_everything_is_refused():
    scene = scene_of()
    nothing = np.zeros(len(scene.photographs.pixels), bool)
    scene = dataclasses.replace(scene, photographs=dataclasses.replace(scene.photographs, counted=nothing))
    with pytest.raises(InputError, match="no pixel that counts"):
        method_for(scene)


def test_transparent_pixels_are_white():
    seen = method_for(scene_of((0, 0, 0, 0))).batch("field", 1, 0.0)
    assert (seen.colours == 1).all()
    half = method_for(scene_of((100, 0, 0, 128))).batch("field", 1, 0.0)
    np.testing.assert_allclose(half.colours[0], np.array([100 + 127, 127, 127]) / 255, atol=1e-6)


def test_it_learns_a_colour_and_says_so():
    scene = scene_of()
    method = method_for(scene, importance=4, learning_rate=1e-2, noise=1.0)  # noise: nothing stays empty
    name, before = method.metric()
    train(method, Clock(Budget(steps=60)), [])
    assert name == "psnr_held_out_db"
    assert method.metric()[1] > before + 6
    views = method.products()["views"]
    seen = views.render(scene.cameras.picture_rays(5))
    assert (seen.over(1.0)[:, 0] > seen.over(1.0)[:, 1] + 0.3).all()
    assert (views.density(torch.tensor([[0.0, 0.0, 1.6]])) == 0).all()


@pytest.mark.parametrize("ends", [(None, None), (12.0, 80.0)])
def test_a_scene_is_scaled_to_the_published_box(ends):
    box = Box((10.0, 10.0, 10.0), (40.0, 40.0, 25.0))
    config = method_for(dataclasses.replace(scene_of(), near=ends[0], far=ends[1], box=box)).config
    frame = np.array(config.frame).reshape(3, 4)
    np.testing.assert_allclose(frame[:, :3] @ [40, 40, 25] + frame[:, 3], [1.5, 1.5, 0.75])
    assert 0 < config.near < config.far
    assert ends[0] is None or (config.near, config.far) == ends


def test_the_published_scenes_stay_as_they_are():
    similarity = method_for(scene_of()).config.similarity
    assert torch.equal(torch.cat([similarity[0], similarity[1][:, None]], 1), torch.eye(3, 4))


def test_rays_begin_before_the_box_whatever_the_angle():
    box = Box((-1.5,) * 3, (1.5,) * 3)
    scene = dataclasses.replace(scene_of(), near=None, far=None, box=box)
    near = method_for(scene).config.near
    least = 4 / np.hypot(1, 0.3) - 1.5  # along the axis of the nearest camera
    assert 0.5 * least < near <= least


def test_a_fisheye_looks_back_over_its_shoulder():
    scene = scene_of()
    cameras = dataclasses.replace(
        scene.cameras, fisheye=np.ones(6, bool), intrinsics=np.tile([2.0, 2, 4, 4], (6, 1))
    )
    method = method_for(scene)
    pixels = np.array([[0, 4], [4, 4]])
    rays = method._rays(cameras, 0, pixels)
    torch.testing.assert_close(rays.directions, cameras.rays(0, pixels + 0.5).directions)


def forward_scene(views=5):
    """Cameras side by side that look along +y of the world, at things 8 away and farther."""
    poses = np.stack(
        [looking_at(np.array([x, 0.1 * x, 0.0]), np.array([0.2 * x, 9.0, 0.0]), UP) for x in range(views)]
    )
    scene = scene_of((0, 255, 0), views)
    cameras = pinholes(poses, 10.0, (8, 8))
    return dataclasses.replace(scene, cameras=cameras, forward_facing=True, near=8.0, far=60.0)


def test_a_forward_facing_scene_is_recentred_as_published(shared):
    folder = shared / "parity" / "nerf_llff_poses"
    published = np.load(folder / "outputs.npz")
    reordered = published["forward/f64_reordered"][:, :, :4]  # right, up, backwards; scaled already
    scene = dataclasses.replace(forward_scene(len(reordered)), near=4 / 3)  # which is not scaled
    cameras = dataclasses.replace(scene.cameras, poses=reordered * [1, -1, -1, 1])
    config = Config().for_data(dataclasses.replace(scene, cameras=cameras))
    frame = np.array(config.frame).reshape(3, 4)
    assert (config.near, config.far, config.ndc) == (0, 1, (8, 8, 10))
    moved = frame[:, :3] @ reordered
    moved[:, :, 3] += frame[:, 3]
    np.testing.assert_allclose(moved, published["forward/f64_recentred"][:, :, :4], rtol=1e-9, atol=1e-10)


def test_distances_in_normalised_device_coordinates_are_those_of_the_world():
    scene = forward_scene()
    method = method_for(scene)
    rays = scene.cameras.picture_rays(1)[torch.arange(0, 64, 9)]
    inside, _ = method._inside(rays)
    depths = torch.tensor([[0.0, 0.3, 0.7, 0.9]]).expand(len(rays), -1)
    t = method.config.forward.distances(rays, depths)
    world = rays.origins[:, None] + t[..., None] * rays.directions[:, None]
    located, growth = method._located(world.reshape(-1, 3))
    expected = inside.origins[:, None] + depths[..., None] * inside.directions[:, None]
    torch.testing.assert_close(located.view(expected.shape), expected, rtol=1e-3, atol=1e-4)
    assert (growth > 0).all()


def test_what_a_forward_facing_scene_shows_does_not_depend_on_the_length_of_directions():
    scene = forward_scene()
    views = method_for(scene, importance=4).products()["views"]
    rays = scene.cameras.picture_rays(0)
    one, other = views.render(rays), views.render(Rays(rays.origins, 3 * rays.directions))
    torch.testing.assert_close(one.colour, other.colour, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(one.distance, 3 * other.distance, rtol=1e-2, atol=1e-3)


def test_rays_that_go_backward_see_nothing_of_a_forward_facing_scene():
    scene = forward_scene()
    rays = scene.cameras.picture_rays(0)
    seen = method_for(scene).products()["views"].render(Rays(rays.origins, -rays.directions))
    assert not seen.opacity.any()
    assert not seen.colour.any()
    assert not seen.distance.any()
