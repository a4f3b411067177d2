"""A picture of a scene's cameras: where they stand, what they look at, the box, the points, the way up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from ..data.scene import Scene
from ..rendering.cameras import Cameras, focal_length, pinholes
from ..rendering.paths import orbit, up_of
from .picture import contact_sheet

__all__ = ["TEST", "TRAIN", "scene_picture"]

Colour = tuple[int, int, int]
TRAIN, TEST, BOX, UP = (38, 103, 160), (221, 122, 30), (58, 53, 50), (46, 139, 87)
POINT, PAPER, INK = (150, 146, 140), (255, 255, 255), (60, 60, 64)
VIEW = np.radians(24)  # field of view of the drawing
FINE = 3  # samples along a pixel's edge
MARGIN = 0.04  # share of the picture left free
FADE = 0.65  # how far the farthest lines go over into the paper
MOST = 20_000  # points drawn
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]


@dataclass(frozen=True, eq=False)
class Lines:
    """Segments [S, 2, 3] in the world, of one colour and width (pixels)."""

    ends: np.ndarray
    colour: Colour
    width: float


def scene_picture(scene: Scene, size: int = 720) -> UInt8[np.ndarray, "height width 3"]:
    """Two views of the scene, from the side and from above, each `size` pixels wide, under a legend.

    Each camera is a pyramid from its centre to the corners of its picture (through its lens) with a mark on
    the upper edge: blue to learn from, orange to test on. The box is dark, the direction that is up in the
    pictures a green arrow from the middle of the box, points of the surface grey.
    """
    up, corners = up_of(scene.cameras.poses), _corners(scene)
    middle, centres = corners.mean(axis=0), scene.cameras.centres
    shown = np.concatenate([corners, centres])
    centre = (shown.min(axis=0) + shown.max(axis=0)) / 2
    radius = float(np.linalg.norm(shown - centre, axis=1).max()) or 1.0
    pyramids = _pyramids(scene.cameras, radius)
    lines = [
        Lines(corners[EDGES], BOX, 1.6),
        _arrow(middle, up, 0.6 * float(np.linalg.norm(corners[0] - middle))),
        Lines(pyramids[scene.train].reshape(-1, 2, 3), TRAIN, 1.2),
        Lines(pyramids[scene.test].reshape(-1, 2, 3), TEST, 1.2),
    ]
    points = np.empty((0, 3)) if scene.points is None else scene.points[:: len(scene.points) // MOST + 1]
    points = points[np.linalg.norm(points - centre, axis=1) < radius]
    start = _across(up, (centres - middle).sum(axis=0))
    aside = np.cos(0.6) * start + np.sin(0.6) * np.cross(up, start)
    views = [
        _drawn(orbit(centre, up, aside, 1.05 * radius / np.sin(VIEW / 2), elevation, 1), lines, points, size)
        for elevation in (np.radians(22), np.radians(89))
    ]
    sheet = contact_sheet(views, ["from the side", "from above"], 2)
    return np.concatenate([_legend(scene, sheet.shape[1], size // 20), sheet])


def _legend(scene: Scene, width: int, height: int) -> np.ndarray:
    """A row of colours and what they stand for."""
    entries = [
        (TRAIN, f"{len(scene.train)} cameras to learn from"),
        (TEST, f"{len(scene.test)} to test on"),
        (BOX, "the scene's box"),
        (UP, "up in the pictures"),
    ]
    if scene.points is not None:
        entries.append((POINT, "points of the surface"))
    picture, left = Image.new("RGB", (width, height), PAPER), height
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(height // 2)
    for colour, text in entries:
        draw.rectangle((left, 0.4 * height, left + 0.8 * height, 0.7 * height), colour)
        draw.text((left + height, 0.55 * height), text, INK, font, anchor="lm")
        left += round(2 * height + draw.textlength(text, font))
    return np.asarray(picture)


def _corners(scene: Scene) -> np.ndarray:
    """The corners of the box [8, 3]; neighbours differ in one bit of their number."""
    ends = np.array([scene.box.lower, scene.box.upper])
    return np.array([[ends[k >> axis & 1, axis] for axis in range(3)] for k in range(8)])


def _across(up: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The part of a direction across `up`, of unit length; any where there is none."""
    for candidate in (direction, *np.eye(3)):
        part = candidate - up * (up @ candidate)
        if np.linalg.norm(part) > 0.1 * np.linalg.norm(candidate):
            return part / np.linalg.norm(part)
    raise AssertionError("one of the axes is across any direction")


def _arrow(foot: np.ndarray, up: np.ndarray, length: float) -> Lines:
    tip = foot + length * up
    side = _across(up, np.ones(3))
    barbs = [tip - 0.16 * length * up + s * 0.09 * length * side for s in (1, -1)]
    return Lines(np.array([(foot, tip), *((barb, tip) for barb in barbs)]), UP, 2.6)


def _pyramids(cameras: Cameras, radius: float) -> np.ndarray:
    """Segments [N, 10, 2, 3]: from each centre to the corners of the picture, around it, and a triangle on
    the upper edge."""
    count = len(cameras)
    nearest = np.linalg.norm(cameras.centres[:, None] - cameras.centres[None], axis=2)
    np.fill_diagonal(nearest, np.inf)
    spacing = float(np.median(nearest.min(axis=1)))
    depth = np.clip(spacing, 0.06 * radius, 0.12 * radius)
    places = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * cameras.sizes[:, None]
    rays = cameras.rays(np.repeat(np.arange(count), 4), places.reshape(-1, 2).astype(np.float64))
    directions = rays.directions.numpy().reshape(count, 4, 3)
    corner = cameras.centres[:, None] + depth * directions
    foot = cameras.centres[:, None]
    left, right = corner[:, 0], corner[:, 1]
    peak = (left + right) / 2 + 0.35 * (left - corner[:, 3])
    segments = [
        np.stack([np.broadcast_to(foot, corner.shape), corner], axis=2),
        np.stack([corner, np.roll(corner, -1, axis=1)], axis=2),
        np.stack([np.stack([left, right], axis=1), np.stack([peak, peak], axis=1)], axis=2),
    ]
    return np.concatenate(segments, axis=1)


def _drawn(pose: np.ndarray, lines: list[Lines], points: np.ndarray, size: int) -> np.ndarray:
    """As large as fits, far lines first and paler. All lies in front of the viewer."""
    fine = size * FINE
    viewer = pinholes(pose, focal_length(fine, VIEW), (fine, fine))
    picture = Image.new("RGB", (fine, fine), PAPER)
    draw = ImageDraw.Draw(picture)
    ends = np.concatenate([part.ends for part in lines])
    pixels, depth = viewer.project(0, ends.reshape(-1, 3))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    scale = (1 - 2 * MARGIN) * fine / (high - low).max()
    for x, y in (viewer.project(0, points)[0] - (low + high) / 2) * scale + fine / 2:
        draw.ellipse((x - FINE, y - FINE, x + FINE, y + FINE), POINT)
    pixels = ((pixels - (low + high) / 2) * scale + fine / 2).reshape(-1, 4)
    depth = depth.reshape(-1, 2).mean(axis=1)
    low, high = depth.min(), depth.max()
    pale = FADE * (depth - low) / max(high - low, np.finfo(float).tiny)
    owner = np.repeat(np.arange(len(lines)), [len(part.ends) for part in lines])
    for number in np.argsort(-depth):
        part, share = lines[owner[number]], pale[number]
        colour = tuple(round(c * (1 - share) + p * share) for c, p in zip(part.colour, PAPER))
        draw.line(pixels[number].tolist(), colour, round(part.width * FINE))
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX))
