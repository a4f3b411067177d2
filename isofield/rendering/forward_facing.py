"""Scenes that all cameras see from the same side: normalised device coordinates (Mildenhall et al. 2020,
appendix C).

What lies before the cameras, to infinity, becomes the cube [-1, 1]^3 of the average camera's picture, and
even steps there are even steps in disparity.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..runtime.errors import InputError
from .cameras import Cameras
from .rays import Rays, to_ndc

__all__ = ["ForwardFacing", "recentring"]


def recentring(poses: Float[np.ndarray, "cameras 3 4"], scale: float) -> Float[np.ndarray, "3 4"]:
    """The similarity that moves the average camera to 0, turns it to look along -z with y up, and scales by
    `scale`. As `recenter_poses` of the published code, after its scaling."""
    z = -poses[:, :, 2].sum(0)
    z = z / np.linalg.norm(z)
    x = np.cross(-poses[:, :, 1].sum(0), z)
    x = x / np.linalg.norm(x)
    rotation = np.stack([x, np.cross(z, x), z])
    return scale * np.column_stack([rotation, -rotation @ poses[:, :, 3].mean(0)])


@dataclass(frozen=True)
class ForwardFacing:
    """Normalised device coordinates.

    frame: from the world to the average camera's axes, a similarity, 3 x 4, row by row: it looks along -z,
    and nothing is nearer than z = -1. picture: its width, height and focal length in pixels.
    """

    frame: tuple[float, ...]
    picture: tuple[float, ...]

    def __post_init__(self) -> None:
        if (len(self.frame), len(self.picture)) != (12, 3):
            raise InputError(
                "are three numbers, width, height and focal length, with a frame of twelve",
                "--ndc",
                "Leave it out: it follows from the data.",
            )

    @classmethod
    def of(cls, cameras: Cameras, near: float | None) -> "ForwardFacing":
        """Those of the published code: all is scaled so that the nearest point of the scene is 4/3 away.
        near: its distance (None: that)."""
        frame = recentring(cameras.poses, 1 / (0.75 * (near or 4 / 3)))
        (width, height), focal = cameras.sizes[0].tolist(), float(cameras.intrinsics[0, 0])
        return cls(tuple(frame.ravel().tolist()), (float(width), float(height), focal))

    @property
    def _frame(self) -> tuple[Tensor, Tensor]:
        frame = torch.tensor(self.frame).view(3, 4)
        return frame[:, :3], frame[:, 3]

    def rays(self, rays: Rays) -> Rays:
        """Rays of the world in these coordinates, from the near plane (t = 0) to infinity (t = 1)."""
        turn, move = self._frame
        inside = Rays(rays.origins @ turn.T + move, rays.directions @ turn.T)
        width, height, focal = self.picture
        return to_ndc(inside, int(width), int(height), focal)

    def ahead(self, rays: Rays) -> Bool[Tensor, " rays"]:
        """Which rays of the world go forward: the others see nothing here."""
        return rays.directions @ self._frame[0][2] < 0

    def distances(self, rays: Rays, t: Float[Tensor, "rays *samples"]) -> Float[Tensor, "rays *samples"]:
        """Distances along rays of the world, of samples at t in these coordinates: t = 1 - z / (z + distance
        dz), z where the ray meets the near plane."""
        turn, move = self._frame
        z, along = rays.origins @ turn[2] + move[2], rays.directions @ turn[2]
        share = t / (1 - t).clamp(min=1e-3)
        shape = (-1, *[1] * (t.ndim - 1))
        return (-(1 + z) / along).view(shape) - share / along.view(shape)

    def points(self, points: Float[Tensor, "points 3"]) -> tuple[Tensor, Float[Tensor, " points"]]:
        """Points of the world in these coordinates, and by how much lengths along the view grow there."""
        turn, move = self._frame
        inside = points @ turn.T + move
        z = inside[:, 2].clamp(max=-1e-3)
        width, height, focal = self.picture
        across = inside[:, :2] / z[:, None] * torch.tensor([-2 * focal / width, -2 * focal / height])
        growth = turn[0].norm() * 2 / z.square()
        return torch.cat([across, (1 + 2 / z)[:, None]], 1), growth
