"""Train one method on one input, in a run folder, resumable at any moment."""

import os
import platform
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch

from .. import __version__, data
from ..data.readers import Record
from ..data.scene import Scene
from ..data.shape import Shape
from ..methods import METHODS
from ..methods.choice import Choice, Quality, quality_named, suited_to
from ..runtime.errors import InputError
from ..runtime.memory import keep_freed_memory
from ..runtime.processes import is_first, processes
from ..runtime.progress import progress, say
from ..runtime.threads import threads
from ..training.clock import Budget, Clock
from ..training.distributed import from_first, joined, share
from ..training.hooks import Bar, Checkpoints, Log, Metric, restore
from ..training.loop import Hook, warm_up
from ..training.loop import train as run_loop
from ..training.method import DataDependent, Method
from ..training.run_folder import RunFolder, claim_folder
from .options import TrainOptions, updated
from .run import Run, build_method

__all__ = ["read_input", "train"]


def train(
    source: Any,
    method: str | None = None,
    config: Any = None,
    options: TrainOptions = TrainOptions(),  # noqa: B008 (frozen)
    quality: str | None = None,
    command: str = "",
) -> Run:
    """Train `method` on `source` (as for `fit`) and return the run.

    method: by name, or None for the one that suits the input. quality: "draft", "standard" (the default) or
    "high" sets the size of the network, and the budget where options give none. config: the method's Config,
    or a dictionary of settings that differ from the quality's. With options.resume, everything but a new
    budget comes from the run itself; settings that contradict it are refused (InputError).
    """
    options.check()
    with joined():
        return _train(source, method, config, options, quality, command)


def _train(
    source: Any, method: str | None, config: Any, options: TrainOptions, quality: str | None, command: str
) -> Run:
    chosen = quality_named(quality or "standard")
    keep_freed_memory()
    record = read_input(source, options)
    old = _resumed(options, record)
    if old is not None:
        _refuse_contradictions(old, method, config, quality, options.seed)
        description = {**old, "processes": processes()}
        if (before := old.get("processes", 1)) != processes():
            say(f"note: begun by {before} process(es), now {processes()}: other draws from here on")
        if options.seconds is not None or options.steps is not None:
            schedule = old.get("schedule", old["budget"])
            description = {**description, "budget": asdict(options.budget(0)), "schedule": schedule}
    else:
        if options.resume:
            say(f"nothing to resume in {options.out}: starting there")
        choice = suited_to(record) if method is None else Choice(_fitting(method, record), "asked for")
        config = _config_of(choice.method, config, chosen)
        if isinstance(config, DataDependent):
            config = config.for_data(record)
        budget = options.budget(config.steps(chosen))
        description = _description(record, choice, config, budget, options, quality or "standard", command)
    for note in [*record.notes, *description["doubts"]]:
        say(f"note: {note}")
    name = description["method"]
    trained = build_method(description["method"], description["config"], description["seed"], "run.json")
    # first: what cannot be trained on costs no folder
    trained.prepare(record, description["seed"], share())
    folder = None
    if is_first():
        folder = claim_folder(options.out, f"{name}-{record.name}", options.resume, options.overwrite)
        folder.describe(description)
    folder, description = from_first((folder, description))
    say(f"{name} ({description['reason']}) -> {folder.path}")
    _run_training(trained, description, folder, options.checkpoint_seconds)
    return Run(folder, description)


def read_input(source: Any, options: TrainOptions) -> Record:
    """The record of the input; a scene downscaled and split as asked, or as it was for the run that goes on.
    Raises InputError as the readers do, and where what is asked for contradicts that run or is for scenes
    only."""
    asked: dict[str, Any] = {"downscale": options.downscale, "holdout": options.holdout}
    asked = {name: value for name, value in asked.items() if value is not None}
    if options.resume and options.out is not None and (options.out / "run.json").is_file():
        begun = RunFolder(options.out).description()["data"]
        for name, value in asked.items():
            if value != begun.get(name):
                raise InputError(
                    f"the run was begun with {begun.get(name)}, not {value}",
                    f"--{name}",
                    "Leave it out to go on, or begin anew.",
                )
        asked = {name: begun[name] for name in ("downscale", "holdout") if begun.get(name) is not None}
    if not asked or not isinstance(source, (str, os.PathLike)):
        return data.as_record(source)
    if Path(source).is_file() and Path(source).suffix.lower() != ".json":
        flags = ", ".join(f"--{name}" for name in asked)
        raise InputError(f"is no scene: {flags} is for photographs with cameras", source, "Leave it out.")
    return data.load_scene(source, **asked)


