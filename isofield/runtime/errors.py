"""The one family of errors: what is wrong, where, and what to do about it."""

__all__ = ["Abandoned", "FailedError", "InputError", "IsofieldError"]


class IsofieldError(Exception):
    """An error that explains itself to the user.

    what: what is wrong, one sentence. where: the file, setting or step that it concerns.
    remedy: what the user can do about it. `exit_code` is what the command line returns.
    """

    exit_code = 1

    def __init__(self, what: str, where: object = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, str(where), remedy
        super().__init__(what, self.where, remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{advice}"


class InputError(IsofieldError):
    """The input or a setting cannot be used as given (exit code 2)."""

    exit_code = 2


class Abandoned(IsofieldError):
    """Another of the processes that work together ended, which says why itself (exit code 1)."""


class FailedError(IsofieldError):
    """The work itself failed: a diverged training, a field without a surface, a full disk (exit code 1)."""
