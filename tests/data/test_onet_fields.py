"""Files of Occupancy Networks data sets: what they may hold, what is refused, what is drawn from them."""

import zipfile

import numpy as np
import pytest
from numpy.random import Philox, RandomState
from scipy.spatial import cKDTree

from isofield.data.binvox import read_binvox
from isofield.data.convonet_crops import cells_in, cropped_cloud, cropped_points
from isofield.data.onet_fields import (
    dithered,
    drawn_by_side,
    drawn_cloud,
    drawn_points,
    noisy_cloud,
    partial_cloud,
    read_cloud,
    read_points,
)
from isofield.geometry.cells import in_cells
from isofield.runtime.errors import InputError

COUNT = 501
RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-0.55, 0.55, (COUNT, 3)).astype(np.float16)
OCCUPIED = np.linalg.norm(POINTS.astype(float), axis=1) < 0.4
NORMALS = (POINTS / np.linalg.norm(POINTS.astype(float), axis=1, keepdims=True)).astype(np.float16)
FRAME = {"loc": np.array([1.0, 2.0, 3.0]), "scale": np.float64(2.5)}


@pytest.fixture
def points_file(tmp_path):
    def save(**changes):
        arrays = {"points": POINTS, "occupancies": np.packbits(OCCUPIED)} | FRAME | changes
        path = tmp_path / "points.npz"
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return path

    return save


@pytest.fixture
def cloud_file(tmp_path):
    def save(**changes):
        arrays = {"points": POINTS, "normals": NORMALS} | FRAME | changes
        path = tmp_path / "pointcloud.npz"
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return path

    return save


@pytest.mark.parametrize(
    "flags", [np.packbits(OCCUPIED), OCCUPIED, OCCUPIED.astype(np.uint8), OCCUPIED.astype(np.float32)]
)
def test_occupancies_may_be_packed_or_not(points_file, flags):
    data = read_points(points_file(occupancies=flags))
    np.testing.assert_array_equal(data.occupied, OCCUPIED)
    np.testing.assert_array_equal(data.points, POINTS)
    assert (data.loc.tolist(), data.scale) == ([1, 2, 3], 2.5)
    assert data.volume == pytest.approx(OCCUPIED.mean())


def test_files_of_rooms_have_no_frame(points_file):
    data = read_points(points_file(loc=None, scale=None, semantics=np.zeros(COUNT, np.int64)))
    assert (data.loc.tolist(), data.scale) == ([0, 0, 0], 1)


OBJECTS = np.array([{"a": 1}, None], object)
BAD_POINTS = {
    "too few bits": (
        {"occupancies": np.packbits(OCCUPIED[:-8])},
        "62 values of the type uint8 for 501",
        "63",
    ),
    "too many bits": ({"occupancies": np.zeros(64, np.uint8)}, "64 values", "63 bytes"),
    "too few values": ({"occupancies": OCCUPIED[:-1]}, "500 values of the type bool for 501", "each point"),
    "bits for a table": ({"occupancies": np.zeros((63, 1), np.uint8)}, "truth values", "Save it so"),
    "a value that is none": ({"occupancies": np.full(COUNT, np.nan)}, "not finite", "again"),
    "no occupancies": ({"occupancies": None}, "no array 'occupancies'", "data sets"),
    "no points": ({"points": None}, "no array 'points'", "data sets"),
    "objects": ({"points": OBJECTS}, "type object", "Save it so"),
    "objects as labels": ({"occupancies": OBJECTS}, "type object", "Save it so"),
    "objects as frame": ({"loc": OBJECTS}, "type object", "Save it so"),
    "whole numbers": ({"points": np.zeros((COUNT, 3), int)}, "floating-point", "Save it so"),
    "a plane": ({"points": POINTS[:, :2]}, "(501, 2)", "Save it so"),
    "nothing": ({"points": POINTS[:0], "occupancies": OCCUPIED[:0]}, "is empty", "again"),
    "infinite": ({"points": np.where(np.arange(COUNT)[:, None] == 7, np.inf, POINTS)}, "row 7", "again"),
    "negative scale": ({"scale": np.float64(-1)}, "no frame", "positive"),
    "loc of two": ({"loc": np.zeros(2)}, "three floating-point numbers", "Save it so"),
    "many scales": ({"scale": np.ones(3)}, "one floating-point number", "Save it so"),
}


@pytest.mark.parametrize("case", BAD_POINTS)
def test_bad_points_are_refused(points_file, case):
    changes, what, remedy = BAD_POINTS[case]
    path = points_file(**changes)
    with pytest.raises(InputError) as caught:
        read_points(path)
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "points.npz" in caught.value.where


BAD_CLOUDS = {
    "no normals": ({"normals": None}, "no array 'normals'"),
    "fewer normals": ({"normals": NORMALS[:-1]}, "500 normals for 501 points"),
    "normals that are none": ({"normals": NORMALS * np.float16(np.nan)}, "501 of 501 rows are not finite"),
    "objects": ({"normals": OBJECTS}, "type object"),
}


@pytest.mark.parametrize("case", BAD_CLOUDS)
def test_bad_clouds_are_refused(cloud_file, case):
    changes, what = BAD_CLOUDS[case]
    path = cloud_file(**changes)
    with pytest.raises(InputError) as caught:
        read_cloud(path)
    assert what in caught.value.what
    assert "pointcloud.npz" in caught.value.where


