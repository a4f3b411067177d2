"""Kernels: each a folder with its readable definition (reference.py), a compiled twin (numba.py), and the
choice between them.

The environment variable ISOFIELD_KERNELS=reference|numba overrides the choice; by default CPU tensors take
numba.
"""

import os

__all__ = ["BLOCK", "use_compiled"]

# Points in a block: activations lie as [blocks, features, BLOCK], each block a small contiguous matrix.
BLOCK = 128


def use_compiled(device: str = "cpu") -> bool:
    """Whether compiled kernels serve tensors on `device` (a torch device type)."""
    choice = os.environ.get("ISOFIELD_KERNELS", "numba")
    if choice not in ("numba", "reference"):
        raise ValueError(f"ISOFIELD_KERNELS is 'numba' or 'reference', not {choice!r}")
    return choice == "numba" and device == "cpu"
