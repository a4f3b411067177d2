"""Pictures of fields of the plane."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..runtime.progress import Progress

__all__ = ["pixel_centres", "render_plane"]

BATCH = 1 << 16  # points at a time


def pixel_centres(numbers: Int[np.ndarray, " pixels"], height: int, width: int) -> Float[Tensor, "pixels 2"]:
    """Where pixels lie in [0, 1]^2: pixel i * width + j at ((j + 0.5) / width, (i + 0.5) / height)."""
    rows, columns = np.divmod(numbers, width)
    centres = np.stack([(columns + 0.5) / width, (rows + 0.5) / height], axis=1)
    return torch.from_numpy(centres.astype(np.float32))


@torch.no_grad()
def render_plane(
    field: Callable[[Tensor], Tensor],
    height: int,
    width: int,
    channels: int,
    dtype: type[np.unsignedinteger] = np.uint8,
    progress: Progress | None = None,
) -> np.ndarray:
    """The field [N, 2] -> [N, channels] at the centres of height x width pixels, clipped to [0, 1] and
    rounded to whole numbers of the type: [H, W, C]. Memory is that of the result."""
    pixels = np.empty((height * width, channels), dtype)
    full = np.iinfo(dtype).max
    for start in range(0, len(pixels), BATCH):
        numbers = np.arange(start, min(start + BATCH, len(pixels)))
        values = field(pixel_centres(numbers, height, width)).clamp(0, 1)
        pixels[numbers] = (values * full).round().numpy().astype(dtype)
        if progress is not None:
            progress.update(numbers[-1] / len(pixels))
    return pixels.reshape(height, width, channels)
