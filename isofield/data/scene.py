"""The record of a scene: posed photographs, where they were taken from, and where the scene lies."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rendering.cameras import Cameras

__all__ = ["Box", "Photographs", "Scene"]


@dataclass(frozen=True)
class Box:
    """A box along the axes of the world: its lower and upper corner."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures of any sizes in one flat array, in memory or mapped from a file.

    pixels: uint8 [all pixels, C]; C is 3, or 4 with alpha, by which the colours are multiplied already (sRGB as
    displayed). starts [N + 1]: picture i is pixels[starts[i] : starts[i + 1]], row by row. sizes: width, height [N, 2].
    counted [all pixels] bool: False where a mask says that a pixel is not to be learnt from; None: all count.
    """

    pixels: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    counted: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.sizes)

    def picture(self, number: int) -> np.ndarray:
        """Picture `number` as uint8 [H, W, C]."""
        width, height = self.sizes[number]
        return self.pixels[self.starts[number] : self.starts[number + 1]].reshape(height, width, -1)


@dataclass(frozen=True, eq=False)
class Scene:
    """Posed photographs of one scene, in the file's own world and units.

    names: of the frames, as the file has them. cameras, photographs: of the same frames, in the same order.
    train, test: numbers of the frames to learn from and of those kept apart. box: where the scene lies; `unbounded`:
    there is more to see beyond it. near, far: the least and the greatest distance along a ray at which there is
    anything, where the file says so. forward_facing: all cameras look the same way and depths are best in normalised
    device coordinates. points [M, 3]: of the surface, where the file has them (COLMAP). convention: what the file's
    own conventions are, in words. notes: what the reader noticed and did.
    """

    name: str
    names: tuple[str, ...]
    cameras: Cameras
    photographs: Photographs
    train: np.ndarray
    test: np.ndarray
    box: Box
    unbounded: bool
    near: float | None = None
    far: float | None = None
    forward_facing: bool = False
    points: np.ndarray | None = None
    format: str = ""
    convention: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()

    kind = "scene"

    @property
    def has_alpha(self) -> bool:
        """Whether the pictures say what is background."""
        return self.photographs.pixels.shape[1] == 4

    @property
    def fingerprint(self) -> str:
        """A short hash of cameras and pixels."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """What run.json says of it: enough to view without the data (cameras, names, split, box)."""
        raise NotImplementedError
