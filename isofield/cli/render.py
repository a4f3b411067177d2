"""`isofield render RUN`: a trained picture at any resolution, a trained scene from anywhere."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..runtime.errors import InputError
from ..verbs.options import Filming
from ..verbs.render import render
from ..verbs.run import Run, open_run
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Show what a trained field of a picture or of a scene shows.

A picture comes at any resolution; 16 bits a channel where the input had them and the format can hold them.
A scene is seen from an orbit, a spiral, its own test or training cameras, or along a camera path that nerfstudio saved:
a folder gets one PNG a frame (of test and training views under the frame's own name), .mp4 (needs PyAV:
pip install 'isofield[video]'), .webp and .gif a film, .png the first frame.

Examples: isofield render runs/0001-image-photo --width 2048 --out big.png
          isofield render runs/0002-ngp-lego --path test --out views
          isofield render runs/0002-ngp-lego --seconds 6 --width 800 --out orbit.mp4
          isofield render runs/0002-ngp-lego --path test --show depth --out depths"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield render`."""

    run: tyro.conf.Positional[Path]
    """folder of the run"""
    out: Path | None = None
    """file of the picture: .png .jpg .webp .tif .bmp; of a scene a folder, .mp4 .webp .gif or .png (default: in the
    run, RUN/orbit.webp or RUN/test)"""
    width: int | None = None
    """pixels from left to right (default: as the height asks, or the input's)"""
    height: int | None = None
    """pixels from top to bottom (default: as the width asks, or the input's)"""
    filming: Filming = field(default_factory=Filming)
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, render, say what was written."""
    a = parse(Arguments, arguments, "render", DESCRIPTION)
    a.shared.apply()
    run = open_run(a.run)
    if run.description["data"]["kind"] == "scene":
        _scene(run, a)
        return
    if a.out is None:
        raise InputError("is needed for a picture", "--out", "Name the file of the picture: --out big.png")
    pixels = render(run, a.out, a.width, a.height, a.filming)
    height, width, channels = pixels.shape
    result = {"file": str(a.out), "width": width, "height": height, "channels": channels}
    show({**result, "bits": 8 * pixels.itemsize}, a.shared.json, f"{a.out}: {width} x {height} pixels")


def _scene(run: Run, a: Arguments) -> None:
    result = render(run, a.out, a.width, a.height, a.filming)
    frames, first = result["frames"], Path(result["files"][0])
    where = first if len(result["files"]) == 1 else first.parent
    text = f"{where}: {frames} frame{'s' * (frames != 1)} of {result['width']} x {result['height']} pixels"
    if "range" in result:
        near, far = result["range"]
        text += f"; colours from {near:.4g} (dark) to {far:.4g}, in the scene's units"
        if where.is_dir():
            text += f"; 16 bits in steps of {result['depth_step']:.6g}"
    show(result, a.shared.json, text)
