"""`isofield import CHECKPOINT`: a checkpoint of another program as a run."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Make a run of a checkpoint of the popular NeRF codes.

Reads .tar, .pth and .ckpt of the PyTorch codes, .npy of the TensorFlow code (model_N.npy and
model_fine_N.npy), weights.npz. Nothing in a file is run. Width, depth, skips and wiring follow from names
and shapes. What a checkpoint cannot know is taken from --data, the scene that it was trained on, or from the
flags; else it is taken for one of NeRF's synthetic scenes.

Examples: isofield import logs/lego/200000.tar --out lego --data nerf_synthetic/lego
          isofield import model_200000.npy --near 2 --far 6 --background white"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield import`."""

    checkpoint: tyro.conf.Positional[Path]
    """file of the weights, or a folder with weights.npz"""
    out: Path | None = None
    """folder of the run (default: runs/NNNN-nerf-NAME)"""
    data: Path | None = None
    """the scene that it was trained on"""
    near: float | None = None
    """depth of the first sample (default: 2; with --ndc 0)"""
    far: float | None = None
    """depth of the last sample (default: 6; with --ndc 1)"""
    background: Literal["white", "black"] | None = None
    """what is behind everything (default: white; with --ndc black)"""
    ndc: tuple[float, float, float] | None = None
    """normalised device coordinates of pictures of this width, height, focal length, in pixels"""
    samples: int | None = None
    """depths of the coarse network on a ray (default: 64)"""
    importance: int | None = None
    """more depths of the fine network (default: 128)"""
    lower: tuple[float, float, float] | None = None
    """lower corner of the scene (default: -1.5 -1.5 -1.5)"""
    upper: tuple[float, float, float] | None = None
    """upper corner of the scene (default: 1.5 1.5 1.5)"""
    overwrite: bool = False
    """remove the run that is in --out first"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, import, say what was found and what comes next."""
    a = parse(Arguments, arguments, "import", DESCRIPTION)
    from ..verbs.import_ import import_checkpoint  # after parsing: --help need not wait for torch

    a.shared.apply()
    names = ("near", "far", "ndc", "samples", "importance", "lower", "upper")
    settings = {name: value for name in names if (value := getattr(a, name)) is not None}
    if a.background is not None:
        settings["white"] = a.background == "white"
    command = shlex.join(["isofield", "import", *arguments])
    run = import_checkpoint(a.checkpoint, a.out, a.data, settings, a.overwrite, command)
    network = run.description["config"]["network"]
    text = f"{run.path}: {network['depth']} layers of {network['width']}\nnext: isofield render {run.path}"
    show({"run": str(run.path), "network": network}, a.shared.json, text)
