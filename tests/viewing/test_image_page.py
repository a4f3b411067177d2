"""The page of a picture: whole, offline, what it shows is what it was given."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from isofield.viewing.charts import Curve
from isofield.viewing.image_page import ImagePage, amplified_difference, spectrum_picture, write_image_page
from isofield.viewing.page_parts import Number, fingerprint

NAME = "</title><script>alert(1)</script>{{style}}&.png"
RNG = np.random.default_rng(0)
GIVEN = RNG.integers(0, 256, (40, 60, 3), np.uint8)


def written(path, given=GIVEN, shown=None) -> str:
    shown = np.roll(given, 1, 0) if shown is None else shown
    spectrum = RNG.normal(size=given.shape[:2])
    page = ImagePage(
        NAME, "One sentence.", f"isofield fit '{NAME}'", given, shown, (spectrum, spectrum),
        [Curve("psnr db", np.arange(5.0), np.arange(5.0))], [Number("psnr db", 31.5, "a meaning")],
        ["a note"], {"settings": {"encoding": "none"}},
    )  # fmt: skip
    write_image_page(path / "page.html", page)
    return (path / "page.html").read_text(encoding="utf-8")


def pictures(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def test_the_page_holds_the_pictures_themselves(tmp_path):
    shown, given, difference, *spectra = pictures(written(tmp_path))
    np.testing.assert_array_equal(given, GIVEN)
    np.testing.assert_array_equal(shown, np.roll(GIVEN, 1, 0))
    np.testing.assert_array_equal(difference, np.abs(given.astype(int) - shown))
    assert len(spectra) == 2


def test_strings_of_the_user_stay_text(tmp_path):
    text = written(tmp_path)
    assert "<script>alert" not in text
    assert "{{style}}&amp;.png" in text
    assert text.count("<script") == 1


def test_the_security_policy_names_the_style_and_the_script(tmp_path):
    text = written(tmp_path)
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL)[1]
        assert fingerprint(content) in text
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', text)
    assert "style=" not in text.split("</style>")[1].replace("{{style}}", "")


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_of_every_kind_are_shown(tmp_path, channels, dtype):
    given = RNG.integers(0, np.iinfo(dtype).max, (20, 30, channels)).astype(dtype)
    assert len(pictures(written(tmp_path, given))) == 5


def test_a_large_picture_is_scaled_down_and_that_is_said(tmp_path):
    given = np.zeros((500, 2500, 3), np.uint8)
    text = written(tmp_path, given)
    assert {p.shape[:2] for p in pictures(text)} == {(205, 1024)}
    assert "2500 \u00d7 500 pixels" in text


@pytest.mark.parametrize(("error", "factor"), [(1, 100), (2, 100), (10, 20), (200, 1)])
def test_differences_are_amplified_as_far_as_they_fit(error, factor):
    given = np.full((10, 10, 3), 20, np.uint8)
    difference, found = amplified_difference(given, given + np.uint8(error))
    assert found == factor
    assert np.all(difference == error * factor)


def test_the_two_spectra_lie_side_by_side_in_the_same_colours():
    spectrum = RNG.normal(size=(20, 30))
    picture = spectrum_picture(spectrum, spectrum - 1)
    assert picture.shape == (20, 68, 3)
    np.testing.assert_array_equal(picture[:, :30], spectrum_picture(spectrum, spectrum)[:, -30:])
    assert picture[:, :30].mean() > picture[:, -30:].mean()  # less power is darker
