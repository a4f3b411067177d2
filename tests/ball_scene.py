"""A scene whose views are known in closed form, a ball whose colours are its normals: as the product of a
method, and as files."""

import json
from pathlib import Path

import numpy as np
import PIL.Image
import torch

from isofield.data.scene import Box, Photographs, Scene
from isofield.rendering.cameras import Cameras, focal_length, looking_at, pinholes
from isofield.rendering.rays import Rays, ray_sphere
from isofield.rendering.views import render_view
from isofield.rendering.volume import Rendered
from isofield.training.method import Views

CENTRE, RADIUS, DENSITY = torch.tensor([0.2, -0.1, 0.1]), 0.6, 200.0
ANGLE = 0.6  # of view, radians


def density(points):
    return DENSITY * ((points - CENTRE).norm(dim=1) < RADIUS)


def colour(points, directions):
    return ((points - CENTRE) / RADIUS * 0.5 + 0.5).clamp(0, 1)


def seen_by(rays: Rays) -> Rendered:
    """Exact but for the colour and the distance, which are those of the surface."""
    entry, leave = ray_sphere(rays, CENTRE, RADIUS)
    opacity = 1 - torch.exp(-DENSITY * (leave - entry))
    surface = rays.origins + entry[:, None] * rays.directions
    return Rendered(opacity[:, None] * colour(surface, rays.directions), opacity, opacity * entry)


VIEWS = Views(seen_by, density, colour, (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


def cameras_around(count: int, size: tuple[int, int], turn: float = 0.0) -> Cameras:
    """Cameras on a spiral around the origin, 4 away."""
    angles, heights = turn + 2.4 * np.arange(count), np.linspace(-0.6, 0.8, count)
    places = np.stack([np.cos(angles), np.sin(angles), heights], 1)
    places *= 4 / np.linalg.norm(places, axis=1, keepdims=True)
    poses = [looking_at(place, np.zeros(3), np.array([0.0, 0, 1])) for place in places]
    return pinholes(np.array(poses), focal_length(size[0], ANGLE), size)


def write_scene(folder: Path, size: tuple[int, int] = (40, 32), counts: tuple[int, int] = (8, 3)) -> Path:
    """The scene in Blender's format, with alpha."""
    for split, count, turn in zip(("train", "test"), counts, (0.0, 1.0)):
        (folder / split).mkdir(parents=True)
        cameras, frames = cameras_around(count, size, turn), []
        for number in range(count):
            view = render_view(seen_by, cameras, number)
            straight = view.colour / np.maximum(view.opacity, 1e-6)[..., None]
            pixels = np.concatenate([straight, view.opacity[..., None]], axis=2)
            PIL.Image.fromarray((pixels * 255).round().astype(np.uint8)).save(
                folder / split / f"r_{number}.png"
            )
            pose = np.vstack([cameras.poses[number] * [1, -1, -1, 1], [0, 0, 0, 1]])  # OpenGL's axes
            frames.append({"file_path": f"./{split}/r_{number}", "transform_matrix": pose.tolist()})
        text = json.dumps({"camera_angle_x": ANGLE, "frames": frames})
        (folder / f"transforms_{split}.json").write_text(text)
    return folder


def all_around(count: int, turn: float = 0.0) -> Cameras:
    """Cameras on a sphere of radius 4, each of which sees the whole box."""
    angles, heights = turn + 2.4 * np.arange(count), np.linspace(-0.9, 0.9, count)
    across = np.sqrt(1 - heights**2)
    places = 4 * np.stack([np.cos(angles) * across, np.sin(angles) * across, heights], 1)
    poses = [looking_at(place, np.zeros(3), np.array([0.0, 0, 1])) for place in places]
    return pinholes(np.array(poses), focal_length(48, 1.0), (48, 48))


def ball_from_all_sides() -> Scene:
    """The ball in 43 pictures with alpha, every 14th kept for tests, in memory."""
    cameras, test, pictures = all_around(43), np.arange(7, 43, 14), []
    for number in range(43):
        view = render_view(seen_by, cameras, number)
        straight = view.colour / np.maximum(view.opacity, 1e-6)[..., None]
        pictures.append(np.concatenate([straight, view.opacity[..., None]], axis=2).reshape(-1, 4))
    pixels = (np.concatenate(pictures) * 255).round().astype(np.uint8)
    photographs = Photographs(pixels, np.arange(44) * 48**2, cameras.sizes)
    return Scene(
        "ball", tuple(map(str, range(43))), cameras, photographs, np.setdiff1d(np.arange(43), test), test,
        Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)), False,
    )  # fmt: skip
