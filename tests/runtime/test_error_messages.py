"""One family of errors that explain themselves."""

import pickle

import pytest

from isofield.runtime.errors import FailedError, InputError, IsofieldError


def test_a_message_says_what_where_and_what_to_do():
    assert str(InputError("is empty", "a.ply", "Export it again.")) == "a.ply: is empty\n  Export it again."


def test_parts_that_are_missing_leave_no_trace():
    assert str(FailedError("the disk is full")) == "the disk is full"


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (FailedError, 1), (IsofieldError, 1)])
def test_bad_input_and_failed_work_leave_with_different_codes(kind, code):
    assert kind("what").exit_code == code


def test_errors_survive_the_way_between_processes():
    error = pickle.loads(pickle.dumps(InputError("is empty", "a.ply", "Export it again.")))
    assert (error.what, error.where, error.remedy) == ("is empty", "a.ply", "Export it again.")
