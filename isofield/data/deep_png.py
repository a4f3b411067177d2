"""PNG files of 16 bits a channel, which Pillow cuts to 8 where they are coloured (PNG specification, third
edition)."""

import os
import struct
import zlib

import numpy as np

from ..kernels import png_filters

__all__ = ["read_deep_png", "write_deep_png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type
# which pixels are stored together: first row, first column, steps down and right
WHOLE = ((0, 0, 1, 1),)
ADAM7 = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
)  # fmt: skip


def read_deep_png(path: str | os.PathLike) -> np.ndarray | None:
    """Pixels uint16 [H, W, C] of a PNG file of 16 bits a channel that Pillow has opened; None for any other.

    One colour or grey that the file marks as transparent (tRNS) becomes an alpha channel. Raises ValueError
    where data is missing.
    """
    with open(path, "rb") as file:
        head = file.read(33)
        if len(head) < 33 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
            return None
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head[16:29])
        if bits != 16 or colour not in CHANNELS or interlaced > 1:
            return None
        pieces, transparent = [], None
        while len(start := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", start)
            if kind == b"IEND":
                break
            content = file.read(size)
            file.read(4)  # checksum: zlib's own covers the pixels
            if kind == b"IDAT":
                pieces.append(content)
            elif kind == b"tRNS" and size == 2 * CHANNELS[colour] and colour in (0, 2):
                transparent = np.frombuffer(content, ">u2")
    pixels = np.empty((height, width, CHANNELS[colour]), np.uint16)
    _fill(pixels, b"".join(pieces), ADAM7 if interlaced else WHOLE)
    if transparent is None:
        return pixels
    opaque = (pixels != transparent).any(axis=2, keepdims=True)
    return np.concatenate([pixels, opaque * np.uint16(0xFFFF)], axis=2)


def _fill(pixels: np.ndarray, packed: bytes, passes: tuple[tuple[int, int, int, int], ...]) -> None:
    """Write what the zlib stream holds, the pixels of one pass after the other, into uint16 [H, W, C]."""
    parts = [pixels[top::down, left::right] for top, left, down, right in passes]
    parts = [part for part in parts if part.size]
    pixel_bytes = 2 * pixels.shape[2]
    promised = sum(len(part) * (part.shape[1] * pixel_bytes + 1) for part in parts)
    try:
        # no more than the picture holds, whatever the stream would expand to
        data = np.frombuffer(zlib.decompressobj().decompress(packed, promised), np.uint8)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(data) < promised:
        raise ValueError("rows are missing")
    place = 0
    for part in parts:
        row_bytes = part.shape[1] * pixel_bytes + 1
        rows = data[place : place + len(part) * row_bytes].reshape(len(part), row_bytes)
        place += rows.size
        if rows[:, 0].max() > 4:
            raise ValueError("an unknown filter")
        part[:] = png_filters.unfilter(rows[:, 0], rows[:, 1:], pixel_bytes).view(">u2").reshape(part.shape)


def write_deep_png(path: str | os.PathLike, pixels: np.ndarray) -> None:
    """Write pixels, uint16 [H, W, C], as PNG."""
    height, width, channels = pixels.shape
    colour = {count: kind for kind, count in CHANNELS.items()}[channels]
    values = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    above = np.vstack([np.zeros_like(values[:1]), values[:-1]])
    rows = np.hstack([np.full((height, 1), 2, np.uint8), values - above])  # filter 2: difference to above
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(SIGNATURE)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")):
            checksum = zlib.crc32(content, zlib.crc32(kind))
            file.write(struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", checksum))
