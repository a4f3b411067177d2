import numpy as np
import pytest
import trimesh
from PIL import Image

from isofield.geometry.mesh import Mesh, area_weighted_normals
from isofield.runtime.errors import FailedError
from isofield.viewing.picture import (
    UP_AXES,
    colour_map,
    contact_sheet,
    draw_mesh,
    draw_points,
    write_png,
)


@pytest.fixture(scope="module")
def sphere():
    mesh = trimesh.creation.icosphere(subdivisions=4)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)


def luminance(colours):
    return (colours / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722]


def test_silhouette_of_the_unit_ball_is_the_inscribed_disc(sphere):
    for azimuth, elevation in ((0, 0), (130, -40), (20, 90)):
        picture = draw_mesh(
            *sphere, size=(160, 220), azimuth=azimuth, elevation=elevation, centre=(0.0, 0.0, 0.0), radius=1.0
        )
        # the faces lie inside the sphere: the disc is smaller by about the sagitta of an edge, 0.1 %
        assert picture[..., 3].sum() / 255 == pytest.approx(np.pi * 80**2, rel=4e-3)


def test_without_a_radius_the_shape_fills_the_picture_up_to_the_margin(sphere):
    vertices, faces = sphere
    alpha = draw_mesh(vertices * [3, 1, 0.3] + 7, faces, size=200, azimuth=60)[..., 3]
    rows, columns = np.nonzero(alpha)
    largest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert largest == pytest.approx(200 * 0.92, abs=2)
    assert columns.min() + columns.max() == pytest.approx(199, abs=2)


def test_pictures_do_not_depend_on_units_or_place(sphere):
    vertices, faces = sphere
    one = draw_mesh(vertices, faces, size=90)
    other = draw_mesh(vertices * 2048 + 65536, faces, size=90)  # exact in binary
    assert np.abs(one.astype(int) - other).max() <= 1


@pytest.mark.parametrize(
    ("up", "azimuth", "elevation", "axis"),
    [
        ("y", 0, 0, "+z"),
        ("y", 90, 0, "+x"),
        ("y", 0, 89, "+y"),
        ("z", 0, 0, "-y"),
        ("z", 90, 0, "+x"),
        ("z", 0, 89, "+z"),
        ("x", 0, 89, "+x"),
    ],
)
def test_azimuth_and_elevation_turn_towards_the_named_axis(up, azimuth, elevation, axis):
    box = trimesh.creation.box()
    vertices = box.vertices[box.faces].reshape(-1, 3)
    faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    direction = np.zeros(3)
    direction["xyz".index(axis[1])] = 1 if axis[0] == "+" else -1
    ahead = np.repeat(box.face_normals @ direction > 0.5, 3)
    colours = np.where(ahead[:, None], (0, 255, 0), (255, 0, 0)).astype(np.uint8)
    middle = draw_mesh(
        vertices, faces, colours=colours, size=64, up=up, azimuth=azimuth, elevation=elevation
    )[32, 32]
    assert middle[1] > 2 * middle[0]


def test_the_nearer_sphere_hides_the_farther(sphere):
    vertices, faces = sphere
    both = np.concatenate([vertices * 0.8 + [0, 0, 1], vertices - [0, 0, 1]])
    colours = np.repeat(np.array([[0, 0, 255], [255, 0, 0]], np.uint8), len(vertices), axis=0)
    triangles = np.concatenate([faces, faces + len(vertices)])
    front = draw_mesh(both, triangles, colours=colours, size=64, azimuth=0, elevation=0)[32, 32]
    back = draw_mesh(both, triangles, colours=colours, size=64, azimuth=180, elevation=0)[32, 32]
    assert front[2] > 3 * front[0]
    assert back[0] > 3 * back[2]


def test_the_inside_of_an_open_shell_is_tinted(sphere):
    vertices, faces = sphere
    open_shell = faces[vertices[faces].mean(axis=1)[:, 2] < 0.3]
    middle = draw_mesh(vertices, open_shell, size=64, azimuth=0, elevation=0)[32, 32].astype(int)
    assert middle[0] > middle[2] + 20


