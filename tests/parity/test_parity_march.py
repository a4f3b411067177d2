"""Ray marching against the published code's rule (instant-ngp, Mueller et al. 2022)."""

import json
import math

import numpy as np
import pytest
import torch

from isofield.kernels.march import Steps, march, pack_cells, reference, step_of_t, t_of_step

LEAST = math.sqrt(3) / 1024
GREATEST = LEAST * 2**7 * 1024 / 128
SCENES = {"unit": (0, Steps(LEAST, 0, GREATEST), 1), "big": (1, Steps(LEAST, 1 / 256, GREATEST), 3)}


@pytest.fixture
def pack(shared):
    folder = shared / "parity" / "ngp_raymarch"
    given, published = (dict(np.load(folder / f"{part}.npz")) for part in ("inputs", "outputs"))
    return given, published, json.loads((folder / "pack.json").read_text())["tolerance"]["float64"]


def occupied_cells(cascades, cells=128):
    """The pack's two balls and cube."""
    grids = []
    for cascade in range(cascades):
        axis = ((np.arange(cells) + 0.5) / cells - 0.5) * 2**cascade + 0.5
        z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
        centres = np.stack([x, y, z], axis=-1)
        balls = (((0.5, 0.55, 0.45), 0.22), ((-0.6, 1.1, 0.4), 0.5))
        grid = np.abs(centres - (0.9, 0.2, 0.7)).max(-1) < 0.25
        for middle, radius in balls:
            grid |= np.linalg.norm(centres - middle, axis=-1) < radius
        grids.append(grid)
    return np.stack(grids)


@pytest.mark.parametrize("scene", SCENES)
def test_lengths_of_steps_equal_the_published_rule(pack, scene):
    given, published, tolerance = pack
    row, steps, _ = SCENES[scene]
    t = given["t_for_dt_table"]
    lengths = t_of_step(step_of_t(t, steps) + 1, steps) - t
    np.testing.assert_allclose(lengths, published["dt_table"][row], rtol=tolerance["rtol"], atol=1e-9)


@pytest.mark.parametrize("scene", SCENES)
def test_samples_equal_the_published_rule(pack, scene):
    given, published, _ = pack
    _, steps, cascades = SCENES[scene]
    occupied = occupied_cells(cascades)
    rays = given["rays"][:, :3], given["rays"][:, 3:], given["start_jitter"]
    found = reference.march(*rays, occupied, steps)
    assert [len(each) for each in found] == published[f"{scene}/counts"].tolist()
    np.testing.assert_allclose(np.concatenate(found), published[f"{scene}/t"], rtol=0, atol=1e-8)

    single = (torch.from_numpy(each.astype(np.float32)) for each in rays)
    places, starts = march(*single, pack_cells(occupied), steps)
    differing = np.diff(starts) - published[f"{scene}/counts"]
    assert np.abs(differing).max() <= 1  # in single precision a sample at a border comes or goes
    same = differing == 0
    expected = published[f"{scene}/t"][same.repeat(published[f"{scene}/counts"])]
    np.testing.assert_allclose(places[same.repeat(np.diff(starts))], expected, rtol=2e-5, atol=2e-5)
    assert same.mean() > 0.8
