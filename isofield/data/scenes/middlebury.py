"""Middlebury's multi-view stereo: *_par.txt with K, R, t of every picture, OpenCV's axes, world to camera.

Source: Seitz et al., A Comparison and Evaluation of Multi-View Stereo Reconstruction Algorithms, 2006.
"""

import re
from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from ...runtime.errors import InputError
from ..photographs import look_at
from ..scene import Box
from .posed import Posed, box_seen_by, decomposed, ideal_lenses, present, rigid

__all__ = ["read_middlebury"]

NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
CORNER = rf"\(\s*({NUMBER})[\s,]+({NUMBER})[\s,]+({NUMBER})\s*\)"


def read_middlebury(path: Path) -> Posed:
    """The pictures that a *_par.txt lists.

    box: the first pair of corners `(x y z)` in a README beside it, else what the cameras look at
    (`box_seen_by`). The objects stand before a black background and nothing lies beyond: not unbounded.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    lines = [words for words in lines if words]
    try:
        assert len(lines[0]) == 1
        rows = lines[1:]
        assert int(lines[0][0]) == len(rows)
        numbers = np.array([list(map(float, words[1:])) for words in rows], np.float64).reshape(-1, 21)
    except (IndexError, ValueError, AssertionError):
        raise InputError(
            "is not a count and so many lines of a name and 21 numbers (K, R, t)", path, "Copy it again."
        ) from None
    names = [words[0] for words in rows]
    there, missing = present([path.parent / name for name in names], names, path)
    names, numbers = [names[i] for i in there], numbers[there]
    split = []
    for name, row in zip(names, numbers, strict=True):
        k, motion = row[:9].reshape(3, 3), np.column_stack([row[9:18].reshape(3, 3), row[18:]])
        split.append(decomposed(k @ motion, name, path))
    poses, mended = rigid(np.stack([pose for _, pose in split]), names, path)
    files = [look_at(path.parent / name) for name in names]
    sizes = np.array([file.size for file in files], np.int64)
    cameras = Cameras(
        poses,
        np.array([lens for lens, _ in split]) + np.array([0, 0, 0.5, 0.5]),
        sizes,
        *ideal_lenses(len(files)),
    )
    box, note = _described_box(path.parent), "The scene box is the one that the README names."
    if box is None:
        box, note = box_seen_by(cameras), "The scene box is what the cameras look at: no README names one."
    return Posed(
        "Middlebury *_par.txt",
        "OpenCV axes, world to camera, pixel centres at integers",
        tuple(names),
        files,
        cameras,
        box,
        unbounded=False,
        notes=(note, "The background is black: empty space is to be seen as black.", *missing, *mended),
    )


def _described_box(folder: Path) -> Box | None:
    for file in sorted(folder.glob("[Rr][Ee][Aa][Dd][Mm][Ee]*")):
        match = re.search(CORNER + r"\D{0,12}?" + CORNER, file.read_text(encoding="utf-8", errors="replace"))
        if match:
            corners = np.array(match.groups(), np.float64).reshape(2, 3)
            lower, upper = corners.min(axis=0), corners.max(axis=0)
            return Box(tuple(lower.tolist()), tuple(upper.tolist()))
    return None
