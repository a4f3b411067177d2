"""Figures of point sets and occupancies against the values of the published evaluators."""

import numpy as np
import pytest

from isofield.metrics.points import (
    chamfer_l1_points,
    chamfer_l2_points,
    chamfer_squared_sum_points,
    convonet_evaluation,
    nearest_points,
    onet_evaluation,
)
from isofield.metrics.shape import iou

RELATIVE = 1e-5  # the published nearest neighbours are found in float32


@pytest.fixture
def pack(shared):
    folder = shared / "parity" / "onet_metrics"
    return dict(np.load(folder / "inputs.npz")), dict(np.load(folder / "outputs.npz"))


@pytest.mark.parametrize(("evaluate", "name"), [(onet_evaluation, "onet"), (convonet_evaluation, "convonet")])
def test_evaluators_equal_the_published_ones(pack, evaluate, name):
    inputs, outputs = pack
    ours = evaluate(*(inputs[key] for key in ("pred", "pred_normals", "target", "target_normals")))
    assert ours.pop("failed") == 0
    published = {k.removeprefix(f"{name}/"): v for k, v in outputs.items() if k.startswith(f"{name}/")}
    assert set(ours) == set(published)
    for key, value in published.items():
        assert ours[key] == pytest.approx(float(value), rel=RELATIVE), key


def test_nearest_points_equal_the_published_ones(pack):
    inputs, outputs = pack
    distance, index = nearest_points(inputs["pred"], inputs["target"])
    np.testing.assert_allclose(distance, outputs["p2p/dist"], rtol=RELATIVE, atol=1e-7)
    unit = [
        n / np.linalg.norm(n, axis=1, keepdims=True)
        for n in (inputs["pred_normals"], inputs["target_normals"])
    ]
    cosines = np.abs((unit[0] * unit[1][index]).sum(1))
    np.testing.assert_allclose(cosines, outputs["p2p/normal_dot"], rtol=RELATIVE)


def test_chamfer_distances_equal_the_published_ones(pack):
    inputs, outputs = pack
    for name in ("chamfer_naive", "chamfer_kdtree"):
        for a, b, published in zip(inputs["A"], inputs["B"], outputs[name]):
            assert chamfer_squared_sum_points(a, b) == pytest.approx(float(published), rel=RELATIVE)
    pair = inputs["pred"], inputs["target"]
    assert chamfer_squared_sum_points(*pair) == pytest.approx(float(outputs["deepsdf_chamfer"]), rel=RELATIVE)
    assert chamfer_l1_points(*pair) == pytest.approx(float(outputs["onet/chamfer-L1"]), rel=RELATIVE)
    assert chamfer_l2_points(*pair) == pytest.approx(float(outputs["onet/chamfer-L2"]), rel=RELATIVE)


def test_iou_equals_the_published_one(pack):
    inputs, outputs = pack
    a, b = inputs["occ1"] >= 0.5, inputs["occ2"] >= 0.5
    np.testing.assert_allclose([iou(*pair) for pair in zip(a, b)], outputs["iou_batch"], rtol=RELATIVE)
    assert iou(a[0], b[0]) == pytest.approx(float(outputs["iou_1d"]), rel=RELATIVE)
    assert np.isnan(outputs["iou_empty"]).all()
    assert np.isnan(iou(np.zeros(5, bool), np.zeros(5, bool)))
