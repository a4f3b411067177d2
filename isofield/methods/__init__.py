"""The methods, one readable file each, and the table that names them."""

import importlib
from dataclasses import dataclass
from typing import Literal

__all__ = ["METHODS", "Entry"]


KINDS = {
    "solid": ("mesh", "points"),
    "surface": ("mesh", "points"),
    "picture": ("image",),
    "views": ("scene",),
}


@dataclass(frozen=True)
class Entry:
    """A line of the table: where the method is written, what it is, the paper, and what it learns from: what
    is inside (labels of the input's solid), the points of the surface alone, a picture, or views of a
    scene."""

    module: str
    method: str
    summary: str
    source: str
    learns_from: Literal["solid", "surface", "picture", "views"] = "solid"

    @property
    def takes(self) -> tuple[str, ...]:
        """The kinds of input."""
        return KINDS[self.learns_from]

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
    "igr": Entry(
        "igr",
        "IGR",
        "signed distance from points by the eikonal equation; a textbook, slow",
        "Gropp et al. 2020",
        "surface",
    ),
    "sal": Entry(
        "sal",
        "SAL",
        "signed distance from points by distances without signs; a textbook, slow",
        "Atzmon and Lipman 2020",
        "surface",
    ),
    "image": Entry("image", "ImageMethod", "a picture: place to colour", "Tancik et al. 2020", "picture"),
    "ngp": Entry("ngp", "NGP", "a scene from posed photographs, in a minute", "Mueller et al. 2022", "views"),
    "nerf": Entry(
        "nerf",
        "NeRF",
        "a scene from posed photographs, as in the paper; a textbook, slow",
        "Mildenhall et al. 2020",
        "views",
    ),
}
