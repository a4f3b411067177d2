"""The operations that the command offers are those that there are."""

from typing import get_args

from isofield.cli.combine import Operation
from isofield.geometry.combine import OPERATIONS


def test_the_command_knows_every_operation():
    assert get_args(Operation) == tuple(OPERATIONS)
