"""Where rays meet boxes and balls, and forward-facing rays in normalised device coordinates."""

import pytest
import torch

from isofield.rendering.rays import Rays, in_depths, ray_box, ray_sphere, to_ndc

LOWER, UPPER = torch.tensor([-1.0, -2, -3]), torch.tensor([1.0, 2, 3])


def rays(*pairs) -> Rays:
    return Rays(*(torch.tensor([pair[k] for pair in pairs], dtype=torch.float32) for k in (0, 1)))


def test_rays_enter_and_leave_a_box_where_its_faces_are():
    entry, leave = ray_box(rays(((-5, 0, 0), (1, 0, 0)), ((0, 7, 1), (0, -1, 0))), LOWER, UPPER)
    assert entry.tolist() == [4, 5]
    assert leave.tolist() == [6, 9]


def test_from_inside_a_box_the_ray_starts_at_the_near_distance():
    entry, leave = ray_box(rays(((0, 0, 0), (0, 0, 1))), LOWER, UPPER, near=0.5)
    assert entry.tolist() == [0.5]
    assert leave.tolist() == [3]


def test_nothing_lies_between_entry_and_exit_where_a_ray_misses():
    outside = rays(
        ((-5, 2.5, 0), (1, 0, 0)),  # beside it, along a slab
        ((-5, 0, 0), (-1, 0, 0)),  # it lies behind
        ((-5, 0, 0), (0.6, 0.8, 0)),
    )
    for entry, leave in (ray_box(outside, LOWER, UPPER), ray_sphere(outside, torch.zeros(3), 1.0)):
        assert torch.equal(entry, leave)
        assert torch.isfinite(entry).all()


def test_a_ray_in_the_plane_of_a_face_is_finite():
    entry, leave = ray_box(rays(((1, -5, 0), (0, 1, 0))), LOWER, UPPER)
    assert torch.isfinite(entry).all()
    assert (leave >= entry).all()


def test_a_ray_through_a_corner_region_meets_sampled_points_of_the_box_only():
    torch.manual_seed(0)
    many = Rays(torch.randn(500, 3) * 4, torch.nn.functional.normalize(torch.randn(500, 3), dim=1))
    entry, leave = ray_box(many, LOWER, UPPER)
    t = torch.linspace(0, 20, 4001)
    points = many.origins[:, None] + t[:, None] * many.directions[:, None]
    inside = ((points > LOWER) & (points < UPPER)).all(dim=2)
    assert torch.equal(inside, inside & (t >= entry[:, None] - 1e-4) & (t <= leave[:, None] + 1e-4))
    assert (inside.sum(dim=1) * 0.005 - (leave.clamp_max(20) - entry.clamp_max(20))).abs().max() < 0.0101


def test_a_chord_of_a_ball_has_its_length_from_far_away():
    """The quadratic formula in single precision would leave no digit of the half chord 0.6 so far away."""
    entry, leave = ray_sphere(rays(((-1000, 0.8, 0), (1, 0, 0))), torch.zeros(3), 1.0)
    assert (leave - entry).item() == pytest.approx(1.2, abs=2e-4)
    assert entry.item() == pytest.approx(999.4, abs=1e-3)


def test_a_ball_is_met_by_directions_of_any_length():
    entry, leave = ray_sphere(rays(((-5, 0, 0), (2, 0, 0))), torch.zeros(3), 1.0)
    assert entry.tolist() == [2]
    assert leave.tolist() == [3]


def test_in_depths_one_step_is_one_unit_along_the_view():
    deep = in_depths(rays(((0, 0, 0), (0.6, 0, 0.8))), torch.tensor([[0.0, 0, 1]]))
    assert deep.directions[0].tolist() == pytest.approx([0.75, 0, 1])


def test_ndc_is_the_projection_of_the_points_themselves():
    """A point at depth z is at (2 f x / (W z), 2 f y / (H z), 1 - 2 n / z), and t = 1 - n / z leads to it."""
    one = rays(((0.2, -0.1, 0.05), (0.3, 0.2, -0.9)))
    ndc = to_ndc(one, 8, 6, 7.0)
    point = one.origins[0] + 4 * one.directions[0]
    x, y, z = point[0].item(), point[1].item(), -point[2].item()
    at = ndc.origins[0] + (1 - 1 / z) * ndc.directions[0]
    assert at.tolist() == pytest.approx([2 * 7 * x / (8 * z), 2 * 7 * y / (6 * z), 1 - 2 / z], abs=1e-5)
