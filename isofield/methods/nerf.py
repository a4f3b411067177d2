"""NeRF: a scene as colour and density at points, learnt from photographs by volume rendering.

Mildenhall et al. 2020, "NeRF: Representing Scenes as Neural Radiance Fields for View Synthesis". Where the
paper and the published code differ the code is followed: see docs/methods/nerf.md. The presets `lego` and
`fern` are the published ones; the defaults are the same code with numbers for two CPU cores.
"""

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..data.pixels import CountedPixels, watched_pixels
from ..data.samples import WHOLE, Share, Turns, generator
from ..data.scene import Scene
from ..kernels.adam import Adam
from ..networks.nerf import NeRFNetwork, NeRFWiring
from ..rendering.cameras import Cameras
from ..rendering.forward_facing import ForwardFacing
from ..rendering.rays import Rays, in_depths
from ..rendering.sampling import even_depths, jittered, with_importance
from ..rendering.volume import (
    Rendered,
    composite,
    compositing_weights,
    interval_lengths,
    sample_opacities,
)
from ..runtime.settings import check_settings
from ..training.method import Player, Views
from .choice import QUALITIES, Quality

__all__ = ["AS_IT_IS", "PRESETS", "Config", "Draws", "NeRF", "RadianceFields", "render_rays"]

CHUNK = 65_536  # points that pass the network together where no gradient is asked for
WATCHED = 1024  # pixels that the metric looks at while training
HALF_SIDE = 1.5  # of the published scenes' box: the frequencies of the encoding are meant for that size
AS_IT_IS = tuple(np.eye(3, 4).ravel().tolist())  # the world's own coordinates


SMALL = NeRFWiring(width=128, depth=4, skips=(), view_width=64)


