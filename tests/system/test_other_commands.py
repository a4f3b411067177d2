"""The commands around the main job, and the words that are not commands."""

import json

import numpy as np
import pytest

from isofield import load, write_mesh
from isofield.cli import VERBS
from isofield.geometry.mesh import Mesh
from isofield.methods import METHODS


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fitt", "fit"),
        ("extrct", "extract"),
        ("trian", "train"),
        ("evalute", "evaluate"),
        ("docter", "doctor"),
    ],
)
def test_a_mistyped_command_names_the_one_that_was_meant(command, typed, meant):
    answer = command(typed, "a.ply")
    assert answer.code == 2
    assert f"isofield {meant}" in answer.err


def test_a_word_like_no_command_points_to_the_help(command):
    answer = command("photosynthesise")
    assert answer.code == 2
    assert "isofield --help" in answer.err


def test_without_words_the_help_is_shown_and_counts_as_bad_usage(command):
    answer = command()
    assert answer.code == 2
    assert all(verb in answer.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_explains_itself(command, verb):
    answer = command(verb, "--help")
    assert answer.code == 0
    assert "usage" in answer.out


@pytest.mark.parametrize("method", METHODS)
def test_the_help_of_a_method_lists_every_setting(command, method):
    answer = command("train", method, "--help").assert_done()
    own = {
        "solid": ("--kind", "--levels", "--finest", "--points"),
        "surface": ("--layers", "--neighbour", "--halvings", "--points"),
        "picture": ("--encoding", "--stride", "--share", "--points"),
        "views": ("--samples", "--final", "--learning-rate"),
    }
    for flag in (
        *own[METHODS[method].learns_from],
        "--learning-rate",
        "--steps",
        "--resume",
        "--threads",
    ):
        assert flag in answer.out


@pytest.mark.parametrize(
    "words",
    ["fit a", "train sdf --data a", "extract a", "evaluate a", "data check a", "list", "doctor", "demo"],
)
def test_an_unknown_flag_is_bad_usage(command, words):
    answer = command(*words.split(), "--no-such-flag")
    assert answer.code == 2
    assert "--no-such-flag" in answer.err + answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ["fit"],
        ["fit", "a.ply", "--quality", "superb"],
        ["fit", "a.ply", "--steps", "many"],
        ["fit", "a.ply", "--method", "neus"],
        ["train"],
        ["train", "neus", "--data", "a.ply"],
        ["train", "sdf"],
        ["train", "sdf", "--data", "a.ply", "--kind", "transformer"],
        ["extract"],
        ["extract", "nowhere"],
        ["extract", "nowhere", "--search", "octree"],
        ["evaluate", "nowhere"],
        ["data"],
        ["data", "make"],
        ["data", "check"],
        ["data", "check", "nowhere.ply"],
        ["list", "neus"],
        ["demo", "nowhere.ply"],
    ],
    ids=" ".join,
)
def test_bad_usage_leaves_with_2_and_makes_nothing(command, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    answer = command(*words)
    assert answer.code == 2
    assert answer.err or answer.out
    assert "Traceback" not in answer.err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--steps", "0"], "--steps"),
        (["--seconds", "-1"], "--seconds"),
        (["--seconds", "nan"], "--seconds"),
        (["--seconds", "1", "--steps", "1"], "--seconds"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "99999999999999999999"], "--seed"),
        (["--threads", "0"], "--threads"),
        (["--checkpoint-seconds", "nan"], "--checkpoint-seconds"),
        (["--resume"], "--out"),
        (["--resume", "--overwrite", "--out", "run"], "--overwrite"),
        (["--points", "0"], "--points"),
        (["--levels", "0"], "--levels"),
        (["--hidden", "-1"], "--hidden"),
        (["--truncation", "nan"], "--truncation"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["--uniform", "1.5"], "--uniform"),
        (["--sigmas"], "--sigmas"),
        (["--label-every", "0"], "--label-every"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_setting_out_of_range_is_refused_by_its_flag_and_makes_nothing(
    command, spot, tmp_path, monkeypatch, flags, word
):
    monkeypatch.chdir(tmp_path)
    answer = command("train", "sdf", "--data", spot, *flags).assert_clear_error()
    assert answer.code == 2
    assert word in answer.err
    assert [*tmp_path.iterdir()] == []


def test_more_memory_than_there_is_is_said_in_words(command, spot, tmp_path):
    answer = command("train", "sdf", "--data", spot, "--out", tmp_path / "run", "--points", 10**13)
    answer.assert_clear_error()
    assert answer.code == 1
    assert "not enough memory" in answer.err


def test_debug_shows_where_an_error_comes_from(tmp_path):
    from isofield.cli import main
    from isofield.runtime.errors import InputError

    with pytest.raises(InputError):
        main(["data", "check", str(tmp_path / "nowhere.ply"), "--debug"])


def test_checking_an_input_says_what_it_is_and_what_fit_would_do(command, spot):
    facts = command("data", "check", spot, "--json").assert_done().json
    assert facts["kind"] == "mesh"
    assert facts["faces"] == 5856
    assert facts["closed"]
    assert facts["method"].startswith("sdf")
    text = command("data", "check", spot).assert_done().out
    assert "5856" in text
    assert "sdf" in text


def test_checking_an_open_mesh_warns(command, spot, tmp_path):
    shape = load(spot)
    write_mesh(tmp_path / "open.ply", Mesh(shape.vertices, shape.faces[100:]))
    facts = command("data", "check", tmp_path / "open.ply", "--json").assert_done().json
    assert not facts["closed"]
    assert any("open" in warning for warning in facts["warnings"])
    assert "warning:" in command("data", "check", tmp_path / "open.ply").assert_done().out


def test_checking_what_fit_will_refuse_says_so(command, tmp_path):
    np.savetxt(tmp_path / "bare.xyz", np.random.default_rng(0).normal(size=(9, 3)))
    facts = command("data", "check", tmp_path / "bare.xyz", "--json").assert_done().json
    assert any("refuse" in warning for warning in facts["warnings"])
    assert command("fit", tmp_path / "bare.xyz", "--out", tmp_path / "run").assert_clear_error().code == 2


def test_the_list_has_every_method_and_every_setting_with_its_meaning(command):
    table = command("list", "--json").assert_done().json
    assert table.keys() == METHODS.keys()
    for method in METHODS:
        settings = table[method]["settings"]
        assert all(meaning for _, meaning in settings.values())
        text = command("list", method).assert_done().out
        assert all(name in text for name in settings)


def test_the_doctor_reports_versions_threads_memory_and_speeds(command):
    facts = command("doctor", "--json", "--threads", 1).assert_done().json
    assert {"isofield", "python", "packages", "cores", "memory", "kernels"} <= facts.keys()
    assert "1 thread" in facts["cores"]
    assert any("points a second" in str(value) for value in facts.values())


def test_warming_only_compiles(command):
    answer = command("doctor", "--warm").assert_done()
    assert "points a second" not in answer.out


def test_evaluation_names_every_figure_and_repeats(command, spot_run):
    one = command("evaluate", spot_run, "--json").assert_done().json
    other = command("evaluate", spot_run, "--json").assert_done().json
    assert one == other
    assert one["figures"] == json.loads((spot_run / "metrics.json").read_text())["figures"]
    text = command("evaluate", spot_run).assert_done().out
    assert all(name in text for name in one["figures"])


def test_the_figures_of_another_mesh_are_not_taken_for_those_of_the_run(command, spot, spot_run):
    before = (spot_run / "metrics.json").read_bytes()
    command("evaluate", spot_run, "--mesh", spot).assert_done()
    assert (spot_run / "metrics.json").read_bytes() == before


def test_the_input_compared_with_itself_is_perfect(command, spot, spot_run):
    figures = command("evaluate", spot_run, "--mesh", spot, "--json").assert_done().json["figures"]
    assert figures["iou"] == 1
    assert figures["hausdorff"] < 1e-6
    assert figures["f_score_half_percent"] == 1


def test_training_alone_leaves_a_run_that_can_be_extracted_and_evaluated(command, spot, tmp_path):
    network = ["--levels", 3, "--coarsest", 8, "--finest", 32, "--log2-table", 15, "--points", 4096]
    run = tmp_path / "run"
    command("train", "sdf", "--data", spot, *network, "--steps", 60, "--out", run).assert_done()
    assert {path.name for path in run.iterdir()} == {"run.json", "log.jsonl", "checkpoints"}
    command("evaluate", run).assert_clear_error()
    command("extract", run, "--resolution", 48).assert_done()
    assert command("evaluate", run, "--json").assert_done().json["figures"]["iou"] > 0.97


def test_a_budget_of_seconds_is_kept(command, spot, fast, tmp_path):
    run = tmp_path / "run"
    command("train", "sdf", "--data", spot, "--points", 1024, "--seconds", 0.5, "--out", run).assert_done()
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert log[-1]["seconds"] >= 0.5
    assert log[-2]["seconds"] < 0.5
    assert json.loads((run / "run.json").read_text())["budget"] == {"seconds": 0.5, "steps": None}


@pytest.mark.slow
def test_the_demo_passes_its_own_floor(command, tmp_path):
    answer = command("demo", "--out", tmp_path / "run").assert_done()
    assert "check passed" in answer.out
    assert (tmp_path / "run" / "page.html").is_file()
