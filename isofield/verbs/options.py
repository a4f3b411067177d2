"""Settings that the verbs share."""

import json
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..runtime.errors import InputError
from ..training.clock import Budget

__all__ = ["Filming", "Meshing", "Show", "TrainOptions", "read_settings", "updated"]

Show = Literal["colour", "depth", "opacity"]


@dataclass(frozen=True)
class Meshing:
    """How `fit` extracts the surface of a shape; see `extract`."""

    resolution: int | None = None
    faces: int | None = None
    trim: bool = False
    max_memory: str | int | None = None

    def refuse(self, where: str, kind: str = "a picture") -> None:
        """Raise InputError where any of it is asked for, of an input of this kind, which cannot have it."""
        flags = {
            "resolution": "--resolution",
            "faces": "--faces",
            "trim": "--open",
            "max_memory": "--max-memory",
        }
        asked = [flags[name] for name, value in vars(self).items() if value not in (None, False)]
        if asked:
            raise InputError(f"is {kind}: {', '.join(asked)} is for shapes", where, "Leave it out.")


@dataclass(frozen=True)
class Filming:
    """How `render` goes through a scene."""

    path: str | None = None
    """where the camera goes: orbit, spiral, test, train, or a camera path of nerfstudio (.json) (default:
    orbit, or spiral where all photographs look the same way)"""
    fps: float | None = None
    """pictures of a film for each second (default: 24, or the camera path's)"""
    seconds: float | None = None
    """length of an orbit or a spiral (default: 4)"""
    show: Show = "colour"
    """colour, depth (colours of the distance; in a folder also 16-bit PNG), or opacity"""
    background: Literal["white", "black"] | None = None
    """what is behind the scene (default: white where the photographs have alpha, else black)"""

    def refuse(self, where: str | Path) -> None:
        """Raise InputError where any of it is asked for, of a run that shows one picture."""
        usual = Filming()
        asked = [f"--{name}" for name, value in vars(self).items() if value != getattr(usual, name)]
        if asked:
            raise InputError(f"shows one picture: {', '.join(asked)} is for scenes", where, "Leave it out.")


@dataclass(frozen=True)
class TrainOptions:
    """How a training is run."""

    out: Path | None = None
    """folder of the run (default: runs/NNNN-METHOD-INPUT)"""
    seconds: float | None = None
    """budget in seconds of training (loading and compiling not counted); shapes every schedule"""
    steps: int | None = None
    """budget in steps, instead of seconds: repeats bit for bit"""
    seed: int | None = None
    """of every random number (default: 0)"""
    resume: bool = False
    """go on with the run in --out where it stopped"""
    overwrite: bool = False
    """remove the run that is in --out first"""
    checkpoint_seconds: float = 10.0
    """how often the state is saved"""
    downscale: int | None = None
    """of a scene: each pixel is the mean of so many photograph's pixels along each side (default: 1)"""
    holdout: int | None = None
    """of a scene: every N-th frame is kept for tests, where the files give no split (default: 8 for
    LLFF, else none)"""

    def budget(self, default_steps: int) -> Budget:
        """The budget asked for, or `default_steps`."""
        if self.seconds is None and self.steps is None:
            return Budget(steps=default_steps)
        return Budget(self.seconds, self.steps)

    def check(self) -> None:
        """Raise InputError where settings contradict each other."""
        if self.seed is not None and not 0 <= self.seed < 2**63:
            raise InputError(f"must be from 0 to 2^63, not {self.seed}", "--seed", "Give a whole number.")
        if not self.checkpoint_seconds >= 0:
            raise InputError(
                f"must not be negative, not {self.checkpoint_seconds}",
                "--checkpoint-seconds",
                "Give 0 or more.",
            )
        if self.resume and self.overwrite:
            raise InputError("contradict each other", "--resume, --overwrite", "Give one of them.")
        if self.resume and self.out is None:
            raise InputError("needs the folder of the run", "--resume", "Add --out RUN.")


def updated(config: Any, settings: dict[str, Any], where: str) -> Any:
    """The config dataclass `config` with `settings` (nested dictionaries, as in run.json). Raises InputError
    on unknown names and on values of the wrong kind."""
    kinds = get_type_hints(type(config))
    changes = {}
    for name, value in settings.items():
        if name not in kinds:
            raise InputError(f"has no setting {name!r}", where, f"Its settings: {', '.join(kinds)}.")
        now = getattr(config, name)
        if is_dataclass(now) and isinstance(value, dict):
            value = updated(now, value, f"{where}, {name}")
        elif isinstance(value, list):
            value = tuple(value)
        if not _is_of_kind(value, kinds[name]):
            raise InputError(f"cannot be {value!r}", f"{where}, {name}", f"The default is {now!r}.")
        changes[name] = value
    return replace(config, **changes)


def _is_of_kind(value: Any, kind: Any) -> bool:
    """Whether a value fits a type as configs have them: a class, a union, a Literal, a tuple of one type."""
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return value in parts
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_of_kind(part, parts[0]) for part in value)
    if parts:  # a union
        return any(_is_of_kind(value, part) for part in parts)
    if kind in (int, float):  # a whole number serves where a number is asked for; true and false never do
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)


def read_settings(path: Path) -> dict[str, Any]:
    """Settings of a method from a JSON file: its own names, or a run.json, whose "config" is taken."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("does not exist", path, "Name a JSON file with settings, or a run.json.") from None
    except (ValueError, OSError) as error:
        raise InputError(
            f"is not a file of settings ({error})", path, 'Write JSON, such as {"truncation": 0.02}.'
        ) from None
    settings = content.get("config", content) if isinstance(content, dict) else None
    if not isinstance(settings, dict):
        raise InputError(
            "is not a file of settings", path, 'Write a JSON object, such as {"truncation": 0.02}.'
        )
    return settings
