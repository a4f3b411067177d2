"""Work cut into pieces is done once each, whatever the number of threads."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isofield.runtime import threads


@pytest.fixture(autouse=True)
def _same_threads_afterwards():
    before = threads.threads()
    yield
    threads.set_threads(before)


@given(
    count=st.integers(0, 100_000),
    pieces=st.integers(0, 70),
    multiple=st.sampled_from([1, 2, 16, 128]),
)
def test_split_covers_the_range_in_order_with_starts_at_multiples(count, pieces, multiple):
    ranges = threads.split(count, pieces, multiple)
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges)][: len(ranges)]
    assert (ranges[-1][1] if ranges else 0) == count
    assert all(start < stop and start % multiple == 0 for start, stop in ranges)
    assert len(ranges) <= max(pieces, 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_piece_is_done_exactly_once(count):
    threads.set_threads(count)
    done = []
    threads.run_pieces(lambda first, last: done.extend(range(first, last)), threads.split(1000, 37))
    assert sorted(done) == list(range(1000))


@pytest.mark.parametrize("count", [1, 3])
def test_an_error_in_any_piece_reaches_the_caller(count):
    threads.set_threads(count)

    def work(number: int) -> None:
        if number == 17:
            raise ArithmeticError("piece 17")

    with pytest.raises(ArithmeticError, match="piece 17"):
        threads.run_pieces(work, [(number,) for number in range(30)])


def test_several_threads_take_part():
    threads.set_threads(2)
    both_here = threading.Barrier(2, timeout=30)  # broken, and so an error, unless two threads meet
    threads.run_pieces(lambda number: both_here.wait(), [(0,), (1,)])


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="1 or more"):
        threads.set_threads(0)
