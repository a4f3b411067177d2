"""Data of Occupancy Networks: what is read, drawn and voxelised, bit for bit as by the published code."""

import numpy as np
import pytest
from numpy.random import RandomState

from isofield.data import onet_fields
from isofield.data.convonet_crops import cells_in, cropped_cloud, cropped_points, normalised_in
from isofield.data.voxels import boundary_quads
from isofield.geometry.cells import in_cells, interior_cells, occupied_cells, surface_cells, without_holes
from isofield.geometry.mesh import Mesh
from isofield.geometry.solid import Solid


def pack(shared, name):
    folder = shared / "parity" / name
    return dict(np.load(folder / "inputs.npz")), dict(np.load(folder / "outputs.npz"))


@pytest.fixture
def fields(shared, tmp_path):
    """The records of the pack's two files, the crop's volumes, and what the published code returned."""
    inputs, outputs = pack(shared, "onet_fields")
    for name in ("points", "pointcloud"):
        (tmp_path / f"{name}.npz").write_bytes(inputs[f"{name}_npz"].tobytes())
    points = onet_fields.read_points(tmp_path / "points.npz")
    cloud = onet_fields.read_cloud(tmp_path / "pointcloud.npz")
    return points, cloud, inputs, outputs


def assert_points(found, outputs, name):
    assert found.points.dtype == np.float32
    np.testing.assert_array_equal(found.points, outputs[f"{name}/value"])
    np.testing.assert_array_equal(found.occupied, outputs[f"{name}/occ"])


def assert_cloud(found, outputs, name):
    assert found.points.dtype == found.normals.dtype == np.float32
    np.testing.assert_array_equal(found.points, outputs[f"{name}/value"])
    np.testing.assert_array_equal(found.normals, outputs[f"{name}/normals"])


def test_all_points_with_their_dither(fields):
    points, _, _, outputs = fields
    assert_points(onet_fields.dithered(points, RandomState(0)), outputs, "points_all")
    np.testing.assert_array_equal(np.float32(points.loc), outputs["points_all/loc"])
    assert np.float32(points.scale) == outputs["points_all/scale"]


def test_points_drawn_from_all(fields):
    points, _, _, outputs = fields
    rng = RandomState(1)
    assert_points(
        onet_fields.drawn_points(onet_fields.dithered(points, rng), 100, rng), outputs, "points_sub100"
    )


def test_points_drawn_by_side_and_the_volume(fields):
    points, _, _, outputs = fields
    rng = RandomState(2)
    drawn = onet_fields.drawn_by_side(onet_fields.dithered(points, rng), 40, 60, rng)
    assert_points(drawn, outputs, "points_sub_40_60")
    assert np.float32(points.volume) == outputs["points_sub_40_60/volume"]


def test_cloud_drawn_then_noisy(fields):
    _, cloud, _, outputs = fields
    rng = RandomState(3)
    assert_cloud(
        onet_fields.noisy_cloud(onet_fields.drawn_cloud(cloud, 50, rng), 0.005, rng), outputs, "pointcloud"
    )
    np.testing.assert_array_equal(np.float32(cloud.loc), outputs["pointcloud/loc"])
    assert np.float32(cloud.scale) == outputs["pointcloud/scale"]


def test_partial_cloud(fields):
    _, cloud, _, outputs = fields
    rng = RandomState(4)
    part = onet_fields.partial_cloud(cloud, rng)
    assert_cloud(
        onet_fields.noisy_cloud(onet_fields.drawn_cloud(part, 50, rng), 0.005, rng), outputs, "partial"
    )


def test_crop_of_a_cloud(fields):
    _, cloud, inputs, outputs = fields
    rng = RandomState(5)
    drawn = onet_fields.noisy_cloud(onet_fields.drawn_cloud(cloud, 120, rng), 0.005, rng)
    crop = cropped_cloud(drawn, inputs["input_vol"], 26, ("grid", "xz"))
    assert_cloud(crop.cloud, outputs, "crop_cloud")
    np.testing.assert_array_equal(crop.outside, outputs["crop_cloud/mask"])
    np.testing.assert_array_equal(crop.cells["grid"], outputs["crop_cloud/ind_grid"][0])
    np.testing.assert_array_equal(crop.cells["xz"], outputs["crop_cloud/ind_xz"][0])


def test_crop_of_points(fields):
    points, _, inputs, outputs = fields
    crop = cropped_points(onet_fields.dithered(points, RandomState(6)), inputs["query_vol"])
    assert_points(crop, outputs, "crop_points")
    for plane in ("grid", "xz"):
        found = normalised_in(inputs["input_vol"], crop.points, plane)
        np.testing.assert_array_equal(found, outputs[f"crop_points/normalized_{plane}"])


@pytest.mark.parametrize("plane", ["xz", "xy", "yz", "grid"])
def test_coordinates_and_cells_in_a_crop(shared, plane):
    inputs, outputs = pack(shared, "convonet_coords")
    volume, points = inputs["vol"], inputs["p"][0]
    np.testing.assert_array_equal(normalised_in(volume, points, plane), outputs[f"crop_norm_{plane}"])
    found = cells_in(volume, points[outputs["crop_inside"]], plane, 20)
    np.testing.assert_array_equal(found, outputs[f"crop_index_{plane}"][0])


@pytest.fixture
def voxels(shared):
    """The pack's mesh and points, and the published arrays, cells unpacked."""
    inputs, outputs = pack(shared, "onet_voxelize")
    cells = {
        name: np.unpackbits(a).reshape(32, 32, 32) > 0 for name, a in outputs.items() if a.shape == (4096,)
    }
    return Mesh(inputs["vertices"], inputs["faces"]), inputs["points"], outputs | cells


def test_voxels_of_the_surface_and_the_interior(voxels):
    mesh, _, expected = voxels
    inside = Solid(mesh).occupancy
    surface, interior = expected["surface32"], expected["interior32_jitter"]
    np.testing.assert_array_equal(surface_cells(mesh, 32), surface)
    np.testing.assert_array_equal(interior_cells(inside, 32, RandomState(3)), interior)
    np.testing.assert_array_equal(occupied_cells(mesh, inside, 32, RandomState(3)), surface | interior)
    np.testing.assert_array_equal(without_holes(surface), expected["fill32"])


def test_points_in_voxels(voxels):
    _, points, expected = voxels
    found = in_cells(expected["surface32"], (points - (0.1, 0.2, 0.3)) / 2)
    np.testing.assert_array_equal(found, expected["contains"])


def test_mesh_of_the_voxels_has_the_published_quads(voxels):
    """The published triangles come from quads, split along either diagonal: each lies on the square of its
    bounding box and turns as the square does."""
    _, _, expected = voxels
    corners, quads = boundary_quads(expected["surface32"])
    ours = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])

    def squares(vertices, faces):
        """Twice the centre of each face's square, and the direction it looks in; sorted."""
        at = vertices[faces].astype(np.int64)
        normal = np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0])
        rows = np.hstack([at.min(axis=1) + at.max(axis=1), normal])
        return rows[np.lexsort(rows.T)]

    published = (expected["voxelmesh_vertices"] + 0.5) * 32
    np.testing.assert_array_equal(published, np.round(published))
    np.testing.assert_array_equal(np.unique(published, axis=0), np.unique(corners, axis=0))
    np.testing.assert_array_equal(squares(corners, ours), squares(published, expected["voxelmesh_faces"]))
