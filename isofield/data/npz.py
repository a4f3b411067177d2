"""Arrays of .npz archives, looked at before they are unpacked; nothing is ever unpickled."""

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..runtime.errors import InputError

__all__ = ["Archive", "ArrayForm", "open_npz"]

# what `zipfile` raises for a damaged archive
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OSError, ValueError)
ZIP_LIMIT = 1032  # deflate never packs more bytes than this into one: a larger promise is false


@dataclass(frozen=True)
class ArrayForm:
    """What an array has to be.

    types: numpy's types that will do, such as np.floating. shape: its lengths, None where any will do. words:
    the same for messages.
    """

    types: tuple[type[np.generic], ...]
    shape: tuple[int | None, ...]
    words: str

    def admits(self, kind: np.dtype, shape: tuple[int, ...]) -> bool:
        """Whether an array of this type and shape is so."""
        return (
            kind.kind in "biuf"  # durations count as integers in numpy
            and any(np.issubdtype(kind, wanted) for wanted in self.types)
            and len(shape) == len(self.shape)
            and all(have >= 0 and want in (None, have) for have, want in zip(shape, self.shape))
        )


@dataclass(frozen=True)
class Archive:
    """An open .npz file. names: of its arrays."""

    file: zipfile.ZipFile
    path: Path
    names: tuple[str, ...]

    def require(self, name: str, remedy: str) -> None:
        """Raise InputError, with `remedy`, where there is no array of this name."""
        if name not in self.names:
            raise InputError(
                f"holds no array '{name}' (it holds: {', '.join(self.names[:8])[:200] or 'nothing'})",
                self.path,
                remedy,
            )

    def array(self, name: str, form: ArrayForm) -> np.ndarray:
        """An array that is there, after a look at what its header promises. Raises InputError where it has
        another form or is damaged."""
        member = self.file.getinfo(f"{name}.npy")
        where = f"{self.path}, array '{name}'"
        if member.file_size > ZIP_LIMIT * member.compress_size + 1024:
            raise InputError(
                f"promises {member.file_size} bytes in {member.compress_size}", where, "Save the file again."
            )
        with self.file.open(member) as file:
            try:
                first = np.lib.format.read_magic(file) == (1, 0)
                read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
                shape, fortran_order, kind = read(file)
            except Exception as error:  # numpy uses Python's tokenizer, which raises many things
                raise InputError(
                    "has no readable numpy header", where, "Save the file again with numpy.savez."
                ) from error
            if not form.admits(kind, shape):
                raise InputError(
                    f"has the type {kind} and the shape {shape}, not {form.words}", where, "Save it so."
                )
            size = math.prod(shape) * kind.itemsize
            if size > member.file_size:
                raise InputError(
                    f"promises the shape {shape}, {size} bytes, and has {member.file_size} bytes",
                    where,
                    "Save the file again.",
                )
            data = file.read(size)
        if len(data) < size:
            raise InputError("ends early", where, "The file is cut short; copy or save it again.")
        values = np.frombuffer(data, kind).reshape(shape, order="F" if fortran_order else "C")
        return values.astype(kind.newbyteorder("="), order="C")


@contextmanager
def open_npz(path: Path) -> Iterator[Archive]:
    """The archive, open for the length of a `with` block; a damaged one raises InputError, also from inside
    the block."""
    try:
        with zipfile.ZipFile(path) as file:
            names = (name.removesuffix(".npy") for name in file.namelist() if name.endswith(".npy"))
            yield Archive(file, path, tuple(names))
    except _BROKEN_ZIP as error:
        raise InputError(
            f"is not a whole .npz archive ({error})", path, "Copy the file or save it again."
        ) from error
