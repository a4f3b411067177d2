"""Budgets and the schedules that follow them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isofield.runtime.errors import InputError
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train
from isofield.training.method import cosine, halving


@pytest.fixture
def now(monkeypatch):
    """The time of day, set by the test: a list of one number."""
    time = [1000.0]
    monkeypatch.setattr("time.perf_counter", lambda: time[0])
    return time


@pytest.mark.parametrize("settings", [{}, {"seconds": 1.0, "steps": 10}])
def test_a_budget_is_either_seconds_or_steps(settings):
    with pytest.raises(InputError, match="either seconds or steps"):
        Budget(**settings)


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"steps": 0}, "--steps"),
        ({"steps": -3}, "--steps"),
        ({"seconds": 0.0}, "--seconds"),
        ({"seconds": -1.0}, "--seconds"),
        ({"seconds": math.inf}, "--seconds"),
        ({"seconds": math.nan}, "--seconds"),
    ],
)
def test_a_budget_is_positive_and_finite_and_the_flag_is_named(settings, flag):
    with pytest.raises(InputError, match=flag):
        Budget(**settings)


def test_progress_is_the_share_of_the_steps():
    clock = Clock(Budget(steps=8))
    seen = []
    while not clock.spent:
        seen.append(clock.progress)
        clock.step += 1
    assert seen == [step / 8 for step in range(8)]
    assert clock.progress == 1


def test_seconds_before_a_resume_count(now):
    clock = Clock(Budget(seconds=10.0), step=7, seconds=6.0)
    assert (clock.seconds, clock.progress, clock.spent) == (6.0, 0.6, False)
    now[0] += 4
    assert (clock.progress, clock.spent) == (1.0, True)


def test_a_budget_of_seconds_ends_with_the_step_that_passes_it_and_the_schedule_at_its_end(now, new_line):
    class Slow(new_line):
        """A line whose every step takes 0.03 s of the clock."""

        def batch(self, player, step, progress):
            now[0] += 0.03
            return super().batch(player, step, progress)

    method, clock = Slow(final=0.1, rate=1.0), Clock(Budget(seconds=1.0))
    train(method, clock, [])
    assert clock.step == math.ceil(1.0 / 0.03)
    assert method.players["line"].optimiser.param_groups[0]["lr"] == pytest.approx(0.1, abs=2e-3)


@given(final=st.floats(0, 1), early=st.floats(0, 1), late=st.floats(0, 1))
def test_cosine_falls_from_one_to_its_final_value(final, early, late):
    rate = cosine(final)
    assert rate(0.0) == pytest.approx(1)
    assert rate(1.0) == pytest.approx(final)
    assert rate(0.5) == pytest.approx((1 + final) / 2)
    if early <= late:
        assert rate(early) >= rate(late) - 1e-12


def test_cosine_stays_at_its_end_when_a_step_runs_over():
    assert cosine(0.2)(1.3) == pytest.approx(0.2)


def test_a_rate_is_halved_after_equal_parts_of_the_budget_and_stays_at_its_end():
    rate = halving(4)
    assert [rate(progress) for progress in (0.0, 0.19, 0.21, 0.5, 0.81, 1.0, 1.3)] == [
        1, 1, 1 / 2, 1 / 4, 1 / 16, 1 / 16, 1 / 16,
    ]  # fmt: skip
    assert halving(0)(0.7) == 1
