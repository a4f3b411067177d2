"""Which method suits an input, and how much to spend on it."""

from dataclasses import dataclass

from ..data.image import Image
from ..data.readers import Record
from ..data.scene import Scene
from ..geometry.oriented_points import OrientedPoints
from ..geometry.solid import Solid
from ..networks.coordinate import CoordinateNetwork
from ..runtime.errors import InputError

__all__ = ["QUALITIES", "Choice", "Quality", "Size", "quality_named", "suited_to"]

CLEAN = 0.98  # share of the surface with one side inside and the other outside
CONSISTENT = 0.95  # the same share of points with normals
DOUBTFUL = 0.25  # share of the inside whose winding number is between 0.25 and 0.75


@dataclass(frozen=True)
class Quality:
    """What one word buys: training steps, resolution of the mesh, the sizes of the hash grid, how close to
    the surface it learns. The config of each method says by `at` what it makes of it.

    band: of the working box; distances are cut off there, and most points lie within it.
    """

    steps: int
    resolution: int
    finest: int
    log2_table: int
    band: float = 0.015


QUALITIES = {
    "draft": Quality(steps=100, resolution=128, finest=128, log2_table=16),
    "standard": Quality(steps=400, resolution=384, finest=256, log2_table=17),
    "high": Quality(steps=1400, resolution=768, finest=768, log2_table=21, band=0.008),
}


def quality_named(name: str) -> Quality:
    """The quality of this name. Raises InputError where there is none."""
    if name not in QUALITIES:
        raise InputError(f"there is no quality {name!r}", "--quality", f"Choose {', '.join(QUALITIES)}.")
    return QUALITIES[name]


@dataclass(frozen=True)
class Size:
    """What a number of parameters is best spent on, and the training that goes with it. The config of each
    method says by `of` what it makes of it.

    network: uses nearly all the parameters. steps, points in each, learning_rate: of the training. band: as
    in `Quality`; it falls with the error that so many parameters leave.
    """

    network: CoordinateNetwork
    steps: int
    points: int
    learning_rate: float
    band: float

    @classmethod
    def within(cls, parameters: int) -> "Size":
        """For at most so many parameters. Raises InputError where they are too few."""
        network = CoordinateNetwork.within(parameters)
        band = 0.03 * (8192 / parameters) ** 0.4
        if network.kind == "siren":
            return cls(network, 5000, 2048, 0.09 / network.width, band)
        return cls(network, 2000, 32_768, 0.02, band)


@dataclass(frozen=True)
class Choice:
    """A method by name, the reason in a sentence, and doubts about the input in sentences."""

    method: str
    reason: str
    doubts: tuple[str, ...] = ()


def suited_to(record: Record) -> Choice:
    """The method for this input: `image` for a picture; `ngp` for posed photographs; `sdf` where a surface
    separates inside from outside, `occupancy` where only the solid is clear. Raises InputError where there
    is no inside at all."""
    if isinstance(record, Image):
        return Choice("image", "a picture")
    if isinstance(record, Scene):
        return Choice("ngp", "posed photographs")
    shape, solid = record, record.solid
    if shape.kind == "points":
        doubts: tuple[str, ...] = ()
        if solid.separating_share < CONSISTENT:
            doubts = (
                f"at only {solid.separating_share:.0%} of the points is it clear which side is inside: "
                "normals contradict each other, or the points are too few or too noisy for the shape, or "
                "parts of it lie too close to each other",
            )
        if isinstance(solid, OrientedPoints) and solid.turned:
            doubts = (*doubts, "the normals point inward as a whole: all were turned")
        return Choice(
            "sdf", "points, whose normals were found" if shape.is_raw else "points with normals", doubts
        )
    assert isinstance(solid, Solid)
    if solid.doubt > DOUBTFUL:
        doubt = (
            f"for {solid.doubt:.0%} of what could be inside it is not clear whether it is: the mesh is made "
            "of sheets that enclose nothing rather than of a solid; what can be closed is closed"
        )
        return Choice("occupancy", "it is not clear what is inside", (doubt,))
    if solid.separating_share < CLEAN:
        return Choice(
            "occupancy", f"only {solid.separating_share:.0%} of the surface separates inside from outside"
        )
    return Choice("sdf", "the surface separates inside from outside")
