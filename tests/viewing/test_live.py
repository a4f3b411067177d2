"""The live viewer without a browser: what stands in its scene, and what its controls change."""

import json
import socket
import struct
import sys
from dataclasses import replace

import numpy as np
import pytest

from isofield.extraction.surface import extract_surface
from isofield.geometry.frames import Frame
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import FailedError, InputError
from isofield.viewing.cut_picture import LiveField
from isofield.viewing.live import LiveView, Subject
from isofield.viewing.picture import CLAY
from isofield.viewing.serving import free_port, is_loopback

pytest.importorskip("viser")
CENTRE, RADIUS = np.array([100.0, 0.0, -50.0]), 3.0
FRAME = Frame((100.0, 0.0, -50.0), 1 / 3.3)


def surface(level: float) -> Mesh:
    found = extract_surface(lambda points: points.norm(dim=1) - (RADIUS + level) / 3.3, Below(), 32).mesh
    return Mesh(FRAME.to_input(found.vertices), found.faces)


def ball_field() -> LiveField:
    low, high = tuple(CENTRE - 3.3), tuple(CENTRE + 3.3)
    return LiveField(distance, surface, low, high, Below(), 0.25, "signed distance", "the input's unit")


def distance(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - CENTRE, axis=1) - RADIUS


def ball_subject() -> Subject:
    return Subject(
        "ball",
        "mesh.ply",
        mesh=surface(0.0),
        given=Mesh(surface(0.0).vertices, np.zeros((0, 3), np.int32)),
        distance=lambda points: np.abs(distance(points)) / 6,
        field=ball_field(),
    )


@pytest.fixture
def show():
    views = []

    def start(subject: Subject) -> LiveView:
        views.append(LiveView(subject, port=18080))
        assert views[-1].draw()
        return views[-1]

    yield start
    for live in views:
        live.close()


def drawn(live: LiveView) -> tuple[np.ndarray, np.ndarray]:
    """Positions and colours (linear light) of the mesh in the scene."""
    data = live.nodes["result"].glb_data
    length = struct.unpack("<I", data[12:16])[0]
    tree, binary = json.loads(data[20 : 20 + length]), data[28 + length :]

    def array(name, kind, width):
        accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"][name]]
        start = tree["bufferViews"][accessor["bufferView"]]["byteOffset"]
        return np.frombuffer(binary, kind, accessor["count"] * width, start).reshape(-1, width)

    return array("POSITION", "<f4", 3), array("COLOR_0", "<u2", 4)[:, :3] / 65535


def used(live: LiveView) -> np.ndarray:
    """Positions of the vertices that faces use."""
    data = live.nodes["result"].glb_data
    length = struct.unpack("<I", data[12:16])[0]
    tree, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    accessor = tree["accessors"][tree["meshes"][0]["primitives"][0]["indices"]]
    start = tree["bufferViews"][accessor["bufferView"]]["byteOffset"]
    return drawn(live)[0][np.unique(np.frombuffer(binary, "<u4", accessor["count"], start))]


def turn(live: LiveView, name: str, value) -> None:
    live.controls[name].value = value
    while live.draw(0.4):  # the library tells us in threads of its own
        pass


def test_the_scene_is_the_unit_ball_around_the_shape_in_plain_clay(show):
    positions, colours = drawn(show(ball_subject()))
    assert np.linalg.norm(positions, axis=1) == pytest.approx(1, abs=0.01)
    assert np.allclose(colours, colours[0])
    assert np.all(np.diff(colours[0]) <= 0) == np.all(np.diff(CLAY) <= 0)


def test_controls_speak_of_the_coordinates_of_the_input(show):
    controls = show(ball_subject()).controls
    assert [(controls[axis].min, controls[axis].max) for axis in "xyz"] == [
        pytest.approx((c - 3.3, c + 3.3), abs=0.05) for c in CENTRE
    ]
    assert (controls["level"].min, controls["level"].max) == pytest.approx((-0.25, 0.25))


def test_another_level_is_another_surface_and_back(show):
    live = show(ball_subject())
    turn(live, "level", 0.24)
    assert np.linalg.norm(drawn(live)[0], axis=1).mean() == pytest.approx(3.24 / 3, abs=0.01)
    assert "level 0.24" in live.controls["note"].content
    turn(live, "level", 0.0)
    assert np.linalg.norm(drawn(live)[0], axis=1).mean() == pytest.approx(1, abs=0.01)
    assert "mesh.ply" in live.controls["note"].content


def test_moving_the_slice_shows_it_and_cuts_the_surface_there(show):
    live = show(ball_subject())
    assert "slice" not in live.nodes
    turn(live, "z", -48.5)  # half of the radius above the middle
    node = live.nodes["slice"]
    assert node.position == pytest.approx((0, 0, 0.5), abs=0.01)
    assert (node.render_width, node.render_height) == pytest.approx((2.2, 2.2))
    assert used(live)[:, 2].max() == pytest.approx(0.5, abs=0.01)
    before = node.image
    turn(live, "z", -50.0)
    assert live.nodes["slice"] is node  # changed in place: no flicker
    assert (node.image[..., 3] == 255).sum() > 1.2 * (before[..., 3] == 255).sum()
    turn(live, "across", "x")
    assert np.allclose(live.nodes["slice"].wxyz, 0.5)
    assert live.controls["x"].visible
    assert not live.controls["z"].visible
    turn(live, "cut", False)
    assert used(live)[:, 0].max() == pytest.approx(1, abs=0.01)
    turn(live, "slice", False)
    assert "slice" not in live.nodes


