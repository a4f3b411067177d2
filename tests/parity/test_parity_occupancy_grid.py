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
    alone = (grid.values[0] > grid.threshold).float().mean().item()
    assert alone == pytest.approx(published["ngp/occupied_before_pool"][0].mean())


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


def z_first(values, cells):
    """Values of cells with x first, as cells with z first; each cell as 2 x 2 x 2 (a grid has a multiple of 4
    along an axis)."""
    turned = values.reshape(-1, cells, cells, cells).transpose(0, 3, 2, 1)
    for axis in (1, 2, 3):
        turned = turned.repeat(2, axis)
    return turned


def test_update_equals_that_of_nerfacc_at_first(pack):
    given, published, tolerance = pack
    old, cells = torch.from_numpy(given["occs0"]), []
    found = []
    for level, box in enumerate(published["aabbs"]):
        flat = np.flatnonzero(given["occs0"].reshape(2, 216)[level] >= 0)
        corner = np.stack(np.unravel_index(flat, (6, 6, 6)), 1) + given[f"warm/jitter_level{level}"]
        away = box[:3] + corner / 6 * (box[3:] - box[:3]) - [0.2, -0.1, 0.3]
        found.append(8 * np.exp(-np.square(away).sum(1) / 0.18) * 0.005)
        cells.append(level * 216 + flat)
    grid = OccupancyGrid(4, 2)
    grid.values = old.view(2, 6, 6, 6).clone()
    grid.update(np.concatenate(cells), torch.from_numpy(np.concatenate(found)).float(), decay=0.95)
    np.testing.assert_allclose(grid.values.numpy().ravel(), published["warm/occs"], **tolerance)


def test_what_holds_a_point_equals_the_query_of_nerfacc(pack):
    given, published, _ = pack
    grid = OccupancyGrid(12, 2)
    grid.values.copy_(torch.from_numpy(z_first(published["after/binaries"], 6)).float())
    outermost = published["aabbs"][1]
    points = (given["query_points"] - outermost[:3]) / (outermost[3:] - outermost[:3])
    holding = grid.holding(torch.from_numpy(points)).numpy()
    assert np.array_equal(holding, (published["query_value"] > 0) & published["query_inside"])
    assert 0.1 < holding.mean() < 0.9
