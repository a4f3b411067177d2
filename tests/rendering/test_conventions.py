"""Conventions of cameras: every pair leads there and back, and each says what its code says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isofield.rendering.conventions import CONVENTIONS, from_ours, quaternions_of, rotations_of, to_ours


def poses(seed: int, count: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(count, random_state=rng).as_matrix()
    return np.concatenate([rotations, rng.normal(scale=5, size=(count, 3, 1))], axis=2)


@pytest.mark.parametrize("other", sorted(CONVENTIONS))
@pytest.mark.parametrize("one", sorted(CONVENTIONS))
@given(seed=st.integers(0, 10**6))
def test_every_pair_of_conventions_round_trips(one, other, seed):
    given_poses = poses(seed)
    there = from_ours(to_ours(given_poses, CONVENTIONS[one]), CONVENTIONS[other])
    back = from_ours(to_ours(there, CONVENTIONS[other]), CONVENTIONS[one])
    assert back == pytest.approx(given_poses, abs=1e-12)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_rotations_stay_rotations(name):
    theirs = from_ours(poses(0), CONVENTIONS[name])[:, :, :3]
    assert np.linalg.det(theirs) == pytest.approx(np.ones(4))


def test_the_columns_are_the_directions_that_each_convention_names():
    right, down, forwards, centre = poses(3, 1)[0].T
    columns = {
        "opengl": (right, -down, -forwards),
        "nerf": (right, -down, -forwards),
        "opencv": (right, down, forwards),
        "llff": (down, right, -forwards),
    }
    for name, expected in columns.items():
        theirs = from_ours(poses(3, 1), CONVENTIONS[name])[0]
        assert theirs == pytest.approx(np.column_stack([*expected, centre]))


def test_colmap_keeps_what_leads_from_the_world_into_the_camera():
    ours = poses(5, 1)
    R, t = np.split(from_ours(ours, CONVENTIONS["colmap"])[0], [3], axis=1)
    assert R @ ours[0, :, 3] + t[:, 0] == pytest.approx(np.zeros(3), abs=1e-12)
    assert R @ (ours[0, :, 3] + ours[0, :, 2]) + t[:, 0] == pytest.approx([0, 0, 1])


def test_instant_ngp_scales_shifts_and_cycles_the_world():
    theirs = from_ours(np.array([[[1.0, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3]]]), CONVENTIONS["instant_ngp"])
    assert theirs[0, :, 3] == pytest.approx([0.33 * 2 + 0.5, 0.33 * 3 + 0.5, 0.33 + 0.5])
    assert theirs[0, :, 2] == pytest.approx([0, 1, 0])


@given(seed=st.integers(0, 10**6))
def test_quaternions_and_rotations_are_two_forms_of_one_thing(seed):
    rotations = poses(seed)[:, :, :3]
    quaternions = quaternions_of(rotations)
    assert rotations_of(quaternions) == pytest.approx(rotations, abs=1e-12)
    scipy = Rotation.from_matrix(rotations).as_quat(canonical=True, scalar_first=True)
    assert quaternions == pytest.approx(scipy, abs=1e-9)


def test_a_half_turn_has_a_quaternion():
    assert rotations_of(quaternions_of(np.diag([1.0, -1, -1])[None]))[0] == pytest.approx(
        np.diag([1, -1, -1])
    )


def test_a_quarter_turn_about_z_takes_x_to_y():
    quarter = np.array([[np.cos(np.pi / 4), 0, 0, np.sin(np.pi / 4)]])
    assert rotations_of(quarter)[0] @ [1, 0, 0] == pytest.approx([0, 1, 0])
