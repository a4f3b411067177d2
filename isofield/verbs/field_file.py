"""A trained field as one portable file: weights and their own description in the safetensors format."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..geometry.frames import Frame
from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from ..training.method import Method, Surface
from ..training.precision import PRECISIONS, Precision, in_precision, stored_bytes, with_full_precision
from .field import Field, Network
from .run import build_method

__all__ = ["ENDING", "open_field", "rounded", "save_field", "weights_of"]

ENDING = ".safetensors"
KEY = "isofield_field"  # in the file's metadata: the description as JSON
FORMAT = 1
SEED = 0  # of the weights that the stored ones replace


def save_field(path: str | os.PathLike, field: Field, precision: Precision = "float16") -> int:
    """Write a trained field as `path` (.safetensors) and return the bytes of its weights.

    precision: of the weights, "float32", "float16" or "int8" (`training/precision.py`). The description lies
    in the file: method, settings, frame, the resolution that suits it. Raises InputError for a field without
    a network.
    """
    path = Path(path)
    if field.network is None:
        raise InputError("is not a trained field", field.name, "Fit it first: isofield fit, then convert.")
    if precision not in PRECISIONS:
        raise InputError(
            f"there is no precision {precision!r}", "--precision", f"Choose {', '.join(PRECISIONS)}."
        )
    if path.suffix.lower() != ENDING:
        raise InputError(f"a field is written as {ENDING}", path, f"Name the file NAME{ENDING}.")
    description = {
        "format": FORMAT,
        "name": field.name,
        "method": field.network.name,
        "config": field.network.config,
        "frame": {"offset": list(field.frame.offset), "scale": field.frame.scale},
        "resolution": field.resolution,
        "precision": precision,
    }
    stored = {
        name: t.contiguous() for name, t in in_precision(weights_of(field.network.method), precision).items()
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(stored, {KEY: json.dumps(description)}))
    return stored_bytes(stored)


def open_field(path: str | os.PathLike) -> Field:
    """The field in a file that `save_field` wrote. Raises InputError for any other file."""
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
    except FileNotFoundError:
        raise InputError("there is no such file", path, "Check the spelling and the folder.") from None
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"is not a whole safetensors file ({error})", path, "Copy or convert it again."
        ) from None
    if text is None:
        raise InputError(
            "holds tensors, but no field of isofield", path, "Make it with `isofield convert RUN FILE`."
        )
    try:
        known: dict[str, Any] = json.loads(text)
        if known["format"] != FORMAT:
            raise InputError(
                f"has the format {known['format']}, and this version reads {FORMAT}",
                path,
                "Convert it again.",
            )
        x, y, z = (float(c) for c in known["frame"]["offset"])
        frame = Frame((x, y, z), float(known["frame"]["scale"]))
        if not (np.isfinite([x, y, z]).all() and 0 < frame.scale < np.inf):
            raise ValueError(f"the frame is {known['frame']}")
        network = Network(
            known["method"], known["config"], build_method(known["method"], known["config"], SEED, str(path))
        )
        _load(network.method, with_full_precision(stored))
        surface = network.method.products()["mesh"]
        assert isinstance(surface, Surface)
        return Field(str(known["name"]), surface, frame, int(known["resolution"]), network)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InputError(
            f"does not describe a field that this version knows ({error})", path, "Convert the run again."
        ) from None


def rounded(field: Field, precision: Precision) -> Field:
    """The trained field with its weights as they are stored in a precision."""
    assert field.network is not None
    network = field.network
    method = build_method(network.name, network.config, SEED, field.name)
    _load(method, with_full_precision(in_precision(weights_of(network.method), precision)))
    surface = method.products()["mesh"]
    assert isinstance(surface, Surface)
    return replace(field, surface=surface, network=replace(network, method=method))


def weights_of(method: Method) -> dict[str, Tensor]:
    """Every weight of a trained method by name: PLAYER/PARAMETER."""
    return {
        f"{player}/{name}": tensor.detach()
        for player, trained in method.players.items()
        for name, tensor in trained.module.state_dict().items()
    }


def _load(method: Method, tensors: dict[str, Tensor]) -> None:
    for player, trained in method.players.items():
        own = {n.removeprefix(f"{player}/"): t for n, t in tensors.items() if n.startswith(f"{player}/")}
        trained.module.load_state_dict(own)
