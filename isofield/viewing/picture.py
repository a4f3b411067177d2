"""Pictures of meshes and points without a GPU or a window: a software renderer, contact sheets, PNG files."""

import os
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from ..geometry.mesh import Mesh, area_weighted_normals
from ..kernels.raster import rasterise
from ..runtime.files import atomic_path
from .colours import colour_map, displayed, linear_light

__all__ = ["UP_AXES", "Up", "contact_sheet", "draw_mesh", "draw_points", "write_png"]

Up = Literal["x", "y", "z", "-x", "-y", "-z"]
Colour = tuple[int, int, int]

# For each up axis the directions right, up and towards the viewer at azimuth 0; right-handed.
UP_AXES: dict[str, tuple[Colour, Colour, Colour]] = {
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}
FIELD_OF_VIEW = np.radians(28)  # across the ball that is shown
VIEWER = 1 / np.sin(FIELD_OF_VIEW / 2)  # distance of the viewer from the ball's centre, in its radii
MARGIN = 0.04  # share of the picture left free around a shape that is drawn as large as fits

CLAY = (206, 203, 197)
# Linear light. The inside of an open shell is tinted rust; sky and ground light what faces up and down.
BEHIND = np.array([0.62, 0.30, 0.20], np.float32)
SKY = np.array([0.35, 0.37, 0.41], np.float32)
GROUND = np.array([0.13, 0.115, 0.10], np.float32)
KEY = np.array([-0.48, 0.62, 0.62], np.float32)  # direction to the lamp, in camera axes
GLOSS = np.array([-0.27, 0.34, 0.90], np.float32)  # half way between the lamp and the viewer


def draw_mesh(
    vertices: np.ndarray,
    faces: np.ndarray,
    *,
    normals: np.ndarray | None = None,
    colours: np.ndarray | Colour = CLAY,
    scalars: np.ndarray | None = None,
    scalar_range: tuple[float, float] | None = None,
    flat: bool = False,
    size: int | tuple[int, int] = 800,
    azimuth: float = 35.0,
    elevation: float = 18.0,
    up: Up = "y",
    centre: tuple[float, float, float] | np.ndarray | None = None,
    radius: float | None = None,
    background: Colour | None = None,
    supersampling: int = 2,
) -> UInt8[np.ndarray, "height width channels"]:
    """A picture of triangles: perspective, smooth shading, light from the upper left, darker in hollows.

    vertices [V, 3], faces int [F, 3], any units. normals: float [V, 3] of unit length, else the mean of the
    faces around; with `flat`, the faces' own. colours: uint8 [V, 3] sRGB, or one colour. scalars: [V], drawn
    by `colour_map` instead; diverging and symmetric where their range has both signs. size: pixels, (height,
    width) or both. azimuth: degrees around the `up` axis, 0 is the front. elevation: degrees above the
    horizon. centre, radius: the ball that fills the shorter side of the picture, in the vertices' units; give
    both to draw several shapes to one scale. Without a radius the shape is drawn as large as fits.
    background: sRGB, or None for a transparent picture (four channels, straight alpha). supersampling:
    samples along a pixel's edge. Faces seen from behind are tinted rust.
    """
    height, width = (size, size) if isinstance(size, int) else size
    fine = (height * supersampling, width * supersampling)
    vertices, faces = np.asarray(vertices, np.float64), np.asarray(faces, np.int32)
    shades = np.asarray(colours if scalars is None else _scalar_colours(scalars, scalar_range), np.uint8)
    shades = np.broadcast_to(shades, (len(vertices), 3))
    if flat:
        vertices, shades = vertices[faces].reshape(-1, 3), shades[faces].reshape(-1, 3)
        faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    if flat or normals is None:
        normals = area_weighted_normals(Mesh(vertices, faces))

    used = np.unique(faces)
    if centre is None:
        centre = _middle(vertices[used])
    ball = radius or np.linalg.norm(vertices[used] - centre, axis=1).max(initial=0.0) or 1.0
    axes = _camera_axes(azimuth, elevation, up)
    view = (vertices - centre) @ axes.T / ball
    screen = _project(view, *fine)
    if radius is None:
        screen = _filling(screen, used, *fine)
    faces = faces[np.all(screen[faces, 2] > 0, axis=1)]  # with a small radius some may lie behind the viewer

    depth = VIEWER - view[:, 2:]
    attributes = np.concatenate([normals @ axes.T, linear_light(shades), depth], axis=1).astype(np.float32)
    face, image = rasterise(screen, faces, attributes, *fine)
    seen = face >= 0
    light = np.zeros((*fine, 3), np.float32)
    light[seen] = _shade(image[seen, :3], image[seen, 3:6], _turned_away(screen, faces)[face[seen]])

    weight = _pool(seen.astype(np.float32), supersampling)
    share = np.maximum(weight, 1e-6)  # at the outline the mean is over the samples that see the shape
    hollows = _hollows(_pool(image[..., 6], supersampling) / share, weight)
    light = _pool(light, supersampling) / share[..., None] * hollows[..., None]
    colour = np.round(displayed(light) * 255)
    if background is None:
        return np.concatenate([colour, np.round(weight * 255)[..., None]], axis=2).astype(np.uint8)
    mixed = colour * weight[..., None] + np.array(background, np.float32) * (1 - weight[..., None])
    return np.round(mixed).astype(np.uint8)


