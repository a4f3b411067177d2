"""Sizes of memory as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isofield.runtime.errors import InputError
from isofield.runtime.memory import available_memory, parse_size, size_text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("65536", 65_536),
        ("1GiB", 2**30),
        ("1.5 GiB", 3 * 2**29),
        ("800MB", 800_000_000),
        ("800mb", 800_000_000),
        ("2k", 2048),
        (" 3 B ", 3),
    ],
)
def test_a_size_is_read_as_it_is_meant(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1GiB", "1TiBs", "GiB", "1.2.3M", "1e9", "nan", "inf"])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="Write for example"):
        parse_size(text)


@given(st.integers(0, 2**50))
def test_a_size_survives_being_said_and_read_within_its_digits(size):
    assert parse_size(size_text(size)) == pytest.approx(size, rel=0.06, abs=0.5)


def test_available_memory_is_a_plausible_number_of_bytes():
    assert 2**20 < available_memory() < 2**50
