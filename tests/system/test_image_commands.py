"""Pictures by the commands: fit, render, evaluate, data check, train; and what they refuse."""

import json

import numpy as np
import PIL.Image
import pytest

import isofield
from isofield.cli import main
from isofield.data import write_image
from isofield.metrics.image import psnr
from isofield.runtime.errors import InputError
from isofield.verbs.options import TrainOptions
from isofield.verbs.train import train

PRODUCTS = {
    "run.json", "reconstruction.png", "spectrum.png", "metrics.json", "page.html", "seconds.json",
    "log.jsonl", "checkpoints",
}  # fmt: skip
QUICK = ["--steps", "150", "--quiet"]


def _waves(dtype=np.uint8, channels=3) -> np.ndarray:
    y, x = np.mgrid[:40, :60] / 32
    waves = [0.5 + 0.4 * np.sin(2 * np.pi * (x * (c + 1) / 3 + y / 2) + c) for c in range(channels)]
    return (np.stack(waves, 2) * np.iinfo(dtype).max).astype(dtype)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    write_image(path, _waves())
    return path


@pytest.fixture(scope="module")
def run(photo):
    """The folder of a fit of the photo. Tests leave it as it is."""
    out = photo.parent / "run"
    assert main(["fit", str(photo), *QUICK, "--out", str(out)]) == 0
    return out


def test_a_fit_of_a_picture_writes_every_product_and_nothing_else(run):
    assert {path.name for path in run.iterdir()} == PRODUCTS
    description = json.loads((run / "run.json").read_text())
    assert (description["method"], description["reason"]) == ("image", "a picture")
    assert description["data"]["kind"] == "image"


def test_the_figures_are_those_of_the_reconstruction_that_is_written(run, photo):
    figures = json.loads((run / "metrics.json").read_text())["figures"]
    shown = np.asarray(PIL.Image.open(run / "reconstruction.png"))
    truth = np.asarray(PIL.Image.open(photo))
    assert figures["psnr_db"] == pytest.approx(psnr(shown, truth))
    assert figures["psnr_db"] > 25
    assert figures["psnr_float16_db"] == pytest.approx(figures["psnr_db"], abs=0.3)
    assert figures["share_of_raw"] == figures["float16_bytes"] / truth.nbytes


def test_the_command_says_where_the_picture_is_and_what_comes_next(command, photo, tmp_path):
    answer = command("fit", photo, "--steps", 3, "--out", tmp_path / "run").assert_done()
    assert "reconstruction.png" in answer.out
    assert "isofield render" in answer.out
    assert "reproduced poorly" in answer.out


def test_json_of_a_fit(command, photo, tmp_path):
    result = command("fit", photo, "--steps", 3, "--out", tmp_path / "run", "--json").assert_done().json
    assert result.keys() == {"run", "doubts", "metrics", "seconds"}


def test_a_picture_is_rendered_at_any_size(command, run, tmp_path):
    command("render", run, "--width", 240, "--out", tmp_path / "big.png").assert_done()
    big = PIL.Image.open(tmp_path / "big.png")
    assert big.size == (240, 160)
    small = np.asarray(big.resize((60, 40), PIL.Image.Resampling.BOX))
    assert psnr(small, np.asarray(PIL.Image.open(run / "reconstruction.png"))) > 25
    result = command("render", run, "--height", 20, "--out", tmp_path / "a.jpg", "--json").assert_done().json
    assert (result["width"], result["height"], result["bits"]) == (30, 20, 8)
    command("render", run, "--out", tmp_path / "same.png").assert_done()
    same = np.asarray(PIL.Image.open(tmp_path / "same.png"))
    np.testing.assert_array_equal(same, np.asarray(PIL.Image.open(run / "reconstruction.png")))


def test_render_refuses_what_cannot_be(command, run, photo, spot_run, tmp_path):
    for words in (
        ["render", run, "--out", photo],
        ["render", run, "--out", tmp_path / "a.gif"],
        ["render", run, "--out", tmp_path / "a.png", "--width", 0],
        ["render", run, "--out", tmp_path / "a.png", "--width", 10_000_000],
        ["render", spot_run, "--out", tmp_path / "a.png"],
        ["extract", run],
        ["evaluate", run, "--mesh", photo],
        ["fit", photo, "--faces", 100],
        ["fit", photo, "--method", "sdf"],
        ["train", "sdf", "--data", photo],
    ):
        command(*words).assert_clear_error()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_not_compared(command, run, tmp_path):
    write_image(tmp_path / "half.png", _waves()[::2, ::2])
    answer = command("evaluate", run, "--data", tmp_path / "half.png").assert_clear_error()
    assert "30 x 20 pixels, and the run's picture 60 x 40" in answer.err


