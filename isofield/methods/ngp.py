"""A radiance field that trains in a minute: hash grid, occupancy grid, small networks.

Mueller et al. 2022, "Instant Neural Graphics Primitives with a Multiresolution Hash Encoding". A point's
features come from grids of trainable vectors; a small network makes density and codes of them, another the
colour of codes and direction. Rays are sampled only where an occupancy grid says that there may be
something, and a step takes as many rays as fill a fixed number of samples. Where two CPU cores ask for
other numbers than a GPU, docs/methods/ngp.md says why.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..data.hull import visual_hull
from ..data.pixels import CountedPixels, watched_pixels
from ..data.samples import WHOLE, Share, generator
from ..data.scene import Scene
from ..kernels import hashgrid, radiance
from ..kernels.adam import Adam
from ..kernels.march import Steps, march, place, step_of_t, t_of_step
from ..kernels.mlp import layers, mlp
from ..networks.hash_grid import HashGrid
from ..rendering.cameras import Cameras
from ..rendering.forward_facing import ForwardFacing
from ..rendering.occupancy import OccupancyGrid, unseen_cells
from ..rendering.rays import Rays
from ..rendering.volume import Rendered
from ..runtime.errors import InputError
from ..runtime.settings import check_settings
from ..training.method import Player, Views
from .choice import QUALITIES, Quality

__all__ = ["NGP", "Config", "RadianceField"]

CODES = 16  # outputs of the density network; the first is the logarithm of the density
UNIT = 7.0  # density at the start, for each edge of the inner cube
CHUNK = 16_384  # rays that are rendered together
WATCHED = 4096  # pixels that the metric looks at while training
LOOKED_AT = 1 << 17  # cells at most, at an update of the occupancy grid
FOLLOWED = 1 << 10  # rays whose samples are counted
LARGEST = 8  # times as large as at first is a step at the most
HULL_CELLS = 64  # along an axis, of the grid in which cells are left out for good


@dataclass(frozen=True)
class Config:
    """Settings of `ngp`."""

    levels: int = 8
    """number of grids"""
    coarsest: int = 16
    """cells along an axis of the coarsest grid"""
    finest: int | None = None
    """cells along an axis of the finest grid (default: from the size of the pictures)"""
    log2_table: int | None = None
    """2^this vectors at most a grid (default: from the size of the pictures)"""
    hidden: int = 32
    """units of the hidden layer of the density's network"""
    bright: int = 32
    """units of each of the two hidden layers of the colour's network"""
    samples: int = 32_768
    """samples in a step, at first"""
    growth: int | None = None
    """steps in which a step grows by as many samples; it ends eight times as large (default: from the size of
    the pictures)"""
    learning_rate: float = 3e-2
    """of the grids, at the start"""
    network_rate: float = 1e-2
    """of the networks, at the start"""
    final: float = 0.03
    """factor on both learning rates at the end of the budget"""
    steady: float = 0.3
    """share of the budget before they begin to fall"""
    rays_per_pixel: int | None = None
    """rays whose mean is a pixel, a square number (default: 4 where pixels are large, else 1)"""
    single: float = 0.6
    """share of the budget, at first, in which a pixel is one ray through its centre"""
    cells: int | None = None
    """cells along an axis of the occupancy grid, a multiple of 4 (default: from the size of the pictures)"""
    steps_across: int | None = None
    """samples along a diagonal of the inner cube (default: from the size of the pictures)"""
    decay: float = 0.6
    """factor on what the occupancy grid remembers, at each of its updates"""
    cascades: int | None = None
    """cubes around each other, each twice the last; 1 for a bounded scene (default: from the data)"""
    lower: tuple[float, float, float] | None = None
    """lower corner of the inner cube, world (default: from the data)"""
    side: float | None = None
    """edge of the inner cube, world (default: from the data)"""
    box: tuple[float, ...] | None = None
    """lower and upper corner of a forward-facing scene, world (default: from the data)"""
    frame: tuple[float, ...] | None = None
    """of a forward-facing scene: a similarity from the world to the average camera's axes, 3 x 4, row by row
    (default: from the data)"""
    ndc: tuple[float, ...] | None = None
    """normalised device coordinates, in which the cube lies, of pictures of this width, height, focal length
    (default: for forward-facing scenes)"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=(
                "levels", "coarsest", "finest", "log2_table", "hidden", "bright", "samples", "learning_rate",
                "network_rate", "final", "growth", "rays_per_pixel", "cells", "steps_across", "cascades",
                "side",
            ),
            shares=("decay", "steady", "single"),
        )  # fmt: skip
        if math.isqrt(self.group) ** 2 != self.group or self.group > 64:
            raise InputError(
                f"must be a square number up to 64, not {self.group}", "--rays-per-pixel", "Take 1, 4 or 9."
            )
        if self.cells is not None and self.cells % 4:
            raise InputError(f"must be a multiple of 4, not {self.cells}", "--cells", "Take 64 or 128.")

    def at(self, quality: Quality) -> "Config":
        """These settings: the quality is bought with steps alone."""
        return self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return 4000 * quality.steps // QUALITIES["standard"].steps

    def for_data(self, scene: Scene) -> "Config":
        """These settings for a scene: the cube it lies in, and grids as fine as its pixels."""
        if scene.forward_facing:
            return self._filled(_forward_settings(scene))
        lower, upper = np.array(scene.box.lower), np.array(scene.box.upper)
        side = float((upper - lower).max())
        lower = (lower + upper - side) / 2
        if scene.has_alpha:
            places = np.argwhere(_possible(scene, lower, side, HULL_CELLS, 1)[0])[:, ::-1] * side / HULL_CELLS
            if len(places):
                first, last = places.min(0), places.max(0) + side / HULL_CELLS
                side = float((last - first).max())
                lower = lower + (first + last - side) / 2
        cameras = scene.cameras[scene.train]
        distance = np.linalg.norm(cameras.centres - lower - side / 2, axis=1)
        pixels = float(np.median(side * cameras.intrinsics[:, :2].max(1) / np.maximum(distance, side / 2)))
        return self._filled(
            {
                **_sizes(pixels),
                "cascades": 3 if scene.unbounded else 1,
                "lower": tuple(lower.tolist()),
                "side": side,
            }
        )

    def _filled(self, found: dict[str, Any]) -> "Config":
        return replace(self, **{name: value for name, value in found.items() if getattr(self, name) is None})

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Features, units of the density's network, codes, units of the colour's network."""
        return 2 * self.levels, self.hidden, CODES, self.bright

    @property
    def forward(self) -> ForwardFacing | None:
        """The coordinates that the cube lies in, where they are not the world's."""
        return None if self.ndc is None else ForwardFacing(self.frame or (), self.ndc)

    @property
    def group(self) -> int:
        """Rays whose mean is a pixel."""
        return self.rays_per_pixel or 1

    def samples_at(self, step: int) -> int:
        """Samples in a step."""
        return int(self.samples * min(1 + step / (self.growth or 2000), LARGEST))

    @property
    def along(self) -> Steps:
        """Where on a ray samples may lie."""
        least = math.sqrt(3) / (self.steps_across or 256)
        cascades, cells = self.cascades or 1, self.cells or 64
        return Steps(least, 0.0 if cascades == 1 else 1 / 256, 2 ** (cascades - 1) / cells)


