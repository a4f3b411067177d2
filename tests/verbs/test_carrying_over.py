"""What an extraction carries over from the input: colours by place, frames exactly."""

import dataclasses

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from isofield import Shape, load
from isofield.data import as_shape
from isofield.geometry.mesh import barycentric
from isofield.runtime.errors import InputError
from isofield.verbs.extract import extract
from isofield.verbs.options import TrainOptions
from isofield.verbs.train import train

coordinate = st.floats(-10, 10, allow_subnormal=False)
point = st.tuples(coordinate, coordinate, coordinate)


@given(corners=st.tuples(point, point, point), weights=st.tuples(*[st.floats(0, 1)] * 3))
def test_barycentric_coordinates_give_the_point_back(corners, weights):
    a, b, c = (np.array(corner) for corner in corners)
    total = sum(weights)
    area = np.linalg.norm(np.cross(b - a, c - a))
    longest = max(np.linalg.norm(b - a), np.linalg.norm(c - a), np.linalg.norm(c - b))
    if total < 1e-3 or area < 1e-3 * longest**2 or longest < 1e-3:
        return  # no weights, or a sliver
    place = np.array(weights) / total @ np.stack([a, b, c])
    found = barycentric(np.array([corners]), place[None])[0]
    assert found == pytest.approx(np.array(weights) / total, abs=1e-6)


def test_a_triangle_without_area_takes_its_first_corner():
    corner = np.array([[[1.0, 2.0, 3.0]] * 3])
    assert barycentric(corner, np.array([[5.0, 5.0, 5.0]])).tolist() == [[1, 0, 0]]


@pytest.fixture(scope="module")
def coloured_run(make_ball, small, tmp_path_factory):
    """A ball, red in the west and blue in the east, with a smooth change of green upwards."""
    shape = make_ball(2.0, (10, 20, 30))
    x, _, z = ((shape.vertices - (10, 20, 30)) / 2.0).T
    colours = np.stack([np.where(x < 0, 255, 0), (z + 1) / 2 * 255, np.where(x < 0, 0, 255)], 1).astype(
        np.uint8
    )
    shape = dataclasses.replace(shape, colours=colours)
    out = tmp_path_factory.mktemp("coloured") / "run"
    return train(shape, "sdf", small, TrainOptions(out=out, steps=60)), shape


def test_colours_are_those_of_the_nearest_place_of_the_input(coloured_run):
    run, shape = coloured_run
    mesh, _ = extract(run, 48, shape=shape)
    x, _, z = ((mesh.vertices - (10, 20, 30)) / 2.0).T
    clear = np.abs(x) > 0.15
    assert mesh.colours.dtype == np.uint8
    assert np.array_equal(mesh.colours[clear, 0] == 255, x[clear] < 0)
    assert np.array_equal(mesh.colours[clear, 2] == 255, x[clear] > 0)
    assert np.abs(mesh.colours[:, 1] - (z + 1) / 2 * 255).max() < 12


@pytest.mark.parametrize("ending", [".ply", ".obj", ".glb", ".off"])
def test_colours_reach_the_file(coloured_run, tmp_path, ending):
    run, shape = coloured_run
    mesh, _ = extract(run, 24, out=tmp_path / f"mesh{ending}", shape=shape)
    read = load(tmp_path / f"mesh{ending}")
    assert len(read.vertices) == len(mesh.vertices)
    assert np.abs(read.colours.astype(int) - mesh.colours).max() <= 1


def test_trimming_needs_the_input_and_says_so_when_it_is_gone(far_run):
    with pytest.raises(InputError, match=r"ball\.ply"):
        extract(far_run, 24, trim=True)


def test_without_the_input_the_mesh_is_made_all_the_same(far_run, capsys):
    mesh, certificate = extract(far_run, 24)
    assert certificate["closed"]
    assert mesh.colours is None
    assert "cannot be read" in capsys.readouterr().err


def test_the_mesh_lies_where_the_input_lies_in_its_units(far_run, make_ball):
    mesh, certificate = extract(far_run, 48, shape=make_ball(3.0, (100, 0, -50)))
    centre, radius = mesh.vertices.mean(0), np.linalg.norm(mesh.vertices - (100, 0, -50), axis=1)
    assert centre == pytest.approx((100, 0, -50), abs=0.02)
    assert radius.mean() == pytest.approx(3, abs=0.02)
    assert certificate["volume"] == pytest.approx(4 / 3 * np.pi * 27, rel=0.02)
    assert certificate["area"] == pytest.approx(4 * np.pi * 9, rel=0.03)
    assert certificate["extraction"]["cell"] == pytest.approx(2 / 48 / far_run.frame.scale)


@pytest.mark.parametrize("ending", ["", ".fbx", ".xyz"])
def test_an_output_that_nobody_can_write_is_refused(far_run, make_ball, tmp_path, ending):
    with pytest.raises(InputError, match="no writer"):
        extract(far_run, 24, out=tmp_path / f"mesh{ending}", shape=make_ball(3.0, (100, 0, -50)))
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"faces": 3}, "--faces"),
        ({"resolution": 0}, "resolution"),
        ({"resolution": -5}, "resolution"),
        ({"search": "octree"}, "search"),
        ({"max_memory": "lots"}, "--max-memory"),
        ({"max_memory": "0"}, "memory"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(far_run, make_ball, settings, flag):
    with pytest.raises(InputError, match=flag):
        extract(far_run, **{"resolution": 24, "shape": make_ball(3.0, (100, 0, -50)), **settings})


def test_raw_points_carry_their_colours_though_some_are_left_out(small, tmp_path):
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    far = rng.uniform(-2, 2, (60, 3)) + np.array([0, 0, 4])
    points = np.concatenate([far, directions[:500], directions])  # outliers and repeated points come first
    colours = np.where(points[:, :1] < 0, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    shape = Shape("raw", "points", points, colours=colours)
    run = train(shape, "sdf", small, TrainOptions(out=tmp_path / "run", steps=60))
    mesh, _ = extract(run, 48, shape=shape)
    x = mesh.vertices[:, 0]
    clear = np.abs(x) > 0.2
    assert np.array_equal(mesh.colours[clear, 0] == 255, x[clear] < 0)


def test_a_trimesh_brings_the_colours_of_its_vertices():
    box = trimesh.creation.box()
    assert as_shape(box).colours is None
    box.visual.vertex_colors = [(10, 20, 30, 255)] * len(box.vertices)
    assert np.array_equal(as_shape(box).colours, [(10, 20, 30)] * len(box.vertices))
