"""Photographs and other pictures: the record of one, its reader and its writer."""

import contextlib
import hashlib
import os
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import PIL.Image

from ..runtime.errors import InputError
from ..runtime.files import atomic_path
from .deep_png import read_deep_png, write_deep_png

__all__ = [
    "IMAGE_ENDINGS",
    "Image",
    "as_image",
    "check_image_output",
    "picture_facts",
    "read_image",
    "write_image",
]

IMAGE_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm", ".avif",
)  # fmt: skip
WRITTEN = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
SMALLEST = 8  # pixels along an axis, below which there is nothing to learn
ORIENTATION = 0x0112  # of EXIF
BITS_PER_SAMPLE = 258  # of TIFF
ONE_TRANSPARENT = "One colour is marked as transparent: it became an alpha channel."
SUBJECTS = {1: "grey", 2: "grey with alpha", 3: "colour", 4: "colour with alpha"}


@dataclass(frozen=True, eq=False)
class Image:
    """One picture, as the file has it.

    name: short, from the file's name. pixels: uint8 or uint16 [H, W, C], the first row at the top; C is 1
    (grey), 2 (grey, alpha), 3 (red, green, blue) or 4 (with alpha, which is straight: colours are not
    multiplied by it). Colours are sRGB as displayed. source: where it came from, for messages. notes: what
    the reader noticed and did, one sentence each. Raises InputError for other arrays.
    """

    name: str
    pixels: np.ndarray
    source: str = ""
    notes: tuple[str, ...] = ()

    kind = "image"

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels)
        object.__setattr__(self, "pixels", pixels)
        where = self.source or f"Image {self.name!r}"
        if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] not in SUBJECTS:
            raise InputError(
                f"its pixels are {pixels.dtype} {list(pixels.shape)}, not what a picture can have",
                where,
                "Give uint8 or uint16 of the shape [height, width, 1 to 4].",
            )
        if min(pixels.shape[:2]) < SMALLEST:
            raise InputError(
                f"is {self.width} x {self.height} pixels, too small to learn from",
                where,
                f"Give a picture of {SMALLEST} pixels or more along each side.",
            )

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        """Numbers in a pixel."""
        return self.pixels.shape[2]

    @property
    def bits(self) -> int:
        """Bits of a number: 8 or 16."""
        return 8 * self.pixels.itemsize

    @property
    def in_words(self) -> str:
        """Size and kind, such as "512 x 512 pixels, colour"."""
        depth = "" if self.bits == 8 else f", {self.bits} bits"
        return f"{self.width} x {self.height} pixels, {SUBJECTS[self.channels]}{depth}"

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the pixels: equal for equal pictures, wherever and in whatever format the file
        is."""
        digest = hashlib.sha256(repr((self.pixels.shape, self.pixels.dtype.str)).encode())
        digest.update(self.pixels.tobytes())
        return digest.hexdigest()[:16]

    def described(self) -> dict[str, Any]:
        """What run.json says of it."""
        return {
            "kind": self.kind,
            "height": self.height,
            "width": self.width,
            "channels": self.channels,
            "bits": self.bits,
            "notes": list(self.notes),
        }


def read_image(path: str | os.PathLike, upright: bool = True) -> Image:
    """The picture in a file of any format that Pillow reads.

    upright: turned as its EXIF orientation says; else as it is stored. Palettes are looked up, CMYK and other
    colour spaces become RGB, of several frames the first is taken; each is said in the notes. 16 bits are
    kept of PNG files and of grey ones; of colours in TIFF and PPM files Pillow gives 8, which is said too.
    Raises InputError for what cannot be read or is no picture of 8 or 16 bits.
    """
    path = Path(path)
    with _opened(path) as picture:
        pixels, notes = _decoded(picture, path, upright)
    return Image(path.stem, pixels, str(path), tuple(notes))


def picture_facts(path: str | os.PathLike) -> tuple[int, int, bool, bool]:
    """What the head of a picture's file says: width and height as stored, whether its EXIF orientation swaps
    the two, and whether it has alpha. Raises InputError as `read_image` does."""
    with _opened(Path(path)) as picture:
        see_through = "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBA", "RGBa")
        return *picture.size, picture.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8), see_through


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[PIL.Image.Image]:
    """The picture while Pillow works on it; whatever it raises becomes an InputError."""
    try:
        with warnings.catch_warnings():
            # up to its hard limit of 179 million pixels, below which it only warns
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(path) as picture:
                yield picture
    except PIL.Image.DecompressionBombError:
        raise InputError(
            "promises more than 178 million pixels, which could exhaust the memory",
            path,
            "Scale it down, or cut it into parts.",
        ) from None
    except PIL.UnidentifiedImageError:
        raise InputError(
            "is not a picture that can be read, or is damaged at its start",
            path,
            f"Formats that are read: {' '.join(IMAGE_ENDINGS)}. Export it again as .png.",
        ) from None
    except PermissionError as error:
        raise InputError(f"cannot be read ({error.strerror})", path, "Check the permissions.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error) as error:
        raise InputError(  # what Pillow's decoders raise on damaged files
            f"is damaged or was cut short ({error})", path, "Copy or export it again."
        ) from None


def as_image(pixels: np.ndarray) -> Image:
    """The record of pixels in memory: uint8 or uint16 [H, W] or [H, W, C]."""
    return Image("image", pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _decoded(picture: PIL.Image.Image, path: Path, upright: bool) -> tuple[np.ndarray, list[str]]:
    """Pixels [H, W, C] and notes."""
    notes = []
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"The file holds {frames} frames; the first is taken, {frames - 1} are left.")
    if picture.info.get("icc_profile"):
        notes.append("Its colour profile is not applied: the numbers are taken as sRGB.")
    turn, bits = picture.getexif().get(ORIENTATION, 1), _stored_bits(picture, path)
    deep = read_deep_png(path) if picture.format == "PNG" else None
    if deep is None:
        picture.load()
        picture, converted = _in_plain_mode(picture, path)
        pixels, notes = np.asarray(picture), [*notes, *converted]
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        if bits > 8 * pixels.itemsize:
            notes.append(
                f"{bits} bits a channel were cut to 8: colours are read with 16 from .png files alone. Save "
                "it as one to keep them."
            )
    else:
        pixels = deep
        if "transparency" in picture.info:
            notes.append(ONE_TRANSPARENT)
    if upright and turn in TURNS:
        pixels = TURNS[turn](pixels)
        notes.append(f"Turned upright as its EXIF orientation ({turn}) says.")
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.uint16)
    if pixels.shape[2] in (2, 4):
        if np.all(pixels[:, :, -1] == np.iinfo(pixels.dtype).max):
            pixels = pixels[:, :, :-1]
            notes.append("Its alpha channel is opaque everywhere and was left out.")
        else:
            notes.append("Alpha is learnt as a channel of its own; colours are not multiplied by it.")
    return np.ascontiguousarray(pixels), notes


def _stored_bits(picture: PIL.Image.Image, path: Path) -> int:
    """Bits of a number as the file has them, where Pillow may give fewer; 8 where it never does."""
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(BITS_PER_SAMPLE, (1,)))  # type: ignore[attr-defined]
    if picture.format == "PPM":
        with open(path, "rb") as file:
            words = re.sub(rb"#[^\r\n]*", b"", file.read(4096)).split(None, 4)
        if words[0] in (b"P2", b"P3", b"P5", b"P6") and len(words) > 3:
            return int(words[3]).bit_length()  # of the largest value
    return 8


# EXIF orientation -> what makes the picture upright (Exif 2.32, table of tag 274)
TURNS = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p[::-1].swapaxes(0, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p[:, ::-1].swapaxes(0, 1),
}


def _in_plain_mode(picture: PIL.Image.Image, path: Path) -> tuple[PIL.Image.Image, list[str]]:
    """The picture in one of Pillow's modes L, LA, RGB, RGBA or 16-bit grey, and notes on conversions."""
    mode = picture.mode
    see_through = "transparency" in picture.info
    if mode in ("L", "LA", "RGB", "RGBA") and not see_through:
        return picture, []
    if mode == "L":
        return picture.convert("LA"), [ONE_TRANSPARENT]
    if mode == "RGB":
        return picture.convert("RGBA"), [ONE_TRANSPARENT]
    if mode in ("P", "PA"):
        wanted = "RGBA" if see_through or mode == "PA" else "RGB"
        return picture.convert(wanted), ["The colours of its palette were looked up."]
    if mode == "1":
        return picture.convert("L"), ["Black and white: it became grey."]
    if mode.startswith("I;16"):
        return picture, []
    if mode == "I":
        values = np.asarray(picture)
        if values.min() >= 0 and values.max() <= 0xFFFF:  # 16 bits that Pillow holds in 32
            return picture, []
    if mode in ("CMYK", "YCbCr", "HSV", "LAB", "RGBX"):
        note = f"Converted from {mode} to RGB by Pillow's plain formula, without a colour profile."
        return picture.convert("RGB"), [note]
    if mode in ("La", "RGBa"):
        return picture.convert({"La": "LA", "RGBa": "RGBA"}[mode]), ["Colours were divided by alpha."]
    raise InputError(
        f"holds numbers of a kind that is not read ({mode}: floating point, or more than 16 bits)",
        path,
        "Save it with 8 or 16 bits a channel.",
    )


