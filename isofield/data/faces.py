"""Polygons and strips as triangles."""

import numpy as np

__all__ = ["fan_triangles", "list_places", "strip_triangles"]


def fan_triangles(counts: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles [F, 3] of polygons: corner 0 with each following pair, in the order of the polygons.

    counts: int [P], corners of each polygon; those with fewer than 3 give nothing. corners: [sum(counts)]
    vertex indices, polygon after polygon.
    """
    if len(counts) and np.all(counts == 3):
        return corners.reshape(-1, 3)
    pieces = np.maximum(counts - 2, 0)
    polygon = np.repeat(np.arange(len(counts)), pieces)
    first = (np.cumsum(counts) - counts)[polygon]
    step = np.arange(len(polygon)) - (np.cumsum(pieces) - pieces)[polygon]
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def list_places(places: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """Where each value of many lists is: list i begins at places[i], with counts[i] values of `size`."""
    start = np.repeat(places - (np.cumsum(counts) - counts) * size, counts)
    return start + np.arange(len(start)) * size


def strip_triangles(strip: np.ndarray) -> np.ndarray:
    """Triangles [F, 3] of triangle strips: each index with the two before it, every second one turned over.

    strip: int [N]; an index of -1 ends a strip and starts the next.
    """
    if len(strip) < 3:
        return np.zeros((0, 3), strip.dtype)
    position = np.arange(len(strip))
    start = np.maximum.accumulate(np.where(strip == -1, position + 1, 0))
    triangles = np.stack([strip[:-2], strip[1:-1], strip[2:]], axis=1)
    odd = (position - start)[:-2] % 2 == 1
    triangles[odd] = triangles[odd][:, [1, 0, 2]]
    # repeated indices only stitch strips together
    distinct = np.all(triangles != np.roll(triangles, 1, axis=1), axis=1)
    return triangles[distinct & np.all(triangles != -1, axis=1)]
