"""Figures of meshes: closed forms, invariances, failures that are counted."""

import math

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.geometry.mesh import Mesh
from isofield.metrics.shape import (
    MESH_FIGURES,
    POINT_FIGURES,
    compare_meshes,
    compare_to_points,
    f_score,
    hausdorff_distance,
    iou,
    mesh_accuracy,
    mesh_distances,
    summarise,
)
from isofield.runtime.errors import InputError
from isofield.runtime.threads import set_threads, threads

SAMPLES = 5000
distances = st.lists(st.floats(0, 10), min_size=1, max_size=30).map(np.array)
flags = st.lists(st.booleans(), min_size=12, max_size=12).map(lambda values: np.array(values, bool))


def ball(radius=1.0, subdivisions=4):
    """A triangulated sphere: its faces lie up to 0.2 % of the radius within, at the default fineness."""
    mesh = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(mesh.vertices, mesh.faces.astype(np.int32))


def cuboid(low, high):
    mesh = trimesh.creation.box(bounds=[low, high])
    return Mesh(mesh.vertices, mesh.faces.astype(np.int32))


def moved(mesh, scale=1.0, shift=(0.0, 0.0, 0.0)):
    return Mesh(mesh.vertices * scale + shift, mesh.faces)


NOTHING = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))


@given(flags, flags)
def test_iou_is_symmetric_and_one_for_equal_sets_and_zero_for_disjoint_ones(a, b):
    union = (a | b).sum()
    if union == 0:
        assert math.isnan(iou(a, b))
        return
    assert iou(a, b) == iou(b, a) == pytest.approx((a & b).sum() / union)
    assert iou(a | b, a | b) == 1
    assert iou(a & ~b, b) == 0 or not (b | (a & ~b)).any()


@given(distances, distances, st.floats(0, 5), st.floats(0, 5))
def test_f_score_grows_with_its_threshold_from_precision_and_recall(a, b, threshold, more):
    assert 0 <= f_score(a, b, threshold) <= f_score(a, b, threshold + more) <= 1
    assert f_score(a, b, 10) == 1
    assert f_score(a, b, threshold) == f_score(b, a, threshold)
    assert f_score(a, b, threshold) <= 2 * min(np.mean(a <= threshold), np.mean(b <= threshold)) + 1e-12


@given(distances, distances, st.floats(0.05, 1))
def test_mesh_accuracy_is_the_smallest_distance_that_covers_the_share(a, b, share):
    d = mesh_accuracy(a, share)
    assert np.mean(a <= d) >= share - 1e-12
    assert np.mean(a < d) < share
    assert hausdorff_distance(a, b) == max(mesh_accuracy(a, 1.0), mesh_accuracy(b, 1.0))


def test_a_mesh_equals_itself():
    figures = compare_meshes(ball(), ball(), SAMPLES)
    assert set(figures) == {*MESH_FIGURES, "failed"}
    assert figures["iou"] == figures["f_score_half_percent"] == 1
    assert figures["hausdorff"] < 1e-6
    assert figures["normal_consistency_signed"] == pytest.approx(
        1, abs=1e-3
    )  # samples on edges have two faces
    assert figures["failed"] == 0


def test_concentric_spheres_have_the_figures_of_their_radii():
    figures = compare_meshes(ball(1.1), ball(1.0), SAMPLES)
    for name in ("accuracy_mean", "completeness_mean", "distance_mean", "hausdorff"):
        assert figures[name] == pytest.approx(0.05, rel=0.02)  # 0.1 over the longest edge, 2
    # The padded box of the points just holds the larger sphere: volume of the smaller over the larger.
    assert figures["iou"] == pytest.approx(1 / 1.331, abs=0.005)
    assert figures["normal_consistency"] == pytest.approx(1, abs=1e-3)
    assert figures["f_score_one_percent"] == 0


def test_shifted_boxes_have_the_iou_of_their_overlap_and_one_sided_distances_differ():
    truth = cuboid([0, 0, 0], [1, 1, 1])
    assert compare_meshes(cuboid([0, 0, 0], [1, 1, 0.5]), truth, SAMPLES)["iou"] == pytest.approx(
        0.5, abs=0.01
    )
    half = mesh_distances(cuboid([0, 0, 0.5], [1, 1, 1]), truth, 20_000)
    # Of the half's area 4, the cut (area 1) is inside, at the distance to the nearest side: mean 1/6 ...
    assert half.accuracy.mean() == pytest.approx(1 / 6 / 4, rel=0.05)
    # ... and of the truth's area 6, the far side is 1/2 away, the far half of four sides 1/4 on average.
    assert half.completeness.mean() == pytest.approx((1 * 0.5 + 4 * 0.5 * 0.25) / 6, rel=0.05)


