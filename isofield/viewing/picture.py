"""Pictures of meshes and points without a GPU or a window: a software renderer, contact sheets, colour maps, PNG files."""

import os
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from ..kernels.raster import rasterise
from ..runtime.files import atomic_path

__all__ = [
    "UP_AXES",
    "Up",
    "colour_map",
    "contact_sheet",
    "draw_mesh",
    "draw_points",
    "vertex_normals",
    "write_png",
]

Up = Literal["x", "y", "z"]

# For each up axis the directions (right, up, towards the viewer) at azimuth 0: right-handed, the front of the usual modelling programs.
UP_AXES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
}
FIELD_OF_VIEW = 28.0  # degrees, across the ball that is shown
VIEWER = 1 / np.sin(
    np.radians(FIELD_OF_VIEW / 2)
)  # distance of the viewer from the ball's centre, in its radii
MARGIN = 0.04  # share of the picture left free around a shape that is shown as large as fits

# sRGB anchors at equal steps. Sequential: paper (0) to plum, lightness falls evenly. Diverging: blue (low) over near-white to rust (high).
_ANCHORS = {
    "sequential": (
        (246, 243, 236),
        (250, 217, 150),
        (241, 150, 86),
        (203, 73, 84),
        (124, 30, 92),
        (60, 12, 68),
    ),
    "diverging": (
        (16, 48, 92),
        (45, 104, 163),
        (120, 172, 213),
        (205, 226, 240),
        (247, 247, 245),
        (252, 224, 195),
        (241, 165, 103),
        (203, 92, 40),
        (112, 38, 16),
    ),
}
_CLAY = (206, 203, 197)
_BACK = np.array(
    [0.62, 0.30, 0.20], np.float32
)  # linear tint of faces seen from behind: the inside of an open or flipped shell


