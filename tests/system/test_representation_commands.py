"""convert, measure, query and combine as commands."""

import json

import numpy as np
import pytest

from isofield.data import load, write_mesh
from isofield.geometry.closed_forms import sphere_mesh


@pytest.fixture
def ball(tmp_path):
    """A ball of radius 0.5 as a file."""
    write_mesh(tmp_path / "ball.ply", sphere_mesh(4))
    return tmp_path / "ball.ply"


def test_convert_says_what_was_lost(command, ball, tmp_path):
    assert "normals do not come back" in command("convert", ball, tmp_path / "a.obj").assert_done().out
    assert "nothing was lost" in command("convert", tmp_path / "a.obj", tmp_path / "b.off").assert_done().out
    answer = command("convert", ball, tmp_path / "a.binvox", "--resolution", 24, "--json").assert_done()
    assert answer.json["exact"] is False
    assert 0.8 < answer.json["figures"]["iou"] < 1
    assert "iou" in command("convert", ball, tmp_path / "b.npz", "--to", "voxels").assert_done().out


def test_measure_prints_numbers_and_draws_sections(command, ball, tmp_path):
    out = command("measure", ball, "--section", "z=50%", "--section", "x=0.1", "--out", tmp_path / "cuts")
    assert "volume" in out.assert_done().out
    assert len(list((tmp_path / "cuts").glob("*.svg"))) == 2
    numbers = command("measure", ball, "--json").assert_done().json
    assert numbers["volume"] == pytest.approx(np.pi / 6, rel=5e-3)


def test_query_answers_points_on_the_line_and_in_files(command, ball, tmp_path):
    answer = command("query", ball, "--at", "0,0,0", "--at", "-1,0,0").assert_done()
    assert "inside, signed distance -0.49" in answer.out
    assert "-1 0 0: outside" in answer.out
    command("convert", ball, tmp_path / "p.xyz", "--points", 50).assert_done()
    command("query", ball, "--points", tmp_path / "p.xyz", "--out", tmp_path / "t.csv").assert_done()
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 51
    assert len(json.loads(command("query", ball, "--at", "0,0,0", "--json").out)["inside"]) == 1


def test_combine_writes_any_representation(command, ball, tmp_path):
    words = ("combine", ball, "box:0,-1,-1,1,1,1", "--op", "intersection", "--resolution", 48, "--out")
    assert "closed, manifold" in command(*words, tmp_path / "half.stl").assert_done().out
    half = load(tmp_path / "half.stl")
    assert half.vertices[:, 0].min() > -0.03
    assert command(*words, tmp_path / "half.npz", "--json").assert_done().json["kind"] == "points"
    command(*words, tmp_path / "half.binvox").assert_done()


@pytest.mark.parametrize(
    "words",
    [
        "convert BALL OUT.jpg",
        "convert BALL missing/OUT.ply",
        "convert BALL BALL",
        "convert missing.ply OUT.ply",
        "measure BALL --section w=1",
        "measure missing.ply",
        "query BALL",
        "query BALL --at 1,2",
        "query BALL --at 0,0,0 --out OUT.txt",
        "query BALL --at 0,0,0 --points BALL",
        "combine BALL --op union --out OUT.ply",
        "combine BALL --op shell --out OUT.ply",
        "combine BALL sphere:9,9,9,1 --op intersection --out OUT.ply",
        "combine BALL sphere:1,2 --op union --out OUT.ply",
        "combine BALL BALL --op union --out OUT.jpg",
        "compare BALL --bytes many",
        "compare BALL --bytes 3",
        "compare missing.ply",
    ],
)
def test_what_cannot_be_done_is_a_clear_error_and_leaves_nothing(command, ball, tmp_path, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spelled = words.replace("BALL", "ball.ply").replace("OUT", "out").split()
    answer = command(*spelled).assert_clear_error()
    assert answer.code == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["ball.ply"]
