"""Training a run, opening it again, and its field in the input's units."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from isofield.runtime.errors import InputError
from isofield.verbs.options import TrainOptions
from isofield.verbs.run import open_run
from isofield.verbs.train import train


def test_a_run_describes_itself_completely(far_run):
    description = json.loads((far_run.path / "run.json").read_text())
    assert description == json.loads(json.dumps(far_run.description))
    assert description["method"] == "sdf"
    assert description["budget"] == {"seconds": None, "steps": 60}
    assert description["data"]["fingerprint"]
    assert {"python", "torch", "numpy", "numba"} <= description["versions"].keys()


def test_an_opened_run_has_the_same_field(far_run):
    points = np.random.default_rng(0).normal((100, 0, -50), 2, (100, 3))
    assert torch.equal(open_run(far_run.path).field(points), far_run.field(points))


def test_distances_are_in_the_units_and_the_place_of_the_input(far_run):
    directions = np.random.default_rng(1).normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for distance in (-0.4, 0.0, 0.2):
        values = far_run.field((3 + distance) * directions + (100, 0, -50))
        assert float((values - distance).abs().mean()) < 0.05


def test_a_folder_that_is_no_run_cannot_be_opened(tmp_path):
    with pytest.raises(InputError, match="not the folder of a run"):
        open_run(tmp_path)


def test_a_run_that_never_saved_has_no_field(far_run, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(far_run.description))
    with pytest.raises(InputError, match="no checkpoint"):
        open_run(tmp_path).field(np.zeros((1, 3)))


def test_a_run_of_an_unknown_method_is_refused_with_the_known_ones(far_run, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({**far_run.description, "method": "wavelets"}))
    with pytest.raises(InputError, match="wavelets") as caught:
        open_run(tmp_path).field(np.zeros((1, 3)))
    assert "sdf" in caught.value.remedy


@pytest.mark.parametrize("content", [{}, [], {"method": "sdf"}, 3])
def test_a_description_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(InputError):
        open_run(tmp_path).field(np.zeros((1, 3)))


def test_resuming_on_another_shape_is_refused(make_ball, small, tmp_path):
    options = TrainOptions(out=tmp_path / "run", steps=2)
    train(make_ball(), "sdf", small, options)
    with pytest.raises(InputError, match="not the input"):
        train(make_ball(radius=0.7), "sdf", small, dataclasses.replace(options, resume=True))


def test_resuming_with_a_larger_budget_goes_on_to_it(make_ball, small, tmp_path):
    options = TrainOptions(out=tmp_path / "run", steps=3)
    train(make_ball(), "sdf", small, options)
    run = train(make_ball(), "sdf", small, dataclasses.replace(options, resume=True, steps=7))
    assert [path.name for path in (run.path / "checkpoints").glob("*.safetensors")] == [
        "00000007.safetensors"
    ]
    assert json.loads((run.path / "run.json").read_text())["budget"] == {"seconds": None, "steps": 7}
    assert run.folder.read_log()[-1]["step"] == 7


def test_the_seed_decides_the_weights(make_ball, small, tmp_path):
    def weights(name: str, seed: int) -> torch.Tensor:
        run = train(make_ball(), "sdf", small, TrainOptions(out=tmp_path / name, steps=2, seed=seed))
        return torch.cat([parameter.flatten() for parameter in run.method.field.parameters()])

    torch.manual_seed(17)  # the state outside must not matter
    one = weights("one", 1)
    torch.manual_seed(18)
    assert torch.equal(weights("again", 1), one)
    assert not torch.equal(weights("other", 2), one)


def test_training_leaves_the_random_state_of_the_caller_alone(make_ball, small, tmp_path):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(5)
    np.random.seed(5)
    train(make_ball(), "sdf", small, TrainOptions(out=tmp_path / "run", steps=1))
    assert torch.equal(torch.rand(3), expected[0])
    assert np.array_equal(np.random.rand(3), expected[1])


def test_too_few_points_are_refused(make_ball, tmp_path):
    few = make_ball().vertices[:9]
    shape = dataclasses.replace(make_ball(), kind="points", vertices=few, faces=np.zeros((0, 3), np.int32))
    with pytest.raises(InputError, match="too few"):
        train(shape, options=TrainOptions(out=tmp_path / "run", steps=1))
    assert not (tmp_path / "run").exists()


def test_an_unknown_method_or_quality_is_refused_before_anything_is_made(make_ball, tmp_path):
    import isofield

    with pytest.raises(InputError, match="wavelets"):
        train(make_ball(), "wavelets", options=TrainOptions(out=tmp_path / "run"))
    with pytest.raises(InputError, match="ultra"):
        isofield.fit(make_ball(), quality="ultra", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
