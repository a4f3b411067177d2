"""Decoding the pictures of a scene once, into one flat array."""

import hashlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..runtime.errors import InputError
from ..runtime.memory import available_memory, size_text
from ..runtime.progress import progress
from ..runtime.threads import run_pieces
from .image import SMALLEST, picture_facts, read_image
from .scene import Photographs

__all__ = ["PictureFile", "decode", "look_at"]

SHARE = 0.5  # of the free memory that pictures may take; beyond it they are kept in a file
STRIP = 1 << 20  # pixels that are brought to their final form at a time
ONLY_OF_ONE_IMAGE = ("Its alpha channel is opaque", "Alpha is learnt")  # notes that do not concern a scene


@dataclass(frozen=True)
class PictureFile:
    """One picture before it is decoded.

    size: width, height. upright: whether it is turned as its EXIF orientation says. mask: the file that says
    which pixels count (or, where `cuts_out`, which belong to the object: the mask becomes the alpha channel);
    pixels count where the mask is brighter than half, or, where `inverted`, where it is black.
    """

    path: Path
    size: tuple[int, int]
    has_alpha: bool = False
    upright: bool = False
    mask: Path | None = None
    cuts_out: bool = False
    inverted: bool = False


def look_at(path: Path, declared: tuple[int, int] | None = None) -> PictureFile:
    """A picture by the head of its file.

    declared: width, height that the scene's file gives. Programs that find cameras take pixels as they are
    stored, so a picture is turned as its EXIF orientation says only where that makes the size the declared
    one.
    """
    width, height, swapped, has_alpha = picture_facts(path)
    turned = swapped and declared == (height, width) and width != height
    return PictureFile(path, (height, width) if turned else (width, height), has_alpha, turned)


def decode(
    files: list[PictureFile], downscale: int = 1, wanted: np.ndarray | None = None
) -> tuple[Photographs, list[str]]:
    """All pictures, and notes on what had to be changed about them.

    Each pixel is the average of `downscale` x `downscale` pixels of the file, of colours multiplied by alpha;
    columns and rows that are left over at the right and at the bottom are cut off. wanted [N] bool: which are
    decoded; the others stay 0 x 0. 16 bits are rounded to 8, grey becomes colour. Where the whole would take
    more than half of the memory that is free it is kept in a temporary file, which goes with the process.
    Raises InputError for a picture or a mask that cannot be used, and where neither memory nor disk can hold
    them.
    """
    wanted = np.ones(len(files), bool) if wanted is None else wanted
    sizes = np.array([file.size for file in files], np.int64).reshape(-1, 2) // downscale
    for file, size in zip(files, sizes, strict=True):
        if size.min() < SMALLEST:
            raise InputError(
                f"has {file.size[0]} x {file.size[1]} pixels, of which downscale {downscale} leaves too few",
                file.path,
                f"Choose --downscale so that {SMALLEST} are left along each side.",
            )
    sizes[~wanted] = 0
    starts = np.concatenate([[0], np.cumsum(sizes.prod(axis=1))])
    alpha = any(file.has_alpha or file.cuts_out for file in files)
    masked = any(file.mask and not file.cuts_out for file in files)
    total = int(starts[-1])
    pixels = _array(
        (total, 4 if alpha else 3), largest=max((f.size[0] * f.size[1] for f in files), default=0)
    )
    counted = np.ones(total, bool) if masked else None
    hashes, found, opaque = [b""] * len(files), Counter[str](), np.ones(len(files), bool)
    done = iter(range(1, len(files) + 1))  # shared by threads: iteration is atomic

    with progress(f"Decoding {int(wanted.sum())} pictures") as bar:

        def work(number: int) -> None:
            file, piece = files[number], slice(starts[number], starts[number + 1])
            hashes[number] = _hash(file)
            if wanted[number]:
                target = pixels[piece].reshape(sizes[number, 1], sizes[number, 0], -1)
                notes = _fill(target, file, downscale)
                if counted is not None and file.mask and not file.cuts_out:
                    shape = target.shape[:2]
                    counted[piece] = (
                        _blocks(_mask(file)[..., None], shape, downscale).all(axis=(1, 3)).ravel()
                    )
                opaque[number] = not alpha or bool((target[..., 3] == 255).all())
                found.update(notes)
            bar.update(next(done) / len(files))

        run_pieces(work, [(number,) for number in range(len(files))])
    if alpha and opaque.all():
        pixels = _without_alpha(pixels)
    content = hashlib.sha256(b"".join(hashes) + bytes([downscale % 256])).hexdigest()[:16]
    notes = [f"{count} of {int(wanted.sum())} pictures: {note}" for note, count in sorted(found.items())]
    return Photographs(pixels, starts, sizes, counted, content), notes


