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


def read_deep_png(path: str | os.PathLike) -> np.ndarray | None:
    """Pixels uint16 [H, W, C] of a PNG file of 16 bits a channel that Pillow has opened; None for any other.

    None also for interlaced files and those with one transparent colour, which are left to Pillow. Raises
    ValueError where data is missing.
    """
    with open(path, "rb") as file:
        head = file.read(33)
        if len(head) < 33 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
            return None
        width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head[16:29])
        if bits != 16 or interlaced or colour not in CHANNELS:
            return None
        pieces = []
        while len(start := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", start)
            if kind == b"tRNS":
                return None
            if kind == b"IEND":
                break
            content = file.read(size)
            file.read(4)  # checksum: zlib's own covers the pixels
            if kind == b"IDAT":
                pieces.append(content)
    pixel_bytes = 2 * CHANNELS[colour]
    row_bytes = width * pixel_bytes
    try:
        # no more than the picture holds, whatever the stream would expand to
        data = zlib.decompressobj().decompress(b"".join(pieces), height * (row_bytes + 1))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(data) < height * (row_bytes + 1):
        raise ValueError("rows are missing")
    rows = np.frombuffer(data, np.uint8).reshape(height, row_bytes + 1)
    if rows[:, 0].max() > 4:
        raise ValueError("an unknown filter")
    values = png_filters.unfilter(rows[:, 0], rows[:, 1:], pixel_bytes)
    return values.view(">u2").reshape(height, width, CHANNELS[colour]).astype(np.uint16)


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
