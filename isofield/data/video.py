"""Pictures one after another: folders of PNG files, animations, videos; written as they come."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .image import write_image

__all__ = ["ANIMATIONS", "VIDEOS", "check_frames_output", "frames_to"]

ANIMATIONS = (".gif", ".webp")  # by Pillow
VIDEOS = (".mp4",)  # by PyAV

Take = Callable[[np.ndarray], None]
"""Takes the next frame, uint8 [H, W, 3], all of one size."""


def check_frames_output(path: str | os.PathLike) -> None:
    """Raise InputError where `frames_to` could not write there, before any work."""
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (*ANIMATIONS, *VIDEOS):
        raise InputError(
            f"no writer for {ending!r} videos",
            path,
            f"Formats that are written: {' '.join((*VIDEOS, *ANIMATIONS))}; or name a folder.",
        )
    if ending in VIDEOS:
        _av(path)
    if not path.parent.is_dir():
        raise InputError("there is no such folder", path.parent, "Make it, or name another output.")


@contextmanager
def frames_to(path: str | os.PathLike, fps: float) -> Iterator[Take]:
    """Give a function that takes frames, uint8 [H, W, 3]; when the block ends well, the video is at `path`.

    .gif and .webp play for ever; .mp4 is H.264 in 4:2:0, which every player knows: an odd last row or column is
    repeated. Memory is that of a few frames, but for .gif and .webp, of which Pillow wants all at once. Raises InputError
    for other endings, and where PyAV is missing.
    """
    check_frames_output(path)
    with atomic_path(path) as temporary:
        writer = _film if Path(path).suffix.lower() in VIDEOS else _animation
        with writer(temporary, fps) as take:
            yield take


@contextmanager
def _animation(path: Path, fps: float) -> Iterator[Take]:
    frames: list[PIL.Image.Image] = []
    yield lambda pixels: frames.append(PIL.Image.fromarray(pixels))
    times = np.rint(np.arange(len(frames) + 1) * 1000 / fps).astype(int)
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=np.diff(times).tolist(), loop=0, quality=85, method=4
    )


@contextmanager
def _film(path: Path, fps: float) -> Iterator[Take]:
    from fractions import Fraction

    av = _av(path)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "18", "preset": "medium"}

        def take(pixels: np.ndarray) -> None:
            height, width = pixels.shape[:2]
            even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            stream.height, stream.width = even.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")))

        yield take
        container.mux(stream.encode())


def _av(path: Path) -> Any:
    try:
        import av  # here: an extra
    except ImportError:
        raise InputError(
            f"{path.suffix} files need PyAV, which is not installed",
            path,
            "Install it: pip install 'isofield[video]'; or write .webp or .gif, or name a folder.",
        ) from None
    return av
