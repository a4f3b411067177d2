"""What a scene is like before anything is trained on it: facts, and what will fail, with advice."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from ..rendering.rays import Rays, ray_box
from .scene import Scene

__all__ = ["describe_scene"]

NAMED = 6  # frames that a sentence names, before the rest is only counted
SAME = 1e-6  # poses that differ by less are one, as a share of the distance to the box
NARROW, WIDE = 3.0, 150.0  # degrees of view that hardly any camera has
GRID = 9  # rays along each side of a picture, to see whether it shows the box
OPAQUE = 128


def describe_scene(scene: Scene) -> dict[str, Any]:
    """Facts of a scene as plain values (ready for JSON), `notes` of its reader, and `warnings`: sentences
    with advice. Lengths are in the file's units."""
    cameras, sizes = scene.cameras, np.unique(scene.cameras.sizes, axis=0)
    box = np.array([scene.box.lower, scene.box.upper])
    distances = np.linalg.norm(cameras.centres - box.mean(axis=0), axis=1)
    return {
        "name": scene.name,
        "kind": scene.kind,
        "format": scene.format,
        "convention": scene.convention,
        "frames": {"train": len(scene.train), "test": len(scene.test)},
        "sizes": [f"{width} x {height}" for width, height in sizes[:NAMED].tolist()],
        "degrees_across": [round(a, 2) for a in _range(_degrees(scene)[:, 0])],
        "lens": _lens(scene),
        "background": "from alpha" if scene.has_alpha else "as photographed",
        "box": [_rounded(corner) for corner in box.tolist()],
        "beyond_the_box": "there is more to see" if scene.unbounded else "nothing",
        "distance_of_cameras": _rounded(_range(distances)),
        "near_and_far": None
        if scene.near is None or scene.far is None
        else _rounded([scene.near, scene.far]),
        "points": 0 if scene.points is None else len(scene.points),
        "fingerprint": scene.fingerprint,
        "notes": list(scene.notes),
        "warnings": _warnings(scene),
    }


def _rounded(lengths: list[float]) -> list[float]:
    """Lengths to five digits, to be read."""
    return [float(f"{length:.5g}") for length in lengths]


def _range(values: np.ndarray) -> list[float]:
    return [float(values.min()), float(values.max())]


def _degrees(scene: Scene) -> np.ndarray:
    """Degrees of view across and down [N, 2], of an ideal lens."""
    half = scene.cameras.sizes / 2 / scene.cameras.intrinsics[:, :2]
    return np.degrees(2 * np.where(scene.cameras.fisheye[:, None], half, np.arctan(half)))


def _lens(scene: Scene) -> str:
    if scene.cameras.fisheye.any():
        return "fisheye"
    return "radial and tangential" if scene.cameras.distortion.any() else "ideal"


def _warnings(scene: Scene) -> list[str]:
    off = scene.cameras.poses[:, :, :3].transpose(0, 2, 1) @ scene.cameras.poses[:, :, :3] - np.eye(3)
    broken = ~(np.abs(off).max(axis=(1, 2)) < 1e-3)  # also where it is not a number
    if broken.any():
        return [
            f"Poses whose axes are not orthonormal: {_named(scene, broken)}. Give rotations; a scale belongs "
            "to the positions alone."
        ]
    if not np.all(np.subtract(scene.box.upper, scene.box.lower) > 0):
        return [
            f"The scene's box is empty: {scene.box.lower} to {scene.box.upper}. Give an upper corner above "
            "the lower one along every axis."
        ]
    checks = (_split, _views, _places, _inside, _intrinsics, _lenses, _pictures, _points)
    return [finding for check in checks for finding in check(scene)]


def _named(scene: Scene, which: np.ndarray) -> str:
    """The frames by name; `which` is bool [N] or numbers."""
    names = np.array(scene.names, object)[which]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _split(scene: Scene) -> Iterable[str]:
    if len(scene.train) < 3:
        yield (
            f"Frames to learn from: {len(scene.train)}. Depth needs every place in several pictures: take a "
            "few dozen from all around."
        )
    both = np.intersect1d(scene.train, scene.test)
    if len(both):
        yield (
            f"Frames both learnt from and tested on: {_named(scene, both)}. Figures would flatter: keep each "
            "on one side of the split."
        )


