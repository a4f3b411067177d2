"""A CPU training at given steps repeats bit for bit, resumed or not, on any number of threads."""

import signal

import numpy as np
import pytest
import torch

from isofield.data import Image, load
from isofield.methods.image import Config as ImageConfig
from isofield.methods.image import ImageMethod
from isofield.methods.occupancy import Config as OccupancyConfig
from isofield.methods.occupancy import Occupancy
from isofield.methods.sdf import SDF
from isofield.methods.sdf import Config as SDFConfig
from isofield.networks.coordinate import CoordinateNetwork
from isofield.runtime.interruption import Interrupted
from isofield.runtime.threads import set_threads
from isofield.training.checkpoints import latest_checkpoint, load_checkpoint
from isofield.training.clock import Budget, Clock
from isofield.training.hooks import Checkpoints, Log, Metric, restore
from isofield.training.loop import train, warm_up
from isofield.training.run_folder import RunFolder

STEPS = 40
PICTURE = Image("noise", np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8))
SMALL = CoordinateNetwork(levels=4, coarsest=8, finest=64, log2_table=12)


class InterruptAt:
    """A hook that presses Ctrl-C when `step` steps are done."""

    def __init__(self, step: int) -> None:
        self.step = step

    def after_step(self, clock, terms) -> None:
        if clock.step == self.step:
            signal.raise_signal(signal.SIGINT)

    def close(self, clock, whole) -> None:
        pass


@pytest.fixture(scope="module")
def shape():
    from pathlib import Path

    return load(Path(__file__).resolve().parents[2] / "isofield" / "data" / "spot.ply")


def _run(make, shape, folder: RunFolder, steps: int = STEPS, stop_at: int | None = None) -> None:
    """Train in `folder`, from its checkpoint if it has one, to the end or to an interruption."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        method = make()
    method.prepare(shape, seed=5)
    warm_up(method)
    step, seconds = restore(method, folder)
    hooks = [Checkpoints(method, folder), Log(Metric(method), folder, step)]
    train(
        method, Clock(Budget(steps=steps), step, seconds), hooks + ([InterruptAt(stop_at)] if stop_at else [])
    )


def _state(folder: RunFolder) -> tuple[int, dict[str, torch.Tensor]]:
    step, tensors, _ = load_checkpoint(latest_checkpoint(folder.checkpoints))
    return step, tensors


def _sdf() -> SDF:
    return SDF(SDFConfig(SMALL, points=2048))


def _siren() -> SDF:
    return SDF(SDFConfig(CoordinateNetwork(kind="siren"), points=256))


def _occupancy() -> Occupancy:
    return Occupancy(OccupancyConfig(SMALL, points=2048))


def _image() -> ImageMethod:
    return ImageMethod(ImageConfig(levels=4, hidden=16, points=500).for_data(PICTURE))


def _assert_equal(one: RunFolder, other: RunFolder) -> None:
    (step, expected), (other_step, found) = _state(one), _state(other)
    assert step == other_step
    assert any("/optimiser/" in name for name in expected)
    assert expected.keys() == found.keys()
    different = [name for name in expected if not torch.equal(expected[name], found[name])]
    assert different == []


@pytest.mark.parametrize(
    "make", [_sdf, _occupancy, _siren, _image], ids=["sdf", "occupancy", "sdf with siren", "image"]
)
def test_a_resumed_training_ends_bit_for_bit_where_an_uninterrupted_one_does(tmp_path, shape, make):
    data = PICTURE if make is _image else shape
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    for folder in (whole, parts):
        folder.path.mkdir()
    _run(make, data, whole)
    for stop in (15, 31):  # before and after draws begin to be used again (step 24)
        with pytest.raises(Interrupted):
            _run(make, data, parts, stop_at=stop)
        assert _state(parts)[0] == stop
    _run(make, data, parts)
    assert _state(whole)[0] == STEPS
    _assert_equal(whole, parts)


def test_the_number_of_threads_changes_no_bit(tmp_path, shape):
    folders = [RunFolder(tmp_path / str(count)) for count in (1, 2, 3)]
    for count, folder in enumerate(folders, 1):
        folder.path.mkdir()
        set_threads(count)
        _run(
            lambda: SDF(SDFConfig(CoordinateNetwork(levels=4, log2_table=14), points=8192)),
            shape,
            folder,
            steps=6,
        )
    _assert_equal(folders[0], folders[1])
    _assert_equal(folders[0], folders[2])


def test_resuming_after_the_end_changes_nothing(tmp_path, shape):
    folder = RunFolder(tmp_path)
    _run(_sdf, shape, folder, steps=3)
    before = _state(folder)[1]
    _run(_sdf, shape, folder, steps=3)
    assert all(torch.equal(tensor, before[name]) for name, tensor in _state(folder)[1].items())
