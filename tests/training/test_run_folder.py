"""The folder of a run and its log."""

import json
import os
import resource

import pytest

from isofield.runtime.errors import FailedError, InputError
from isofield.training.clock import Budget, Clock
from isofield.training.hooks import Log, Metric
from isofield.training.loop import train
from isofield.training.run_folder import RunFolder, claim_folder


def test_runs_are_numbered_on_from_the_highest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert claim_folder(None, "sdf-spot").path.as_posix() == "runs/0001-sdf-spot"
    (tmp_path / "runs" / "0041-sdf-old").mkdir()
    (tmp_path / "runs" / "notes").mkdir()
    assert claim_folder(None, "sdf-spot").path.as_posix() == "runs/0042-sdf-spot"


@pytest.mark.parametrize("title", ["sdf-my scan/../../etc", "sdf-ünïcode", "sdf-..", "---", "a\nb"])
def test_the_name_of_an_input_cannot_lead_out_of_the_runs(tmp_path, monkeypatch, title):
    monkeypatch.chdir(tmp_path)
    path = claim_folder(None, title).path.resolve()
    assert path.parent == (tmp_path / "runs").resolve()
    assert path.is_dir()


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="not empty"):
        claim_folder(tmp_path, "sdf-spot")


def test_overwriting_removes_a_run_and_nothing_else(tmp_path, line):
    folder = RunFolder(tmp_path)
    folder.describe({})
    train(line, Clock(Budget(steps=2)), [Log(Metric(line), folder, 0)])
    folder.metrics.write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    claim_folder(tmp_path, "sdf-spot", overwrite=True)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_overwriting_leaves_alone_what_is_not_a_run(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="not a run"):
        claim_folder(tmp_path, "sdf-spot", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_resuming_leaves_alone_what_is_not_a_run(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="not a run"):
        claim_folder(tmp_path, "sdf-spot", resume=True)


def test_resuming_takes_a_folder_whose_run_was_killed_before_it_was_described(tmp_path):
    (tmp_path / ".run.json.abc.json").write_text("{")
    assert claim_folder(tmp_path, "sdf-spot", resume=True).path == tmp_path
    assert claim_folder(tmp_path / "new", "sdf-spot", resume=True).path.is_dir()


@pytest.mark.parametrize(("place", "kind"), [("file", InputError), ("file/run", FailedError)])
def test_a_file_in_the_way_is_named(tmp_path, place, kind):
    (tmp_path / "file").write_text("")
    with pytest.raises(kind) as caught:
        claim_folder(tmp_path / place, "sdf-spot")
    assert str(tmp_path / place) in str(caught.value)


def test_a_folder_without_a_description_is_not_a_run(tmp_path):
    with pytest.raises(InputError, match="not the folder of a run"):
        RunFolder(tmp_path).description()


def test_a_damaged_description_is_an_error_with_the_file_in_it(tmp_path):
    (tmp_path / "run.json").write_text('{"method": ')
    with pytest.raises(InputError, match=r"run\.json"):
        RunFolder(tmp_path).description()


def test_the_log_holds_steps_seconds_the_metric_and_the_terms(line, folder):
    train(line, Clock(Budget(steps=3)), [Log(Metric(line), folder, 0)])
    records = folder.read_log()
    assert [*records[0]] == ["step", "seconds", "slope_error", "line/residual"]
    assert records[0]["step"] == 1
    assert records[-1]["step"] == 3


def test_a_resumed_log_is_cut_back_to_the_checkpoint_and_goes_on(line, folder):
    records = [{"step": step, "seconds": step / 10, "line/residual": 1.0} for step in (1, 4, 9, 14)]
    folder.log.write_text("".join(json.dumps(record) + "\n" for record in records) + '{"step": 17, "seco')
    train(line, Clock(Budget(steps=11), step=9, seconds=0.9), [Log(Metric(line), folder, 9)])
    steps = [record["step"] for record in folder.read_log()]
    assert steps[:3] == [1, 4, 9]
    assert steps[3:] == sorted(set(steps[3:]))
    assert steps[3] > 9
    assert steps[-1] == 11


def test_a_disk_that_is_full_when_a_run_is_resumed_does_not_cost_its_log(line, folder):
    text = "".join(json.dumps({"step": step, "seconds": 1.0}) + "\n" for step in range(1000))
    folder.log.write_text(text)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(FailedError, match="free space"):
            Log(Metric(line), folder, 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert folder.log.read_text() == text
    assert os.listdir(folder.path) == [folder.log.name]


def test_a_line_that_a_kill_cut_off_is_left_out(folder):
    for part in ("", "{", '{"step": 2'):
        folder.log.write_text('{"step": 1, "seconds": 0.1}\n' + part)
        assert folder.read_log() == [{"step": 1, "seconds": 0.1}]
        assert folder.read_log(up_to_step=5) == [{"step": 1, "seconds": 0.1}]