def _sizes(pixels: float) -> dict[str, int]:
    """How fine the grids are for a cube that is so many pixels wide."""
    return {
        "finest": int(min(max(4.7 * pixels, 256), 512) if pixels < 150 else min(1.75 * pixels, 2048)),
        "log2_table": 17 if pixels < 150 else 18 if pixels < 450 else 19,
        "cells": 64 if pixels < 150 else 128,
        "steps_across": 192 if pixels < 150 else 512,
        "rays_per_pixel": 4 if pixels < 150 else 1,
        "growth": 2000 if pixels < 450 else 1000,
    }


def _possible(scene: Scene, lower: np.ndarray, side: float, cells: int, cascades: int) -> np.ndarray:
    """Cells [cascades, z, y, x] that a camera sees and that no silhouette shows to be empty; looked at in a
    grid of HULL_CELLS where that divides theirs."""
    times = 1 if cells % HULL_CELLS else cells // HULL_CELLS
    possible = ~unseen_cells(scene.cameras[scene.train], lower, side, cells // times, cascades)
    if scene.has_alpha and cascades == 1:
        possible &= visual_hull(scene, lower, side, cells // times)
    for axis in (1, 2, 3):
        possible = possible.repeat(times, axis)
    return possible


def _forward_settings(scene: Scene) -> dict[str, Any]:
    """For a forward-facing scene: the cube holds all that the pictures' corners see, from the near plane
    on."""
    forward = ForwardFacing.of(scene.cameras, scene.near)
    numbers = np.arange(len(scene.cameras)).repeat(4)
    corners = np.tile([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], (len(scene.cameras), 1))
    rays = forward.rays(scene.cameras.rays(numbers, corners * scene.cameras.sizes[numbers]))
    seen = torch.cat([rays.origins, rays.origins + rays.directions]).double()[:, :2].abs().amax().item()
    side = max(2 * seen, 2.0)
    return {
        "finest": 512, "log2_table": 17, "cells": 128, "steps_across": 256, "rays_per_pixel": 1,
        "growth": 2000, "cascades": 1, "lower": (-side / 2, -side / 2, -1.0),
        "side": side, "frame": forward.frame, "ndc": forward.picture,
        "box": (*scene.box.lower, *scene.box.upper),
    }  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Pixels [P] and their rays [P * rays per pixel], in the coordinates of the grid: the inner cube is
    [0, 1]^3. views: unit directions in the world. target: premultiplied colour and alpha."""

    rays: Rays
    views: Float[Tensor, "rays 3"]
    jitter: Float[Tensor, " rays"]
    target: Float[Tensor, "pixels 4"]
    background: Float[Tensor, "pixels 3"]


class RadianceField(nn.Module):
    """The trainable part, and the occupancy grid."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = self.config = config
        self.grid = HashGrid(c.levels, c.coarsest, c.finest or 256, c.log2_table or 17)
        sizes = radiance.network_sizes(c.widths)
        self.dense, self.light = (nn.Parameter(torch.zeros(size)) for size in sizes)
        lit = CODES + radiance.HARMONICS
        with torch.no_grad():
            for flat, widths in ((self.dense, c.widths[:3]), (self.light, (lit, c.bright, c.bright, 3))):
                for number, (weights, _) in enumerate(layers(flat, widths), 2):
                    bound = math.sqrt((3 if number == len(widths) else 6) / weights.shape[1])
                    weights.uniform_(-bound, bound)
        self.occupancy = OccupancyGrid(c.cells or 64, c.cascades or 1)
        self.words: Tensor  # the occupied cells, as the march takes them
        self.samples_a_ray: Tensor  # of late
        self.register_buffer("words", torch.from_numpy(self.occupancy.words().view(np.int64)))
        self.register_buffer("samples_a_ray", torch.tensor(0.25 * (c.steps_across or 256)))

    @torch.no_grad()
    def density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """For each edge of the inner cube, at points of [0, 1]^3 of the outermost cascade."""
        features = hashgrid.encode(points, self.grid.table, self.grid.levels)
        codes = mlp(features, self.dense, self.config.widths[:3])
        return UNIT * codes[:, 0].reshape(-1)[: len(points)].clamp(-15, 15).exp()

    @torch.no_grad()
    def look_for_empty_cells(self, rng: np.random.Generator, most: int) -> None:
        """Look at one random point in each of at most so many cells."""
        cells, points = self.occupancy.cells_to_sample(rng, most)
        outermost = 2.0 ** (1 - (self.config.cascades or 1))
        unit = (torch.from_numpy(points) - 0.5) * outermost + 0.5
        density = torch.cat([self.density(part) for part in unit.split(1 << 17)])
        possible = max(int((self.occupancy.values >= 0).sum()), 1)
        decay = self.config.decay ** min(len(cells) / possible, 1.0)
        self.occupancy.update(cells, density * self.config.along.least, decay)
        self.words.copy_(torch.from_numpy(self.occupancy.words().view(np.int64)))


class NGP:
    """One player, one product: the views."""

    def __init__(self, config: Config) -> None:
        c = self.config = config
        self.field = RadianceField(c)
        rate = _steady_then_falling(c.steady, c.final)
        self.players = {"field": Player(self.field, _optimiser(self.field, c), rate)}

    def prepare(self, data: Scene, seed: int, share: Share = WHOLE) -> None:
        """Take the photographs, and leave out what their silhouettes show to be empty."""
        c, self._scene, self._seed, self._share = self.config, data, seed, share
        lower, side = self._cube
        cells, values = c.cells or 64, self.field.occupancy.values
        if c.ndc is None:
            values[torch.from_numpy(~_possible(data, lower, side, cells, c.cascades or 1))] = -1
        else:  # nothing is beyond infinity
            values[0, math.ceil((1 - lower[2]) / side * cells) :] = -1
        self._counted = CountedPixels(data, data.train)
        self._held_out, watched = watched_pixels(data, self._counted)
        numbers = generator(seed, 0, "watched").integers(len(watched), size=WATCHED)
        self._watched = self._pixels(*watched.at(numbers), c.group)

    @property
    def _cube(self) -> tuple[np.ndarray, float]:
        """Lower corner and edge of the inner cube, world."""
        return np.array(self.config.lower or (-1.5, -1.5, -1.5)), self.config.side or 3.0

    def before_step(self, step: int) -> None:
        """Bring the occupancy grid up to date, now and then, and with it how many samples a ray has: by rays
        that all processes draw alike."""
        if step % 16 == 0 or (step < 64 and step % 8 == 0):
            rng = generator(self._seed, step, "cells")
            self.field.look_for_empty_cells(rng, LOOKED_AT)
            few = self._counted.at(rng.integers(len(self._counted), size=FOLLOWED))
            seen = self._pixels(*few, 1, rng)
            places, _ = self._marched(seen.rays, seen.jitter)
            self.field.samples_a_ray.fill_(len(places) / FOLLOWED)

    def batch(self, player: str, step: int, progress: float) -> Seen:
        """Random pixels of all training pictures, as many as fill the samples of a step."""
        c = self.config
        rng = generator(self._seed, step, "pixels", self._share)
        group = 1 if progress < c.single else c.group
        most = c.samples_at(step) // group
        pixels = self._share.of(int(min(most / max(self.field.samples_a_ray.item(), 0.5), most)))
        return self._pixels(*self._counted.at(rng.integers(len(self._counted), size=pixels)), group, rng)

    def _pixels(
        self, frames: np.ndarray, numbers: np.ndarray, group: int, rng: np.random.Generator | None = None
    ) -> Seen:
        """Pixels of pictures, `group` rays for each, spread over it. With random numbers they lie anywhere in
        their parts of the pixel (a single ray: in its middle), and the background has random colours where
        nothing of it is to be learnt. Else it is white behind pictures with alpha, and black."""
        cameras, photographs = self._scene.cameras, self._scene.photographs
        y, x = np.divmod(numbers, cameras.sizes[frames, 0])
        within = rng.random((len(frames) * group, 2), np.float32) if rng is not None and group > 1 else 0.5
        outside = _through(cameras, frames, np.column_stack([x, y]), group, within)
        rays = self._inside(outside)
        pixels = photographs.pixels[photographs.starts[frames] + numbers]
        target = np.ones((len(pixels), 4), np.float32)
        target[:, : pixels.shape[1]] = pixels / np.float32(255)
        shape, scene = (len(pixels), 3), self._scene
        empty_is_black = not (scene.has_alpha or scene.unbounded or scene.forward_facing)
        if rng is None or empty_is_black:
            background = np.full(shape, scene.has_alpha, np.float32)
        else:
            background = rng.random(shape, np.float32)
        jitter = rng.random(len(rays), np.float32) if rng is not None else np.full(len(rays), 0.5, np.float32)
        return Seen(rays, outside.directions, *(torch.from_numpy(a) for a in (jitter, target, background)))

    def _inside(self, rays: Rays) -> Rays:
        """Rays of the world in the coordinates of the grid, of unit length there."""
        lower, side = self._cube
        if self.config.forward is not None:
            rays = self.config.forward.rays(rays)
            rays = Rays(rays.origins, nn.functional.normalize(rays.directions, dim=1))
        corner = torch.from_numpy(lower.astype(np.float32))
        return Rays((rays.origins - corner) / side, rays.directions)

    def _sampled(
        self, rays: Rays, jitter: Float[Tensor, " rays"]
    ) -> tuple[Tensor, np.ndarray, np.ndarray, np.ndarray]:
        """Features, places and lengths of the samples, and where those of each ray start."""
        along = self.config.along
        places, starts = self._marched(rays, jitter)
        points = place(rays.origins, rays.directions, places, starts, self.config.cascades or 1)
        features = hashgrid.encode(points, self.field.grid.table, self.field.grid.levels)
        if along.cone == 0:
            return features, places, np.full(len(places), along.least, np.float32), starts
        lengths = t_of_step(step_of_t(places, along) + 1, along) - places
        return features, places, lengths.astype(np.float32), starts

    def _marched(self, rays: Rays, jitter: Float[Tensor, " rays"]) -> tuple[np.ndarray, np.ndarray]:
        """Places of the samples, and where those of each ray start."""
        words, most = self.field.words.numpy().view(np.uint64), radiance.ROOM // self.config.group
        return march(rays.origins, rays.directions, jitter, words, self.config.along, most=most)

    def loss(self, player: str, batch: Seen, progress: float) -> dict[str, Tensor]:
        """Mean squared error over pixels and channels, in front of a background of random colours."""
        field = self.field
        features, _, lengths, starts = self._sampled(batch.rays, batch.jitter)
        error = radiance.squared_error(
            features, field.dense, field.light, batch.views, starts, lengths, batch.target, batch.background,
            self.config.widths, UNIT,
        )  # fmt: skip
        return {"squared_error": error}

    @torch.no_grad()
    def metric(self) -> tuple[str, float]:
        """Peak signal-to-noise ratio in dB on pixels of views kept apart; where there are none, of those
        learnt."""
        seen, group = self._watched, self.config.group
        looked = self._look(seen.rays, seen.views).view(-1, group, 5).mean(1)
        colour, opacity = looked[:, :3], looked[:, 3:4]
        error = colour + seen.target[:, 3:] - opacity - seen.target[:, :3]
        mean = max(error.square().double().mean().item(), 1e-12)
        return "psnr_held_out_db" if self._held_out else "psnr_db", -10 * math.log10(mean)

    def products(self) -> dict[str, Views]:
        """The views, in the world of the scene."""
        lower, side = self._cube
        grown = (2 ** ((self.config.cascades or 1) - 1) - 1) / 2 * side
        low, high = np.split(np.array(self.config.box or (*lower - grown, *lower + side + grown)), 2)
        return {
            "views": Views(self._render, self._density, self._colour, tuple(low), tuple(high), self._rays)
        }

    @torch.no_grad()
    def _look(self, rays: Rays, views: Float[Tensor, "rays 3"]) -> Float[Tensor, "rays 5"]:
        """Colour, opacity, distance in the coordinates of the grid."""
        field, seen = self.field, []
        for part in torch.arange(len(rays)).split(CHUNK):
            some = rays[part]
            features, places, lengths, starts = self._sampled(some, torch.full((len(some),), 0.5))
            found = radiance.look(
                features, field.dense, field.light, views[part], starts, places, lengths, self.config.widths,
                UNIT,
            )  # fmt: skip
            seen.append(found)
        return torch.cat(seen) if seen else torch.zeros(0, 5)

    def _rays(
        self, cameras: Cameras, numbers: int | Int[np.ndarray, " rays"], pixels: Int[np.ndarray, "rays 2"]
    ) -> Rays:
        """The rays of pixels, as many for each as in training."""
        numbers = np.broadcast_to(np.asarray(numbers), (len(pixels),))
        return _through(cameras, numbers, pixels, self.config.group)

    def _render(self, rays: Rays) -> Rendered:
        seen = self._look(self._inside(rays), rays.directions)
        distance, forward = seen[:, 4] * self._cube[1], self.config.forward
        if forward is not None:
            seen = torch.where(forward.ahead(rays)[:, None], seen, 0)
            longest = forward.rays(rays).directions.norm(dim=1)
            mean = distance / seen[:, 3].clamp(min=1e-6)  # in even disparity, as the samples lie
            distance = (forward.distances(rays, mean / longest) * seen[:, 3]).nan_to_num(0)
        return Rendered(seen[:, :3], seen[:, 3], distance)

    def _located(self, points: Float[Tensor, "points 3"]) -> tuple[Tensor, Tensor]:
        """Points of the world in [0, 1]^3 of the outermost cascade, and by how much lengths grow from
        there to the inner cube's edges."""
        lower, side = self._cube
        growth = torch.full_like(points[:, 0], 1 / side)
        if self.config.forward is not None:
            points, grown = self.config.forward.points(points)
            growth = growth * grown
        inner = (points - torch.from_numpy(lower.astype(np.float32))) / side
        return (inner - 0.5) * 2.0 ** (1 - (self.config.cascades or 1)) + 0.5, growth

    def _density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """0 in empty cells: what the networks say there was never asked for."""
        unit, growth = self._located(points)
        density = torch.zeros_like(growth)
        for part in self.field.occupancy.holding(unit).nonzero()[:, 0].split(1 << 17):
            density[part] = self.field.density(unit[part]) * growth[part]
        return density

    def _colour(self, points: Float[Tensor, "points 3"], directions: Float[Tensor, "points 3"]) -> Tensor:
        """Of a point alone: what a ray sees that has one opaque sample there."""
        field, unit = self.field, self._located(points)[0]
        starts, far = np.arange(len(points) + 1), np.full(len(points), 1e9, np.float32)
        with torch.no_grad():
            features = hashgrid.encode(unit.clamp(0, 1), field.grid.table, field.grid.levels)
            return radiance.look(
                features, field.dense, field.light, directions, starts, far, far, self.config.widths, UNIT
            )[:, :3]  # fmt: skip


def _through(
    cameras: Cameras,
    numbers: Int[np.ndarray, " pixels"],
    pixels: Int[np.ndarray, "pixels 2"],
    group: int,
    within: float | Float[np.ndarray, "rays 2"] = 0.5,
) -> Rays:
    """`group` rays for each pixel (column, row), one through each of its parts. within: where, in [0, 1)."""
    across = math.isqrt(group)
    row, column = np.divmod(np.tile(np.arange(group), len(pixels)), across)
    places = pixels.repeat(group, 0) + (np.column_stack([column, row]) + within) / across
    return cameras.rays(numbers.repeat(group), places)


def _optimiser(field: RadianceField, c: Config) -> Adam:
    """Adam with the published constants, the networks slower than the grids."""
    adam = Adam([field.grid.table], c.learning_rate)
    networks = Adam([field.dense, field.light], c.network_rate)
    adam.param_groups += networks.param_groups
    return adam


def _steady_then_falling(steady: float, final: float):
    """1 for a share of the budget, then exponentially down to `final`."""
    return lambda progress: final ** (max(progress - steady, 0.0) / max(1 - steady, 1e-9))