@pytest.mark.parametrize("read", [read_points, read_cloud])
def test_damaged_archives_are_refused(points_file, tmp_path, read):
    whole = points_file(normals=NORMALS).read_bytes()
    path = tmp_path / "cut.npz"
    for content in (b"", b"not a zip", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"not a whole .npz archive"):
            read(path)
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "absent.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("points.npy", b"\x93NUMPY junk")
    with pytest.raises(InputError, match="no readable numpy header"):
        read(path)


def test_half_precision_leaves_its_lattice_and_single_precision_stays(points_file):
    half = read_points(points_file())
    moved = dithered(half, RandomState(0)).points - half.points.astype(np.float32)
    assert moved.std() == pytest.approx(1e-4, rel=0.1)
    single = read_points(points_file(points=POINTS.astype(np.float64)))
    np.testing.assert_array_equal(dithered(single, RandomState(0)).points, POINTS.astype(np.float32))


def test_points_keep_their_labels_when_drawn(points_file):
    data = read_points(points_file())
    for drawn in (drawn_points(data, 300, RandomState(1)), drawn_by_side(data, 100, 200, RandomState(1))):
        np.testing.assert_array_equal(
            drawn.occupied, np.linalg.norm(drawn.points.astype(float), axis=1) < 0.4
        )
    assert drawn.occupied.tolist() == [False] * 100 + [True] * 200


@pytest.mark.parametrize(
    ("flags", "side"), [(np.zeros(COUNT, bool), "inside"), (np.ones(COUNT, bool), "outside")]
)
def test_a_side_without_points_cannot_be_drawn_from(points_file, flags, side):
    data = read_points(points_file(occupancies=flags))
    with pytest.raises(InputError, match=rf"points\.npz: none of the 501 points is {side}"):
        drawn_by_side(data, 1, 1, RandomState(0))


def test_draws_may_depend_on_seed_and_step_alone(points_file):
    data = read_points(points_file())
    first, again, other = (
        drawn_points(data, 20, RandomState(Philox([7, step]))).points for step in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noise_moves_points_and_leaves_normals(cloud_file):
    cloud = drawn_cloud(read_cloud(cloud_file()), 2000, RandomState(0))
    noisy = noisy_cloud(cloud, 0.05, RandomState(1))
    assert (noisy.points - cloud.points).std(axis=0) == pytest.approx([0.05] * 3, rel=0.1)
    np.testing.assert_array_equal(noisy.normals, cloud.normals)


def test_partial_clouds_lose_at_most_three_tenths_at_the_upper_end_of_one_axis(cloud_file):
    cloud = read_cloud(cloud_file())
    length = np.ptp(cloud.points, axis=0)
    cut_axes = set()
    for seed in range(20):
        part = partial_cloud(cloud, RandomState(seed))
        share = np.ptp(part.points, axis=0) / length
        axis = int(np.argmax(cloud.points.max(axis=0) - part.points.max(axis=0)))
        assert 0.67 < share[axis] <= 1
        kept = cloud.points[:, axis] <= part.points[:, axis].max()
        np.testing.assert_array_equal(part.points, cloud.points[kept])
        np.testing.assert_array_equal(part.normals, cloud.normals[kept])
        cut_axes.add(axis)
    assert cut_axes == {0, 1, 2}


def test_a_crop_numbers_the_cells_of_what_it_holds(cloud_file, points_file):
    volume = np.array([[-0.3, -0.3, -0.3], [0.3, 0.3, 0.3]], np.float32)
    cloud = read_cloud(cloud_file())
    crop = cropped_cloud(cloud, volume, 6, ("grid", "xy"))
    outside = np.any(np.abs(cloud.points) > np.float32(0.3), axis=1)
    np.testing.assert_array_equal(crop.outside, outside)
    assert not crop.cloud.points[outside].any()
    assert set(crop.cells["grid"][outside]) == {6**3}
    assert set(crop.cells["xy"][outside]) == {6**2}
    x, y, z = np.floor((cloud.points[~outside] + 0.3) / 0.1).astype(int).T
    np.testing.assert_array_equal(crop.cells["grid"][~outside], x + 6 * y + 36 * z)
    np.testing.assert_array_equal(crop.cells["xy"][~outside], x + 6 * y)
    data = read_points(points_file())
    kept = cropped_points(data, volume)
    assert len(kept.points) == np.sum(np.all(np.abs(data.points) <= np.float32(0.3), axis=1))
    assert cells_in(volume, volume, "grid", 6).tolist() == [0, 6**3]


def test_points_and_voxels_of_a_data_set_agree_away_from_the_surface(shared):
    folders = sorted((shared / "data" / "shapes" / "onet_layout_sample").glob("*/*/"))
    assert folders
    for folder in folders:
        data, cloud = read_points(folder / "points.npz"), read_cloud(folder / "pointcloud.npz")
        voxels = read_binvox(folder / "model.binvox")
        points = dithered(data, RandomState(0)).points
        away = cKDTree(cloud.points).query(points)[0] > 1 / 32
        agree = in_cells(voxels.filled, points[away]) == data.occupied[away]
        assert agree.mean() > 0.998
        assert np.ptp(cloud.points, axis=0).max() == pytest.approx(1, abs=2e-3)
