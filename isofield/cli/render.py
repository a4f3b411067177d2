"""`isofield render RUN`: a trained picture at any resolution."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..verbs.render import render
from ..verbs.run import open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Show what a trained field of a picture shows, at any resolution.

For runs of the method `image`. 16 bits a channel where the input had them and the format can hold them.

Examples: isofield render runs/0001-image-photo --width 2048 --out big.png
          isofield render runs/0001-image-photo --height 300 --out small.jpg"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield render`."""

    run: tyro.conf.Positional[Path]
    """folder of the run"""
    out: Path
    """file of the picture: .png .jpg .webp .tif .bmp"""
    width: int | None = None
    """pixels from left to right (default: as the height asks, or the input's)"""
    height: int | None = None
    """pixels from top to bottom (default: as the width asks, or the input's)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, render, say what was written."""
    a = parse(Arguments, arguments, "render", DESCRIPTION)
    a.shared.apply()
    pixels = render(open_run(a.run), a.out, a.width, a.height)
    height, width, channels = pixels.shape
    result = {"file": str(a.out), "width": width, "height": height, "channels": channels}
    show({**result, "bits": 8 * pixels.itemsize}, a.shared.json, f"{a.out}: {width} x {height} pixels")