def test_the_figure_of_held_out_pixels_is_of_the_own_picture_alone(command, photo, tmp_path):
    out = tmp_path / "run"
    command("train", "image", "--data", photo, "--stride", 3, "--steps", 2, "--out", out).assert_done()
    write_image(tmp_path / "other.png", 255 - _waves())
    own = command("evaluate", out, "--json").assert_done().json
    other = command("evaluate", out, "--data", tmp_path / "other.png", "--json").assert_done().json
    assert "psnr_held_out_db" in own["figures"]
    assert "psnr_held_out_db" not in other["figures"]
    assert "psnr_held_out_db" not in other["headline"]


def test_where_a_picture_goes_is_checked_before_it_is_rendered(run, photo, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("rendered")

    monkeypatch.setattr("isofield.verbs.picture.render_plane", never)
    opened = isofield.open_run(run)
    for out, words in (("a.gif", "no writer"), ("no/a.png", "no such folder")):
        with pytest.raises(InputError, match=words):
            isofield.render(opened, tmp_path / out)
    pixels = np.dstack([_waves(), _waves(channels=1)])
    see_through = train(pixels, options=TrainOptions(steps=1, out=tmp_path / "run"))
    with pytest.raises(InputError, match="cannot hold colour with alpha"):
        isofield.render(see_through, tmp_path / "a.jpg")


def test_a_shape_is_not_trained_as_a_picture(command, spot, tmp_path):
    answer = command("fit", spot, "--method", "image", "--out", tmp_path / "run").assert_clear_error()
    assert "image cannot learn from a mesh" in answer.err
    assert "sdf, occupancy" in answer.err


def test_16_bits_go_in_and_come_out(command, tmp_path):
    write_image(tmp_path / "deep.png", _waves(np.uint16))
    command("fit", tmp_path / "deep.png", *QUICK, "--out", tmp_path / "run").assert_done()
    command("render", tmp_path / "run", "--width", 90, "--out", tmp_path / "out.png").assert_done()
    for path in (tmp_path / "run" / "reconstruction.png", tmp_path / "out.png"):
        assert isofield.load(path).bits == 16


def test_evaluate_makes_the_products_anew(command, photo, run):
    before = (run / "metrics.json").read_text()
    (run / "metrics.json").unlink()
    answer = command("evaluate", run).assert_done()
    assert "psnr_db" in answer.out
    assert (run / "metrics.json").read_text() == before


def test_a_fit_of_a_picture_goes_on_where_it_stopped(command, photo, tmp_path):
    for steps, folder, more in ((20, "parts", []), (40, "parts", ["--resume"])):
        command("fit", photo, "--steps", steps, "--out", tmp_path / folder, *more).assert_done()
    assert isofield.open_run(tmp_path / "parts").description["budget"]["steps"] == 40


def test_data_check_describes_a_picture(command, photo):
    facts = command("data", "check", photo, "--json").assert_done().json
    assert (facts["height"], facts["width"], facts["bits"]) == (40, 60, 8)
    assert facts["method"] == "image: a picture"


def test_a_folder_may_hold_pictures_and_shapes(command, photo, spot, hasty, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "photo.png").write_bytes(photo.read_bytes())
    write_image(tmp_path / "in" / "grey.jpg", _waves(channels=1))
    command("fit", tmp_path / "in", "--steps", 3, "--out", tmp_path / "out").assert_done()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"photo.png", "grey.jpg"}


def test_the_python_face_takes_pixels(tmp_path):
    run = isofield.fit(_waves(), steps=150, out=tmp_path / "run")
    assert run.metrics["figures"]["psnr_db"] > 25
    pixels = isofield.render(run, width=30)
    assert pixels.shape == (20, 30, 3)


def test_the_settings_are_flags_of_train(command, photo, tmp_path):
    command(
        "train", "image", "--data", photo, "--encoding", "gaussian", "--stride", 2, "--steps", 2,
        "--out", tmp_path / "run",
    ).assert_done()  # fmt: skip
    config = isofield.open_run(tmp_path / "run").description["config"]
    assert (config["encoding"], config["stride"], config["size"]) == ("gaussian", 2, [40, 60, 3, 1])
