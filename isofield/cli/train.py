"""`isofield train METHOD --data PATH`: training alone, with every setting of the method as a flag."""

import shlex
from dataclasses import MISSING, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from ..methods import METHODS
from ..runtime.errors import InputError
from ..runtime.processes import is_first
from ..verbs.options import TrainOptions
from ..verbs.train import train
from .arguments import Shared, parse, show

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Parse by the method's own settings, train, say what comes next."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        raise SystemExit(0 if arguments else 2)
    name, rest = arguments[0], arguments[1:]
    if name not in METHODS:
        raise InputError(f"there is no method {name!r}", "train", f"The methods: {', '.join(METHODS)}.")
    _, config = METHODS[name].load()
    parts: list[tuple[str, Any, Any]] = [
        (
            "data",
            Annotated[Path, tyro.conf.arg(help="the file, or the folder of a scene, to train on")],
            MISSING,
        ),
        ("config", config, field(default_factory=config)),
        ("training", TrainOptions, field(default_factory=TrainOptions)),
        ("shared", Shared, field(default_factory=Shared)),
    ]
    kind = make_dataclass("Arguments", parts)
    a: Any = parse(kind, rest, f"train {name}", f"{METHODS[name].summary} ({METHODS[name].source}).")
    a.shared.apply()
    run = train(a.data, name, a.config, a.training, command=shlex.join(["isofield", "train", *arguments]))
    if is_first():
        show({"run": str(run.path)}, a.shared.json, f"{run.path}\nnext: isofield {_following(run)}")


def _following(run: Any) -> str:
    shape = run.description["data"]["kind"] not in ("image", "scene")
    return f"extract {run.path}" if shape else f"evaluate {run.path}"


def _help() -> str:
    lines = "\n".join(f"  {name:<12} {entry.summary} ({entry.source})" for name, entry in METHODS.items())
    advice = (
        "`isofield train METHOD --help` lists its settings.\n"
        "With N processes: torchrun --nproc-per-node N -m isofield train METHOD ..."
    )
    examples = (
        "Examples: isofield train sdf --data bunny.ply --seconds 10\n"
        "          isofield train nerf --data lego --downscale 8 --seconds 600 --out runs/lego"
    )
    return f"usage: isofield train METHOD --data PATH ...\n\n{lines}\n\n{advice}\n\n{examples}"
