"""Which method suits an input, and how much to spend on it."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from ..data.shape import Shape
from ..geometry.solid import MeshSolid

__all__ = ["QUALITIES", "Choice", "Quality", "suited_to"]


@dataclass(frozen=True)
class Quality:
    """What one word buys: training steps, resolution of the mesh, and the sizes of the hash grid."""

    steps: int
    resolution: int
    finest: int
    log2_table: int
    levels: int = 8

    def applied_to(self, config: Any) -> Any:
        """`config` with this quality's grid."""
        network = replace(config.network, finest=self.finest, log2_table=self.log2_table, levels=self.levels)
        return replace(config, network=network)


QUALITIES = {
    "draft": Quality(steps=100, resolution=128, finest=128, log2_table=16),
    "standard": Quality(steps=300, resolution=256, finest=256, log2_table=17),
    "high": Quality(steps=2000, resolution=512, finest=512, log2_table=19, levels=9),
}


@dataclass(frozen=True)
class Choice:
    """A method by name, the reason in a sentence, and doubts about the input in sentences."""

    method: Literal["sdf", "occupancy"]
    reason: str
    doubts: tuple[str, ...] = ()