@dataclass(frozen=True)
class Config:
    """Settings of `nerf`. The defaults are for two CPU cores and pictures of about 100 x 100."""

    preset: Literal["lowres", "lego", "fern"] | None = None
    """lego, fern: the published settings of these scenes, for a GPU (two cores take 11 to 14 s a step);
    settings below that differ from their defaults win. lowres: the defaults"""
    network: NeRFWiring = field(default_factory=lambda: SMALL)
    """of the coarse network and of the fine one"""
    samples: int = 48
    """depths of the coarse network on a ray"""
    importance: int = 0
    """more depths of the fine network, where the coarse one sees something; 0: one network alone"""
    rays: int = 512
    """rays in a step"""
    learning_rate: float = 2e-3
    """of Adam, at the start"""
    final: float = 0.1
    """factor on the learning rate at the end of the budget; it falls exponentially. Published: 0.1 to the
    power of steps / (1000 decay)"""
    noise: float = 0.0
    """standard deviation of noise on the density before the ReLU, while training"""
    crop_steps: int = 100
    """steps at first that see the middle half of one picture alone: no collapse to the background"""
    one_image: bool = False
    """whether the rays of a step come from one picture (`no_batching`), else from all, shuffled"""
    full_steps: int = 4000
    """steps of training in the standard quality"""
    white: bool | None = None
    """whether what is transparent is white (default: where pictures have alpha)"""
    pixel_centre: float = 0.5
    """where in a pixel its ray passes; 0: through its corner, as in the published code"""
    near: float | None = None
    """t of the first sample on a ray, direction of depth 1 (default: from the data)"""
    far: float | None = None
    """t of the last sample"""
    ndc: tuple[float, ...] | None = None
    """normalised device coordinates of pictures of this width, height, focal length (default: for
    forward-facing scenes)"""
    frame: tuple[float, ...] | None = None
    """from the world to the network's coordinates: a similarity, 3 x 4, row by row (default: from the
    data)"""
    lower: tuple[float, float, float] | None = None
    """lower corner of the scene, world (default: from the data)"""
    upper: tuple[float, float, float] | None = None
    """upper corner of the scene, world (default: from the data)"""

    def __post_init__(self) -> None:
        check_settings(
            self,
            positive=("samples", "rays", "learning_rate", "final", "full_steps", "far"),
            shares=("pixel_centre",),
        )

    def filled(self) -> "Config":
        """These settings with the values of the preset in the place of defaults."""
        usual, own = Config(), {f.name: getattr(self, f.name) for f in fields(self)}
        changed = {name: value for name, value in own.items() if value != getattr(usual, name)}
        return replace(usual, **{**PRESETS.get(self.preset or "", {}), **changed})

    def at(self, quality: Quality) -> "Config":
        """These settings: the quality is bought with steps alone."""
        return self

    def steps(self, quality: Quality) -> int:
        """Steps of training that a quality stands for."""
        return max(self.filled().full_steps * quality.steps // QUALITIES["standard"].steps, 1)

    def for_data(self, scene: Scene) -> "Config":
        """These settings for a scene: its box, the background, where rays begin and end, and in which
        coordinates.

        A forward-facing scene is treated as published: all of it scaled so that its nearest point is 4/3
        away, turned and moved so that the average camera stands at 0 and looks along -z, then normalised
        device coordinates. Any other is moved and scaled so that its box becomes that of the published
        scenes; where rays begin and end follows from the box, if the scene does not say so.
        """
        box = np.array([scene.box.lower, scene.box.upper])
        found: dict[str, Any] = {
            "white": scene.has_alpha, "lower": scene.box.lower, "upper": scene.box.upper,
        }  # fmt: skip
        if scene.forward_facing:
            forward = ForwardFacing.of(scene.cameras, scene.near)
            found |= {"near": 0.0, "far": 1.0, "frame": forward.frame, "ndc": forward.picture}
        else:
            centre, scale = box.mean(0), 2 * HALF_SIDE / float((box[1] - box[0]).max())
            found["frame"] = tuple(np.column_stack([scale * np.eye(3), -scale * centre]).ravel().tolist())
            near, far = _depths_of_box(scene.cameras, box)
            found |= {
                "near": near if scene.near is None else float(scene.near),
                "far": far if scene.far is None else float(scene.far),
            }
        kept = {name: value for name, value in vars(self).items() if name in found and value is not None}
        return replace(self, **{**found, **kept}).filled()

    @property
    def similarity(self) -> tuple[Float[Tensor, "3 3"], Float[Tensor, "3"]]:
        """Turn and scale, then shift: from the world to the network's coordinates."""
        frame = torch.tensor(self.frame or AS_IT_IS).view(3, 4)
        return frame[:, :3], frame[:, 3]

    @property
    def box(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Corners of the scene; those of the published ones where nothing is said."""
        return self.lower or (-HALF_SIDE,) * 3, self.upper or (HALF_SIDE,) * 3

    @property
    def forward(self) -> ForwardFacing | None:
        """The normalised device coordinates, where there are such."""
        return None if self.ndc is None else ForwardFacing(self.frame or AS_IT_IS, self.ndc)

    @property
    def all_samples(self) -> int:
        """Samples on a ray of the network that is shown."""
        return self.samples + self.importance

    @property
    def background(self) -> float:
        """What is behind everything, in all channels."""
        return 1.0 if self.white else 0.0


def _depths_of_box(cameras: Cameras, box: Float[np.ndarray, "2 3"]) -> tuple[float, float]:
    """A depth before which no camera sees anything of a box, and one behind which none does."""
    corners = np.stack(np.meshgrid(*box.T, indexing="ij"), -1).reshape(-1, 3)
    far = float(np.linalg.norm(corners - cameras.centres[:, None], axis=2).max())
    outside = np.maximum(box[0] - cameras.centres, cameras.centres - box[1]).clip(0)
    aside = np.linalg.norm(cameras.sizes / 2 / cameras.intrinsics[:, :2], axis=1)  # of the axis, at depth 1
    near = np.linalg.norm(outside, axis=1) / np.hypot(1, aside)
    return max(float(near.min()), 0.01 * far), far


PRESETS: dict[str, dict[str, Any]] = {
    "lowres": {},
    "lego": {
        "network": NeRFWiring(), "samples": 64, "importance": 128, "rays": 1024, "learning_rate": 5e-4,
        "crop_steps": 500, "one_image": True, "full_steps": 500_000,
    },
    "fern": {
        "network": NeRFWiring(), "samples": 64, "importance": 128, "rays": 4096, "learning_rate": 5e-4,
        "final": 0.1**0.8, "noise": 1.0, "crop_steps": 0, "full_steps": 200_000,
    },
}  # fmt: skip


class RadianceFields(nn.Module):
    """The coarse network, and the fine one (none without importance samples)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.coarse = NeRFNetwork(config.network)
        self.fine = NeRFNetwork(config.network) if config.importance else None

    @property
    def best(self) -> NeRFNetwork:
        """The network that is shown."""
        return self.fine or self.coarse


@dataclass(frozen=True)
class Draws:
    """The random numbers of rays in training: uniform in [0, 1), and normal noise on densities, or none."""

    jitter: Float[Tensor, "rays samples"]
    importance: Float[Tensor, "rays importance"]
    coarse_noise: Float[Tensor, "rays samples"] | None = None
    fine_noise: Float[Tensor, "rays both"] | None = None


@dataclass(frozen=True)
class Seen:
    """Rays in the network's coordinates, their unit directions of view (before any normalised device
    coordinates), and the colours of their pixels."""

    rays: Rays
    views: Float[Tensor, "rays 3"]
    colours: Float[Tensor, "rays 3"]
    draws: Draws


def seen_by(
    network: NeRFNetwork,
    rays: Rays,
    views: Float[Tensor, "rays 3"],
    depths: Float[Tensor, "rays samples"],
    noise: Float[Tensor, "rays samples"] | None,
) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays samples 3"]]:
    """Compositing weights and colours of the samples."""
    points = rays.origins[:, None] + depths[..., None] * rays.directions[:, None]
    raw = network(points.reshape(-1, 3), views[:, None].expand_as(points).reshape(-1, 3))
    raw = raw.view(*depths.shape, 4)
    density = raw[..., 3] if noise is None else raw[..., 3] + noise
    weights = compositing_weights(sample_opacities(density, interval_lengths(depths, rays.directions)))
    return weights, raw[..., :3].sigmoid()


def render_rays(
    fields: RadianceFields, rays: Rays, views: Float[Tensor, "rays 3"], c: Config, draws: Draws | None
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Weights, colours and depths of the samples of the coarse network, then of the fine one on the union
    of its depths with those. Without draws depths are even and the distribution is inverted at even
    places."""
    near, far = (torch.full_like(rays.origins[:, 0], end or 0.0) for end in (c.near, c.far))
    depths = even_depths(near, far, c.samples)
    if draws is not None:
        depths = jittered(depths, draws.jitter)
    weights, colours = seen_by(fields.coarse, rays, views, depths, draws.coarse_noise if draws else None)
    passes = [(weights, colours, depths)]
    if fields.fine is not None:
        even = torch.linspace(0, 1, c.importance, dtype=depths.dtype).expand(len(depths), -1)
        depths = with_importance(depths, weights, draws.importance if draws is not None else even)
        noise = draws.fine_noise if draws else None
        passes.append((*seen_by(fields.fine, rays, views, depths, noise), depths))
    return passes


class NeRF:
    """One player, both networks; one product: the views."""

    def __init__(self, config: Config) -> None:
        c = self.config = config.filled()
        self.field = RadianceFields(c)
        optimiser = Adam(self.field.parameters(), c.learning_rate, (0.9, 0.999), 1e-8)
        self.players = {"field": Player(self.field, optimiser, lambda progress: c.final**progress)}

    def prepare(self, data: Scene, seed: int, share: Share = WHOLE) -> None:
        """Take the photographs."""
        self._scene, self._seed, self._share = data, seed, share
        self._counted = CountedPixels(data, data.train)
        self._turns = Turns(len(self._counted), seed, share)
        self._held_out, watched = watched_pixels(data, self._counted)
        numbers = generator(seed, 0, "watched").integers(len(watched), size=WATCHED)
        self._watched = self._pixels(*watched.at(numbers))

    def batch(self, player: str, step: int, progress: float) -> Seen:
        """Rays of one picture, or the next of all pictures shuffled; drawn without replacement."""
        c, counted = self.config, self._counted
        rng = generator(self._seed, step, "rays", self._share)
        if c.one_image or step < c.crop_steps:
            chosen = counted.of_frame(int(rng.integers(len(counted.frames))))
            if step < c.crop_steps:
                chosen = self._in_the_middle(chosen)
            chosen = rng.choice(chosen, self._share.of(min(c.rays, len(chosen))), replace=False)
        else:
            chosen = self._turns.at(step, c.rays)
        frames, numbers = counted.at(chosen)
        jitter, importance = (
            torch.from_numpy(rng.random((len(frames), count), np.float32))
            for count in (c.samples, c.importance)
        )
        noise: tuple[Tensor, ...] = ()
        if c.noise:
            both = rng.standard_normal((len(frames), c.samples + c.all_samples), np.float32)
            noise = (torch.from_numpy(both) * c.noise).split([c.samples, c.all_samples], 1)
        return replace(self._pixels(frames, numbers), draws=Draws(jitter, importance, *noise))

    def _in_the_middle(self, chosen: np.ndarray) -> np.ndarray:
        """Those of a picture's pixels that lie in the middle half of its width and height; all where none
        does."""
        frames, numbers = self._counted.at(chosen)
        size = self._scene.cameras.sizes[frames[0]]
        places = np.column_stack([numbers % size[0], numbers // size[0]])
        first = (size - size // 2) // 2
        middle = ((places >= first) & (places < first + size // 2)).all(1)
        return chosen[middle] if middle.any() else chosen

    def _pixels(self, frames: np.ndarray, numbers: np.ndarray) -> Seen:
        """Pixels of pictures: their rays, their colours over the background."""
        cameras, photographs = self._scene.cameras, self._scene.photographs
        y, x = np.divmod(numbers, cameras.sizes[frames, 0])
        rays = self._rays(cameras, frames, np.column_stack([x, y]))
        pixels = photographs.pixels[photographs.starts[frames] + numbers]
        values = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
        if values.shape[1] == 4 and self.config.white:
            values = values[:, :3] + (1 - values[:, 3:])
        nothing = torch.empty(len(frames), 0)
        return Seen(*self._inside(rays), values[:, :3], Draws(nothing, nothing))

    def _rays(
        self, cameras: Cameras, numbers: int | Int[np.ndarray, " rays"], pixels: Int[np.ndarray, "rays 2"]
    ) -> Rays:
        """The rays of pixels (column, row), with directions of depth 1; of unit length from a fisheye, which
        sees what has no depth."""
        numbers = np.broadcast_to(np.asarray(numbers), (len(pixels),))
        rays = cameras.rays(numbers, pixels + self.config.pixel_centre)
        axes = np.where(cameras.fisheye[numbers, None], rays.directions.numpy(), cameras.axes[numbers])
        return in_depths(rays, torch.from_numpy(axes.astype(np.float32)))

    def _inside(self, rays: Rays) -> tuple[Rays, Float[Tensor, "rays 3"]]:
        """Rays of the world in the network's coordinates, t unchanged but for normalised device
        coordinates, and unit directions of view."""
        (turn, shift), forward = self.config.similarity, self.config.forward
        inside = Rays(rays.origins @ turn.T + shift, rays.directions @ turn.T)
        views = nn.functional.normalize(inside.directions, dim=1)
        return (inside if forward is None else forward.rays(rays)), views

    def loss(self, player: str, batch: Seen, progress: float) -> dict[str, Tensor]:
        """Mean squared error over rays and channels, of what each network sees."""
        terms = {}
        passes = render_rays(self.field, batch.rays, batch.views, self.config, batch.draws)
        for name, sampled in zip(("coarse", "fine"), passes):
            colour = composite(*sampled).over(self.config.background)
            terms[name] = (colour - batch.colours).square().mean()
        return terms

    @torch.no_grad()
    def metric(self) -> tuple[str, float]:
        """Peak signal-to-noise ratio in dB on pixels of views kept apart; where there are none, of those
        learnt."""
        seen, error = self._watched, []
        for part in torch.arange(len(seen.colours)).split(CHUNK // self.config.all_samples):
            passes = render_rays(self.field, seen.rays[part], seen.views[part], self.config, None)
            colour = composite(*passes[-1]).over(self.config.background)
            error.append((colour - seen.colours[part]).square().mean(1))
        mean = max(torch.cat(error).double().mean().item(), 1e-12)
        return "psnr_held_out_db" if self._held_out else "psnr_db", -10 * math.log10(mean)

    def products(self) -> dict[str, Views]:
        """The views, in the world of the scene."""
        return {"views": Views(self._render, self._density, self._colour, *self.config.box, self._rays)}

    @torch.no_grad()
    def _render(self, rays: Rays) -> Rendered:
        """Without random numbers, by the fine network. Directions of any length: t and the samples are
        along them, so that those of depth 1 give the published samples."""
        parts, forward = [], self.config.forward
        for part in torch.arange(len(rays)).split(CHUNK // self.config.all_samples):
            inside, views = self._inside(rays[part])
            weights, colours, depths = render_rays(self.field, inside, views, self.config, None)[-1]
            if forward is not None:
                depths = forward.distances(rays[part], depths)
                weights = torch.where(forward.ahead(rays[part])[:, None], weights, 0)
            parts.append(composite(weights, colours, depths))
        return Rendered(*(torch.cat([vars(part)[f.name] for part in parts]) for f in fields(Rendered)))

    def _located(self, points: Float[Tensor, "points 3"]) -> tuple[Tensor, Tensor]:
        """Points of the world in the network's coordinates, and by how much lengths grow there: in normalised
        device coordinates those along z."""
        if self.config.forward is not None:
            return self.config.forward.points(points)
        turn, shift = self.config.similarity
        return points @ turn.T + shift, turn[0].norm().expand(len(points))

    @torch.no_grad()
    def _density(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        lower, upper = torch.tensor(self.config.box)
        inside = ((points >= lower) & (points <= upper)).all(1)
        density = torch.zeros_like(points[:, 0])
        for part in inside.nonzero()[:, 0].split(CHUNK):
            located, growth = self._located(points[part])
            density[part] = self.field.best.raw_density(located).relu() * growth
        return density

    @torch.no_grad()
    def _colour(self, points: Float[Tensor, "points 3"], directions: Float[Tensor, "points 3"]) -> Tensor:
        _, views = self._inside(Rays(points, directions))
        parts = [
            self.field.best(self._located(points[part])[0], views[part])[:, :3].sigmoid()
            for part in torch.arange(len(points)).split(CHUNK)
        ]
        return torch.cat(parts) if parts else torch.zeros_like(points)
