"""Settings: read, merged, checked."""

import dataclasses
import json

import pytest

from isofield.runtime.errors import InputError
from isofield.training.clock import Budget
from isofield.verbs.options import TrainOptions, read_settings, updated


@dataclasses.dataclass(frozen=True)
class Inner:
    size: int = 3
    pair: tuple[float, ...] = (1.0, 2.0)


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: Inner = dataclasses.field(default_factory=Inner)
    rate: float | None = None


def test_settings_replace_only_what_they_name():
    changed = updated(Outer(), {"inner": {"pair": [3.0]}}, "test")
    assert changed == Outer(Inner(size=3, pair=(3.0,)), None)
    assert updated(Outer(), {}, "test") == Outer()


def test_an_unknown_setting_is_refused_by_its_full_place():
    with pytest.raises(InputError, match="method x, inner: has no setting 'sise'"):
        updated(Outer(), {"inner": {"sise": 4}}, "method x")


@pytest.mark.parametrize("value", [3, "large", [1, 2], None])
def test_a_setting_that_holds_others_cannot_be_a_plain_value(value):
    with pytest.raises(InputError, match="inner"):
        updated(Outer(), {"inner": value}, "method x")


@pytest.mark.parametrize(
    ("settings", "place"),
    [({"rate": "fast"}, "rate"), ({"inner": {"size": "x"}}, "size"), ({"inner": {"pair": 3}}, "pair")],
)
def test_a_value_of_the_wrong_kind_is_refused(settings, place):
    with pytest.raises(InputError, match=place):
        updated(Outer(), settings, "method x")


def test_a_whole_number_serves_where_a_number_is_asked_for():
    assert updated(Outer(), {"rate": 1}, "test").rate == 1


@pytest.mark.parametrize("content", [{"rate": 1.0}, {"config": {"rate": 1.0}, "method": "sdf"}])
def test_settings_come_from_a_file_of_them_or_from_a_run(tmp_path, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_settings(tmp_path / "a.json") == {"rate": 1.0}


@pytest.mark.parametrize("content", ["", "{", "[1]", "3", '{"config": 4}', "\x00\xff"])
def test_what_holds_no_settings_is_refused_with_the_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.json"):
        read_settings(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_settings(tmp_path / "a.json")


def test_the_budget_is_what_was_asked_for_or_the_default():
    assert TrainOptions().budget(300) == Budget(steps=300)
    assert TrainOptions(seconds=2.0).budget(300) == Budget(seconds=2.0)
    assert TrainOptions(steps=5).budget(300) == Budget(steps=5)


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"seed": -1}, "--seed"),
        ({"seed": 2**63}, "--seed"),
        ({"resume": True, "overwrite": True, "out": "run"}, "--overwrite"),
        ({"resume": True}, "--resume"),
        ({"checkpoint_seconds": -1.0}, "--checkpoint-seconds"),
        ({"checkpoint_seconds": float("nan")}, "--checkpoint-seconds"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_their_flag(options, flag, tmp_path):
    if "out" in options:
        options = {**options, "out": tmp_path / options["out"]}
    with pytest.raises(InputError, match=flag):
        TrainOptions(**options).check()
