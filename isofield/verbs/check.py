"""Look at an input before training: what is in the file, what is wrong with it, what `fit` would do."""

from pathlib import Path
from typing import Any

from .. import data
from ..data.check import describe
from ..methods.choice import suited_to
from ..runtime.errors import InputError

__all__ = ["check"]


def check(path: str | Path) -> dict[str, Any]:
    """Facts about the file by name, with "method" (what `fit` would choose, and why) and "warnings"
    (sentences with advice)."""
    shape = data.load(path)
    facts = describe(shape)
    warnings = list(facts.pop("warnings"))
    try:
        choice = suited_to(shape)
    except InputError as error:
        warnings.append(f"fit will refuse it: {error.what}. {error.remedy}")
    else:
        facts["method"] = f"{choice.method}: {choice.reason}"
        warnings += choice.doubts
    return {**facts, "warnings": warnings}
