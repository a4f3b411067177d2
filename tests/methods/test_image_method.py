"""The method `image`: every encoding learns, batches visit every pixel, the budget of bytes is kept."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from isofield.cli.list import _settings
from isofield.data import Image
from isofield.methods.choice import QUALITIES, suited_to
from isofield.methods.image import NETWORKS, Config, ImageMethod, grid_of_pixels, held_out_pixels
from isofield.rendering.plane import render_plane
from isofield.runtime.errors import InputError
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train
from isofield.training.method import Method
from isofield.verbs.options import updated


def smooth(height=48, width=64, channels=3, dtype=np.uint8) -> Image:
    """A few slow waves."""
    y, x = np.mgrid[:height, :width] / 32
    waves = [0.5 + 0.3 * np.sin(2 * np.pi * (x * (c + 1) / 3 + y / 2) + c) for c in range(channels)]
    return Image("waves", (np.stack(waves, 2) * np.iinfo(dtype).max).astype(dtype))


def trained(image: Image, steps: int, **settings) -> ImageMethod:
    torch.manual_seed(0)
    method = ImageMethod(Config(**settings).for_data(image))
    method.prepare(image, 0)
    train(method, Clock(Budget(steps=steps)), [])
    return method


@pytest.mark.parametrize("encoding", NETWORKS)
def test_every_encoding_learns(encoding):
    image = smooth()
    fresh = trained(image, 1, encoding=encoding, share=1.0, points=512)
    method = trained(image, 40, encoding=encoding, share=1.0, points=512)
    assert isinstance(method, Method)
    assert method.metric()[0] == "psnr_db"
    assert method.metric()[1] > fresh.metric()[1] + 1
    before = ImageMethod(method.config).field.state_dict()
    moved = {n for n, p in method.field.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {n for n, _ in method.field.named_parameters()}


def test_a_smooth_picture_is_learnt_well_in_a_moment():
    method = trained(smooth(), 300, share=1.0, levels=4, points=1024)
    assert method.metric()[1] > 38


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (2, np.uint8), (4, np.uint8), (3, np.uint16)])
def test_pictures_of_every_kind_are_learnt_and_shown(channels, dtype):
    image = smooth(channels=channels, dtype=dtype)
    method = trained(image, 200, share=1.0, levels=4, points=1024)
    picture = method.products()["image"]
    shown = render_plane(picture.field, picture.height, picture.width, picture.channels, dtype)
    assert shown.shape == image.pixels.shape
    error = np.abs(shown.astype(float) - image.pixels) / np.iinfo(dtype).max
    assert error.mean() < 0.05


def test_the_picture_is_upright_and_not_mirrored():
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[:32, :64]
    image = Image("ramps", np.stack([x * 4, y * 8, 0 * x], 2).astype(np.uint8))
    picture = trained(image, 200, share=1.0, levels=3, points=1024).products()["image"]
    shown = render_plane(picture.field, 16, 16, 3).astype(int)
    assert (np.diff(shown[::4, ::4, 0], axis=1) > 20).all()
    assert (np.diff(shown[::4, ::4, 1], axis=0) > 20).all()


@pytest.mark.parametrize(("height", "width", "channels", "share"), [(512, 512, 3, 0.25), (301, 97, 1, 0.5)])
def test_all_weights_as_float16_keep_to_the_share_and_use_it(height, width, channels, share):
    image = Image("flat", np.zeros((height, width, channels), np.uint8))
    method = ImageMethod(Config(share=share).for_data(image))
    size = 2 * sum(t.numel() for t in method.field.state_dict().values())
    assert 0.99 * share * image.pixels.nbytes < size <= share * image.pixels.nbytes


def test_the_size_grows_with_the_depth_of_the_pixels():
    shallow, deep = (Config().for_data(smooth(256, 256, dtype=dtype)) for dtype in (np.uint8, np.uint16))
    sizes = [sum(p.numel() for p in ImageMethod(c).field.parameters()) for c in (shallow, deep)]
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.01)


@pytest.mark.parametrize("size", [8, 16, 64])
def test_a_small_picture_takes_a_smaller_network(size):
    method = ImageMethod(Config().for_data(smooth(size, size)))
    count = sum(p.numel() for p in method.field.parameters())
    assert 0.8 * 4096 < count <= 4096


def test_settings_that_leave_nothing_for_the_grids_are_refused_with_advice():
    with pytest.raises(InputError, match="leaves none for the grids") as caught:
        ImageMethod(Config(hidden=64).for_data(smooth(16, 16)))
    assert "--hidden" in caught.value.where


def test_every_pixel_comes_once_before_any_comes_again_and_batches_depend_on_seed_and_step_alone():
    image = smooth(20, 30)
    image = Image("numbers", np.arange(600, dtype=np.uint16).reshape(20, 30, 1))

    def batch(seed: int, steps: list[int]) -> torch.Tensor:
        method = ImageMethod(Config("none", points=80).for_data(image))
        method.prepare(image, seed)
        return torch.cat([method.batch("field", step, 0.0).values for step in steps])

    numbers = (batch(0, [*range(15)])[:, 0] * 65535).round().int()  # two turns; step 7 is in both
    np.testing.assert_array_equal(torch.bincount(numbers), np.full(600, 2))
    assert len(set(numbers[:560].tolist())) == 560
    assert torch.equal(batch(0, [*range(9)])[-80:], batch(0, [8]))
    assert not torch.equal(batch(0, [8]), batch(1, [8]))


def test_points_and_values_of_a_batch_belong_together():
    image = smooth(20, 30)
    method = ImageMethod(Config("none", points=64).for_data(image))
    method.prepare(image, 0)
    batch = method.batch("field", 0, 0.0)
    columns, rows = (batch.points * torch.tensor([30.0, 20.0]) - 0.5).round().long().T
    np.testing.assert_allclose(batch.values.numpy() * 255, image.pixels[rows, columns], atol=1e-3)


def test_with_stride_2_training_and_test_pixels_are_those_of_the_published_notebook():
    image = smooth(32, 48)
    numbers = np.arange(32 * 48).reshape(32, 48)
    np.testing.assert_array_equal(grid_of_pixels(image, 2), numbers[::2, ::2].ravel())
    np.testing.assert_array_equal(held_out_pixels(image, 2), numbers[1::2, 1::2].ravel())
    assert len(held_out_pixels(image, 1)) == 0
    method = trained(image, 1, encoding="none", stride=2)
    assert method.metric()[0] == "psnr_held_out_db"


def test_the_metric_is_the_psnr_of_the_pixels_kept_apart():
    image = smooth(32, 48)
    method = trained(image, 5, encoding="basic", stride=2)
    shown = render_plane(method.field, 32, 48, 3, np.uint16)[1::2, 1::2] / 65535
    error = np.mean((shown - image.pixels[1::2, 1::2] / 255) ** 2)
    assert method.metric()[1] == pytest.approx(-10 * np.log10(error), abs=1e-3)


def test_a_stride_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match="fewer than 4 pixels"):
        Config(stride=9).for_data(smooth(32, 48))


def test_a_picture_is_suited_to_the_method_image():
    assert suited_to(smooth()).method == "image"


def test_a_config_survives_its_way_through_run_json():
    for config in (Config(), Config("gaussian", stride=3, sigma=4.5).for_data(smooth())):
        written = json.loads(json.dumps(dataclasses.asdict(config)))
        assert updated(Config(), written, "test") == config


def test_every_setting_has_a_meaning():
    assert [name for name, (_, meaning) in _settings(Config).items() if not meaning] == []


def test_qualities_differ_in_steps():
    steps = [Config().steps(quality) for quality in QUALITIES.values()]
    assert steps == sorted(set(steps))
