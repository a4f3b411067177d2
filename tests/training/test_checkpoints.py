"""Checkpoints: whole or absent, and exactly what was saved."""

import os
import resource

import pytest
import torch

from isofield.kernels.adam import Adam
from isofield.runtime.errors import FailedError, InputError
from isofield.training.checkpoints import latest_checkpoint, load_checkpoint, save_checkpoint
from isofield.training.clock import Budget, Clock
from isofield.training.hooks import Checkpoints, restore
from isofield.training.loop import train
from isofield.training.method import Player, cosine

TENSORS = {
    "weights": torch.tensor([[1.5, float("inf")], [-0.0, 1e-45]]),
    "step": torch.tensor(3),
    "empty": torch.zeros(0, 4),
    "mask": torch.tensor([True, False]),
}


def _state(method) -> dict[str, torch.Tensor]:
    """Every tensor and number of the players, by name."""
    found = {}
    for name, player in method.players.items():
        found |= {f"{name}/{key}": value.clone() for key, value in player.module.state_dict().items()}
        for index, entries in player.optimiser.state_dict()["state"].items():
            found |= {
                f"{name}/{index}/{key}": torch.as_tensor(value).clone() for key, value in entries.items()
            }
    return found


def test_what_is_loaded_is_what_was_saved(tmp_path):
    path = save_checkpoint(tmp_path, 12, TENSORS, {"seconds": 0.1 + 0.2})
    step, tensors, numbers = load_checkpoint(path)
    assert (step, numbers) == (12, {"seconds": 0.1 + 0.2})
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_there_is_one_checkpoint_and_latest_names_it(tmp_path):
    for step in (1, 2, 30):
        path = save_checkpoint(tmp_path, step, TENSORS, {})
        assert sorted(os.listdir(tmp_path)) == [path.name, "latest"]
        assert latest_checkpoint(tmp_path) == path


def test_what_a_kill_left_behind_is_not_taken_for_a_checkpoint_and_goes_with_the_next(tmp_path):
    good = save_checkpoint(tmp_path, 5, TENSORS, {})
    (tmp_path / ".00000006.safetensors.abc.safetensors").write_bytes(
        good.read_bytes()[:40]
    )  # killed while writing
    (tmp_path / ".latest.abc").write_text("000")
    (tmp_path / "00000006.safetensors").write_bytes(good.read_bytes())  # killed before `latest` was moved
    assert latest_checkpoint(tmp_path) == good
    path = save_checkpoint(tmp_path, 7, TENSORS, {})
    assert sorted(os.listdir(tmp_path)) == [path.name, "latest"]


def test_without_a_checkpoint_there_is_none(tmp_path, line, folder):
    assert latest_checkpoint(tmp_path / "nowhere") is None
    assert restore(line, folder) == (0, 0.0)


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(tmp_path):
    good = save_checkpoint(tmp_path, 1, TENSORS, {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(FailedError, match="free space"):
            save_checkpoint(tmp_path, 2, {"large": torch.zeros(100_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(os.listdir(tmp_path)) == [good.name, "latest"]
    assert load_checkpoint(latest_checkpoint(tmp_path))[0] == 1


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"\xff" * 400, b"\x08" + b"\0" * 7 + b"{}      "]
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "00000001.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_short_is_refused(tmp_path, share):
    path = save_checkpoint(tmp_path, 1, TENSORS | {"large": torch.zeros(1000)}, {"seconds": 1.0})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match="not a checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize("optimiser", [torch.optim.Adam, torch.optim.SGD, Adam])
def test_restoring_gives_equal_weights_and_an_equal_optimiser(new_line, folder, optimiser):
    def method():
        made = new_line()
        made.players = {"line": Player(made.line, optimiser(made.line.parameters(), 0.01), cosine(0.1))}
        return made

    trained = method()
    train(trained, Clock(Budget(steps=7)), [Checkpoints(trained, folder)])
    fresh = method()
    assert restore(fresh, folder)[0] == 7
    expected, found = _state(trained), _state(fresh)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_state_is_saved_when_it_is_time_and_at_the_end(line, folder, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    hook, clock = Checkpoints(line, folder, every=10.0), Clock(Budget(steps=9))
    saved = []
    for step in range(1, 9):
        now[0], clock.step = 4.0 * step, step
        hook.after_step(clock, {})
        saved.append(latest_checkpoint(folder.checkpoints) and latest_checkpoint(folder.checkpoints).name)
    assert [name and int(name[:8]) for name in saved] == [None, None, 3, 3, 3, 6, 6, 6]
    hook.close(clock, whole=True)
    assert latest_checkpoint(folder.checkpoints).name == "00000008.safetensors"
