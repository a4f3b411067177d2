"""A trained picture at any resolution."""

from pathlib import Path

import numpy as np

from ..data.image import check_image_output, write_image
from ..rendering.plane import render_plane
from ..runtime.errors import InputError
from ..runtime.memory import available_memory, size_text
from ..runtime.progress import progress
from .run import Run

__all__ = ["render"]

DEEP = (".png", ".tif", ".tiff")  # formats of 16 bits


def render(
    run: Run, out: str | Path | None = None, width: int | None = None, height: int | None = None
) -> np.ndarray:
    """What the run's field shows on width x height pixels, uint8 or (as the input) uint16 [H, W, C].

    width, height: of one alone the other follows from the input's proportions; of none, both are the input's.
    out: file (.png .jpg .webp .tif .bmp), or None to write none; 16 bits go to .png, and grey to .tif. Raises
    InputError, before any work, for a run without a picture, for an `out` that cannot be written, and for
    more pixels than there is memory for.
    """
    picture, known = run.picture, run.description["data"]
    if width is None and height is None:
        width, height = picture.width, picture.height
    elif width is None:
        assert height is not None
        width = max(round(height * picture.width / picture.height), 1)
    elif height is None:
        height = max(round(width * picture.height / picture.width), 1)
    for flag, size in (("--width", width), ("--height", height)):
        if size < 1:
            raise InputError(f"must be 1 or more, not {size}", flag, "Give a number of pixels.")
    if out is not None and known["path"] and str(Path(out).resolve()) == known["path"]:
        raise InputError("is the input of this run", out, "Name another file.")
    deep = known["bits"] == 16 and (out is None or Path(out).suffix.lower() in DEEP)
    if out is not None:
        check_image_output(out, picture.channels, deep)
    dtype = np.uint16 if deep else np.uint8
    needed = 3 * width * height * picture.channels * np.dtype(dtype).itemsize  # and what the writer copies
    if needed > available_memory():
        raise InputError(
            f"{width} x {height} pixels take {size_text(needed)}, more than there is free",
            "--width, --height",
            "Ask for fewer pixels.",
        )
    with progress("rendering") as bar:
        pixels = render_plane(picture.field, height, width, picture.channels, dtype, bar)
    if out is not None:
        write_image(out, pixels)
    return pixels