def test_errors_colour_the_surface_and_have_a_legend(show):
    subject = ball_subject()
    subject = replace(subject, distance=lambda points: np.where(points[:, 0] > 100, 0.02, 0.0))
    live = show(subject)
    turn(live, "mode", "error")
    positions, colours = drawn(live)
    right, left = colours[positions[:, 0] > 0.1], colours[positions[:, 0] < -0.1]
    assert right.mean() < 0.1 < 0.8 < left.mean()  # plum, paper
    assert "2 %" in live.controls["legend"].content


def test_the_input_is_shown_when_asked_and_the_surface_hidden(show):
    live = show(ball_subject())
    assert set(live.nodes) == {"result"}
    turn(live, "given", True)
    turn(live, "show", False)
    assert set(live.nodes) == {"given"}
    assert np.linalg.norm(live.nodes["given"].points, axis=1) == pytest.approx(1, abs=0.01)


def test_a_level_without_a_surface_says_so(show):
    def nothing(level: float) -> Mesh:
        raise FailedError("the field has no surface at this level")

    live = show(replace(ball_subject(), field=replace(ball_field(), surface=nothing)))
    turn(live, "level", 0.2)
    assert "no surface" in live.controls["note"].content
    assert "result" not in live.nodes


def test_what_training_saves_takes_the_place_of_what_was_there(show):
    waiting = replace(ball_subject(), mesh=None, field=None)
    live = show(waiting)
    assert set(live.nodes) == {"given"}  # nothing else to see yet
    assert "level" not in live.controls
    live.update(replace(waiting, field=ball_field()))
    live.draw()
    turn(live, "level", 0.1)
    assert np.linalg.norm(drawn(live)[0], axis=1).mean() == pytest.approx(3.1 / 3, abs=0.01)
    smaller = replace(ball_field(), surface=lambda level: surface(level - 1))
    live.update(replace(waiting, field=smaller, note="later"))
    live.draw()
    assert live.controls["level"].value == pytest.approx(0.1)  # stays where it was
    assert np.linalg.norm(drawn(live)[0], axis=1).mean() == pytest.approx(2.1 / 3, abs=0.01)


def test_a_large_input_is_simplified_once_however_often_training_saves(show, monkeypatch):
    monkeypatch.setattr("isofield.viewing.live.MOST_POINTS", 100)
    live = show(ball_subject())
    turn(live, "given", True)
    first = live.nodes["given"].points
    assert len(first) == 100

    def never(mesh: Mesh) -> Mesh:
        assert len(mesh.faces), "the input was simplified again"
        return mesh

    monkeypatch.setattr("isofield.viewing.live._light_enough", never)
    live.update(replace(live.subject, note="later"))
    live.draw()
    np.testing.assert_array_equal(live.nodes["given"].points, first)
    other = Mesh(ball_subject().given.vertices[:9], np.zeros((0, 3), np.int32))
    monkeypatch.undo()
    live.update(replace(live.subject, given=other))
    live.draw()
    assert len(live.nodes["given"].points) == 9


def test_a_control_that_moves_while_others_take_its_place_is_not_in_their_way(show):
    """What viser's threads may do between any two steps of a change to another kind of subject."""
    live = show(ball_subject())
    gui = live._server.gui
    add = gui.add_checkbox
    seen = []

    def meddling(*words, **options):
        seen.append({*live.controls})
        live._show_slice()
        return add(*words, **options)

    gui.add_checkbox = meddling
    live.update(replace(ball_subject(), field=None))
    live.update(ball_subject())
    assert all("note" in names and "given" in names for names in seen)  # whole ones only
    live.draw()
    assert "slice" in live.controls
    live.update(replace(ball_subject(), field=None))
    live._show_slice()
    live.draw()
    assert "slice" not in live.nodes


def test_points_alone_are_points_with_their_colours(show):
    points, colours = np.eye(3) * 5.0, np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)
    live = show(Subject("three", mesh=Mesh(points, np.zeros((0, 3), np.int32), None, colours)))
    assert live.nodes["result"].points.shape == (3, 3)
    assert np.array_equal(live.nodes["result"].colors, colours)


def test_titles_are_text_whatever_they_hold(show):
    live = show(replace(ball_subject(), title="<script>alert(1)</script>"))
    assert "<script>" not in live.controls["note"].content


def test_a_port_that_is_taken_gives_the_next_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert port < free_port("127.0.0.1", port) <= port + 100


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 0), ("127.0.0.1", 70000), ("203.0.113.7", 8080), ("no such host!", 8080)]
)
def test_an_address_that_cannot_be_had_is_a_clear_error(host, port):
    with pytest.raises(InputError) as error:
        free_port(host, port)
    assert error.value.remedy


def test_loopback_is_told_from_the_rest():
    assert [*map(is_loopback, ("127.0.0.1", "::1", "localhost"))] == [True] * 3
    assert [*map(is_loopback, ("0.0.0.0", "::", "192.168.0.2", "example.org"))] == [False] * 4


def test_without_viser_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "viser", None)  # as Python marks what is not there
    with pytest.raises(InputError, match=r"viser.*not installed") as error:
        LiveView(ball_subject())
    assert "pip install 'isofield[viewer]'" in error.value.remedy


def test_nothing_is_printed_on_standard_output(capsys):
    LiveView(ball_subject(), port=18080).close()
    assert capsys.readouterr().out == ""