def _run_training(
    method: Method, description: dict[str, Any], folder: RunFolder, checkpoint_seconds: float
) -> None:
    """Restore what was saved, and run the loop with its hooks."""
    say("compiling kernels (once) ..." if not _compiled() else "sampling ...")
    warm_up(method)
    step, seconds = restore(method, folder)
    if step:
        say(f"resumed at step {step}")
    with progress("training") as bar:
        schedule = Budget(**description.get("schedule", description["budget"]))
        clock = Clock(Budget(**description["budget"]), step, seconds, schedule)
        metric = Metric(method)
        hooks: list[Hook] = []
        if is_first():
            hooks = [
                Checkpoints(method, folder, checkpoint_seconds),
                Log(metric, folder, step),
                Bar(metric, bar),
            ]
        run_loop(method, clock, hooks)
    say(f"trained {clock.step} steps in {clock.seconds:.1f} s")


def _resumed(options: TrainOptions, record: Record) -> dict[str, Any] | None:
    if not options.resume or options.out is None or not (options.out / "run.json").is_file():
        return None
    description = RunFolder(options.out).description()
    if description["data"]["fingerprint"] != record.fingerprint:
        raise InputError(
            "is not the input that the run was trained on",
            record.source,
            f"It was {description['data']['path']}.",
        )
    return description


def _config_of(method: str, config: Any, quality: Quality) -> Any:
    """The method's config; settings in a dictionary change those of the quality."""
    if config is None or isinstance(config, dict):
        default = METHODS[method].load()[1]().at(quality)
        return updated(default, config or {}, f"method {method}")
    return config


def _refuse_contradictions(
    old: dict[str, Any], method: str | None, config: Any, quality: str | None, seed: int | None
) -> None:
    """Raise InputError where what is asked for now is not what the run is."""
    same = {
        "--method": (method, old["method"]),
        "--quality": (quality, old["quality"]),
        "--seed": (seed, old["seed"]),
    }
    for flag, (asked, is_now) in same.items():
        if asked not in (None, is_now):
            raise InputError(
                f"the run was begun with {is_now}, not {asked}", flag, "Leave it out to go on, or begin anew."
            )
    default = METHODS[old["method"]].load()[1]()
    begun_with = updated(default, old["config"], "run.json")
    changes = config if config is None or isinstance(config, dict) else _changes(config, default)
    if updated(begun_with, changes or {}, f"method {old['method']}") != begun_with:
        raise InputError(
            "the settings differ from those that the run was begun with",
            "--config",
            "Leave them out to go on, or begin anew.",
        )


def _changes(config: Any, default: Any) -> dict[str, Any]:
    """The settings that differ from the default, nested ones in dictionaries."""
    found = {}
    for name, value in vars(config).items():
        usual = getattr(default, name)
        if value != usual:
            found[name] = _changes(value, usual) if is_dataclass(value) else value
    return found


def _fitting(method: str, record: Record) -> str:
    """The method's name, once there is such a method and it takes this kind of input."""
    if method not in METHODS:
        raise InputError(f"there is no method {method!r}", "--method", f"The methods: {', '.join(METHODS)}.")
    if record.kind not in METHODS[method].takes:
        taking = ", ".join(name for name, entry in METHODS.items() if record.kind in entry.takes)
        kind = {"image": "a picture", "mesh": "a mesh"}.get(record.kind, record.kind)
        raise InputError(
            f"{method} cannot learn from {kind}", record.source or record.name, f"Methods that can: {taking}."
        )
    return method


def _description(
    record: Record,
    choice: Choice,
    config: Any,
    budget: Budget,
    options: TrainOptions,
    quality: str,
    command: str,
) -> dict[str, Any]:
    described = record.described()
    if isinstance(record, Shape) and METHODS[choice.method].learns_from == "solid":
        described["notes"] += record.solid.notes
    if isinstance(record, Scene):
        described["holdout"] = options.holdout  # with "downscale": how to read it again
    return {
        "isofield": __version__,
        "method": choice.method,
        "reason": choice.reason,
        "doubts": list(choice.doubts),
        "quality": quality,
        "config": asdict(config),
        "budget": asdict(budget),
        "seed": options.seed or 0,
        "data": {
            "path": str(Path(record.source).resolve()) if record.source else "",
            "name": record.name,
            "fingerprint": record.fingerprint,
            **described,
        },
        "command": command,
        "processes": processes(),
        "threads": threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "numba": numba.__version__,
            "system": f"{sys.platform} {platform.machine()}",
        },
    }


def _compiled() -> bool:
    """Whether the kernels of a training are in the cache on disk already."""
    from ..kernels.mlp import numba as compiled

    return any(Path(str(compiled.backward.stats.cache_path)).glob("*.backward-*.nbc"))
