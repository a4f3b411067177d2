"""Nearest points and winding numbers by brute force in float64: the definitions that the fast kernels are
compared with.
"""

import numpy as np

__all__ = [
    "dipole_winding_gradient",
    "dipole_winding_number",
    "nearest",
    "winding_gradient",
    "winding_number",
]

PAIRS = 1 << 20  # point-triangle pairs held in memory at once


def nearest(
    vertices: np.ndarray, faces: np.ndarray, points: np.ndarray, limit: float = np.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, face and closest surface point of every point; beyond `limit`: the limit, -1 and the point
    itself.
    """
    corners = vertices.astype(np.float64)[faces]
    distance = np.full(len(points), limit, np.float64)
    face = np.full(len(points), -1, np.int32)
    closest = points.astype(np.float64)
    for piece in _pieces(len(points), len(faces)):
        p = points[piece, None].astype(np.float64)
        q = _closest_on_triangles(p, corners[None])
        d = np.linalg.norm(p - q, axis=-1)
        best = np.argmin(d, axis=1)
        rows = np.arange(len(best))
        near = np.flatnonzero(d[rows, best] < limit)
        distance[piece.start + near] = d[near, best[near]]
        face[piece.start + near] = best[near]
        closest[piece.start + near] = q[near, best[near]]
    return distance.astype(np.float32), face, closest.astype(np.float32)


def winding_number(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sum of the solid angles of all triangles over 4 pi (Van Oosterom and Strackee 1983, equation 8)."""
    corners = vertices.astype(np.float64)[faces]
    result = np.empty(len(points), np.float32)
    for piece in _pieces(len(points), len(faces)):
        a, b, c = np.moveaxis(corners[None] - points[piece, None, None].astype(np.float64), 2, 0)
        la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
        volume = _dot(a, np.cross(b, c))
        cosines = la * lb * lc + _dot(a, b) * lc + _dot(b, c) * la + _dot(c, a) * lb
        result[piece] = np.sum(np.arctan2(volume, cosines), axis=1) / (2 * np.pi)
    return result


def dipole_winding_number(positions: np.ndarray, area_vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sum over samples x with area vectors n of n.(x - p) / (4 pi |x - p|^3) (Barill et al. 2018).

    A sample that lies at the point itself adds 0.
    """
    result = np.empty(len(points), np.float32)
    for piece in _pieces(len(points), len(positions)):
        r = positions[None] - points[piece, None].astype(np.float64)
        cube = _dot(r, r) ** 1.5
        flux = np.divide(_dot(r, area_vectors[None]), cube, out=np.zeros_like(cube), where=cube > 0)
        result[piece] = np.sum(flux, axis=1) / (4 * np.pi)
    return result


def winding_gradient(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Gradient [N, 3] of the winding number: the field of a current along the border of every triangle
    (Biot and Savart), over 4 pi.
    """
    corners = vertices.astype(np.float64)[faces]
    result = np.empty((len(points), 3), np.float32)
    for piece in _pieces(len(points), len(faces)):
        seen = np.moveaxis(corners[None] - points[piece, None, None].astype(np.float64), 2, 0)
        total = np.zeros((seen.shape[1], 3))
        for a, b in zip(seen, np.roll(seen, -1, axis=0)):
            la, lb = np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)
            weight = (1 / la + 1 / lb) / (la * lb + _dot(a, b))
            total += np.sum(weight[..., None] * np.cross(a, b), axis=1)
        result[piece] = total / (4 * np.pi)
    return result


def dipole_winding_gradient(
    positions: np.ndarray, area_vectors: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """Gradient [N, 3] of `dipole_winding_number` with respect to the points."""
    result = np.empty((len(points), 3), np.float32)
    for piece in _pieces(len(points), len(positions)):
        r = positions[None] - points[piece, None].astype(np.float64)
        square = _dot(r, r)[..., None]
        field = 3 * _dot(r, area_vectors[None])[..., None] * r / square - area_vectors[None]
        result[piece] = np.sum(field / square**1.5, axis=1) / (4 * np.pi)
    return result


def _pieces(count: int, primitives: int) -> list[slice]:
    step = max(PAIRS // primitives, 1)
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=-1)


def _closest_on_triangles(p: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The closest point of triangles corners [..., 3, 3] to p [..., 3]: the best of the plane's foot,
    where it is inside, and three edges.
    """
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
