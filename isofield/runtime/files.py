"""Files that are either whole or absent."""

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import FailedError

__all__ = ["atomic_path", "json_text", "write_json", "write_text"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, flush it to disk and move it to `path`.

    Readers see the old file or the whole new one, never a part. On any error the temporary file is removed
    and `path` is as it was. A full disk, a read-only folder and the like are raised as FailedError.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        # a device such as /dev/full: moving a file over it would replace the device
        if path.exists() and not path.is_file():
            raise FailedError(
                "not a regular file, so it cannot be written as one", path, "Name another output file."
            )
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise FailedError(
            f"could not be written ({error.strerror or error})",
            path,
            "Check the free space and the permissions of the folder.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write plain data as JSON to `path`, whole or not at all."""
    write_text(path, json_text(content, indent=2) + "\n")


def json_text(content: Any, indent: int | None = None) -> str:
    """Plain data as JSON that any program reads: numbers that are not finite, which JSON lacks, are null."""
    return json.dumps(_finite(content), indent=indent, allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
