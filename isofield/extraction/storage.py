"""Where the pieces of a long result lie: in memory, or in temporary files when memory is limited."""

import tempfile

import numpy as np

__all__ = ["Growing", "Storage"]


class Storage:
    """Makes arrays in memory or, `on_disk`, as memory maps of temporary files.

    The system may drop the pages of such an array from memory and read them again. The files have no names,
    go when the arrays go, and lie in Python's `tempfile.gettempdir()` (environment variable TMPDIR).
    """

    def __init__(self, on_disk: bool) -> None:
        self.on_disk = on_disk

    def empty(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """An array of arbitrary content."""
        if not self.on_disk or np.prod(shape) == 0:
            return np.empty(shape, dtype)
        return np.asarray(np.memmap(tempfile.TemporaryFile(), dtype, "w+", shape=shape))

    def growing(self, dtype: type, width: int | None = None) -> "Growing":
        """An empty array [0] or [0, width] that can be appended to."""
        return Growing(self.on_disk, dtype, width)


class Growing:
    """An array that grows along its first axis."""

    def __init__(self, on_disk: bool, dtype: type, width: int | None) -> None:
        self._pieces: list[np.ndarray] = []
        self._file = tempfile.TemporaryFile() if on_disk else None  # noqa: SIM115 - the map keeps it
        self._dtype, self._width, self._length = dtype, width, 0

    def append(self, piece: np.ndarray) -> None:
        """Add rows at the end."""
        self._length += len(piece)
        if self._file is None:
            self._pieces.append(piece)
        else:
            piece.tofile(self._file)

    def finish(self) -> np.ndarray:
        """The whole array; nothing can be appended afterwards."""
        shape = (self._length,) if self._width is None else (self._length, self._width)
        if self._file is not None and self._length:
            self._file.flush()
            return np.asarray(np.memmap(self._file, self._dtype, "r+", shape=shape))
        whole: np.ndarray = np.empty(shape, self._dtype)
        at = 0
        for number, piece in enumerate(self._pieces):
            whole[at : at + len(piece)] = piece
            at += len(piece)
            self._pieces[number] = piece[:0].copy()  # let go of each piece once it is copied
        return whole