def check_image_output(path: str | os.PathLike, channels: int, deep: bool) -> None:
    """Raise InputError where `write_image` could not write such a picture, before any work.

    deep: whether it has 16 bits.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in WRITTEN:
        raise InputError(
            f"no writer for {ending!r} pictures", path, f"Formats that are written: {' '.join(WRITTEN)}."
        )
    held = {
        ".png": True,
        ".webp": not deep,
        ".tif": not deep or channels == 1,
        ".tiff": not deep or channels == 1,
    }.get(ending, not deep and channels in (1, 3))
    if not held:
        raise InputError(
            f"{ending} files cannot hold {SUBJECTS[channels]} of {16 if deep else 8} bits",
            path,
            "Write a .png file.",
        )
    if not path.parent.is_dir():
        raise InputError("there is no such folder", path.parent, "Make it, or name another output.")


def write_image(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Write pixels, uint8 or uint16 [H, W, C], in the format of the name's ending, whole or not at all.

    16 bits only as .png, or grey as .tif. Raises InputError for a format that cannot hold them.
    """
    path, channels, deep = Path(path), pixels.shape[2], pixels.dtype == np.uint16
    check_image_output(path, channels, deep)
    with atomic_path(path) as temporary:
        if deep and path.suffix.lower() == ".png":
            write_deep_png(temporary, pixels)
            return
        flat = np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels)
        PIL.Image.fromarray(flat).save(temporary, quality=95)  # which formats without loss ignore