def colour_map(
    values: np.ndarray, low: float, high: float, kind: Literal["sequential", "diverging"] = "sequential"
) -> UInt8[np.ndarray, "*shape 3"]:
    """Colours (sRGB) of `values` (any shape), which are clipped to [low, high]. For `diverging`, the middle of the range is near white."""
    anchors = np.array(_ANCHORS[kind], np.float64)
    place = (np.asarray(values, np.float64) - low) / max(high - low, np.finfo(float).tiny)
    place = np.clip(np.nan_to_num(place), 0, 1) * (len(anchors) - 1)
    first = np.minimum(place.astype(np.int64), len(anchors) - 2)
    share = (place - first)[..., None]
    return np.round(anchors[first] * (1 - share) + anchors[first + 1] * share).astype(np.uint8)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> Float32[np.ndarray, "vertices 3"]:
    """Unit normals at vertices [V, 3]: the mean of the normals of the faces [F, 3] around, weighted by area; z where there is none."""
    corners = np.asarray(vertices, np.float64)[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    return np.where(length > 0, summed / np.where(length > 0, length, 1), (0.0, 0.0, 1.0)).astype(np.float32)


def draw_mesh(
    vertices: np.ndarray,
    faces: np.ndarray,
    *,
    normals: np.ndarray | None = None,
    colours: np.ndarray | tuple[int, int, int] = _CLAY,
    scalars: np.ndarray | None = None,
    scalar_range: tuple[float, float] | None = None,
    flat: bool = False,
    size: int | tuple[int, int] = 800,
    azimuth: float = 35.0,
    elevation: float = 18.0,
    up: Up = "y",
    centre: tuple[float, float, float] | np.ndarray | None = None,
    radius: float | None = None,
    background: tuple[int, int, int] | None = None,
    supersampling: int = 2,
) -> UInt8[np.ndarray, "height width channels"]:
    """A picture of triangles: perspective, smooth shading, light from the upper left, darker in hollows.

    vertices [V, 3], faces int [F, 3], any units. normals: float [V, 3] of unit length, else the mean of the faces around; with
    `flat`, the faces' own. colours: uint8 [V, 3] sRGB or one colour; scalars: [V], drawn with `colour_map` instead (diverging
    when their range has both signs, which is then made symmetric). size: pixels, (height, width) or both. azimuth: degrees around
    the `up` axis, 0 is the front; elevation: degrees above the horizon. centre, radius: the ball that fills the shorter side of the picture,
    in the vertices' units; give both to draw several shapes to one scale. Without a radius the shape is drawn as large as fits.
    background: sRGB, or None for a transparent picture (four channels, straight alpha). supersampling: samples per pixel's edge.
    Faces seen from behind are tinted rust.
    """
    height, width = (size, size) if isinstance(size, int) else size
    faces = np.asarray(faces, np.int32)
    vertices = np.asarray(vertices, np.float64)
    if scalars is not None:
        colours = _scalar_colours(scalars, scalar_range)
    colours = np.broadcast_to(np.asarray(colours, np.uint8), (len(vertices), 3))
    if flat:
        vertices, colours = vertices[faces].reshape(-1, 3), colours[faces].reshape(-1, 3)
        faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
        normals = vertex_normals(vertices, faces)
    elif normals is None:
        normals = vertex_normals(vertices, faces)

    used = vertices[np.unique(faces)]
    if centre is None:
        centre = (used.min(axis=0) + used.max(axis=0)) / 2 if len(used) else np.zeros(3)
    ball = radius if radius is not None else np.linalg.norm(used - centre, axis=1).max(initial=0.0)
    axes = _camera_axes(azimuth, elevation, up)
    view = (vertices - centre) @ axes.T / (ball or 1.0)
    screen = _project(view, height * supersampling, width * supersampling)
    if radius is None:
        screen = _filling(screen, np.unique(faces), height * supersampling, width * supersampling)
    shown = np.all(
        screen[faces, 2] > 0, axis=1
    )  # what reaches behind the camera (a given radius that is small) is left out
    faces = faces[shown]

    depth = VIEWER - view[:, 2:]
    attributes = np.concatenate([np.asarray(normals) @ axes.T, _linear(colours), depth], axis=1).astype(
        np.float32
    )
    face, image = rasterise(screen, faces, attributes, height * supersampling, width * supersampling)
    covered = face >= 0
    corners = screen[faces]
    (ax, ay), (bx, by) = (corners[:, 1, :2] - corners[:, 0, :2]).T, (corners[:, 2, :2] - corners[:, 0, :2]).T
    behind = ax * by > ay * bx  # y points down here: clockwise on the screen
    light = np.zeros((*face.shape, 3), np.float32)
    light[covered] = _shade(image[covered, :6], behind[face[covered]])

    weight = _pool(covered.astype(np.float32), supersampling)
    share = np.maximum(
        weight, 1e-6
    )  # where some samples of a pixel see the background, the mean is over the others
    depth_image = _pool(image[..., 6], supersampling) / share
    light = _pool(light, supersampling) / share[..., None]
    colour = np.round(_displayed(light * _hollows(depth_image, weight)[..., None]) * 255)
    if background is None:
        return np.concatenate([colour, np.round(weight * 255)[..., None]], axis=2).astype(np.uint8)
    mixed = colour * weight[..., None] + np.array(background, np.float32) * (1 - weight[..., None])
    return np.round(mixed).astype(np.uint8)


def draw_points(
    points: np.ndarray,
    *,
    normals: np.ndarray | None = None,
    colours: np.ndarray | tuple[int, int, int] = _CLAY,
    point_radius: float | None = None,
    azimuth: float = 35.0,
    elevation: float = 18.0,
    up: Up = "y",
    centre: tuple[float, float, float] | np.ndarray | None = None,
    radius: float | None = None,
    **settings,
) -> UInt8[np.ndarray, "height width channels"]:
    """A picture of points [N, 3] as discs that face the viewer, lit by their normals [N, 3] where they have them.

    point_radius: as a share of the radius of the whole (default: smaller for more points). The rest as `draw_mesh`.
    """
    points = np.asarray(points, np.float64)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2 if centre is None else np.asarray(centre)
    ball = radius if radius is not None else np.linalg.norm(points - centre, axis=1).max()
    point_radius = 1.5 / np.sqrt(len(points)) if point_radius is None else point_radius
    right, above, towards = _camera_axes(azimuth, elevation, up)
    angles = np.arange(6) * (np.pi / 3)
    ring = (np.cos(angles)[:, None] * right + np.sin(angles)[:, None] * above) * point_radius * ball
    fan = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 5)])
    if normals is None:
        normals = np.broadcast_to(towards, points.shape)
    else:  # a scan's normals may point either way
        normals = normals * np.where(normals @ towards < 0, -1, 1)[:, None]
    colours = np.broadcast_to(np.asarray(colours, np.uint8), points.shape)
    return draw_mesh(
        (points[:, None] + ring).reshape(-1, 3),
        (fan + 6 * np.arange(len(points))[:, None, None]).reshape(-1, 3),
        normals=np.repeat(normals, 6, axis=0),
        colours=np.repeat(colours, 6, axis=0),
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
    background: tuple[int, int, int] = (255, 255, 255),
    text: tuple[int, int, int] = (60, 60, 64),
) -> UInt8[np.ndarray, "height width 3"]:
    """Pictures (uint8 [h, w, 3 or 4]) in rows of `columns`, each centred in its cell, with its label below."""
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


