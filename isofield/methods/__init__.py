"""The methods, one readable file each, and the table that names them."""

import importlib
from dataclasses import dataclass

__all__ = ["METHODS", "Entry"]


@dataclass(frozen=True)
class Entry:
    """A line of the table: where the method is written, what it is, the paper, and the kinds of input."""

    module: str
    method: str
    summary: str
    source: str
    takes: tuple[str, ...] = ("mesh", "points")

    def load(self) -> tuple[type, type]:
        """(method class, its config class), imported now."""
        module = importlib.import_module(f".{self.module}", __package__)
        return getattr(module, self.method), module.Config


METHODS = {
    "sdf": Entry(
        "sdf", "SDF", "signed distance of one shape: clean meshes, oriented points", "Park et al. 2019"
    ),
    "occupancy": Entry(
        "occupancy",
        "Occupancy",
        "occupancy of one shape: open, self-intersecting, dirty meshes",
        "Mescheder et al. 2019",
    ),
    "image": Entry("image", "ImageMethod", "a picture: place to colour", "Tancik et al. 2020", ("image",)),
}
