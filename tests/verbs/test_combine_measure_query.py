"""Sculpting, measuring and asking, against closed forms and against counting cells."""

import numpy as np
import pytest

from isofield.data.shape import Shape
from isofield.geometry.certificate import certify
from isofield.geometry.closed_forms import box_mesh, sphere_mesh
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import InputError
from isofield.verbs.combine import combine
from isofield.verbs.convert import convert
from isofield.verbs.measure import measure
from isofield.verbs.query import query, write_table


def as_shape(mesh: Mesh) -> Shape:
    return Shape("it", "mesh", mesh.vertices, mesh.faces)


BALL = as_shape(sphere_mesh(5, 0.5, (10.0, 0.0, 0.0)))


def counted(field, low, high, cells: int = 96) -> float:
    """Volume by counting cells of which a random place is inside: centres would be off by a layer."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    places = (corners + np.random.default_rng(0).random(corners.shape)) / cells
    edges = np.subtract(high, low)
    return float(field.inside(low + places * edges).mean() * np.prod(edges))


@pytest.mark.parametrize(
    ("op", "length", "parts"),
    [
        ("union", None, 1),
        ("intersection", None, 1),
        ("difference", None, 1),
        ("smooth_union", 0.1, 1),
        ("smooth_intersection", 0.1, 1),
        ("smooth_difference", "10%", 1),
    ],
)
def test_a_ball_and_a_box(op, length, parts):
    field = combine([BALL, "box:10.2,-0.3,-0.3,11,0.3,0.3"], op, length)
    mesh = field.mesh(96)
    found = certify(mesh)
    assert found.closed
    assert found.manifold
    assert found.components == parts
    assert found.volume == pytest.approx(counted(field, (9.3, -0.7, -0.7), (11.2, 0.7, 0.7)), rel=0.01)


def test_sharp_volumes_add_up_and_blends_add_material():
    other = "sphere:10.6,0,0,0.4"
    volume = {
        op: certify(combine([BALL, other], op, length).mesh(96)).volume
        for op, length in (
            ("union", None),
            ("intersection", None),
            ("difference", None),
            ("smooth_union", 0.2),
        )
    }
    first, second = np.pi / 6, 4 / 3 * np.pi * 0.4**3
    assert volume["union"] + volume["intersection"] == pytest.approx(first + second, rel=5e-3)
    assert volume["difference"] == pytest.approx(first - volume["intersection"], rel=5e-3)
    assert volume["smooth_union"] > 1.01 * volume["union"]


def test_a_shell_is_hollow_and_an_offset_is_larger():
    shell = certify(combine([BALL], "shell", "10%").mesh(96))
    assert shell.components == 2
    assert shell.volume == pytest.approx(4 / 3 * np.pi * (0.5**3 - 0.4**3), rel=0.01)
    for amount in (0.1, -0.1):
        grown = certify(combine([BALL], "offset", amount).mesh(64))
        assert grown.volume == pytest.approx(4 / 3 * np.pi * (0.5 + amount) ** 3, rel=0.01)


def test_trained_fields_are_combined_by_their_surface_and_written_as_anything(tmp_path, far_run):
    field = combine([far_run, "sphere:103,0,-50,1"], "union")
    again = combine([field, "torus:100,0,-50,3.5,0.5"], "difference")
    made = convert(again, tmp_path / "a.binvox", resolution=48)
    assert made["kind"] == "voxels"
    assert not field.inside(np.array([[100.0, 0, -46]])).any()
    assert field.inside(np.array([[103.8, 0, -50], [100, 0, -50]])).all()
    assert again.inside(np.array([[103.8, 0, -50], [100, 0, -50]])).tolist() == [False, True]


@pytest.mark.parametrize(
    ("parts", "op", "length", "words"),
    [
        ([BALL], "union", None, "two solids or more"),
        ([BALL, BALL], "shell", 0.1, "takes one solid"),
        ([BALL, BALL], "union", 0.1, "takes no length"),
        ([BALL], "shell", None, "needs its thickness"),
        ([BALL], "shell", "x%", "not a length"),
        ([BALL], "shell", -0.1, "above 0"),
        ([BALL], "offset", -5.0, "nothing is left"),
        ([BALL, "sphere:0,0,0,1"], "intersection", None, "do not overlap"),
        ([BALL, "sphere:0,0,0"], "union", None, "is not a sphere"),
        ([BALL, "sphere:0,0,0,-1"], "union", None, "has no inside"),
        ([BALL, "cone:0,0,0,1"], "union", None, "plain body"),
        ([BALL, BALL], "glue", None, "no operation"),
    ],
)
def test_what_does_not_go_together_is_said(parts, op, length, words):
    with pytest.raises(InputError, match=words):
        combine(parts, op, length)


def test_a_box_is_measured_exactly(tmp_path):
    box = as_shape(box_mesh((1.0, 2.0, 0.1), (5.0, 6.0, 7.0)))
    found = measure(box, ["z=50%", "x=5.5", "y=100"], tmp_path / "cuts")
    assert found["volume"] == pytest.approx(8 * 0.2)
    assert found["area"] == pytest.approx(2 * (2 * 4 + 2 * 0.2 + 4 * 0.2))
    assert found["centroid"] == pytest.approx([5, 6, 7])
    assert found["size"] == pytest.approx([2, 4, 0.2])
    assert found["thickness"]["median"] == pytest.approx(0.2, rel=1e-3)
    assert found["thickness"]["thin"] == pytest.approx(0.2, rel=1e-3)
    middle, side, beside = found["sections"]
    assert (middle["outlines"], middle["area"], middle["length"]) == (1, pytest.approx(8), pytest.approx(12))
    assert side["area"] == pytest.approx(0.8)
    assert (beside["outlines"], beside["area"]) == (0, 0)
    drawings = sorted(entry.name for entry in (tmp_path / "cuts").iterdir())
    assert drawings == ["section-x=5.5.svg", "section-y=100.svg", "section-z=50%.svg"]
    assert "fill-rule" in (tmp_path / "cuts" / "section-z=50%.svg").read_text()


def test_open_surfaces_points_and_fields_are_measured_as_far_as_they_can_be(far_run):
    sphere = sphere_mesh(4)
    found = measure(Shape("half", "mesh", sphere.vertices, sphere.faces[: len(sphere.faces) // 2]))
    assert found["volume"] is None
    assert "encloses no volume" in found["notes"][0]
    cloud = Shape("cloud", "points", sphere.vertices, normals=sphere.normals)
    assert measure(cloud, resolution=48)["volume"] == pytest.approx(np.pi / 6, rel=0.03)
    assert measure(far_run, resolution=48)["volume"] == pytest.approx(4 / 3 * np.pi * 27, rel=0.05)


@pytest.mark.parametrize("plane", ["z", "w=1", "z=", "z=abc", "zz=1"])
def test_planes_that_cannot_be_read_are_said(plane):
    with pytest.raises(InputError, match="--section"):
        measure(BALL, [plane])


def test_a_ball_answers_exactly(tmp_path, far_run):
    points = np.array([[10.0, 0.0, 0.25], [10.0, 0.0, 2.0], [8.0, 0.0, 0.0]])
    answers = query(BALL, points)
    assert answers["inside"].tolist() == [True, False, False]
    assert answers["signed_distance"] == pytest.approx([-0.25, 1.5, 1.5], abs=1e-3)
    assert answers["nearest"][1] == pytest.approx([10, 0, 0.5], abs=2e-2)
    assert np.abs(answers["normal"][2] - [-1, 0, 0]).max() < 0.05
    assert "value" not in answers
    write_table(tmp_path / "a.csv", answers)
    write_table(tmp_path / "a.npz", answers)
    rows = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    assert rows[:, 4] == pytest.approx(np.load(tmp_path / "a.npz")["signed_distance"], rel=1e-6)
    trained = query(far_run, np.array([[100.0, 0.0, -50.0], [103.0, 0.0, -50.0], [200.0, 0.0, -50.0]]))
    assert trained["signed_distance"] == pytest.approx([-3, 0, 97], abs=0.1)  # beyond what was trained
    assert abs(trained["value"][2]) < 1
    with pytest.raises(InputError, match="no table"):
        write_table(tmp_path / "a.txt", answers)


def test_far_from_the_origin_nothing_is_moved():
    field = combine(["sphere:4500000.3,2,3,1", "sphere:4500000.3,2,3,0.5"], "union")
    vertices = field.mesh(48).vertices
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    assert middle == pytest.approx([4500000.3, 2, 3], abs=1e-4)


def test_many_blends_do_not_outgrow_their_box():
    mesh = combine(["sphere:0,0,0,1"] * 4, "smooth_union", 1.0).mesh(48)
    assert np.linalg.norm(mesh.vertices, axis=1) == pytest.approx(1.484, abs=0.01)


def test_what_is_measured_is_the_solid_however_its_faces_are():
    box = box_mesh((0.5, 0.5, 0.5))
    turned = measure(as_shape(Mesh(box.vertices, box.faces[:, ::-1])), ["z=50%"])
    assert turned["volume"] == pytest.approx(1)
    assert turned["sections"][0]["area"] == pytest.approx(1)
    assert "turned" in turned["notes"][0]
    moved = Mesh(
        np.concatenate([box.vertices, np.add(box.vertices, (0.5, 0, 0))]),
        np.concatenate([box.faces, box.faces + 8]),
    )
    found = measure(as_shape(moved), resolution=64)
    assert found["volume"] == pytest.approx(1.5, rel=0.02)
    assert "overlap" in found["notes"][0]


def test_sections_far_away_have_files_of_their_own(tmp_path):
    box = as_shape(box_mesh((0.5, 0.5, 0.5), (0.0, 0.0, 4.5e6)))
    cuts = measure(box, ["z=20%", "z=70%"], tmp_path)["sections"]
    assert cuts[0]["file"] != cuts[1]["file"]
    answers = query(box, np.array([[0.0, 0.0, 4500000.12345]]))
    write_table(tmp_path / "a.csv", answers)
    assert "4500000.12345" in (tmp_path / "a.csv").read_text()


def test_answers_agree_with_each_other_and_points_that_are_no_numbers_are_refused(far_run):
    points = np.random.default_rng(0).uniform(90, 110, (5000, 3)) - (0, 100, 150)
    answers = query(far_run, points)
    assert np.array_equal(answers["inside"], answers["signed_distance"] < 0)
    with pytest.raises(InputError, match="not finite"):
        query(far_run, np.array([[np.nan, 0, 0]]))
