"""Settings out of range are refused by the flag that sets them."""

import math
from dataclasses import dataclass

import pytest

from isofield.runtime.errors import InputError
from isofield.runtime.settings import check_settings


@dataclass(frozen=True)
class Settings:
    learning_rate: float | None = 0.1
    sigmas: tuple[float, ...] = (1.0,)
    uniform: float = 0.5

    def __post_init__(self) -> None:
        check_settings(self, positive=("learning_rate", "sigmas"), shares=("uniform",))


def test_settings_in_range_pass_and_none_stands_for_a_default():
    Settings(None, (1e-300, 1e300), 0.0)
    Settings(1e-30, (2,), 1)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_what_must_be_positive_is_finite_and_above_zero(value):
    with pytest.raises(InputError, match="--learning-rate: must be above 0"):
        Settings(learning_rate=value)
    with pytest.raises(InputError, match="--sigmas"):
        Settings(sigmas=(1.0, value))


def test_an_empty_list_of_numbers_is_refused():
    with pytest.raises(InputError, match="--sigmas"):
        Settings(sigmas=())


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_a_share_lies_between_nothing_and_all(value):
    with pytest.raises(InputError, match="--uniform: must be from 0 to 1"):
        Settings(uniform=value)