def draw_points(
    points: np.ndarray,
    *,
    normals: np.ndarray | None = None,
    colours: np.ndarray | Colour = CLAY,
    point_radius: float | None = None,
    azimuth: float = 35.0,
    elevation: float = 18.0,
    up: Up = "y",
    centre: tuple[float, float, float] | np.ndarray | None = None,
    radius: float | None = None,
    **settings,
) -> UInt8[np.ndarray, "height width channels"]:
    """A picture of points [N, 3] as discs that face the viewer, lit by their normals [N, 3] if given.

    point_radius: as a share of the radius of the whole (default: the smaller, the more points there are). The
    rest and `settings` as for `draw_mesh`.
    """
    points = np.asarray(points, np.float64)
    centre = _middle(points) if centre is None else np.asarray(centre)
    ball = radius or np.linalg.norm(points - centre, axis=1).max(initial=0.0)
    reach = ball * (point_radius or 1.5 / np.sqrt(max(len(points), 1)))
    right, above, towards = _camera_axes(azimuth, elevation, up)
    angles = np.arange(6)[:, None] * (np.pi / 3)
    hexagon = (np.cos(angles) * right + np.sin(angles) * above) * reach
    fan = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)])
    if normals is None:
        normals = np.broadcast_to(towards, points.shape)
    else:  # a scan's normals may point either way
        normals = normals * np.where(normals @ towards < 0, -1, 1)[:, None]
    return draw_mesh(
        (points[:, None] + hexagon).reshape(-1, 3),
        (fan + 6 * np.arange(len(points))[:, None, None]).reshape(-1, 3),
        normals=np.repeat(normals, 6, axis=0),
        colours=np.repeat(np.broadcast_to(np.asarray(colours, np.uint8), points.shape), 6, axis=0),
        azimuth=azimuth,
        elevation=elevation,
        up=up,
        centre=centre,
        radius=radius,
        **settings,
    )


