"""The page of a picture in a real browser: it loads nothing, complains of nothing, and its line moves."""

import numpy as np
import pytest

from isofield.viewing.image_page import ImagePage, write_image_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "a page & more.html"
    given, shown = np.zeros((60, 80, 3), np.uint8), np.full((60, 80, 3), 255, np.uint8)
    spectrum = np.random.default_rng(0).normal(size=(60, 80))
    write_image_page(path, ImagePage("t", "s", "c", given, shown, (spectrum, spectrum)))
    return path


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_the_line_between_input_and_reconstruction_moves(browser, page, width, dark):
    browser.open(page, width=width, dark=dark)
    shares = []
    for place in (10, 50, 90):
        browser.run(f"at.value = {place}; at.dispatchEvent(new Event('input'))")
        shares.append((browser.picture("#wipe").mean(axis=2) < 128).mean())  # the input is black
    assert shares == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    assert [address for address in browser.requests if not address.startswith("data:")] == [page.as_uri()]
    assert browser.messages == []
