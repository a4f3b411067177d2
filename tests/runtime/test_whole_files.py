"""Files are whole or absent, whatever happens while they are written."""

import json
import os
import stat
import threading

import pytest

from isofield.runtime.errors import FailedError
from isofield.runtime.files import atomic_path, write_json, write_text


def test_an_error_while_writing_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    target = tmp_path / "mesh.ply"
    write_text(target, "old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half of the ne")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["mesh.ply"]


def test_the_temporary_file_lies_beside_the_target_and_keeps_its_ending(tmp_path):
    with atomic_path(tmp_path / "mesh.ply") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".ply"
    assert os.listdir(tmp_path) == ["mesh.ply"]


def test_readers_see_the_old_or_the_new_content_but_never_a_part(tmp_path):
    target = tmp_path / "run.json"
    contents = {"a" * 100_000, "b" * 100_000}
    write_text(target, "a" * 100_000)
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(target.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for content in [*contents] * 20:
        write_text(target, content)
    done.set()
    watcher.join()
    assert seen <= contents


def test_a_written_file_has_the_permissions_that_any_new_file_gets(tmp_path):
    (tmp_path / "plain").touch()
    write_text(tmp_path / "written", "text")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "written")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("place", ["missing/mesh.ply", "file/mesh.ply", "folder"])
def test_a_place_that_cannot_be_written_is_named_in_the_error(tmp_path, place):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FailedError) as caught:
        write_text(tmp_path / place, "text")
    assert str(tmp_path / place) in str(caught.value)
    assert caught.value.remedy
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_device_is_never_replaced_by_a_file():
    with pytest.raises(FailedError, match="not a regular file"):
        write_text("/dev/full", "text")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_json_has_null_for_what_is_not_finite(tmp_path):
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5], "b": {"c": float("inf")}})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": {"c": None}}
