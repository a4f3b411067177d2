"""Checkpoints of other programs as ordinary runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import __version__, data
from ..data.scene import Box, Photographs, Scene
from ..data.weights import read_weights
from ..methods.nerf import AS_IT_IS, Config, NeRF
from ..networks.nerf import NeRFWiring, from_keras_order, from_published
from ..rendering.cameras import Cameras, focal_length, looking_at, pinholes
from ..runtime.errors import InputError
from ..training.clock import Budget, Clock
from ..training.hooks import Checkpoints
from ..training.run_folder import claim_folder
from .run import Run

__all__ = ["import_checkpoint"]

BLENDER = {
    "near": 2.0,
    "far": 6.0,
    "white": True,
}  # what a checkpoint that says nothing was probably trained with
FORWARD = {"near": 0.0, "far": 1.0, "white": False}
FORWARD_BOX = ((-6.0, -6.0, -12.0), (6.0, 6.0, -1.0))  # scaled so that the nearest point is at 4/3
ANGLE, SIZE, VIEWS = 0.69, 400, 8  # of the orbit that stands for cameras that a checkpoint does not know
# the names of a pack.json's arguments, of both codes
ARGUMENTS = {
    "near": "near",
    "far": "far",
    "white_background": "white",
    "white_bkgd": "white",
    "num_coarse": "samples",
    "N_samples": "samples",
    "num_fine": "importance",
    "N_importance": "importance",
}


def import_checkpoint(
    checkpoint: str | Path,
    out: str | Path | None = None,
    source: Any = None,
    settings: dict[str, Any] | None = None,
    overwrite: bool = False,
    command: str = "",
) -> Run:
    """A run of `nerf` with the networks of a checkpoint (`data.weights.FORMATS`).

    Width, depth, skips, encodings and the wiring follow from names and shapes. source: the scene that it was
    trained on, from which cameras, near, far, background and coordinates are taken. settings: of
    `methods.nerf.Config`; they win. Without both: near 2, far 6, a white background, 64 + 128 samples, the
    box [-1.5, 1.5]^3, and an orbit for cameras; with `ndc` near 0, far 1 and black.
    Raises InputError for what cannot be read, and for networks that are not known, with the keys expected.
    """
    checkpoint = Path(checkpoint)
    weights = read_weights(checkpoint)
    found: dict[str, tuple[NeRFWiring, dict[str, torch.Tensor]]] = {}
    for name, state in weights.networks.items():
        where = f"{checkpoint}, {name}"
        found[name] = (
            from_keras_order(state, where) if isinstance(state, list) else from_published(state, where)
        )
    if len({wiring for wiring, _ in found.values()}) != 1 or set(found) - {"coarse", "fine"}:
        raise InputError(
            f"holds networks {', '.join(found)} of different shapes or names",
            checkpoint,
            "Expected are one network, or a coarse and a fine one of one shape.",
        )
    if "coarse" not in found:
        raise InputError(
            "holds the fine network alone, whose samples the coarse one places",
            checkpoint,
            "Put the file of the coarse one beside it, under its published name.",
        )
    usual: dict[str, Any] = {"samples": 64, "importance": 128 if "fine" in found else 0, "pixel_centre": 0.0}
    given = {
        "network": next(iter(found.values()))[0],
        **usual,
        **_pack_settings(checkpoint),
        **(settings or {}),
    }
    if (given["importance"] > 0) != ("fine" in found):
        few = "two networks" if "fine" in found else "one network"
        remedy = "Give importance samples to two networks, none to one."
        raise InputError(f"has {few}, and {given['importance']} importance samples", checkpoint, remedy)
    config, scene = _config_and_scene(given, source, checkpoint)
    method = NeRF(config)
    for name, (_, state) in found.items():
        getattr(method.field, name).load_state_dict(state)
    folder = claim_folder(Path(out) if out else None, f"nerf-{scene.name}", False, overwrite)
    step = max(weights.step, 1)
    description = {
        "isofield": __version__,
        "method": "nerf",
        "reason": f"imported from {checkpoint}",
        "doubts": [],
        "quality": "standard",
        "config": asdict(config),
        "budget": asdict(Budget(steps=step)),
        "seed": 0,
        "data": {
            "path": str(Path(scene.source).resolve()) if scene.source else "",
            "name": scene.name,
            "fingerprint": scene.fingerprint,
            **scene.described(),
        },
        "command": command,
    }
    folder.describe(description)
    Checkpoints(method, folder).close(Clock(Budget(steps=step), step), whole=True)
    return Run(folder, description)


def _pack_settings(checkpoint: Path) -> dict[str, Any]:
    """What a pack.json beside the weights says of them."""
    file = (checkpoint if checkpoint.is_dir() else checkpoint.parent) / "pack.json"
    if checkpoint.suffix not in ("", ".npz") or not file.is_file():
        return {}
    try:
        said = json.loads(file.read_text(encoding="utf-8"))["args"]
        settings = {ours: said[theirs] for theirs, ours in ARGUMENTS.items() if theirs in said}
        settings |= {key: float(settings[key]) for key in ("near", "far") if key in settings}
        return settings | (
            {"ndc": (float(said["W"]), float(said["H"]), float(said["focal"]))} if said.get("ndc") else {}
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot be read ({error!r})", file, "Repair it, or remove it.") from None


def _config_and_scene(given: dict[str, Any], source: Any, checkpoint: Path) -> tuple[Config, Scene]:
    if source is not None:
        scene = data.as_record(source)
        if not isinstance(scene, Scene):
            raise InputError("is no scene of posed photographs", str(source), "Name the folder of one.")
        frame = {} if scene.forward_facing else {"frame": AS_IT_IS}  # the network's own world
        return Config(**{**frame, **given}).for_data(scene), scene
    forward = given.get("ndc") is not None
    box = {"lower": FORWARD_BOX[0], "upper": FORWARD_BOX[1]} if forward else {}
    config = Config(**{**(FORWARD if forward else BLENDER), **box, **given})
    cameras = _forward(config) if forward else _orbit(config)
    sizes = np.zeros((len(cameras), 2), np.int64)
    nothing = Photographs(
        np.zeros((0, 4 if config.white else 3), np.uint8), np.zeros(len(cameras) + 1, np.int64), sizes
    )
    return config, Scene(
        checkpoint.resolve().stem,
        tuple(f"view_{k}" for k in range(len(cameras))),
        cameras,
        nothing,
        np.arange(len(cameras)),
        np.arange(0),
        Box(*config.box),
        False,
        None if forward else config.near,
        None if forward else config.far,
        forward,
        format="a checkpoint, which knows no cameras",
        convention="the network's own world",
    )


def _orbit(config: Config) -> Cameras:
    """Cameras around the box, 30 degrees up, half way between near and far from its middle."""
    middle = np.mean(config.box, axis=0)
    angle = 2 * np.pi * np.arange(VIEWS) / VIEWS
    around = np.column_stack([np.cos(angle), np.sin(angle), np.full(VIEWS, np.tan(np.pi / 6))])
    away = (
        ((config.near or 0.0) + (config.far or 0.0))
        / 2
        * around
        / np.linalg.norm(around, axis=1, keepdims=True)
    )
    poses = np.stack([looking_at(middle + each, middle, np.array([0.0, 0.0, 1.0])) for each in away])
    return pinholes(poses, focal_length(SIZE, ANGLE), (SIZE, SIZE))


def _forward(config: Config) -> Cameras:
    """The camera that all coordinates of a forward-facing scene refer to."""
    assert config.ndc is not None
    width, height, focal = config.ndc
    pose = np.column_stack([np.diag([1.0, -1.0, -1.0]), np.zeros(3)])
    return pinholes(pose[None], focal, (round(width), round(height)))
