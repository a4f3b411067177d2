"""The loss of a signed distance field, by hand."""

import pytest
import torch

from isofield.data.samples import Samples
from isofield.methods.sdf import SDF, Config
from isofield.networks.coordinate import CoordinateNetwork

T = 0.1  # the truncation
VALUES = [0.25, -0.25, 0.05, -0.05, 0.05, 0.25]
LABELS = [T, -T, T, -T, 0.02, -T]
ERRORS = [0.15, 0.15, 0.05, 0.05, 0.03, 0.35]  # of which the first two lie beyond, on the right side


def _loss(beyond: float) -> tuple[float, list[float]]:
    """The loss of the values against the labels, and its slope in each value."""
    method = SDF(Config(CoordinateNetwork(levels=2, log2_table=8), truncation=T, beyond=beyond))
    values = torch.tensor(VALUES, requires_grad=True)
    method.field = lambda points: values
    loss = method.loss("field", Samples(torch.zeros(6, 3), torch.tensor(LABELS)), 0.0)["distance"]
    loss.backward()
    assert values.grad is not None
    return loss.item(), (6 * T * values.grad).tolist()


@pytest.mark.parametrize("beyond", [1.0, 0.5, 0.0])
def test_values_beyond_the_truncation_on_the_right_side_count_as_much_as_they_are_said_to(beyond):
    loss, slopes = _loss(beyond)
    assert loss == pytest.approx((beyond * sum(ERRORS[:2]) + sum(ERRORS[2:])) / 6 / T, rel=1e-5)
    assert slopes == pytest.approx([beyond, -beyond, -1, 1, 1, 1], rel=1e-5)
