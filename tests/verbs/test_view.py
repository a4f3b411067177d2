"""What the live viewer is given: of runs, of runs that train, of files."""

import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from isofield.data import load, write_mesh
from isofield.geometry.mesh import Mesh
from isofield.methods import METHODS
from isofield.methods.sdf import SDF, Config
from isofield.runtime.errors import InputError
from isofield.training.run_folder import RunFolder
from isofield.verbs.combine import combine
from isofield.verbs.extract import extract
from isofield.verbs.field_file import open_field, save_field
from isofield.verbs.options import TrainOptions
from isofield.verbs.run import open_run
from isofield.verbs.train import train
from isofield.verbs.view import EXACT, TRUSTED, FollowedRun, Still, StillField, view

CENTRE = np.array([100.0, 0.0, -50.0])


class Bare(SDF):
    """A method that makes nothing."""

    def products(self):
        return {}


@pytest.fixture
def copied(far_run, tmp_path):
    """A run that a test may change."""
    shutil.copytree(far_run.path, tmp_path / "run")
    return open_run(tmp_path / "run")


@pytest.fixture
def saved(make_ball, small, tmp_path):
    """A run whose input is a file, trained a little and without a mesh."""
    ball = make_ball()
    write_mesh(tmp_path / "ball.ply", Mesh(ball.vertices, ball.faces))
    return train(tmp_path / "ball.ply", "sdf", small, TrainOptions(out=tmp_path / "run", steps=20))


def test_the_field_of_a_run_speaks_the_coordinates_and_units_of_the_input(far_run):
    field = FollowedRun(far_run).subject().field
    points = CENTRE + np.array([[2.9, 0, 0], [0, 3.1, 0], [0, 0, -2.8]])
    assert field.values(points) == pytest.approx([-0.1, 0.1, -0.2], abs=0.08)
    assert field.low == pytest.approx(CENTRE - 3.3, abs=0.05)
    assert field.high == pytest.approx(CENTRE + 3.3, abs=0.05)
    assert field.reach == pytest.approx(TRUSTED * 0.2 * 3.3, rel=0.02)


@pytest.mark.parametrize("level", [0.0, 0.3, -0.3])
def test_the_surface_at_a_level_is_as_far_out_as_the_level_says(far_run, level):
    mesh = FollowedRun(far_run).subject().field.surface(level)
    assert np.linalg.norm(mesh.vertices - CENTRE, axis=1) == pytest.approx(3 + level, abs=0.1)


def test_a_run_without_a_mesh_shows_its_field_and_with_one_the_mesh(copied):
    subject = FollowedRun(copied).subject()
    assert subject.mesh is None
    assert "after 60 steps" in subject.note
    mesh, _ = extract(copied, 32)
    subject = FollowedRun(copied).subject()
    assert len(subject.mesh.faces) == len(mesh.faces)
    assert "mesh.ply" in subject.note


def test_the_input_gives_errors_in_shares_of_its_size(saved):
    subject = FollowedRun(saved).subject()
    assert len(subject.given.faces) == len(load(saved.description["data"]["path"]).faces)
    assert subject.distance(np.array([[0.9, 0, 0], [0, 0.8, 0]])) == pytest.approx([0.1 / 1.6, 0], abs=0.005)


def test_an_input_that_is_gone_leaves_the_rest(copied, capsys):
    subject = FollowedRun(copied).subject()
    assert subject.given is None
    assert subject.distance is None
    assert "input cannot be read" in capsys.readouterr().err


def test_a_run_that_trains_on_is_followed(saved):
    followed = FollowedRun(saved)
    assert followed.subject().given is followed.subject().given  # one that the viewer simplifies once
    assert "after 20 steps" in followed.subject().note
    assert followed.newer() is None
    train(saved.description["data"]["path"], options=TrainOptions(out=saved.path, steps=40, resume=True))
    newer = followed.newer()
    assert "after 40 steps" in newer.note
    assert followed.newer() is None
    extract(open_run(saved.path), 32)
    assert "mesh.ply" in followed.newer().note


def test_a_mesh_that_is_older_than_the_field_is_not_shown(saved):
    extract(saved, 32)
    followed = FollowedRun(saved)
    assert followed.subject().given is followed.subject().given  # one that the viewer simplifies once
    assert followed.subject().mesh is not None
    mesh = saved.folder.mesh
    old = mesh.stat().st_mtime - 60
    os.utime(mesh, (old, old))
    assert followed.newer().mesh is None


def test_before_the_first_checkpoint_there_is_the_input(saved):
    shutil.rmtree(saved.folder.checkpoints)
    subject = FollowedRun(saved).subject()
    assert subject.field is None
    assert subject.given is not None
    assert "No checkpoint yet" in subject.note


def test_a_run_with_nothing_to_show_is_an_error(copied):
    shutil.rmtree(copied.folder.checkpoints)
    with pytest.raises(InputError, match="no checkpoint yet"):
        FollowedRun(copied).subject()


def test_a_run_that_is_removed_while_one_looks_on_stays_on_the_screen(saved):
    followed = FollowedRun(saved)
    assert followed.subject().given is followed.subject().given  # one that the viewer simplifies once
    followed.subject()
    shutil.rmtree(saved.path)
    assert followed.newer() is None


def test_a_method_without_a_mesh_is_a_clear_error(copied, monkeypatch):
    monkeypatch.setitem(METHODS, "bare", SimpleNamespace(load=lambda: (Bare, Config)))
    RunFolder(copied.path).describe({**copied.description, "method": "bare"})
    with pytest.raises(InputError, match="`bare`, which makes no mesh"):
        FollowedRun(open_run(copied.path))


def test_fields_without_a_run_are_shown_by_their_surface(far_run, tmp_path):
    save_field(tmp_path / "ball.safetensors", far_run.field)
    subject = StillField(open_field(tmp_path / "ball.safetensors")).subject()
    assert np.linalg.norm(subject.mesh.vertices - CENTRE, axis=1) == pytest.approx(3, abs=0.1)
    assert subject.field.reach == pytest.approx(TRUSTED * 0.2 * 3.3, rel=0.02)
    body = combine(["sphere:0,0,0,1", "sphere:1,0,0,1"], "union")
    assert StillField(body).subject().field.reach == pytest.approx(EXACT / body.frame.scale)


def test_a_file_is_shown_as_it_is(tmp_path):
    points = np.random.default_rng(0).normal(size=(500, 3))
    np.savetxt(tmp_path / "points.xyz", points)
    subject = Still(load(tmp_path / "points.xyz")).subject()
    assert len(subject.mesh.faces) == 0
    assert np.allclose(subject.mesh.vertices, points)
    assert subject.field is None
    assert subject.title == "points"


@pytest.mark.parametrize("source", ["nothing.ply", "."])
def test_what_cannot_be_shown_is_a_clear_error(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        view(source)
    assert error.value.remedy
