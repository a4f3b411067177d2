"""Trainings in processes of their own that are stopped by Ctrl-C and by kill -9."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from isofield.cli import main
from isofield.training.checkpoints import latest_checkpoint, load_checkpoint
from tests.ball_scene import write_scene

STEPS = 200


def _arguments(spot: Path, out: Path) -> list[str]:
    """The training that all of these share: about two seconds of steps, a checkpoint of 1 MB."""
    network = ["--levels", "3", "--coarsest", "8", "--finest", "32", "--log2-table", "15"]
    often = ["--points", "8192", "--steps", str(STEPS), "--checkpoint-seconds", "0.1", "--quiet"]
    return ["train", "sdf", "--data", str(spot), "--out", str(out), *network, *often]


def _start(spot: Path, out: Path, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "isofield", *_arguments(spot, out), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for_a_checkpoint(process: subprocess.Popen, out: Path, after: int = 0) -> None:
    """Return once there is a checkpoint of more than `after` steps, or the process has ended."""
    while process.poll() is None and _step(out) <= after:
        time.sleep(0.005)


def _step(out: Path) -> int:
    """Steps in the newest checkpoint; 0 without one."""
    path = latest_checkpoint(out / "checkpoints")
    return int(path.stem) if path else 0


def _tensors(out: Path) -> dict[str, torch.Tensor]:
    step, tensors, _ = load_checkpoint(latest_checkpoint(out / "checkpoints"))
    assert step == STEPS
    return tensors


def _differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, torch.Tensor]:
    """The state after all steps in one go."""
    out = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert main(_arguments(Path(__file__).resolve().parents[2] / "isofield" / "data" / "spot.ply", out)) == 0
    return _tensors(out)


def test_ctrl_c_saves_the_run_and_resuming_completes_it(spot, tmp_path, uninterrupted):
    out = tmp_path / "run"
    process = _start(spot, out)
    _wait_for_a_checkpoint(process, out)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "saved" in err
    assert "Traceback" not in err
    assert 0 < _step(out) < STEPS
    assert main([*_arguments(spot, out), "--resume"]) == 0
    assert _differences(_tensors(out), uninterrupted) == []


def test_a_run_killed_three_times_ends_with_the_same_weights(spot, tmp_path, uninterrupted):
    out, moments = tmp_path / "run", random.Random(1)
    for _ in range(3):
        process = _start(spot, out, "--resume")
        _wait_for_a_checkpoint(process, out, after=_step(out))
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
    assert main([*_arguments(spot, out), "--resume"]) == 0
    assert _differences(_tensors(out), uninterrupted) == []
    assert [path.name for path in (out / "checkpoints").glob(".*")] == []


def test_a_scene_killed_while_it_trains_ends_with_the_same_weights(tmp_path):
    scene, small = (
        write_scene(tmp_path / "scene"),
        ["--samples", "2048", "--log2-table", "10", "--finest", "32"],
    )
    often = [*small, "--steps", str(STEPS), "--checkpoint-seconds", "0.1", "--quiet"]
    train = ["train", "ngp", "--data", str(scene), *often]
    assert main([*train, "--out", str(tmp_path / "whole")]) == 0
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-m", "isofield", *train, "--out", str(out)])
    _wait_for_a_checkpoint(process, out)
    process.kill()
    process.communicate()
    assert 0 < _step(out) < STEPS
    assert main([*train, "--out", str(out), "--resume"]) == 0
    assert _differences(_tensors(out), _tensors(tmp_path / "whole")) == []


@pytest.mark.slow
def test_twenty_kills_at_moments_from_the_start_of_the_process_to_its_end_change_no_bit(
    spot, tmp_path, uninterrupted
):
    begin = time.perf_counter()
    assert _start(spot, tmp_path / "timed").wait() == 0
    whole = time.perf_counter() - begin
    moments, different, killed = random.Random(2), {}, 0
    for number in range(20):
        out = tmp_path / str(number)
        moment = whole * (number + moments.random()) / 20
        process = _start(spot, out)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        assert main([*_arguments(spot, out), "--resume"]) == 0
        if found := _differences(_tensors(out), uninterrupted):
            different[f"killed at {moment:.2f} s of {whole:.2f} s, step {_step(out)}"] = found
    assert different == {}
    assert (
        killed >= 10
    )  # the rest may have ended early, where the machine became faster than when it was timed
