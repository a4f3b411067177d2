"""A radiance field that trains in a minute: hash grid, occupancy grid, small networks.

Mueller et al. 2022, "Instant Neural Graphics Primitives with a Multiresolution Hash Encoding". A point's features come
from grids of trainable vectors; a small network makes density and codes of them, another the colour of codes and
direction. Rays are sampled only where an occupancy grid says that there may be something, and a step takes as many rays
as fill a fixed number of samples. Where two CPU cores ask for other numbers than a GPU, docs/methods/ngp.md says why.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..data.hull import visual_hull
from ..data.samples import WHOLE, Share, generator
from ..data.scene import Scene
from ..kernels import hashgrid, radiance
from ..kernels.adam import Adam
from ..kernels.march import Steps, march, pack_cells, place, step_of_t, t_of_step
from ..kernels.mlp import layers, mlp
from ..networks.hash_grid import HashGrid
from ..rendering.rays import Rays
from ..rendering.volume import Rendered
from ..runtime.settings import check_settings
from ..training.method import Player, Views
from .choice import QUALITIES, Quality

__all__ = ["NGP", "Config", "RadianceField"]

CODES = 16  # outputs of the density network; the first is the logarithm of the density
UNIT = 7.0  # density at the start, for each edge of the inner cube
CHUNK = 16_384  # rays that are rendered together
WATCHED = 4096  # pixels that the metric looks at while training
HULL_CELLS = 64


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
    """samples in a step"""
    learning_rate: float = 3e-2
    """of the grids, at the start"""
    network_rate: float = 5e-3
    """of the networks, at the start"""
    final: float = 0.03
    """factor on both learning rates at the end of the budget"""
    steady: float = 0.3
    """share of the budget before they begin to fall"""
    rays_per_pixel: int = 1
    """rays whose mean is a pixel; more than 1 for pictures that were reduced: a square number"""
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
    white: bool | None = None
    """whether what is transparent is shown white (default: where pictures have alpha)"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=(
                "levels", "coarsest", "finest", "log2_table", "hidden", "bright", "samples", "learning_rate",
                "network_rate", "final", "rays_per_pixel", "cells", "steps_across", "cascades", "side",
            ),
            shares=("decay", "steady"),
        )  # fmt: skip

    def at(self, quality: Quality) -> "Config":
        """These settings: the quality is bought with steps alone."""
        return self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return 4000 * quality.steps // QUALITIES["standard"].steps

    def for_data(self, scene: Scene) -> "Config":
        """These settings for a scene: the cube it lies in, and grids as fine as its pixels."""
        lower, upper = np.array(scene.box.lower), np.array(scene.box.upper)
        side = float((upper - lower).max())
        lower = (lower + upper - side) / 2
        if scene.has_alpha:
            places = np.argwhere(visual_hull(scene, lower, side, HULL_CELLS))[:, ::-1] * side / HULL_CELLS
            if len(places):
                first, last = places.min(0), places.max(0) + side / HULL_CELLS
                side = float((last - first).max())
                lower = lower + (first + last - side) / 2
        cameras = scene.cameras[scene.train]
        distance = np.linalg.norm(cameras.centres - lower - side / 2, axis=1)
        pixels = float(np.median(side * cameras.intrinsics[:, :2].max(1) / np.maximum(distance, side / 2)))
        found = {
            "finest": int(max(2.5 * pixels, 256)) if pixels < 200 else int(min(1.6 * pixels, 2048)),
            "log2_table": 17 if pixels < 150 else 18 if pixels < 450 else 19,
            "cells": 64 if pixels < 150 else 128,
            "steps_across": 256 if pixels < 150 else 512,
            "cascades": 3 if scene.unbounded else 1,
            "lower": tuple(lower.tolist()),
            "side": side,
            "white": scene.has_alpha,
        }
        return replace(self, **{name: value for name, value in found.items() if getattr(self, name) is None})

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Features, units of the density's network, codes, units of the colour's network."""
        return 2 * self.levels, self.hidden, CODES, self.bright

    @property
    def along(self) -> Steps:
        """Where on a ray samples may lie."""
        least = math.sqrt(3) / (self.steps_across or 256)
        cascades, cells = self.cascades or 1, self.cells or 64
        return Steps(least, 0.0 if cascades == 1 else 1 / 256, 2 ** (cascades - 1) / cells)


@dataclass(frozen=True)
class Seen:
    """Pixels [P] and their rays [P * rays per pixel], in the coordinates of the grid: the inner cube is
    [0, 1]^3. target: premultiplied colour and alpha."""

    rays: Rays
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
                for weights, _ in layers(flat, widths):
                    bound = math.sqrt((3 if len(weights) == widths[-1] else 6) / weights.shape[1])
                    weights.uniform_(-bound, bound)
        cells, cascades = c.cells or 64, c.cascades or 1
        self.thickness: Tensor  # optical, of one shortest step: the largest seen of late; -1: nothing can be there
        self.words: Tensor  # which cells are marched through, 64 in a word
        self.samples_a_ray: Tensor  # of late
        self.register_buffer("thickness", torch.zeros(cascades, cells, cells, cells))
        self.register_buffer("words", torch.full((cascades, cells**3 // 64), -1))
        self.register_buffer("samples_a_ray", torch.tensor(0.25 * (c.steps_across or 256)))

    @torch.no_grad()
    def density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """For each edge of the inner cube, at points of [0, 1]^3 of the outermost cascade."""
        features = hashgrid.encode(points, self.grid.table, self.grid.levels)
        codes = mlp(features, self.dense, self.config.widths[:3])
        return UNIT * codes[:, 0].reshape(-1)[: len(points)].clamp(-15, 15).exp()

    @torch.no_grad()
    def look_for_empty_cells(self, rng: np.random.Generator, thorough: bool) -> None:
        """Look at one random point in cells: in all that can hold something where `thorough`, else in those
        that are occupied and in an eighth of the others."""
        c = self.config
        values = self.thickness.view(-1).numpy()
        cascades, cells = self.thickness.shape[:2]
        asked = np.flatnonzero(values >= 0)
        if not thorough:
            asked = asked[(values[asked] > self._threshold()) | (rng.random(len(asked), np.float32) < 0.125)]
        cascade, rest = np.divmod(asked, cells**3)
        corner = np.stack([rest % cells, rest // cells % cells, rest // cells**2], axis=1).astype(np.float32)
        inner = (corner + rng.random(corner.shape, np.float32)) / np.float32(cells) - np.float32(0.5)
        points = inner * (2.0 ** (cascade - cascades + 1)).astype(np.float32)[:, None] + np.float32(0.5)
        found = [self.density(part) for part in torch.from_numpy(points).split(1 << 17)]
        new = torch.cat(found).numpy() * np.float32(c.along.least)
        values[values > 0] *= np.float32(c.decay)
        values[asked] = np.maximum(values[asked], new)
        self.words.copy_(torch.from_numpy(pack_cells(self._occupied()).view(np.int64)))

    def _threshold(self) -> float:
        return min(0.01, float(self.thickness[0].clamp(min=0).mean()))

    def _occupied(self) -> np.ndarray:
        occupied = (self.thickness > self._threshold()).numpy()
        cells = occupied.shape[1]
        quarter = slice(cells // 4, cells - cells // 4)
        for finer, coarser in zip(occupied, occupied[1:]):  # a coarse cell is occupied where a finer one in it is
            blocks = finer.reshape(cells // 2, 2, cells // 2, 2, cells // 2, 2).any((1, 3, 5))
            coarser[quarter, quarter, quarter] |= blocks
        return occupied


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
        counts = np.diff(data.photographs.starts)
        self._ends = counts[data.train].cumsum()
        if data.has_alpha and c.cascades == 1:
            lower, side = self._cube
            hull = visual_hull(data, lower, side, HULL_CELLS)
            times = (c.cells or 64) // HULL_CELLS
            hull = hull.repeat(times, 0).repeat(times, 1).repeat(times, 2)
            self.field.thickness[0][torch.from_numpy(~hull)] = -1
        test = data.test[counts[data.test] > 0]
        self._held_out, watched = len(test) > 0, test if len(test) else data.train
        rng = generator(seed, 0, "watched")
        frames = rng.choice(watched, WATCHED)
        self._watched = self._pixels(frames, rng.integers(counts[frames]), None)

    @property
    def _cube(self) -> tuple[np.ndarray, float]:
        """Lower corner and edge of the inner cube, world."""
        return np.array(self.config.lower or (-1.5, -1.5, -1.5)), self.config.side or 3.0

    def batch(self, player: str, step: int, progress: float) -> Seen:
        """Random pixels of all training pictures, as many as fill the samples of a step; the occupancy grid is
        brought up to date first."""
        c = self.config
        if step % 16 == 0 or (step < 64 and step % 8 == 0):
            self.field.look_for_empty_cells(generator(self._seed, step, "cells"), step < 256)
        rng = generator(self._seed, step, "pixels", self._share)
        most = c.samples // c.rays_per_pixel
        pixels = self._share.of(int(min(most / max(self.field.samples_a_ray.item(), 0.5), most)))
        places = rng.integers(self._ends[-1], size=pixels)
        which = np.searchsorted(self._ends, places, side="right")
        frames, numbers = self._scene.train[which], places - np.concatenate([[0], self._ends])[which]
        counted = self._scene.photographs.counted
        if counted is not None:
            kept = counted[self._scene.photographs.starts[frames] + numbers]
            frames, numbers = frames[kept], numbers[kept]
        return self._pixels(frames, numbers, rng)

    def _pixels(self, frames: np.ndarray, numbers: np.ndarray, rng: np.random.Generator | None) -> Seen:
        """Pixels of pictures. Without random numbers rays pass their middle, and the background is white."""
        cameras, photographs, c = self._scene.cameras, self._scene.photographs, self.config
        y, x = np.divmod(numbers, cameras.sizes[frames, 0])
        across = math.isqrt(c.rays_per_pixel)
        row, column = np.divmod(np.tile(np.arange(c.rays_per_pixel), len(frames)), across)
        within = rng.random((len(row), 2), np.float32) if rng is not None and across > 1 else 0.5
        places = np.column_stack([x, y]).repeat(c.rays_per_pixel, 0)
        places = places + (np.column_stack([column, row]) + within) / across
        rays = self._inside(cameras.rays(frames.repeat(c.rays_per_pixel), places))
        pixels = photographs.pixels[photographs.starts[frames] + numbers]
        target = np.ones((len(pixels), 4), np.float32)
        target[:, : pixels.shape[1]] = pixels / np.float32(255)
        shape = (len(pixels), 3)
        background = rng.random(shape, np.float32) if rng is not None else np.ones(shape, np.float32)
        jitter = rng.random(len(rays), np.float32) if rng is not None else np.full(len(rays), 0.5, np.float32)
        return Seen(rays, *(torch.from_numpy(a) for a in (jitter, target, background)))

    def _inside(self, rays: Rays) -> Rays:
        """Rays of the world in the coordinates of the grid."""
        lower, side = self._cube
        corner = torch.from_numpy(lower.astype(np.float32))
        return Rays((rays.origins - corner) / side, rays.directions)

    def _sampled(self, rays: Rays, jitter: Float[Tensor, " rays"]) -> tuple[Tensor, np.ndarray, np.ndarray, np.ndarray]:
        """Features, places and lengths of the samples, and where those of each ray start."""
        c, along = self.config, self.config.along
        words = self.field.words.numpy().view(np.uint64)
        most = radiance.ROOM // c.rays_per_pixel
        places, starts = march(rays.origins, rays.directions, jitter, words, along, most=most)
        points = place(rays.origins, rays.directions, places, starts, c.cascades or 1)
        features = hashgrid.encode(points, self.field.grid.table, self.field.grid.levels)
        if along.cone == 0:
            return features, places, np.full(len(places), along.least, np.float32), starts
        lengths = t_of_step(step_of_t(places, along) + 1, along) - places
        return features, places, lengths.astype(np.float32), starts

    def loss(self, player: str, batch: Seen, progress: float) -> dict[str, Tensor]:
        """Mean squared error over pixels and channels, in front of a background of random colours."""
        rays, field = batch.rays, self.field
        features, _, lengths, starts = self._sampled(rays, batch.jitter)
        field.samples_a_ray.mul_(0.9).add_(0.1 * len(lengths) / max(len(rays), 1))
        error = radiance.squared_error(
            features, field.dense, field.light, rays.directions, starts, lengths, batch.target, batch.background,
            self.config.widths, UNIT,
        )  # fmt: skip
        return {"squared_error": error}

    @torch.no_grad()
    def metric(self) -> tuple[str, float]:
        """Peak signal-to-noise ratio in dB on pixels of views kept apart; where there are none, of those
        learnt."""
        seen, group = self._watched, self.config.rays_per_pixel
        colour = self._look(seen.rays)[:, :3].view(-1, group, 3).mean(1)
        opacity = self._look(seen.rays)[:, 3:4].view(-1, group, 1).mean(1)
        error = colour + seen.target[:, 3:] - opacity - seen.target[:, :3]
        mean = max(error.square().double().mean().item(), 1e-12)
        return "psnr_held_out_db" if self._held_out else "psnr_db", -10 * math.log10(mean)

    def products(self) -> dict[str, Views]:
        """The views, in the world of the scene."""
        lower, side = self._cube
        grown = (2 ** ((self.config.cascades or 1) - 1) - 1) / 2 * side
        low, high = lower - grown, lower + side + grown
        return {"views": Views(self._render, self._density, self._colour, tuple(low), tuple(high))}

    @torch.no_grad()
    def _look(self, rays: Rays) -> Float[Tensor, "rays 5"]:
        seen = []
        for part in torch.arange(len(rays)).split(CHUNK):
            some = rays[part]
            features, places, lengths, starts = self._sampled(some, torch.full((len(some),), 0.5))
            seen.append(
                radiance.look(
                    features, self.field.dense, self.field.light, some.directions, starts, places, lengths,
                    self.config.widths, UNIT,
                )  # fmt: skip
            )
        return torch.cat(seen) if seen else torch.zeros(0, 5)

    def _render(self, rays: Rays) -> Rendered:
        seen = self._look(self._inside(rays))
        return Rendered(seen[:, :3], seen[:, 3], seen[:, 4] * self._cube[1])

    def _density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        lower, side = self._cube
        half = 0.5 * 2 ** ((self.config.cascades or 1) - 1)
        inner = (points - torch.from_numpy(lower.astype(np.float32))) / side
        unit = (inner - 0.5) / (2 * half) + 0.5
        inside = ((unit >= 0) & (unit <= 1)).all(1)
        parts = [self.field.density(part) for part in unit.clamp(0, 1).split(1 << 17)]
        return (torch.cat(parts) if parts else points[:, 0]) * inside / side

    def _colour(self, points: Float[Tensor, "points 3"], directions: Float[Tensor, "points 3"]) -> Tensor:
        """Of a point alone: what a ray sees that has one opaque sample there."""
        lower, side = self._cube
        half = 0.5 * 2 ** ((self.config.cascades or 1) - 1)
        unit = ((points - torch.from_numpy(lower.astype(np.float32))) / side - 0.5) / (2 * half) + 0.5
        starts, far = np.arange(len(points) + 1), np.full(len(points), 1e9, np.float32)
        with torch.no_grad():
            features = hashgrid.encode(unit.clamp(0, 1), self.field.grid.table, self.field.grid.levels)
            seen = radiance.look(
                features, self.field.dense, self.field.light, directions, starts, far, far, self.config.widths, UNIT
            )  # fmt: skip
        return seen[:, :3]


def _optimiser(field: RadianceField, c: Config) -> Adam:
    """Adam with the published constants, the networks slower than the grids."""
    adam = Adam([field.grid.table], c.learning_rate)
    networks = Adam([field.dense, field.light], c.network_rate)
    adam.param_groups += networks.param_groups
    return adam


def _steady_then_falling(steady: float, final: float):
    """1 for a share of the budget, then exponentially down to `final`."""
    return lambda progress: final ** (max(progress - steady, 0.0) / max(1 - steady, 1e-9))
