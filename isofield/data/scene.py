"""The record of a scene: posed photographs, where they were taken from, and where the scene lies."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..rendering.cameras import Cameras

__all__ = ["Box", "Photographs", "Scene", "cameras_of"]


@dataclass(frozen=True)
class Box:
    """A box along the axes of the world: its lower and upper corner."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Photographs:
    """Pictures of any sizes in one flat array, in memory or mapped from a file.

    pixels: uint8 [all pixels, C]; C is 3, or 4 with alpha, by which the colours are multiplied already (sRGB
    as displayed). starts [N + 1]: picture i is pixels[starts[i] : starts[i + 1]], row by row. sizes: width,
    height [N, 2]. counted [all pixels] bool: False where a mask says that a pixel is not to be learnt from;
    None: all count. content: a hash of the files that the pictures came from, where they came from files. A
    picture that was left undecoded has 0 x 0 pixels.
    """

    pixels: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    counted: np.ndarray | None = None
    content: str = ""

    def __len__(self) -> int:
        return len(self.sizes)

    def counted_in(self, number: int | np.integer) -> np.ndarray | None:
        """Which pixels of picture `number` count, bool [H, W]; None for all."""
        if self.counted is None:
            return None
        width, height = self.sizes[number]
        return self.counted[self.starts[number] : self.starts[number + 1]].reshape(height, width)

    def picture(self, number: int | np.integer) -> np.ndarray:
        """Picture `number` as uint8 [H, W, C]."""
        width, height = self.sizes[number]
        return self.pixels[self.starts[number] : self.starts[number + 1]].reshape(
            height, width, self.pixels.shape[1]
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """Posed photographs of one scene, in the file's own world and units.

    names: of the frames, as the file has them. cameras, photographs: of the same frames, in the same order.
    train, test: numbers of the frames to learn from and of those kept apart. box: where the scene lies;
    `unbounded`: there is more to see beyond it. near, far: the least and the greatest distance along a ray at
    which there is anything, where the file says so. forward_facing: all cameras look the same way and depths
    are best in normalised device coordinates. points [M, 3]: of the surface, where the file has them
    (COLMAP). convention: what the file's own conventions are, in words. notes: what the reader noticed and
    did.
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
    downscale: int = 1

    kind = "scene"

    @property
    def has_alpha(self) -> bool:
        """Whether the pictures say what is background."""
        return self.photographs.pixels.shape[1] == 4

    @property
    def judged(self) -> tuple[str, np.ndarray]:
        """Which frames views are compared with, and their numbers: "test", or "train" where none were kept
        apart."""
        return ("test", self.test) if len(self.test) else ("train", self.train)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of what is learnt from: cameras, split, and the files of the pictures (their pixels,
        where there are no files)."""
        cameras, pictures = self.cameras, self.photographs
        digest = hashlib.sha256(pictures.content.encode() or np.ascontiguousarray(pictures.pixels).tobytes())
        for array in (cameras.poses, cameras.intrinsics, cameras.distortion, cameras.sizes, self.train):
            digest.update(np.ascontiguousarray(array, np.float64).tobytes())
        digest.update(np.ascontiguousarray(cameras.fisheye, np.uint8).tobytes())
        return digest.hexdigest()[:16]

    def described(self) -> dict[str, Any]:
        """What run.json says of it: enough to view and to evaluate a run without reading the scene again.
        `cameras_of` takes the cameras out of it."""
        cameras = self.cameras
        return {
            "kind": self.kind,
            "format": self.format,
            "convention": self.convention,
            "names": list(self.names),
            "train": self.train.tolist(),
            "test": self.test.tolist(),
            "cameras": {
                "poses": cameras.poses.tolist(),
                "intrinsics": cameras.intrinsics.tolist(),
                "sizes": cameras.sizes.tolist(),
                "distortion": cameras.distortion.tolist(),
                "fisheye": cameras.fisheye.tolist(),
            },
            "box": [list(self.box.lower), list(self.box.upper)],
            "unbounded": self.unbounded,
            "near": self.near,
            "far": self.far,
            "forward_facing": self.forward_facing,
            "channels": self.photographs.pixels.shape[1],
            "downscale": self.downscale,
            "notes": list(self.notes),
        }


def cameras_of(described: dict[str, Any]) -> Cameras:
    """The cameras in what `Scene.described` gave, all frames in their order."""
    lists = described["cameras"]
    return Cameras(
        np.array(lists["poses"], np.float64).reshape(-1, 3, 4),
        np.array(lists["intrinsics"], np.float64).reshape(-1, 4),
        np.array(lists["sizes"], np.int64).reshape(-1, 2),
        np.array(lists["distortion"], np.float64).reshape(-1, 8),
        np.array(lists["fisheye"], bool),
    )
