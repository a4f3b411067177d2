"""The live viewer in a real browser: it draws, its sliders change the picture, nothing complains."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from isofield.extraction.surface import extract_surface
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh
from isofield.viewing.cut_picture import LiveField
from isofield.viewing.live import LiveView, Subject
from isofield.viewing.live_parts import PAPER

pytestmark = pytest.mark.slow
VISIBLE = "filter((element) => element.offsetParent)"
SLIDERS = f"[...document.querySelectorAll('[role=slider]')].{VISIBLE}"
CHECKBOXES = f"[...document.querySelectorAll('input.mantine-Checkbox-input')].{VISIBLE}"
WIDTH, HEIGHT, PANEL = 960, 620, 330  # pixels of the window, and of the panel at its right


def torus(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    return np.hypot(np.hypot(x, z) - 1.0, y) - 0.4


def surface(level: float) -> Mesh:
    def field(points):
        x, y, z = 1.6 * points.T
        return (x.hypot(z) - 1.0).hypot(y) - 0.4

    found = extract_surface(field, Below(level), 40).mesh
    return Mesh(1.6 * found.vertices.astype(np.float64), found.faces)


@pytest.fixture
def live():
    """A torus on a server that answers, as `isofield view` does."""
    pytest.importorskip("viser")
    box = ((-1.6,) * 3, (1.6,) * 3)
    field = LiveField(torus, surface, *box, Below(), 0.2, "signed distance", "the input's unit")
    given = Mesh(surface(0.1).vertices, surface(0.1).faces)
    view = LiveView(Subject("torus", "As it is.", surface(0.0), given, field=field), port=18280)
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            view.draw(0.05)

    server = threading.Thread(target=answer)
    server.start()
    yield view
    over.set()
    server.join()
    view.close()


def still(browser) -> np.ndarray:
    """A picture once nothing moves any more."""
    picture = browser.picture()[:, : WIDTH - PANEL].astype(int)
    for _ in range(60):
        time.sleep(0.5)
        before, picture = picture, browser.picture()[:, : WIDTH - PANEL].astype(int)
        if np.array_equal(before, picture):
            return picture
    raise AssertionError("the picture does not come to rest")


def changed(browser, before: np.ndarray) -> np.ndarray:
    """A picture that differs from `before`, at rest."""
    for _ in range(60):
        if np.abs((picture := still(browser)) - before).mean() > 0.3:
            return picture
    raise AssertionError("the picture stays as it was")


def look(browser, live: LiveView) -> np.ndarray:
    """Open the viewer; a picture of the shape in it."""
    browser.visit(live.url, WIDTH, HEIGHT, ready=f"{SLIDERS}.length === 2")
    remark = "document.querySelector('.mantine-Notification-closeButton')"  # that there is no GPU
    browser.wait(f"{remark} !== null")
    browser.run(f"{remark}.click()")
    for _ in range(60):
        if seen(picture := still(browser)).mean() > 0.1:
            return picture
    raise AssertionError("no shape to be seen")


def seen(picture: np.ndarray) -> np.ndarray:
    """Where there is not only background."""
    return np.abs(picture - PAPER).max(axis=-1) > 12


def slide(browser, number: int, *keys: str) -> None:
    browser.run(f"{SLIDERS}[{number}].focus()")
    for key in keys:
        browser.key(key)


def test_sliders_and_switches_change_the_picture_and_nothing_complains(browser, live):
    plain = look(browser, live)
    shape = seen(plain)
    for places, size in zip(np.nonzero(shape), shape.shape):
        assert 0.3 < np.ptp(places) / size < 0.99  # framed: neither tiny nor cut off
    assert plain[shape].std() > 15  # lit

    slide(browser, 1, "ArrowLeft")  # the slice shows itself
    sliced = changed(browser, plain)
    slide(browser, 1, *["ArrowRight"] * 12)
    moved = changed(browser, sliced)
    browser.run(f"{CHECKBOXES}[1].click()")  # the slice goes
    whole = changed(browser, moved)
    assert np.abs(whole - plain).mean() < 0.3
    slide(browser, 0, "End")
    thicker = changed(browser, plain)
    assert seen(thicker).mean() > 1.1 * shape.mean()
    slide(browser, 0, "Home")
    thinner = changed(browser, thicker)
    assert seen(thinner).mean() < 0.9 * shape.mean()
    browser.run(f"{CHECKBOXES}.at(-1).click()")
    changed(browser, thinner)  # the input around it

    elsewhere = [a for a in browser.requests if not a.startswith((live.url, "data:", f"blob:{live.url}"))]
    assert elsewhere == []
    assert [message for message in browser.messages if "THREE.Clock" not in message] == []


def test_a_training_that_goes_on_changes_the_picture(browser, live):
    before = look(browser, live)
    live.update(replace(live.subject, note="Later.", mesh=surface(0.15)))
    browser.wait("document.body.innerText.includes('Later.')")
    changed(browser, before)
