"""The indicator of a solid from oriented points, by Poisson's equation in the spectral domain.

Kazhdan 2005 ("Reconstruction of solid models from oriented point sets"), as the differentiable layer of Peng
et al. 2021 ("Shape As Points") computes it: the gradient of the indicator is minus the normals spread over
the surface, so its Laplacian is minus their divergence, and in the spectral domain one division inverts it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy import fft, ndimage

from ..geometry.frames import WORKING_BOX
from ..kernels.splat import splat
from ..runtime.threads import threads

__all__ = ["Indicator", "spectral_poisson"]


@dataclass(frozen=True, eq=False)
class Indicator:
    """A grid of values [R, R, R] over the working box, which it repeats periodically: grid point i at -1 + 2
    i / R.

    level: the value on the surface; inside is above it. jump: difference between inside and outside.
    """

    values: np.ndarray
    level: float
    jump: float

    def at(self, points: Float[np.ndarray, "points 3"]) -> Float32[np.ndarray, " points"]:
        """Values at points of the working box (trilinear)."""
        return _interpolated(self.values, points)


def spectral_poisson(
    points: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"],
    areas: Float[np.ndarray, " points"],
    resolution: int = 256,
    sigma: float = 1.0,
) -> Indicator:
    """The indicator of the solid whose surface passes through `points` (working box) with outward unit
    `normals`.

    areas: of the surface that each point stands for. sigma: of the Gaussian that smooths the indicator, in
    cells; it rounds edges and shrinks convex parts by about as much as it smooths noise. The box is periodic:
    points within 5 % of its border see their images on the other side.
    """
    low, high = WORKING_BOX
    cell = (high - low) / resolution
    cells = (np.asarray(points, np.float64) - low) / cell
    spread = splat(cells, -(normals * areas[:, None]) / cell**3, resolution)
    along = 2 * np.pi * np.fft.fftfreq(resolution, cell).astype(np.float32)
    last = 2 * np.pi * np.fft.rfftfreq(resolution, cell).astype(np.float32)
    waves = along[:, None, None], along[None, :, None], last[None, None, :]
    spectrum = np.zeros((resolution, resolution, len(last)), np.complex64)
    for component, wave in zip(spread, waves):
        spectrum += fft.rfftn(component, workers=threads()) * wave  # the divergence, but for a factor i
    square = waves[0] ** 2 + waves[1] ** 2 + waves[2] ** 2
    smooth = np.exp(square * np.float32(-0.5 * (sigma * cell) ** 2))
    square[0, 0, 0] = 1  # the mean, which no derivative tells; the level takes care of it
    spectrum *= smooth / square * np.complex64(-1j)
    values = fft.irfftn(spectrum, spread.shape[1:], workers=threads())
    on_surface = _interpolated(values, points)
    level = float(np.average(on_surface, weights=areas))
    return Indicator(values, level, 2 * (level - float(np.median(values[0]))))


def _interpolated(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    low, high = WORKING_BOX
    places = (np.asarray(points, np.float64).T - low) * (len(values) / (high - low))
    return ndimage.map_coordinates(values, places, np.float32, order=1, mode="grid-wrap")
