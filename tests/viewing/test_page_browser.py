"""The page in a real browser: it draws, loads nothing, complains of nothing, obeys its controls."""

import numpy as np
import pytest
import torch
import trimesh

from isofield.geometry.frames import Frame
from isofield.geometry.mesh import Mesh
from isofield.viewing.charts import Curve
from isofield.viewing.page import Number, Page, write_page
from isofield.viewing.slices import Slices

pytestmark = pytest.mark.slow
NAME = "</title><script>document.title='broken'</script>&<b>knot.ply"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    mesh = trimesh.creation.torus(1.0, 0.4)
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)
    frame = Frame.around(vertices)

    def field(points):
        x, y, z = ((points / frame.scale) + torch.tensor(frame.offset)).T
        return ((x**2 + y**2).sqrt() - 1.0).hypot(z) - 0.4

    path = tmp_path_factory.mktemp("page") / "a page & more.html"
    write_page(
        path,
        Page(
            title=NAME,
            subtitle="One sentence.",
            command=f"isofield fit '{NAME}'",
            mesh=Mesh(vertices, faces, colours=np.full((len(vertices), 3), (40, 90, 200), np.uint8)),
            input_points=vertices[::3],
            input_confidence=np.linspace(0, 1, len(vertices[::3])),
            error=np.abs(vertices[:, 0] * 0.01).astype(np.float32),
            slices=Slices.sample(field, resolution=40, frame=frame),
            curves=[Curve("loss", np.arange(1, 20), 1 / np.arange(1, 20))],
            numbers=[Number("chamfer_l1_mean", 0.001)],
            up="z",
        ),
    )
    return path


def difference(one, other):
    return np.abs(one.astype(int) - other).mean()


@pytest.mark.parametrize(("width", "ratio", "dark"), [(1280, 1, False), (390, 3, True)])
def test_page_draws_without_a_request_or_a_complaint(browser, page, width, ratio, dark):
    browser.open(page, width=width, ratio=ratio, dark=dark)
    picture = browser.picture("#view").astype(int)
    middle = picture[
        picture.shape[0] // 4 : -picture.shape[0] // 4, picture.shape[1] // 4 : -picture.shape[1] // 4
    ]
    assert middle.std() > 15  # a torus, lit: not a flat field
    assert [address for address in browser.requests if not address.startswith("data:")] == [page.as_uri()]
    assert browser.messages == []
    assert browser.run("document.title") == NAME
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    canvas = browser.run("[view.width, view.height, view.clientWidth, view.clientHeight]")
    assert canvas[0] == pytest.approx(canvas[2] * min(ratio, 2.5), abs=1)


def test_every_view_in_the_address_is_another_picture(browser, page):
    surfaces = ("", "#mode=error", "#mode=normals", "#mode=shaded", "#wire=1", "#flat=1&mode=normals")
    shapes = ("#show=input", "#show=over", "#show=both", "#up=y", "#view=80,30,1.5,0,0,0")
    views = (
        *surfaces,
        *shapes,
        "#mode=confidence&show=input",
        "#mode=confidence&show=over",
        "#slice=x:40",
        "#slice=x:60",
        "#slice=z:40&cut=1",
    )
    pictures = []
    for view in views:
        browser.open(page, view)
        pictures.append(browser.picture("#view"))
        assert browser.messages == []
    for i, one in enumerate(pictures):
        for j in range(i):
            assert difference(one, pictures[j]) > 0.05, (views[i], views[j])


