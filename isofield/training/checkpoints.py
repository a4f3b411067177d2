"""Checkpoints: the whole state of a training as named tensors in one safetensors file, whole or absent."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..runtime.errors import InputError
from ..runtime.files import atomic_path, write_text
from .method import Optimiser

__all__ = [
    "latest_checkpoint",
    "load_checkpoint",
    "optimiser_tensors",
    "restore_optimiser",
    "save_checkpoint",
]

FORMAT = "1"


def save_checkpoint(
    folder: Path, step: int, tensors: dict[str, torch.Tensor], numbers: dict[str, float]
) -> Path:
    """Write `STEP.safetensors` in `folder`, then the text file `latest` that names it; older checkpoints, and
    what a kill left of a file half-written, are removed.

    numbers: what is not a tensor (seconds spent ...), kept as text in the file's metadata.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{step:08d}.safetensors"
    metadata = {
        "format": FORMAT,
        "step": str(step),
        **{name: repr(float(value)) for name, value in numbers.items()},
    }
    data = save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, metadata)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    write_text(folder / "latest", path.name)
    for other in [*folder.glob("*.safetensors"), *folder.glob(".latest.*")]:
        if other != path:
            other.unlink(missing_ok=True)
    return path


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`, or None if training never got that far."""
    try:
        path = folder / (folder / "latest").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return path if path.is_file() else None


def load_checkpoint(path: Path) -> tuple[int, dict[str, torch.Tensor], dict[str, float]]:
    """(step, tensors, numbers) as they were saved. Raises InputError for a file that is not such a
    checkpoint."""
    try:
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
        if metadata.pop("format") != FORMAT:
            raise InputError(
                "was written by another version of isofield", path, "Train again with this version."
            )
        step = int(metadata.pop("step"))
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise InputError(
            f"is not a checkpoint of isofield ({error})", path, "Train again, or name another run."
        ) from error
    return step, tensors, {name: float(value) for name, value in metadata.items()}


def optimiser_tensors(optimiser: Optimiser) -> dict[str, torch.Tensor]:
    """The optimiser's state by names `PARAMETER/KEY`; parameters are numbered in order, counters become
    64-bit tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"{index}/{key}": value if torch.is_tensor(value) else torch.tensor(value)
        for index, entries in state.items()
        for key, value in entries.items()
    }


def restore_optimiser(optimiser: Optimiser, tensors: dict[str, torch.Tensor]) -> None:
    """Give `optimiser` the state that `optimiser_tensors` returned."""
    current = optimiser.state_dict()
    state: dict[int, dict] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        counter = tensor.ndim == 0 and not tensor.is_floating_point()
        state.setdefault(int(index), {})[key] = int(tensor) if counter else tensor.clone()
    optimiser.load_state_dict({"state": state, "param_groups": current["param_groups"]})