def contact_sheet(
    images: list[np.ndarray],
    labels: list[str],
    columns: int,
    *,
    background: Colour = (255, 255, 255),
    text: Colour = (60, 60, 64),
) -> UInt8[np.ndarray, "height width 3"]:
    """Pictures (uint8 [h, w, 3 or 4]) in rows of `columns`, each mid-cell with its label below."""
    cell_height, cell_width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    font_size = max(cell_width // 22, 11)
    font, margin, caption = ImageFont.load_default(font_size), cell_width // 25, 2 * font_size
    rows = -(-len(images) // columns)
    across, down = cell_width + margin, cell_height + caption + margin
    sheet = Image.new("RGB", (margin + columns * across, margin + rows * down), background)
    draw = ImageDraw.Draw(sheet)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = margin + place % columns * across, margin + place // columns * down
        picture = Image.fromarray(image)
        corner = (left + (cell_width - picture.width) // 2, top + (cell_height - picture.height) // 2)
        sheet.paste(picture, corner, picture if picture.mode == "RGBA" else None)
        draw.text((left + cell_width / 2, top + cell_height + caption / 2), label, text, font, anchor="mm")
    return np.array(sheet)


def write_png(path: str | os.PathLike, image: UInt8[np.ndarray, "height width channels"]) -> None:
    """Write a picture (3 or 4 channels, sRGB) as PNG, whole or not at all."""
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG", optimize=True)


def _scalar_colours(scalars: np.ndarray, scalar_range: tuple[float, float] | None) -> np.ndarray:
    low, high = scalar_range or (min(float(np.min(scalars)), 0.0), float(np.max(scalars)))
    if low < 0 < high:
        high = max(-low, high)
        return colour_map(scalars, -high, high, "diverging")
    return colour_map(scalars, low, high, "sequential")


def _middle(points: np.ndarray) -> np.ndarray:
    return (points.min(axis=0) + points.max(axis=0)) / 2 if len(points) else np.zeros(3)


def _camera_axes(azimuth: float, elevation: float, up: Up) -> np.ndarray:
    """Rows: right, up and towards the viewer, in the vertices' coordinates."""
    right, above, front = np.array(UP_AXES[up], np.float64)
    a, e = np.radians(azimuth), np.radians(elevation)
    towards = np.cos(e) * (np.cos(a) * front + np.sin(a) * right) + np.sin(e) * above
    side = np.cos(a) * right - np.sin(a) * front
    return np.stack([side, np.cross(towards, side), towards])


def _project(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Camera coordinates [V, 3] to x, y, inverse depth: the unit ball touches the shorter side's edges."""
    depth = VIEWER - points[:, 2]
    inverse = np.where(depth > 1e-3, 1 / np.maximum(depth, 1e-3), -1.0)
    focal = min(height, width) / 2 / np.tan(FIELD_OF_VIEW / 2)
    x, y = width / 2 + focal * points[:, 0] * inverse, height / 2 - focal * points[:, 1] * inverse
    return np.stack([x, y, inverse], axis=1)


def _filling(screen: np.ndarray, used: np.ndarray, height: int, width: int) -> np.ndarray:
    """Screen positions moved and enlarged so that the vertices `used` fill the picture up to a margin."""
    seen = screen[used, :2]
    low, high = seen.min(axis=0, initial=np.inf), seen.max(axis=0, initial=-np.inf)
    if not np.all(high > low):
        return screen
    frame = np.array([width, height])
    scale = (1 - 2 * MARGIN) * np.min(frame / (high - low))
    return np.concatenate([(screen[:, :2] - (low + high) / 2) * scale + frame / 2, screen[:, 2:]], axis=1)


def _turned_away(screen: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Which faces [F] show their inside: clockwise on the screen, where y points down."""
    corners = screen[faces, :2]
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return ax * by > ay * bx


def _shade(normal: np.ndarray, colour: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Linear light [N, 3] of samples: a lamp, light from the viewer, sky over a warm ground, a gloss.

    normal: in camera axes. colour: linear. behind: seen from the inside.
    """
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    normal = np.where(behind[:, None], -normal, normal)
    upward = (normal[:, 1:2] + 1) / 2
    lamp = 0.72 * np.maximum(normal @ KEY, 0) + 0.12 * np.maximum(normal[:, 2], 0)
    gloss = 0.05 * np.maximum(normal @ GLOSS, 0) ** 40
    diffuse = upward * SKY + (1 - upward) * GROUND + lamp[:, None]
    return np.where(behind[:, None], colour * BEHIND, colour) * diffuse + gloss[:, None]


def _hollows(depth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A factor [H, W] that darkens what lies behind its surroundings: unsharp depth (Luft et al. 2006).

    depth: in radii of the ball. weight: share of the pixel that the shape covers.
    """
    seen = weight > 0
    depth = np.where(seen, depth, depth[seen].max(initial=0.0))
    factor = np.ones_like(depth)
    for share, strength in ((0.008, 6.0), (0.035, 2.2)):
        width = 2 * max(round(share * min(depth.shape)), 1) + 1
        around = ndimage.uniform_filter(ndimage.uniform_filter(depth, width), width)
        factor *= 1 - np.clip(strength * (depth - around), 0, 0.5)
    return factor


def _pool(samples: np.ndarray, size: int) -> np.ndarray:
    """Means over size x size blocks of [H, W, ...]."""
    height, width = samples.shape[0] // size, samples.shape[1] // size
    return samples.reshape(height, size, width, size, *samples.shape[2:]).mean(axis=(1, 3))