def _views(scene: Scene) -> Iterable[str]:
    """Cameras that do not see the box."""
    sees, sees_behind = _sees(scene)
    if sees.all():
        return
    blind = f"Cameras that do not see the scene's box: {_named(scene, ~sees)}."
    if not sees.any() and sees_behind.mean() > 0.5:
        yield (
            f"{blind} They would if they looked backwards: the file's axes are probably another convention's "
            "(OpenGL looks along -z, OpenCV along +z). Negate the second and third column of the poses."
        )
    else:
        yield (
            f"{blind} They teach nothing about it: check their poses, or give a box that holds what the "
            "pictures show."
        )


def _sees(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Whether any ray of a camera meets the box, forwards and backwards."""
    cameras = scene.cameras
    steps = (np.arange(GRID) + 0.5) / GRID
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    pixels = (grid * cameras.sizes[:, None]).reshape(-1, 2)
    rays = cameras.rays(np.repeat(np.arange(len(cameras)), len(grid)), pixels)
    answers = []
    for direction in (rays.directions, -rays.directions):
        entry, leave = ray_box(
            Rays(rays.origins, direction), torch.tensor(scene.box.lower), torch.tensor(scene.box.upper)
        )
        answers.append(np.any((leave > entry).numpy().reshape(len(cameras), -1), axis=1))
    return answers[0], answers[1]


def _places(scene: Scene) -> Iterable[str]:
    """Repeated poses, and cameras that all stand in one place."""
    centre = np.add(scene.box.lower, scene.box.upper) / 2
    centres = scene.cameras.centres
    far = float(np.linalg.norm(centres - centre, axis=1).max()) or 1.0
    spread = float(np.linalg.norm(centres - centres.mean(axis=0), axis=1).max())
    if len(centres) > 1 and spread < 1e-3 * far:
        yield (
            "All cameras stand in one place, so nothing says how far anything is. Take pictures from "
            "different places, or check the positions in the file."
        )
        return
    scaled = scene.cameras.poses.copy()
    scaled[:, :, 3] = (scaled[:, :, 3] - centre) / far
    _, first, group = np.unique(
        np.round(scaled.reshape(-1, 12) / SAME), axis=0, return_index=True, return_inverse=True
    )
    earlier = first[group.reshape(-1)]
    repeated = np.flatnonzero(earlier != np.arange(len(scaled)))
    if len(repeated):
        yield (
            f"Frames with the very pose of an earlier one: {_named(scene, repeated)} (earlier: "
            f"{_named(scene, np.unique(earlier[repeated]))}). What moved in between would blur: drop the "
            "copies, or check that the poses belong to the pictures."
        )


def _inside(scene: Scene) -> Iterable[str]:
    """Cameras in the box, or where all other pictures show the object."""
    centres = scene.cameras.centres
    within = np.all((centres > scene.box.lower) & (centres < scene.box.upper), axis=1)
    if scene.unbounded or not within.any():
        return
    solid = np.zeros(len(centres), bool)
    if scene.has_alpha:
        for number in np.flatnonzero(within):
            covered = [
                seen
                for other in scene.train.tolist()
                if other != number and (seen := _covers(scene, other, centres[number])) is not None
            ]
            solid[number] = len(covered) >= 3 and np.mean(covered) > 0.9
    if solid.any():
        yield (
            f"Cameras inside the object: {_named(scene, solid)} (the pictures of the others show it there). "
            "They see its inside or nothing: check their poses and the scale of the positions."
        )
    elif within.any():
        yield (
            f"Cameras inside the box, beyond which there is nothing: {_named(scene, within)}. Fog may settle "
            "in front of them: give a box around the object alone."
        )


def _covers(scene: Scene, number: int, point: np.ndarray) -> bool | None:
    """Whether picture `number` is opaque where it shows the point; None where it does not show it."""
    (pixel,), _ = scene.cameras.project(number, point[None])
    size = scene.photographs.sizes[number]
    if not (np.all(pixel >= 0) and np.all(pixel < size)):
        return None
    x, y = pixel.astype(int)
    return bool(scene.photographs.picture(number)[y, x, 3] >= OPAQUE)


def _intrinsics(scene: Scene) -> Iterable[str]:
    cameras, degrees = scene.cameras, _degrees(scene)
    odd = np.any((degrees < NARROW) | (degrees > np.where(cameras.fisheye, 360, WIDE)[:, None]), axis=1)
    if odd.any():
        low, high = _range(degrees[odd])
        yield (
            f"Cameras that see {low:.3g} to {high:.3g} degrees: {_named(scene, odd)}. The focal length is "
            "probably in another unit, or of another size of the pictures: it is in pixels."
        )
    middle = cameras.intrinsics[:, 2:] / cameras.sizes
    shifted = np.any(np.abs(middle - 0.5) > 0.25, axis=1)
    if shifted.any():
        yield (
            f"The axis is far from the middle of the picture: {_named(scene, shifted)}. cx and cy are "
            "probably of another size of the pictures; leave them out where the pictures are not cropped."
        )
    stretched = np.abs(cameras.intrinsics[:, 0] / cameras.intrinsics[:, 1] - 1) > 0.1
    if stretched.any():
        yield (
            f"Pixels that are not square, by more than a tenth: {_named(scene, stretched)}. Check fx and fy "
            "against the width and the height of the pictures."
        )


def _lenses(scene: Scene) -> Iterable[str]:
    """Pictures with corners that their lens cannot reach."""
    cameras = scene.cameras
    corners = (np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) * cameras.sizes[:, None]).astype(np.float64)
    which = np.repeat(np.arange(len(cameras)), 4)
    rays = cameras.rays(which, corners.reshape(-1, 2))
    points = rays.origins.double().numpy() + rays.directions.double().numpy()
    back = cameras.project(which, points)[0].reshape(-1, 4, 2)
    near = np.abs(back - corners).max(axis=2) < 1e-3 * cameras.sizes.max(axis=1)[:, None]
    folded = ~np.all(near, axis=1)
    if folded.any():
        yield (
            f"The lens folds before the corners of the picture: {_named(scene, folded)}. Its coefficients do "
            "not hold out there: calibrate with fewer of them, or undistort the pictures first."
        )


def _pictures(scene: Scene) -> Iterable[str]:
    photographs = scene.photographs
    decoded = np.all(photographs.sizes > 0, axis=1)
    mismatch = decoded & np.any(photographs.sizes != scene.cameras.sizes, axis=1)
    if mismatch.any():
        yield (
            f"Pictures of another size than their cameras': {_named(scene, mismatch)}. Scale the pictures, "
            "or the cameras."
        )
    missing = scene.train[~decoded[scene.train]]
    if len(missing):
        yield f"Frames to learn from that have no picture: {_named(scene, missing)}. Put the files there."
    blank = decoded.copy()
    for number in np.flatnonzero(decoded).tolist():
        blank[number] = not np.ptp(photographs.picture(number), axis=(0, 1)).any()
    if blank.any():
        yield f"Pictures of one colour: {_named(scene, blank)}. Drop them, unless there is nothing to see."


def _points(scene: Scene) -> Iterable[str]:
    """Sparse points against the box."""
    if scene.points is None or not len(scene.points):
        return
    inside = np.all((scene.points >= scene.box.lower) & (scene.points <= scene.box.upper), axis=1)
    if not scene.unbounded and inside.mean() < 0.95:
        yield (
            f"The box cuts off {1 - inside.mean():.0%} of the surface's points in the file, and nothing is "
            "said to lie beyond it. Give a larger box, or mark the scene as unbounded."
        )
    elif inside.mean() < 0.2:
        yield (
            f"The box holds {inside.mean():.0%} of the surface's points in the file. Most of what the "
            "pictures show is treated as background: give a larger box."
        )
