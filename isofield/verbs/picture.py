"""A trained picture at any resolution, and what a fit makes of it: reconstruction, figures, spectrum, page."""

import copy
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from .. import data
from ..data.image import Image, check_image_output, write_image
from ..metrics.image import IMAGE_FIGURES, power_spectrum, psnr
from ..rendering.plane import render_plane
from ..runtime.errors import InputError
from ..runtime.files import write_json
from ..runtime.memory import available_memory, size_text
from ..runtime.progress import Stopwatch, progress
from ..training.method import Picture
from ..viewing.image_page import ImagePage, spectrum_picture, write_image_page
from ..viewing.page_parts import Number
from .options import Filming, Meshing
from .page import curves, details
from .run import Run

__all__ = ["evaluate_picture", "finish", "render_picture"]

HEADLINE = ("psnr_db", "psnr_held_out_db", "psnr_float16_db", "share_of_raw")
POOR = 28.0  # dB, below which a picture is plainly not a good one
DEEP = (".png", ".tif", ".tiff")  # formats of 16 bits


def finish(run: Run, image: Image, meshing: Meshing, watch: Stopwatch) -> None:
    """Write reconstruction, metrics, spectrum and page."""
    meshing.refuse(image.source or image.name)
    shown = _shown(run.picture, run.picture.field, image)
    write_image(run.folder.reconstruction, shown)
    watch.lap("reconstruction")
    write_json(run.folder.metrics, _compared(run, shown, image))
    watch.lap("evaluation")
    _page(run, shown, image)
    watch.lap("page")


def render_picture(
    run: Run, out: str | Path | None, width: int | None, height: int | None, filming: Filming
) -> np.ndarray:
    """What the run's field shows on width x height pixels, uint8 or (as the input) uint16 [H, W, C].

    width, height: of one alone the other follows from the input's proportions; of none, both are the input's.
    out: file (.png .jpg .webp .tif .bmp), or None to write none; 16 bits go to .png, and grey to .tif. Raises
    InputError, before any work, for an `out` that cannot be written, for settings of films, and for more pixels than
    there is memory for.
    """
    filming.refuse(run.path)
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


def evaluate_picture(run: Run, source: Any = None) -> dict[str, Any]:
    """The run's picture against its input (None: read by the path in the run), or another picture of the same
    size and channels, by named figures. For its own input, what `finish` writes is written anew. Raises
    InputError for a picture of another size."""
    image = run.image() if source is None else data.as_record(source)
    known = run.description["data"]
    if not isinstance(image, Image) or image.pixels.shape[2] != known["channels"]:
        raise InputError("is no picture of the kind that the run shows", str(source), "Name another one.")
    if (image.height, image.width) != (known["height"], known["width"]):
        raise InputError(
            f"is {image.width} x {image.height} pixels, and the run's picture {known['width']} x "
            f"{known['height']}: pixels are compared one by one",
            image.source or image.name,
            "Scale it to that size, or name another one.",
        )
    shown = _shown(run.picture, run.picture.field, image)
    result = _compared(run, shown, image)
    if image.fingerprint == known["fingerprint"]:
        write_image(run.folder.reconstruction, shown)
        write_json(run.folder.metrics, result)
        _page(run, shown, image)
    return result


def _shown(picture: Picture, field: nn.Module, image: Image) -> np.ndarray:
    """What the field shows at the size and in the depth of the image."""
    dtype = image.pixels.dtype.type
    with progress("rendering") as bar:
        return render_plane(field, image.height, image.width, picture.channels, dtype, bar)


def _compared(run: Run, shown: np.ndarray, image: Image) -> dict[str, Any]:
    """Figures of a picture, in the form of those of a mesh."""
    picture, stride = run.picture, run.description["config"]["stride"]
    own = image.fingerprint == run.description["data"]["fingerprint"]
    half = copy.deepcopy(picture.field)
    for tensor in half.state_dict().values():
        tensor.copy_(tensor.half().float())
    count = sum(tensor.numel() for tensor in half.state_dict().values())
    figures: dict[str, float] = {"psnr_db": psnr(shown, image.pixels)}
    if stride > 1 and own:  # of another picture no pixel was learnt from
        apart = (slice(stride // 2, None, stride),) * 2
        figures["psnr_held_out_db"] = psnr(shown[apart], image.pixels[apart])
    figures |= {
        "psnr_float16_db": psnr(_shown(picture, half, image), image.pixels),
        "float16_bytes": 2 * count,
        "bits_per_pixel": 16 * count / (image.height * image.width),
        "share_of_raw": 2 * count / image.pixels.nbytes,
    }
    return {
        "truth": image.source,
        "headline": {name: figures[name] for name in HEADLINE if figures.get(name, inf) < inf},
        "doubts": _doubts(figures["psnr_db"]),
        "figures": figures,
        "meaning": {name: IMAGE_FIGURES[name] for name in figures},
    }


def _doubts(reached: float) -> list[str]:
    if reached >= POOR:
        return []
    return [
        f"the picture is reproduced poorly ({reached:.1f} dB): train for longer (--seconds, --quality high), "
        "or with more weights for its bytes (isofield train image --data FILE --share 0.5)"
    ]


def _page(run: Run, shown: np.ndarray, image: Image) -> None:
    description, metrics = run.description, run.metrics
    spectra = [power_spectrum(_middle(pixels)) for pixels in (image.pixels, shown)]
    write_image(run.folder.spectrum, spectrum_picture(*spectra))
    headline = ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics["headline"].items()
    )
    write_image_page(
        run.folder.page,
        ImagePage(
            title=f"{image.name}: {description['method']}, {description['config']['encoding']}",
            subtitle=f"{image.in_words}; {headline}.",
            command=description["command"] or f"isofield.fit({image.source!r})",
            given=image.pixels,
            shown=shown,
            spectra=(spectra[0], spectra[1]),
            curves=curves(run),
            numbers=[
                Number(name.replace("_", " "), value, metrics["meaning"][name])
                for name, value in metrics["figures"].items()
            ],
            notes=[*description["doubts"], *metrics["doubts"], *description["data"]["notes"]],
            details=details(run),
        ),
    )


def _middle(pixels: np.ndarray, most: int = 2048) -> np.ndarray:
    """The middle of a picture, `most` pixels along an axis at most: memory for spectra stays bounded."""
    top, left = (max(size - most, 0) // 2 for size in pixels.shape[:2])
    return pixels[top : top + most, left : left + most]