def test_slider_moves_the_slice_in_the_panel_and_in_the_view(browser, page):
    browser.open(page, "#slice=z:50")
    panel, view = browser.picture("#slice"), browser.picture("#view")
    browser.run(
        "controls.elements.at.value = 62;"
        "controls.elements.at.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    assert difference(browser.picture("#slice"), panel) > 2
    assert difference(browser.picture("#view"), view) > 0.5
    browser.wait("location.hash.includes('slice=z:62')")


def test_slice_shows_the_inside_warm_and_the_outside_cool(browser, page):
    browser.open(page, "#slice=z:50")  # a ring: radii 0.6 to 1.4, the box reaches to 1.54
    picture = browser.picture("#slice").astype(int)
    height, width, _ = picture.shape
    ring, hole = picture[height // 2, int(width * (0.5 + 0.5 / 1.54))], picture[height // 2, width // 2]
    assert ring[0] > ring[2] + 20
    assert hole[2] > hole[0] + 20


def test_pointer_and_keys_turn_zoom_and_switch(browser, page):
    browser.open(page)
    before = browser.picture("#view")
    browser.drag((400, 450), (420, 500))
    turned = browser.picture("#view")
    browser.drag((400, 450), (430, 430), button="right")
    moved = browser.picture("#view")
    browser.ask("Input.dispatchMouseEvent", type="mouseWheel", x=400, y=450, deltaX=0, deltaY=-240)
    zoomed = browser.picture("#view")
    for one, other in ((before, turned), (turned, moved), (moved, zoomed)):
        assert difference(one, other) > 0.5
    browser.key("3")
    assert browser.run("controls.elements.mode.value") == "error"
    assert browser.run("document.getElementById('error-legend').hidden") is False
    browser.key("0")
    browser.key("4")  # the colours of the input, as the page opens where it has them
    inner = (slice(20, -20), slice(20, -20))  # without the ring of the focus
    assert difference(browser.picture("#view")[inner], before[inner]) < 0.01
    browser.key("?")
    assert browser.run("document.getElementById('help').open") is True


def test_confidence_shows_the_input_dark_where_its_side_is_unclear(browser, page):
    browser.open(page)
    browser.key("5")
    assert browser.run("[controls.elements.mode.value, controls.elements.show.value]") == [
        "confidence",
        "input",
    ]
    assert browser.run("document.getElementById('confidence-legend').hidden") is False
    picture = browser.picture("#view").astype(int)
    browser.key("1")
    plain = browser.picture("#view").astype(int)
    assert browser.run("document.getElementById('confidence-legend').hidden") is True
    drawn = np.abs(picture - plain).sum(axis=2) > 30
    reddish = picture[..., 0] - picture[..., 1]
    assert np.ptp(reddish[drawn]) > 60  # from sand to plum
    browser.open(page, "#mode=confidence&show=result")
    assert browser.run("document.getElementById('confidence-legend').hidden") is True


def test_idle_page_draws_nothing_and_a_resized_one_draws_again(browser, page):
    browser.open(page)
    browser.picture()
    browser.run(
        "window.drawings = 0;"
        "window.prototype = WebGL2RenderingContext.prototype; window.clear = prototype.clear;"
        "prototype.clear = function (bits) { drawings++; clear.call(this, bits); }; null"
    )
    browser.run("new Promise((done) => setTimeout(done, 400))")
    assert browser.run("drawings") == 0
    browser.ask(
        "Emulation.setDeviceMetricsOverride", width=900, height=700, deviceScaleFactor=2, mobile=False
    )
    browser.wait("drawings > 0 && Math.abs(view.width - 2 * view.clientWidth) <= 1")


def test_lost_graphics_come_back(browser, page):
    browser.open(page, "#slice=z:40")
    before = browser.picture("#view")
    browser.run(
        "window.loss = view.getContext('webgl2').getExtension('WEBGL_lose_context'), loss.loseContext(), null"
    )
    browser.settle()
    browser.run(
        "new Promise((done) => setTimeout(() => { loss.restoreContext(); setTimeout(done, 300); }, 100))"
    )
    assert difference(browser.picture("#view"), before) < 0.01
    assert browser.messages == []


def test_without_webgl_the_page_shows_a_still_the_slices_and_the_numbers(browser_without_webgl, page):
    browser = browser_without_webgl
    browser.open(page, ready="document.documentElement.dataset.still === '1'")
    assert "WebGL 2" in browser.run("document.getElementById('excuse').textContent")
    assert browser.picture("#still").std() > 15
    assert browser.picture("#slice").std() > 15
    assert "chamfer_l1_mean" in browser.run("document.body.innerText")
    assert browser.messages == []
