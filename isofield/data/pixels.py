"""The pixels of photographs that are learnt from."""

import numpy as np
from jaxtyping import Int

from ..runtime.errors import InputError
from .scene import Scene

__all__ = ["CountedPixels", "watched_pixels"]


class CountedPixels:
    """The pixels of some frames that count, numbered through: masks leave others out.

    frames: those that have any. Raises InputError where no pixel counts.
    """

    def __init__(self, scene: Scene, frames: Int[np.ndarray, " frames"]) -> None:
        pictures = scene.photographs
        self._starts, counted = pictures.starts, pictures.counted
        sizes = np.diff(self._starts)[frames]
        self._places = None
        if counted is not None:
            parts = [
                np.flatnonzero(counted[self._starts[frame] : self._starts[frame + 1]]) + self._starts[frame]
                for frame in frames
            ]
            self._places = np.concatenate([np.empty(0, np.int64), *parts])
            sizes = np.array([len(part) for part in parts], np.int64)
        self.frames = frames[sizes > 0]
        self._ends = sizes[sizes > 0].cumsum()
        if not len(self.frames):
            raise InputError("has no pixel that counts", scene.source, "The masks leave out all of them.")

    def __len__(self) -> int:
        return int(self._ends[-1])

    def at(self, numbers: Int[np.ndarray, " pixels"]) -> tuple[np.ndarray, np.ndarray]:
        """Frame, and number of the pixel in it (row by row), of pixels by their numbers here."""
        which = np.searchsorted(self._ends, numbers, side="right")
        frames = self.frames[which]
        if self._places is not None:
            return frames, self._places[numbers] - self._starts[frames]
        return frames, numbers - np.concatenate([[0], self._ends])[which]

    def of_frame(self, place: int) -> np.ndarray:
        """Numbers here of the pixels of frames[place]."""
        first = self._ends[place - 1] if place else 0
        return np.arange(first, self._ends[place])


def watched_pixels(scene: Scene, learnt: CountedPixels) -> tuple[bool, CountedPixels]:
    """Whether there are test frames to be looked at while training, and their pixels; else those learnt."""
    try:
        return True, CountedPixels(scene, scene.test)
    except InputError:
        return False, learnt
