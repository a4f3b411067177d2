"""Several range scans in one frame: a `.conf` of the Stanford 3D Scanning Repository and the files that it
names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..runtime.errors import InputError
from .border import Contents, refuse_not_finite

__all__ = ["read_scans"]

ODD_SIZE = 20  # times larger or smaller than the others: most likely in other units


def read_scans(path: Path, read: Callable[[Path], Contents]) -> Contents:
    """The points of all scans of a `.conf`, posed, with the direction to the scanner for each.

    Lines `bmesh FILE tx ty tz qx qy qz qw`: a point p of the file goes to R p + t, where R is the rotation of
    the *conjugated* quaternion (x, y, z, w); its scanner is in the direction +z of the file. Other lines are
    left alone. read: of one file's contents.
    """
    parts, directions, notes = [], [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if not words or words[0] not in ("bmesh", "mesh"):
            continue
        where = f"{path}, line {number}"
        try:
            name, *numbers = words[1:]
            x, y, z, i, j, k, w = map(float, numbers)
        except ValueError:
            raise InputError(
                "is not of the form `bmesh FILE tx ty tz qx qy qz qw`", where, "Repair the line."
            ) from None
        file = path.parent / name
        if not file.is_file():
            raise InputError(
                f"names {name}, which is not there", where, "Put the scan there, or drop the line."
            )
        contents = read(file)
        rotation = _rotation((i, j, k, w), where)
        refuse_not_finite(contents, file)
        parts.append(contents.vertices @ rotation.T + (x, y, z))
        directions.append(np.broadcast_to(rotation[:, 2], parts[-1].shape))
        notes += [f"{name}: {note}" for note in contents.notes]
    if not parts:
        raise InputError("names no scan", path, "It needs lines `bmesh FILE tx ty tz qx qy qz qw`.")
    _refuse_other_units(path, parts)
    note = f"{len(parts)} scans, placed by {path.name}; their directions to the scanner orient the points."
    return Contents(np.concatenate(parts), towards_sensor=np.concatenate(directions), notes=(note, *notes))


def _rotation(quaternion: tuple[float, ...], where: str) -> np.ndarray:
    """The matrix [3, 3] of the conjugate of a quaternion (x, y, z, w)."""
    from scipy.spatial.transform import Rotation  # here: other files need no scipy, which takes a while

    length = float(np.linalg.norm(quaternion))
    if not 0.5 < length < 2:
        raise InputError(f"the quaternion has the length {length:g}, not 1", where, "Repair the line.")
    return Rotation.from_quat(quaternion).inv().as_matrix()


def _refuse_other_units(path: Path, parts: list[np.ndarray]) -> None:
    sizes = np.array([np.ptp(part, axis=0).max() for part in parts])
    usual = float(np.median(sizes))
    for number, size in enumerate(sizes):
        if not usual / ODD_SIZE <= size <= usual * ODD_SIZE:
            raise InputError(
                f"scan {number + 1} is {size / usual:.3g} times the usual size of the others",
                path,
                "Bring all scans to one unit.",
            )
