"""The page of a picture's run: one HTML file that opens offline, with input, reconstruction, difference,
spectra, curves, numbers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from .charts import TIMES, Curve
from .colours import colour_map
from .page_parts import (
    Number,
    address_of_picture,
    asset,
    curves_section,
    notes_section,
    numbers_section,
    tables_section,
    with_parts,
    write_document,
)

__all__ = ["ImagePage", "spectrum_picture", "write_image_page"]

LONGEST = 1024  # pixels along an axis shown; larger pictures are scaled down for the page
FACTORS = (1, 2, 5, 10, 20, 50, 100)  # by which differences may be amplified
GAP = 8  # pixels between the two spectra
DECADES = 9  # of power that the colours of a spectrum span


@dataclass(frozen=True, eq=False)
class ImagePage:
    """All that the page of a picture shows. Every string is shown as it is, whatever characters it holds.

    title. subtitle: one sentence with the headline result. command: what made it. given, shown: input and
    reconstruction, uint8 or uint16 [H, W, C]. spectra: of both, log10 of power [H, W], zero frequency in the
    middle. notes: sentences. details: tables by name.
    """

    title: str
    subtitle: str
    command: str
    given: np.ndarray
    shown: np.ndarray
    spectra: tuple[np.ndarray, np.ndarray]
    curves: tuple[Curve, ...] | list[Curve] = ()
    numbers: tuple[Number, ...] | list[Number] = ()
    notes: tuple[str, ...] | list[str] = ()
    details: Mapping[str, object] = field(default_factory=dict)


def write_image_page(path: str | os.PathLike, page: ImagePage) -> None:
    """Write `page` as one HTML file that opens from disk in any browser and loads nothing.

    Pictures of more than LONGEST pixels along an axis are scaled down for display, which the page says.
    """
    given, shown = (_of_eight_bits(pixels) for pixels in (page.given, page.shown))
    difference, factor = amplified_difference(given, shown)
    height, width = page.given.shape[:2]
    small = max(height, width) > LONGEST
    spectra = [_spectrum_colours(s, _brightest(page.spectra)) for s in page.spectra]
    parts = {
        "given": address_of_picture(_scaled_down(given)),
        "shown": address_of_picture(_scaled_down(shown)),
        "difference": address_of_picture(_scaled_down(difference)),
        "factor": f"{TIMES}{factor}",
        "given_spectrum": address_of_picture(_scaled_down(spectra[0])),
        "shown_spectrum": address_of_picture(_scaled_down(spectra[1])),
        "display": f"Pictures are scaled down for this page; they have {width} {TIMES} {height} pixels."
        if small
        else "",
        "sections": "\n".join(
            block
            for block in (
                notes_section(page.notes),
                numbers_section(page.numbers),
                curves_section(page.curves),
                tables_section({"Details": page.details}),
            )
            if block
        ),
    }
    main = with_parts(asset("image_page.html"), parts)
    write_document(path, page.title, page.subtitle, page.command, main, ["image_page.css"], ["image_page.js"])


def amplified_difference(given: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, int]:
    """(|given - shown| of the colour channels, times a factor, uint8 [H, W, C]; the factor).

    The largest of FACTORS with which 99 % of the values are not clipped: small errors become visible, and
    large ones do not drown in white.
    """
    colours = 3 if given.shape[2] > 2 else 1
    difference = np.abs(given[:, :, :colours].astype(np.int16) - shown[:, :, :colours])
    most = np.percentile(difference, 99)
    factor = next((f for f in reversed(FACTORS) if most * f <= 255), 1)
    return np.minimum(difference * factor, 255).astype(np.uint8), factor


def spectrum_picture(given: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Spectra of input (left) and reconstruction (right) in the same colours, uint8 [H, W, 3]."""
    brightest = _brightest((given, shown))
    left, right = (_spectrum_colours(spectrum, brightest) for spectrum in (given, shown))
    return np.hstack([left, np.full((len(left), GAP, 3), 255, np.uint8), right])


def _brightest(spectra: tuple[np.ndarray, np.ndarray]) -> float:
    return float(spectra[0].max())


def _spectrum_colours(spectrum: np.ndarray, brightest: float) -> np.ndarray:
    return colour_map(-spectrum, -brightest, DECADES - brightest)  # strong is light


def _of_eight_bits(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


def _scaled_down(pixels: np.ndarray) -> np.ndarray:
    """At most LONGEST pixels along an axis, uint8 [H, W] or [H, W, C]."""
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    longest = max(flat.shape[:2])
    if longest <= LONGEST:
        return flat
    height, width = (max(round(size * LONGEST / longest), 1) for size in flat.shape[:2])
    return np.asarray(Image.fromarray(flat).resize((width, height), Image.Resampling.BOX))
