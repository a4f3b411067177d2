"""What a shape is like before anything is trained on it: facts, and warnings with advice."""

from typing import Any

import numpy as np

from .faces import first_occurrences
from .shape import Shape

__all__ = ["describe"]


def describe(shape: Shape) -> dict[str, Any]:
    """Facts of a shape as plain values (ready for JSON), and `warnings`: sentences with advice.

    Lengths are in the file's units. closed: every edge has exactly two faces. Components are joined by shared
    vertices. The signed volume is positive when faces look outward; of an open mesh it means little.
    """
    used = np.full(len(shape.vertices), shape.kind == "points")
    used[shape.faces] = True
    low, high = shape.vertices[used].min(axis=0), shape.vertices[used].max(axis=0)
    facts: dict[str, Any] = {
        "name": shape.name,
        "kind": shape.kind,
        "vertices": len(shape.vertices),
        "faces": len(shape.faces),
        "box": [low.tolist(), high.tolist()],
        "size": (high - low).tolist(),
        "normals": shape.normals is not None,
        "colours": shape.colours is not None,
        "duplicate_vertices": len(shape.vertices) - len(first_occurrences(shape.vertices)[0]),
    }
    if shape.kind == "mesh":
        facts |= _mesh_facts(shape, (low + high) / 2)
        facts["unreferenced_vertices"] = int(np.sum(~used))
    facts["notes"] = list(shape.notes)
    facts["warnings"] = _warnings(shape, facts)
    return facts


def _mesh_facts(shape: Shape, centre: np.ndarray) -> dict[str, Any]:
    # around the centre: far from the origin products would lose digits
    corners = (shape.vertices - centre)[shape.faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice_area = np.linalg.norm(cross, axis=1)
    a, b, c = shape.faces.T
    repeated = (a == b) | (b == c) | (c == a)
    faces = shape.faces[~repeated].astype(np.int64)

    count = len(shape.vertices)
    start = faces.ravel()
    stop = faces[:, [1, 2, 0]].ravel()
    ascending = start < stop
    # one number for each edge of each face: the edge's two vertices, then which way the face runs along it
    keys = np.sort(
        (np.where(ascending, start, stop) * count + np.where(ascending, stop, start)) * 2 + ascending
    )
    first = (
        np.flatnonzero(np.concatenate([[True], keys[1:] >> 1 != keys[:-1] >> 1]))
        if len(keys)
        else np.zeros(0, np.int64)
    )
    users = np.diff(np.append(first, len(keys)))
    pairs = first[users == 2]
    same_way = int(np.sum(keys[pairs] == keys[pairs + 1]))
    boundary, non_manifold = int(np.sum(users == 1)), int(np.sum(users > 2))
    edges = keys[first] >> 1
    return {
        "closed": boundary == 0 and non_manifold == 0,
        "boundary_edges": boundary,
        "non_manifold_edges": non_manifold,
        "components": _components(edges // count, edges % count, count),
        "consistently_oriented": same_way == 0,
        "inconsistent_edges": same_way,
        "signed_volume": float(np.einsum("fi,fi->", corners[:, 0], cross) / 6),
        "area": float(twice_area.sum() / 2),
        "degenerate_faces": int(np.sum(repeated | (twice_area == 0))),
    }


def _components(start: np.ndarray, stop: np.ndarray, count: int) -> int:
    """The connected pieces of the graph of these edges, not counting vertices without an edge."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(start), np.int8), (start, stop)), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    return len(np.unique(label[start]))


def _warnings(shape: Shape, facts: dict[str, Any]) -> list[str]:
    size = np.array(facts["size"])
    longest, far = float(size.max()), float(np.abs(facts["box"]).max())
    found = []
    if size.min() < 1e-6 * longest:
        found.append(
            "The shape is flat: it encloses no volume, so a field has no inside to show. Give it a thickness."
        )
    if far > 1e4 * longest and np.array_equal(shape.vertices, shape.vertices.astype(np.float32)):
        digits = np.log10(longest / far) + 7.2  # of the 7.2 decimal digits of single precision
        found.append(
            f"The shape lies {far / longest:.0f} times its size from the origin; if made in single "
            f"precision, about {max(digits, 0):.0f} digits of its form are left. Export it in double "
            "precision or near the origin."
        )
    if shape.kind == "points":
        if shape.normals is None:
            found.append(
                "The points have no normals: nothing tells inside from outside. Compute oriented ones, "
                "or expect a method that has to guess them."
            )
        return found
    if facts["boundary_edges"]:
        found.append(
            f"The surface is open: edges with one face: {facts['boundary_edges']}. The inside is guessed "
            "across the gaps (winding number); fill the holes where the guess matters."
        )
    if facts["inconsistent_edges"]:
        found.append(
            f"Faces disagree on which side is outside; edges where they meet: {facts['inconsistent_edges']}. "
            "Make the normals consistent, or the inside may be wrong there."
        )
    if facts["non_manifold_edges"]:
        found.append(
            f"Edges with more than two faces (walls without thickness, parts that touch): "
            f"{facts['non_manifold_edges']}. The winding number still defines an inside."
        )
    if facts["closed"] and facts["consistently_oriented"] and facts["signed_volume"] < 0:
        found.append("The faces look inward (the volume is negative); the whole mesh is taken turned over.")
    if facts["duplicate_vertices"] and facts["boundary_edges"]:
        found.append(
            f"Vertices that repeat the position of another: {facts['duplicate_vertices']}. The mesh may be "
            "cut open along seams; merging them ('merge by distance' in mesh editors) may close it."
        )
    if facts["degenerate_faces"]:
        found.append(f"Faces without area, which are ignored: {facts['degenerate_faces']}.")
    return found
