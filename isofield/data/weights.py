"""Weights of networks in the files of other programs. Nothing in a file is ever run."""

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..runtime.errors import InputError

__all__ = ["FORMATS", "Weights", "read_weights"]

FORMATS = ".tar .pth .pt .ckpt (PyTorch), .npy (TensorFlow), .npz, or a folder with weights.npz"
ENTRIES = {
    "coarse": ("network_fn_state_dict", "model_coarse_state_dict"),
    "fine": ("network_fine_state_dict", "model_fine_state_dict"),
}
STEPS = ("global_step", "iter")
# what the pickle of an array is made of, in older and newer versions of numpy
HARMLESS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


@dataclass(frozen=True)
class Weights:
    """networks: "coarse" and perhaps "fine": tensors by name, or in a list where the file has no names.
    step: of the training, 0 where the file does not say."""

    networks: dict[str, dict[str, Tensor] | list[Tensor]]
    step: int = 0


def read_weights(path: Path) -> Weights:
    """The weights of one or two networks in a file of the FORMATS. Of TensorFlow's two files, `model_N.npy`
    and `model_fine_N.npy`, either may be named; the other is read too where it is there.

    Raises InputError for a file that is none, is damaged, or holds anything but numbers.
    """
    path = path / "weights.npz" if path.is_dir() else path
    if not path.is_file():
        raise InputError("does not exist", path, f"Name a checkpoint: {FORMATS}.")
    readers = {".npy": _keras, ".npz": _npz, **dict.fromkeys((".tar", ".pth", ".pt", ".ckpt"), _torch)}
    if path.suffix.lower() not in readers:
        raise InputError("is no checkpoint that can be read", path, f"Known are {FORMATS}.")
    try:
        return readers[path.suffix.lower()](path)
    except (pickle.UnpicklingError, AttributeError, ImportError) as error:
        raise InputError(
            f"holds more than numbers, and what it asks for could do harm ({_first_line(error)})",
            path,
            "Save the weights alone, as arrays or tensors, and import that file.",
        ) from None
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        EOFError,
        OSError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        raise InputError(
            f"cannot be read ({_first_line(error)})", path, "Copy it again; it may be damaged."
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _torch(path: Path) -> Weights:
    """A dictionary of state dictionaries, as both PyTorch codes save it, or one alone."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise ValueError(f"a {type(content).__name__}, not a dictionary of weights")
    networks: dict[str, Any] = {
        name: content[entry] for name, entries in ENTRIES.items() for entry in entries if content.get(entry)
    }
    networks = networks or {"coarse": {k: v for k, v in content.items() if torch.is_tensor(v)}}
    return Weights(networks, next((int(content[key]) for key in STEPS if key in content), 0))


def _npz(path: Path) -> Weights:
    """Arrays by names NETWORK/KEY."""
    networks: dict[str, Any] = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            network, _, name = key.rpartition("/")
            networks.setdefault(network or "coarse", {})[name] = torch.from_numpy(file[key])
    return Weights(networks)


def _keras(path: Path) -> Weights:
    """An array of arrays, or the two of the two networks."""
    coarse = path.with_name(path.name.replace("model_fine_", "model_"))
    fine = coarse.with_name(coarse.name.replace("model_", "model_fine_"))
    files = {"coarse": coarse, "fine": fine} if coarse != fine else {"coarse": path}
    digits = "".join(c for c in path.stem if c.isdigit())
    return Weights({n: _arrays(f) for n, f in files.items() if f.is_file()}, int(digits or 0))


class _Arrays(pickle.Unpickler):
    """Unpickles arrays of numbers alone."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _arrays(path: Path) -> list[Tensor]:
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        if not header(file)[2].hasobject:
            raise ValueError("one array, not a list of them")
        content = _Arrays(file).load()
    arrays = [np.asarray(each) for each in content]
    if not all(each.dtype.kind == "f" for each in arrays):
        raise ValueError("its arrays are not of floating-point numbers")
    return [torch.from_numpy(np.ascontiguousarray(each, np.float32)) for each in arrays]
