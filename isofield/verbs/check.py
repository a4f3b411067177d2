"""Look at an input before training: what is in the file, what is wrong with it, what `fit` would do."""

from pathlib import Path
from typing import Any

from .. import data
from ..data.check import describe, describe_image
from ..data.image import Image
from ..methods.choice import suited_to
from ..runtime.errors import InputError

__all__ = ["check"]


def check(path: str | Path) -> dict[str, Any]:
    """Facts about the file by name, with "method" (what `fit` would choose, and why) and "warnings"
    (sentences with advice)."""
    record = data.load(path)
    facts = describe_image(record) if isinstance(record, Image) else describe(record)
    warnings = list(facts.pop("warnings"))
    try:
        choice = suited_to(record)
    except InputError as error:
        warnings.append(f"fit will refuse it: {error.what}. {error.remedy}")
    else:
        facts["method"] = f"{choice.method}: {choice.reason}"
        warnings += choice.doubts
    return {**facts, "warnings": warnings}
