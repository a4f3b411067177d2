"""The occupancy grid against the published codes (instant-ngp's rule, nerfacc's marking of unseen cells)."""

import json
import math

import numpy as np
import pytest
import torch

from isofield.rendering.cameras import Cameras
from isofield.rendering.occupancy import OccupancyGrid, visible


@pytest.fixture
def pack(shared):
    folder = shared / "parity" / "occupancy_update"
    given, published = (dict(np.load(folder / f"{part}.npz")) for part in ("inputs", "outputs"))
    return given, published, json.loads((folder / "pack.json").read_text())["tolerance"]


def morton_places(cells):
    """Flat place (z, y, x) of each cell of Morton order: bits x, y, z in turn, x lowest."""
    code = np.arange(cells**3)
    x, y, z = (sum((code >> (3 * bit + axis) & 1) << bit for bit in range(8)) for axis in range(3))
    return (z * cells + y) * cells + x


def test_update_equals_the_rule_of_instant_ngp(pack):
    given, published, tolerance = pack
    places = morton_places(8)
    grid = OccupancyGrid(8, 3)
    grid.values.view(3, -1)[:, places] = torch.from_numpy(given["ngp/grid_old"]).view(3, -1)
    cascade, code = np.divmod(given["ngp/sample_cell"].astype(np.int64), 512)
    thickness = torch.from_numpy(given["ngp/sample_density"]) * math.sqrt(3) / 1024
    grid.update(cascade * 512 + places[code], thickness, decay=0.95)
    new = grid.values.view(3, -1)[:, places].numpy().ravel()
    np.testing.assert_allclose(new, published["ngp/grid_new"], **tolerance)
    np.testing.assert_allclose(grid.threshold, published["ngp/threshold"], **tolerance)
    occupied = grid.occupied().reshape(3, -1)[:, places]
    assert np.array_equal(occupied, published["ngp/occupied"])
    bits = np.packbits(occupied.reshape(-1, 8), axis=1, bitorder="little")
    assert np.array_equal(bits.ravel(), published["ngp/bitfield"])
    assert grid.share == published["ngp/occupied_before_pool"][0].mean()


def test_marking_equals_that_of_nerfacc(pack):
    given, published, _ = pack
    (fx, _, cx), (_, fy, cy), _ = given["invisible/K"][0].astype(np.float64)
    poses = given["invisible/c2w_opencv"].astype(np.float64)
    cameras = Cameras(
        poses,
        np.tile([fx, fy, cx, cy], (2, 1)),
        np.tile([64, 48], (2, 1)),
        np.zeros((2, 8)),
        np.zeros(2, bool),
    )
    marked = []
    for box in published["aabbs"].astype(np.float64):
        x, y, z = np.meshgrid(*[np.arange(6) / 5] * 3, indexing="ij")
        points = box[:3] + np.stack([x, y, z], axis=-1).reshape(-1, 3) * (box[3:] - box[:3])
        marked.append(np.where(visible(cameras, points, near=0.2), 0.0, -1.0))
    assert np.array_equal(np.concatenate(marked), published["invisible/occs"])
