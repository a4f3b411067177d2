"""The live viewer of radiance fields in a real browser: its camera moves, and the picture follows."""

import threading

import numpy as np
import pytest
import torch

from isofield.rendering.cameras import looking_at, pinholes
from isofield.rendering.rays import Rays, ray_sphere
from isofield.rendering.volume import Rendered
from isofield.viewing.live_parts import PAPER
from isofield.viewing.live_views import LiveViews, SceneSubject

pytestmark = pytest.mark.slow
VISIBLE = "filter((element) => element.offsetParent)"
BUTTONS = f"[...document.querySelectorAll('button')].{VISIBLE}"
WIDTH, HEIGHT, PANEL = 960, 620, 330  # pixels of the window, and of the panel at its right


def colour_at(points: torch.Tensor) -> torch.Tensor:
    red = (points[:, 0] > 0).float()
    return torch.stack([red, torch.zeros_like(red), 1 - red], 1)


def render(rays: Rays) -> Rendered:
    """An opaque ball, red where x is above 0, blue elsewhere."""
    entry, leave = ray_sphere(rays, torch.zeros(3).to(rays.origins), 1.0)
    opacity = (leave > entry).float()
    colours = colour_at(rays.origins + entry[:, None] * rays.directions)
    return Rendered(opacity[:, None] * colours, opacity, opacity * entry)


@pytest.fixture
def live():
    """A ball in front of one camera, on a server that answers as `isofield view` does."""
    pytest.importorskip("viser")
    up, places = np.array([0.0, 0, 1]), [np.array([0.0, -4, 0.5]), np.array([0.0, 4, 0.5])]
    cameras = pinholes(np.stack([looking_at(place, np.zeros(3), up) for place in places]), 80.0, (96, 64))
    box = ((-1.1,) * 3, (1.1,) * 3)

    def density(points):
        return 50.0 * (points.norm(dim=1) < 1).float()

    subject = SceneSubject(
        "ball", "As it is.", render, density, lambda p, _: colour_at(p), *box, cameras, (0,), (1,)
    )
    view = LiveViews(subject, port=18680)
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


def scene(browser) -> np.ndarray:
    return browser.picture()[:, : WIDTH - PANEL].astype(int)


def wait(browser, condition, what: str) -> np.ndarray:
    """The first picture for which a condition holds."""
    for _ in range(100):
        if condition(picture := scene(browser)):
            return picture
    raise AssertionError(what)


def sides(picture: np.ndarray) -> tuple[float, float]:
    """Mean columns of what is red and of what is blue; nan where there is none."""
    red = (picture[..., 0] > 180) & (picture[..., 1:].max(axis=-1) < 90)
    blue = (picture[..., 2] > 180) & (picture[..., :2].max(axis=-1) < 90)
    return tuple(float(np.nonzero(part)[1].mean()) if part.sum() > 500 else np.nan for part in (red, blue))


def press(browser, words: str) -> None:
    browser.run(f"{BUTTONS}.find((button) => button.innerText.includes('{words}')).click()")


def test_the_picture_follows_the_camera_and_a_path_is_made_of_what_it_saw(browser, live):
    browser.visit(live.url, WIDTH, HEIGHT, ready="document.body.innerText.includes('Add this view')")
    remark = "document.querySelector('.mantine-Notification-closeButton')"  # that there is no GPU
    browser.wait(f"{remark} !== null")
    browser.run(f"{remark}.click()")
    # from the test camera, behind the ball: red at the left
    first = wait(browser, lambda p: sides(p)[0] < sides(p)[1], "the ball is not seen")
    assert np.abs(first[3, 3] - PAPER).max() < 8
    press(browser, "Add this view")
    browser.wait(f"{BUTTONS}.find((button) => button.innerText.trim() === 'Play').disabled === false")
    browser.drag((300, 300), (500, 300))
    wait(browser, lambda p: np.abs(p - first).mean() > 3, "the picture does not follow the camera")
    press(browser, "Add this view")
    for _ in range(200):
        if len(live.path.keys) == 2:
            break
        browser.settle()
    before, after = (key.pose for key in live.path.keys)
    assert np.linalg.norm(before[:, 3] - after[:, 3]) > 0.3
    assert np.linalg.norm(after[:, 3]) == pytest.approx(np.linalg.norm(before[:, 3]), rel=0.05)
    live.controls["x"].value = (0.0, 1.1)  # the red half alone
    wait(browser, lambda p: np.isnan(sides(p)[1]) and not np.isnan(sides(p)[0]), "the box does not crop")

    elsewhere = [a for a in browser.requests if not a.startswith((live.url, "data:", f"blob:{live.url}"))]
    assert elsewhere == []
    assert [message for message in browser.messages if "THREE.Clock" not in message] == []
