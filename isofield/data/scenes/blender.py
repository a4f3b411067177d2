"""The layout of NeRF's synthetic scenes: transforms_train.json, transforms_test.json, perhaps
transforms_val.json.

Source: Mildenhall et al., NeRF, ECCV 2020, and its data. Pictures are those that the files name, never what
lies in the folders: these hold depths and normals too.
"""

from pathlib import Path

import numpy as np

from ...rendering.cameras import Cameras
from .nerfstudio import CONVENTION, frames_of, transforms
from .posed import Posed, cube

__all__ = ["read_blender"]

HALF_SIDE = 1.5  # of the box that all eight scenes fit into, around the origin
NEAR, FAR = 2.0, 6.0  # for cameras 4 away from the origin, as the published presets have them


def read_blender(folder: Path) -> Posed:
    """The frames of transforms_train.json to learn from and those of transforms_test.json (else _val) to test
    on.

    box: [-1.5, 1.5] along each axis, near 2, far 6, as published, where the cameras stand 4 from the origin
    as theirs do; for other scenes of this layout both are scaled by the cameras' distance.
    """
    train_file = folder / "transforms_train.json"
    kept = next((f for n in ("test", "val") if (f := folder / f"transforms_{n}.json").is_file()), None)
    parts = [frames_of(transforms(file), file, sort=False) for file in (train_file, kept) if file]
    names = [name for part in parts for name in part[0]]
    train = len(parts[0][0])
    cameras = Cameras(*(np.concatenate(arrays) for arrays in zip(*map(_fields, parts), strict=True)))
    notes = [note for part in parts for note in part[3]]
    distance = float(np.median(np.linalg.norm(cameras.centres, axis=1)))
    unit = 1.0 if 3 < distance < 5 else max(distance, 1e-6) / 4
    if unit != 1:
        notes.append(f"The cameras stand {distance:.3g} from the origin, not 4: box, near, far follow.")
    return Posed(
        "Blender transforms (NeRF synthetic)",
        CONVENTION,
        tuple(names),
        [file for part in parts for file in part[1]],
        cameras,
        cube(np.zeros(3), HALF_SIDE * unit),
        train=np.arange(train) if kept else None,
        test=np.arange(train, len(names)) if kept else None,
        near=NEAR * unit,
        far=FAR * unit,
        notes=tuple(notes),
    )


def _fields(part: tuple) -> tuple[np.ndarray, ...]:
    cameras = part[2]
    return cameras.poses, cameras.intrinsics, cameras.sizes, cameras.distortion, cameras.fisheye