@given(st.floats(1e-3, 1e3), st.tuples(*[st.floats(-1e4, 1e4)] * 3))
@settings(max_examples=8, deadline=None)
def test_figures_do_not_depend_on_unit_and_place(scale, shift):
    prediction, truth = ball(0.95, 3), cuboid([-1, -1, -1], [1, 1, 1])
    shift = np.array(shift) * scale  # as far as double precision holds the shape to seven digits
    here = compare_meshes(prediction, truth, 2000)
    there = compare_meshes(moved(prediction, scale, shift), moved(truth, scale, shift), 2000)
    for name, value in here.items():
        assert there[name] == pytest.approx(value, abs=2e-3), name


def test_a_prediction_turned_inside_out_shows_in_the_signed_normals_alone():
    truth = ball()
    turned = Mesh(truth.vertices, np.ascontiguousarray(truth.faces[:, ::-1]))
    plain, inverted = (compare_meshes(mesh, truth, SAMPLES) for mesh in (truth, turned))
    assert inverted["iou"] == 1
    assert inverted["normal_consistency"] == pytest.approx(plain["normal_consistency"], abs=1e-3)
    assert inverted["normal_consistency_signed"] == pytest.approx(
        -plain["normal_consistency_signed"], abs=1e-3
    )
    assert compare_meshes(turned, turned, SAMPLES)["iou"] == 1


def test_faces_of_zero_area_and_unused_vertices_change_nothing():
    truth = ball()
    vertices = np.concatenate([truth.vertices, [[50.0, 0, 0]]])
    dirty = Mesh(vertices, np.concatenate([truth.faces, [[0, 0, 1], [2, 2, 2]]]).astype(np.int32))
    assert compare_meshes(dirty, dirty, SAMPLES) == compare_meshes(truth, truth, SAMPLES)


def test_figures_repeat_for_a_seed_whatever_the_number_of_threads():
    prediction, truth, before = ball(0.9), ball(), threads()
    results = []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            results.append(compare_meshes(prediction, truth, SAMPLES, seed=3))
    finally:
        set_threads(before)
    assert results[0] == results[1] == results[2]
    assert compare_meshes(prediction, truth, SAMPLES, seed=4) != results[0]


def test_iou_in_a_box_counts_that_box_alone():
    """In the half space x < 0 of a box the prediction is right, in the other it is not there."""
    truth, prediction = cuboid([-1, -1, -1], [1, 1, 1]), cuboid([-1, -1, -1], [0, 1, 1])
    left = (np.array([-1.0, -1, -1]), np.array([0.0, 1, 1]))
    assert compare_meshes(prediction, truth, SAMPLES, box=left)["iou"] == pytest.approx(1, abs=1e-3)
    assert compare_meshes(prediction, truth, SAMPLES)["iou"] == pytest.approx(0.5, abs=0.01)


def test_points_on_a_mesh_are_at_no_distance_and_points_above_it_at_theirs():
    mesh = ball(1.0, 5)
    normals = mesh.vertices[::7]
    on = compare_to_points(mesh, normals, normals)
    assert set(on) == {*POINT_FIGURES, "failed"}
    assert on["points_distance_largest"] < 1e-6
    assert on["points_within_half_percent"] == 1
    assert on["points_normal_consistency_signed"] == pytest.approx(1, abs=1e-2)
    above = compare_to_points(moved(mesh, 0.9), normals, -normals)
    assert above["points_distance_mean"] == pytest.approx(0.05, rel=0.01)
    assert above["points_within_one_percent"] == 0
    assert above["points_normal_consistency_signed"] == pytest.approx(-1, abs=1e-2)
    assert "points_normal_consistency" not in compare_to_points(mesh, normals)


def test_an_empty_prediction_scores_the_penalties_and_an_empty_truth_is_refused():
    failed = compare_meshes(NOTHING, ball())
    assert failed == {**{name: figure.penalty for name, figure in MESH_FIGURES.items()}, "failed": 1.0}
    assert compare_to_points(NOTHING, ball().vertices)["failed"] == 1
    assert "points_normal_consistency" not in compare_to_points(NOTHING, ball().vertices)
    with pytest.raises(InputError, match="no faces"):
        compare_meshes(ball(), NOTHING)
    with pytest.raises(InputError, match="zero area"):
        compare_meshes(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32)), ball())


def test_summary_counts_failed_meshes_and_gives_both_means():
    results = [{"iou": 0.8, "failed": 0.0}, {"iou": 0.6, "failed": 0.0}, {"iou": 0.0, "failed": 1.0}]
    summary = summarise(results)
    assert (summary["count"], summary["failed"]) == (3, 1)
    assert summary["iou_mean_with_penalties"] == pytest.approx(1.4 / 3)
    assert summary["iou_mean_of_succeeded"] == pytest.approx(0.7)
    assert "iou_undefined" not in summary


def test_summary_counts_what_is_undefined_and_survives_a_set_of_failures():
    summary = summarise([{"iou": math.nan, "failed": 0.0}, {"iou": 0.5, "failed": 0.0}])
    assert (summary["iou_mean_of_succeeded"], summary["iou_undefined"]) == (0.5, 1)
    lost = summarise([{"iou": 0.0, "failed": 1.0}])
    assert lost["iou_mean_with_penalties"] == 0
    assert math.isnan(lost["iou_mean_of_succeeded"])
