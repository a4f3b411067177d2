"""Nearest points and winding numbers by brute force in float64: the definitions that the fast kernels are compared with."""

import numpy as np

__all__ = ["dipole_winding_number", "nearest", "winding_number"]

PAIRS = 1 << 20  # point-triangle pairs held in memory at once


def nearest(
    vertices: np.ndarray, faces: np.ndarray, points: np.ndarray, limit: float = np.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, face and closest surface point of every point; beyond `limit`: the limit, -1 and the point itself."""
    corners = vertices.astype(np.float64)[faces]
    distance = np.full(len(points), limit, np.float64)
    face = np.full(len(points), -1, np.int32)
    closest = points.astype(np.float64)
    step = max(PAIRS // len(faces), 1)
    for start in range(0, len(points), step):
        p = points[start : start + step, None].astype(np.float64)
        q = _closest_on_triangles(p, corners[None])
        d = np.linalg.norm(p - q, axis=-1)
        best = np.argmin(d, axis=1)
        rows = np.arange(len(best))
        near = np.flatnonzero(d[rows, best] <= limit)
        distance[start + near] = d[near, best[near]]
        face[start + near] = best[near]
        closest[start + near] = q[near, best[near]]
    return distance.astype(np.float32), face, closest.astype(np.float32)


def winding_number(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sum of the signed solid angles of all triangles over 4 pi (van Oosterom and Strackee 1983, equation 8)."""
    corners = vertices.astype(np.float64)[faces]
    result = np.empty(len(points), np.float32)
    step = max(PAIRS // len(faces), 1)
    for start in range(0, len(points), step):
        a, b, c = np.moveaxis(corners[None] - points[start : start + step, None, None].astype(np.float64), 2, 0)
        la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
        volume = _dot(a, np.cross(b, c))
        cosines = la * lb * lc + _dot(a, b) * lc + _dot(b, c) * la + _dot(c, a) * lb
        result[start : start + step] = np.sum(np.arctan2(volume, cosines), axis=1) / (2 * np.pi)
    return result


def dipole_winding_number(
    positions: np.ndarray, normals: np.ndarray, areas: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Sum over samples of area n.(x - p) / (4 pi |x - p|^3) (Barill et al. 2018, equation 4); a sample at the point itself adds 0."""
    dipoles = normals.astype(np.float64) * areas[:, None]
    result = np.empty(len(points), np.float32)
    step = max(PAIRS // len(positions), 1)
    for start in range(0, len(points), step):
        r = positions[None].astype(np.float64) - points[start : start + step, None].astype(np.float64)
        cube = np.sum(r * r, axis=-1) ** 1.5
        flux = np.divide(_dot(r, dipoles[None]), cube, out=np.zeros_like(cube), where=cube > 0)
        result[start : start + step] = np.sum(flux, axis=1) / (4 * np.pi)
    return result


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=-1)


def _closest_on_triangles(p: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The closest point of triangles corners [..., 3, 3] to p [..., 3]: the best of the plane's foot, where it is inside, and three edges."""
    a, b, c = np.moveaxis(corners, -2, 0)
    normal = np.cross(b - a, c - a)
    square = _dot(normal, normal)
    safe = np.where(square > 0, square, 1.0)
    foot = p - (_dot(p - a, normal) / safe)[..., None] * normal
    inside = np.broadcast_to(square > 0, foot.shape[:-1])
    for s, e in ((a, b), (b, c), (c, a)):
        inside = inside & (_dot(np.cross(e - s, foot - s), normal) >= 0)
    best = np.where(inside[..., None], foot, np.inf)
    distance = np.where(inside, np.linalg.norm(p - np.where(inside[..., None], foot, p), axis=-1), np.inf)
    for s, e in ((a, b), (b, c), (c, a)):
        square = _dot(e - s, e - s)
        t = np.clip(_dot(p - s, e - s) / np.where(square > 0, square, 1.0), 0.0, 1.0)
        q = s + t[..., None] * (e - s)
        d = np.linalg.norm(p - q, axis=-1)
        best = np.where((d < distance)[..., None], q, best)
        distance = np.minimum(distance, d)
    return best
