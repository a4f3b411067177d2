"""Several processes, one training: torchrun with two processes of one thread."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from isofield.data.samples import WHOLE, Draws, Share, generator
from isofield.runtime import processes
from isofield.training.checkpoints import latest_checkpoint, load_checkpoint
from isofield.training.clock import Budget, Clock

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
WORKER = Path(__file__).with_name("worker.py")
NETWORK = ["--levels", "3", "--coarsest", "8", "--finest", "32", "--log2-table", "15", "--points", "8192"]


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """What the two processes of the worker wrote down, and then the same worker alone."""
    out = tmp_path_factory.mktemp("worked")
    found = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    subprocess.run([*TORCHRUN, WORKER, out], check=True, capture_output=True, env=found)
    both = [torch.load(out / f"{number}.pt") for number in (0, 1)]
    subprocess.run([sys.executable, WORKER, out], check=True, capture_output=True, env=found)
    return both, torch.load(out / "0.pt")


@pytest.mark.parametrize("case", ["sdf", "ngp", "uneven", "diverging", "interrupted", "seconds"])
def test_all_processes_hold_the_same_weights_and_know_the_same_losses(worked, case):
    (first, second), _ = worked
    assert first[case]["terms"] == second[case]["terms"]
    states = first[case]["state"], second[case]["state"]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(("case", "term"), [("sdf", "field/distance"), ("ngp", "field/squared_error")])
def test_two_processes_see_the_losses_of_one(worked, case, term):
    two, one = (
        np.array([terms[term] for terms in results[case]["terms"]]) for results in (worked[0][0], worked[1])
    )
    assert len(two) == len(one) == 60
    assert one[-10:].mean() < 0.3 * one[0]
    assert two[-10:].mean() == pytest.approx(one[-10:].mean(), rel=0.1)
    assert two == pytest.approx(one, rel=0.4)  # a step alone is noisy


def test_gradients_are_means_and_a_missing_one_counts_as_zero(worked):
    first = worked[0][0]["uneven"]["state"]
    assert [first["0"].item(), first["1"].item()] == [-0.5 * 4, -1.0 * 4]  # of 1 and 0, of 0 and 2


def test_a_loss_that_is_not_finite_in_one_process_stops_all_in_the_same_step(worked):
    for result in worked[0]:
        assert len(result["diverging"]["terms"]) == 3
        assert "number is not finite at step 3" in result["diverging"]["said"]


def test_an_interrupt_of_one_process_stops_all_after_the_same_step(worked):
    for result in worked[0]:
        assert len(result["interrupted"]["terms"]) == 4
        assert result["interrupted"]["said"].startswith("Interrupted")


def test_the_clock_of_the_first_process_decides_for_all(worked):
    steps = [len(result["seconds"]["terms"]) for result in worked[0]]
    assert steps[0] == steps[1] <= 0.5 / 0.02 + 1  # the slower one sets the pace


def test_shares_add_up_to_the_batch():
    for points, count in ((4096, 2), (10, 3), (7, 7)):
        assert sum(Share(number, count).of(points) for number in range(count)) == points


def test_the_first_process_draws_what_one_alone_draws_and_the_others_something_else():
    alone = generator(3, 5, "draw").random(4)
    assert np.array_equal(alone, generator(3, 5, "draw", Share(0, 2)).random(4))
    assert not np.isin(alone, generator(3, 5, "draw", Share(1, 2)).random(4)).any()


def test_labels_are_shared_out_and_not_computed_twice():
    labelled = {}
    for share in (WHOLE, Share(0, 2), Share(1, 2)):
        counts = []

        def label(points, counts=counts):
            counts.append(len(points))
            return points[:, 0]

        draws = Draws(lambda count, rng: rng.random((count, 3), np.float32), label, 64, 0, 2, share)
        for step in range(80):
            draws.at(step)
        labelled[share] = sum(counts)
    assert labelled[Share(0, 2)] == labelled[Share(1, 2)] == labelled[WHOLE] / 2


def test_without_all_that_torch_needs_a_process_is_alone(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (processes.processes(), processes.rank()) == (1, 0)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "1")
    assert (processes.processes(), processes.rank(), processes.is_first()) == (4, 1, False)


def test_a_held_clock_decides_by_the_time_it_was_given():
    clock = Clock(Budget(seconds=10.0))
    clock.hold(4.0)
    assert (clock.progress, clock.spent) == (0.4, False)
    clock.hold(10.0)
    assert clock.spent
    assert clock.seconds < 1


# ---- the command


def _command(data: Path, out: Path, *more: object) -> list[str]:
    words = ["isofield", "train", "sdf", "--data", data, "--out", out, *NETWORK, "--threads", 1, *more]
    return [*TORCHRUN, "-m", *map(str, words)]


def _log(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def _state(out: Path) -> tuple[int, dict[str, torch.Tensor]]:
    step, tensors, _ = load_checkpoint(latest_checkpoint(out / "checkpoints"))
    return step, tensors


@pytest.mark.slow
def test_two_processes_make_one_run_in_a_numbered_folder_and_say_it_once(spot, tmp_path):
    command = [word for word in _command(spot, Path("x"), "--steps", 30) if word not in ("--out", "x")]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    run = tmp_path / "runs" / "0001-sdf-spot"
    assert [*(tmp_path / "runs").iterdir()] == [run]
    assert answer.stdout.splitlines() == ["runs/0001-sdf-spot", "next: isofield extract runs/0001-sdf-spot"]
    assert answer.stderr.count("trained 30 steps") == 1
    assert json.loads((run / "run.json").read_text())["processes"] == 2
    steps = [record["step"] for record in _log(run)]
    assert steps == sorted({*steps})
    assert _state(run)[0] == steps[-1] == 30


@pytest.mark.slow
def test_a_run_of_two_is_resumed_bit_for_bit_by_two_and_otherwise_by_one(spot, tmp_path):
    whole, parts, other = (tmp_path / name for name in ("whole", "parts", "other"))
    subprocess.run(_command(spot, whole, "--steps", 60), check=True, capture_output=True)
    for out in (parts, other):
        process = subprocess.Popen(_command(spot, out, "--steps", 60, "--checkpoint-seconds", 0))
        while process.poll() is None and latest_checkpoint(out / "checkpoints") is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.wait()
        assert 0 < _state(out)[0] < 60
    subprocess.run([*_command(spot, parts, "--steps", 60), "--resume"], check=True, capture_output=True)
    assert _state(whole)[0] == _state(parts)[0] == 60
    expected, found = _state(whole)[1], _state(parts)[1]
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    alone = [sys.executable, *_command(spot, other, "--steps", 60)[len(TORCHRUN) :], "--resume"]
    answer = subprocess.run(alone, check=True, capture_output=True, text=True)
    assert "begun by 2 process(es), now 1" in answer.stderr
    losses = [_log(out)[-1]["field/distance"] for out in (whole, other)]
    assert losses[1] == pytest.approx(losses[0], rel=0.2)


@pytest.mark.slow
def test_ctrl_c_ends_all_with_one_message_and_a_saved_run(spot, tmp_path):
    out = tmp_path / "run"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(_command(spot, out, "--seconds", 60), **pipes)
    while process.poll() is None and not (out / "log.jsonl").is_file():
        time.sleep(0.01)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert said.count("isofield train:") == said.count("stopped by Ctrl-C") == 1
    assert "unexpected" not in said
    assert _state(out)[0] > 0


@pytest.mark.slow
def test_an_error_is_said_once(tmp_path, spot):
    none = subprocess.run(_command(tmp_path / "none.ply", tmp_path / "a"), capture_output=True, text=True)
    assert none.returncode != 0
    assert none.stderr.count("isofield train:") == 1
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").touch()
    claimed = subprocess.run(_command(spot, taken), capture_output=True, text=True)  # known to the first only
    assert claimed.stderr.count("isofield train:") == claimed.stderr.count("is not empty") == 1
    command = _command(spot, tmp_path / "b")
    command[command.index("train")] = "fit"
    fit = subprocess.run(command, capture_output=True, text=True)
    assert fit.stderr.count("isofield fit:") == fit.stderr.count("is the work of one process") == 1


@pytest.mark.slow
def test_a_process_that_is_killed_takes_the_other_with_it_and_the_run_stays(spot, tmp_path):
    out = tmp_path / "run"
    command = _command(spot, out, "--seconds", 60, "--checkpoint-seconds", 0)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and latest_checkpoint(out / "checkpoints") is None:
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    subprocess.run(["kill", "-9", workers[-1]], check=True)
    said = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert "unexpected" not in said
    assert _state(out)[0] > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["occupancy", "igr", "sal", "image"])
def test_every_method_sees_the_losses_of_one_process(spot, tmp_path, method):
    data, more = spot, []
    if method in ("igr", "sal"):
        more = ["--layers", 4, "--width", 64, "--points", 1024]
    if method == "image":
        data, (y, x) = tmp_path / "waves.png", np.mgrid[:96, :96] / 96
        colours = np.stack([np.sin(20 * x) * np.cos(13 * y), x, y], -1)
        Image.fromarray((127 + 127 * colours).astype(np.uint8)).save(data)
    words = ["isofield", "train", method, "--data", data, *more, "--steps", 40, "--threads", 1, "--quiet"]
    words = [str(word) for word in words]
    for start, out in ((TORCHRUN, "two"), ([sys.executable], "one")):
        subprocess.run([*start, "-m", *words, "--out", str(tmp_path / out)], check=True, capture_output=True)
    last = {out: _log(tmp_path / out)[-1] for out in ("one", "two")}
    assert last["one"]["step"] == last["two"]["step"] == 40
    for name in last["one"].keys() - {"step", "seconds"}:
        assert last["two"][name] == pytest.approx(last["one"][name], rel=0.3, abs=0.01), name
