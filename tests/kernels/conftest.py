"""Fixtures of the kernels' tests."""

import pytest

from isofield.runtime.threads import set_threads, threads


@pytest.fixture
def by_threads():
    """Calls a function at 1, 2 and 3 threads: list of its results."""
    before = threads()

    def run(function):
        results = []
        for count in (1, 2, 3):
            set_threads(count)
            results.append(function())
        return results

    yield run
    set_threads(before)
