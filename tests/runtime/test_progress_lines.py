"""What is said while working goes to standard error, or nowhere when quiet."""

import pytest

from isofield.runtime.progress import progress, say, set_quiet


@pytest.fixture(autouse=True)
def _talkative():
    set_quiet(False)
    yield
    set_quiet(False)


def test_lines_leave_standard_output_to_the_results(capsys):
    say("working")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "working\n")


def test_quiet_means_nothing_is_said(capsys):
    set_quiet(True)
    say("working")
    with progress("training") as bar:
        bar.update(0.5, "half")
    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_progress_is_a_line_every_ten_seconds(capsys, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    with progress("training") as bar:
        for second in range(1, 25):
            now[0] = 100.0 + second
            bar.update(second / 40, f"step {second}")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training: 28%, about 29 s left, step 11",
        "training: 55%, about 18 s left, step 22",
    ]