def test_background_is_opaque_when_given_and_alpha_is_straight(sphere):
    clear = draw_mesh(*sphere, size=60).astype(float)
    on_blue = draw_mesh(*sphere, size=60, background=(10, 20, 200))
    alpha = clear[..., 3:] / 255
    assert on_blue.shape == (60, 60, 3)
    assert np.abs(clear[..., :3] * alpha + np.array([10, 20, 200]) * (1 - alpha) - on_blue).max() <= 1.5


def test_scalars_of_both_signs_are_drawn_with_the_diverging_map_around_zero(sphere):
    vertices, faces = sphere
    picture = draw_mesh(vertices, faces, scalars=vertices[:, 0], size=80, azimuth=0, elevation=0)
    left, middle, right = (
        picture[40, 10].astype(int),
        picture[40, 40].astype(int),
        picture[40, 70].astype(int),
    )
    assert left[2] > left[0] + 40  # blue
    assert right[0] > right[2] + 40  # rust
    assert np.ptp(middle[:3]) < 12


def test_nothing_to_draw_is_an_empty_picture():
    assert draw_mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), size=20).max() == 0


def test_a_ball_of_points_covers_its_disc():
    turn, height = (
        np.arange(4000) * np.pi * (3 - np.sqrt(5)),
        1 - (2 * np.arange(4000) + 1) / 4000,
    )  # a Fibonacci lattice, 0.056 apart
    points = np.stack(
        [np.cos(turn) * np.sqrt(1 - height**2), np.sin(turn) * np.sqrt(1 - height**2), height], axis=1
    )
    for normals in (None, points.astype(np.float32)):
        picture = draw_points(
            points, normals=normals, size=100, point_radius=0.06, centre=(0.0, 0.0, 0.0), radius=1.0
        )
        disc = np.hypot(*(np.mgrid[0:100, 0:100] - 49.5)) < 48
        assert (picture[..., 3][disc] == 255).all()


def test_vertex_normals_of_a_sphere_are_its_points(sphere):
    vertices, faces = sphere
    np.testing.assert_allclose(
        area_weighted_normals(Mesh(vertices, faces)), vertices, atol=6e-3
    )  # of the order of the edge squared, 0.07^2


def test_colour_maps_reach_their_anchors_clip_and_order_lightness():
    assert (
        colour_map(np.array([-9.0, 0.0, 0.5, 1.0, 9.0]), -1.0, 1.0, "diverging")[[0, 4]]
        == [[16, 48, 92], [112, 38, 16]]
    ).all()
    assert colour_map(np.array(0.0), -1.0, 1.0, "diverging").tolist() == [247, 247, 245]
    assert colour_map(np.zeros((4, 5, 6)), 0.0, 0.0).shape == (4, 5, 6, 3)
    assert (np.diff(luminance(colour_map(np.linspace(0, 1, 50), 0.0, 1.0))) < 0).all()
    halves = luminance(colour_map(np.linspace(-1, 1, 201), -1.0, 1.0, "diverging"))
    assert (np.diff(halves[:101]) > -1e-3).all()
    assert (np.diff(halves[100:]) < 1e-3).all()


def test_contact_sheet_places_pictures_in_rows():
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    images = [np.full((100, 100, 3), colour, np.uint8) for colour in colours]
    sheet = contact_sheet(images, ["a", "b", "c"], columns=2)
    for image, (row, column) in zip(images, [(50, 50), (50, 154), (176, 50)], strict=True):
        assert (sheet[row, column] == image[0, 0]).all()
    assert (sheet[0, 0] == 255).all()


def test_png_is_read_back_as_it_was_and_a_bad_folder_is_explained(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    write_png(tmp_path / "a.png", image)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "a.png")), image)
    with pytest.raises(FailedError):
        write_png(tmp_path / "missing" / "a.png", image)


@pytest.mark.parametrize("up", UP_AXES)
def test_every_up_axis_has_a_right_handed_frame(up):
    right, above, front = np.array(UP_AXES[up])
    np.testing.assert_array_equal(np.cross(right, above), front)
    assert above["xyz".index(up[-1])] == (-1 if up[0] == "-" else 1)