def _camera_axes(azimuth: float, elevation: float, up: Up) -> np.ndarray:
    """Rows: right, up and towards the viewer, in the vertices' coordinates."""
    right, above, front = np.array(UP_AXES[up], np.float64)
    a, e = np.radians(azimuth), np.radians(elevation)
    outward = np.cos(a) * front + np.sin(a) * right
    towards = np.cos(e) * outward + np.sin(e) * above
    side = np.cos(a) * right - np.sin(a) * front
    return np.stack([side, np.cross(towards, side), towards])


def _project(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Camera coordinates [V, 3] of the unit ball to (x, y, inverse depth): the ball touches the edges of the shorter side."""
    depth = VIEWER - points[:, 2]
    inverse = np.where(depth > 1e-3, 1 / np.maximum(depth, 1e-3), -1.0)
    focal = min(height, width) / 2 / np.tan(np.radians(FIELD_OF_VIEW / 2))
    return np.stack(
        [width / 2 + focal * points[:, 0] * inverse, height / 2 - focal * points[:, 1] * inverse, inverse],
        axis=1,
    )


def _filling(screen: np.ndarray, used: np.ndarray, height: int, width: int) -> np.ndarray:
    """Screen positions moved and enlarged so that the vertices `used` fill the picture up to a margin."""
    seen = screen[used, :2]
    low, high = seen.min(axis=0, initial=np.inf), seen.max(axis=0, initial=-np.inf)
    if not np.all(high > low):
        return screen
    frame = np.array([width, height])
    scale = (1 - 2 * MARGIN) * np.min(frame / (high - low))
    return np.concatenate([(screen[:, :2] - (low + high) / 2) * scale + frame / 2, screen[:, 2:]], axis=1)


def _shade(samples: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Light [N, 3], linear, of samples (normal in camera axes, linear colour): a key light, a headlight and a sky over a warm ground."""
    normal, colour = samples[:, :3], samples[:, 3:]
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    normal = np.where(behind[:, None], -normal, normal)
    key = np.maximum(normal @ np.array([-0.48, 0.62, 0.62], np.float32), 0)
    sky = (normal[:, 1:2] + 1) / 2
    around = sky * np.array([0.35, 0.37, 0.41], np.float32) + (1 - sky) * np.array(
        [0.13, 0.115, 0.10], np.float32
    )
    diffuse = around + (0.72 * key + 0.12 * np.maximum(normal[:, 2], 0))[:, None]
    gloss = 0.05 * np.maximum(normal @ np.array([-0.27, 0.34, 0.90], np.float32), 0) ** 40
    return np.where(behind[:, None], colour * _BACK, colour) * diffuse + gloss[:, None]


def _hollows(depth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A factor [H, W] that darkens what lies behind its surroundings: unsharp masking of the depth (Luft et al. 2006)."""
    seen = weight > 0
    far = depth[seen].max() if seen.any() else 0.0
    depth = np.where(seen, depth, far)
    factor = np.ones_like(depth)
    for share, strength in ((0.008, 6.0), (0.035, 2.2)):
        width = max(round(share * min(depth.shape)), 1)
        around = ndimage.uniform_filter(ndimage.uniform_filter(depth, 2 * width + 1), 2 * width + 1)
        factor *= 1 - np.clip(strength * (depth - around), 0, 0.5)
    return factor


def _pool(samples: np.ndarray, size: int) -> np.ndarray:
    """Means over size x size blocks of [H, W, ...]."""
    height, width = samples.shape[0] // size, samples.shape[1] // size
    return samples.reshape(height, size, width, size, *samples.shape[2:]).mean(axis=(1, 3))


def _linear(colours: np.ndarray) -> np.ndarray:
    """Linear light of sRGB bytes (IEC 61966-2-1)."""
    table = np.arange(256) / 255
    table = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    return table[colours].astype(np.float32)


def _displayed(light: np.ndarray) -> np.ndarray:
    """sRGB in [0, 1] of linear light (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