def _array(shape: tuple[int, int], largest: int) -> np.ndarray:
    """Room for pixels: in memory, or in a file where that is short."""
    size, free = shape[0] * shape[1], available_memory()
    if size + 8 * largest <= SHARE * free:
        return np.empty(shape, np.uint8)
    folder = tempfile.gettempdir()
    if size > shutil.disk_usage(folder).free:
        raise InputError(
            f"the pictures take {size_text(size)}: more than memory ({size_text(free)} free) or disk has",
            folder,
            "Scale them down (--downscale 2), or name a folder with more room in the variable TMPDIR.",
        )
    with tempfile.TemporaryFile(dir=folder) as file:  # which has no name: it goes with the last that maps it
        file.truncate(size)
        return np.memmap(file, np.uint8, "r+", shape=shape)


def _hash(file: PictureFile) -> bytes:
    digest = hashlib.sha256()
    for path in (file.path, file.mask):
        if path:
            with open(path, "rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.digest()


def _fill(target: np.ndarray, file: PictureFile, downscale: int) -> list[str]:
    """Decode a picture into uint8 [H, W, 3 or 4]; notes."""
    image = read_image(file.path, file.upright)
    pixels, notes = image.pixels, [note for note in image.notes if not note.startswith(ONLY_OF_ONE_IMAGE)]
    top = int(np.iinfo(pixels.dtype).max)
    if image.channels < 3:
        notes.append("Grey, taken as colour.")
    if top > 255:
        notes.append("16 bits, rounded to 8.")
    if pixels.shape[:2] != (file.size[1], file.size[0]):
        raise InputError(
            f"is {image.width} x {image.height} pixels, its head says {file.size[0]} x {file.size[1]}",
            file.path,
            "Export it again.",
        )
    has_alpha = image.channels in (2, 4)
    mask = _mask(file) if file.cuts_out else None
    rows = max(STRIP // image.width // downscale, 1)
    for row in range(0, len(target), rows):
        part = target[row : row + rows]
        block = slice(row * downscale, (row + len(part)) * downscale)
        given = pixels[block]
        colour = given[:, :, : image.channels - has_alpha]
        if target.shape[2] == 3:
            part[:] = _average(colour, top, part.shape[:2], downscale)
            continue
        opacity = given[:, :, -1:] if has_alpha else np.full((*given.shape[:2], 1), top, given.dtype)
        if mask is not None:
            opacity = opacity * mask[block, :, None]
        wide = np.uint32 if top == 255 else np.uint64
        part[:, :, :3] = _average(np.multiply(colour, opacity, dtype=wide), top**2, part.shape[:2], downscale)
        part[:, :, 3:] = _average(opacity, top, part.shape[:2], downscale)
    return notes


def _mask(file: PictureFile) -> np.ndarray:
    """Whether each pixel counts, bool [H, W]."""
    assert file.mask is not None
    image = read_image(file.mask, file.upright)
    if (image.width, image.height) != file.size:
        raise InputError(
            f"is {image.width} x {image.height} pixels, its picture {file.size[0]} x {file.size[1]}",
            file.mask,
            "A mask is of the size of its picture.",
        )
    value = image.pixels[:, :, : 3 if image.channels > 2 else 1].max(axis=2)
    return value == 0 if file.inverted else value > np.iinfo(value.dtype).max // 2


def _blocks(values: np.ndarray, shape: tuple[int, ...], downscale: int) -> np.ndarray:
    """[H, W, C] as [h, downscale, w, downscale, C], the remainder cut off."""
    height, width = shape
    cut = values[: height * downscale, : width * downscale]
    return cut.reshape(height, downscale, width, downscale, -1)


def _average(values: np.ndarray, top: int, shape: tuple[int, ...], downscale: int) -> np.ndarray:
    """Means of blocks of whole numbers up to `top`, scaled to 0..255 and rounded once."""
    if downscale == 1 and top == 255:
        return values
    wide = np.uint32 if top <= 255**2 and downscale <= 128 else np.uint64
    total = _blocks(values, shape, downscale).sum(axis=(1, 3), dtype=wide)
    count = downscale**2
    if top <= 255**2:  # 255 divides it
        unit = count * top // 255
        return (total + wide(unit // 2)) // wide(unit)
    unit = count * top
    return (total * wide(255) + wide(unit // 2)) // wide(unit)


def _without_alpha(pixels: np.ndarray) -> np.ndarray:
    """[N, 4] as [N, 3] in the same memory."""
    flat = pixels.reshape(-1)
    for start in range(0, len(pixels), STRIP):
        part = pixels[start : start + STRIP, :3].copy()
        flat[3 * start : 3 * (start + len(part))] = part.reshape(-1)
    return flat[: 3 * len(pixels)].reshape(-1, 3)
