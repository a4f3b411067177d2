"""Chamfer distances by their several definitions, and what the published evaluators say of an empty mesh."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.metrics.points import (
    chamfer_l1_points,
    chamfer_l2_points,
    chamfer_squared_sum_points,
    convonet_evaluation,
    nearest_points,
    onet_evaluation,
)

NOTHING = np.zeros((0, 3))
seeds = st.integers(0, 10**6)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_nearest_points_are_those_of_brute_force(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 30, 3))
    distance, index = nearest_points(a, b)
    table = np.linalg.norm(a[:, None] - b, axis=-1)
    np.testing.assert_array_equal(index, table.argmin(1))
    np.testing.assert_allclose(distance, table.min(1))


def test_chamfer_distances_of_two_points_are_powers_of_their_distance():
    a, b = np.zeros((1, 3)), np.array([[3.0, 4.0, 0.0]])
    assert chamfer_l1_points(a, b) == 5
    assert chamfer_l2_points(a, b) == 25
    assert chamfer_squared_sum_points(a, b) == 50


@pytest.mark.parametrize("chamfer", [chamfer_l1_points, chamfer_l2_points, chamfer_squared_sum_points])
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_chamfer_distances_are_symmetric_and_vanish_for_equal_sets(chamfer, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(20, 3)), rng.normal(size=(35, 3))
    assert chamfer(a, b) == pytest.approx(chamfer(b, a))
    assert chamfer(a, rng.permutation(a)) == 0


def test_evaluators_give_an_empty_mesh_every_column_with_its_penalty():
    cloud, normals = np.random.default_rng(0).normal(size=(2, 50, 3))
    for evaluate in (onet_evaluation, convonet_evaluation):
        full, empty = evaluate(cloud, normals, cloud, normals), evaluate(NOTHING, NOTHING, cloud, normals)
        assert set(full) == set(empty)
        assert (full["failed"], empty["failed"]) == (0, 1)
        assert empty["chamfer-L1"] == (empty["accuracy"] + empty["completeness"]) / 2 == math.sqrt(3)
        assert empty["chamfer-L2"] == (empty["accuracy2"] + empty["completeness2"]) / 2 == 3
        assert empty["normals"] == -1


def test_turned_normals_are_as_consistent_for_onet():
    cloud, normals = np.random.default_rng(0).normal(size=(2, 50, 3))
    assert onet_evaluation(cloud, -3 * normals, cloud, normals)["normals"] == pytest.approx(1)


def test_convonet_f_score_without_any_near_point_is_undefined():
    cloud, normals = np.random.default_rng(0).normal(size=(2, 50, 3))
    assert math.isnan(convonet_evaluation(cloud + 100, normals, cloud, normals)["f-score"])
