"""The definitions in plain numpy, one vertex at a time."""

import numpy as np

__all__ = ["components", "edges_and_fans"]


def edges_and_fans(faces: np.ndarray, vertex_count: int) -> tuple:
    """As `kernels.topology.edges_and_fans`."""
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges, edge = np.unique(np.sort(directed, axis=1), axis=0, return_inverse=True)
    uses = np.bincount(edge.ravel(), minlength=len(edges))
    along = np.bincount(edge.ravel(), weights=directed[:, 0] < directed[:, 1], minlength=len(edges))
    used = np.unique(faces)
    pinched = 0
    for vertex in used:
        around = faces[np.any(faces == vertex, axis=1)]
        links = around[around != vertex].reshape(-1, 2)  # the opposite edges: they must hang together
        _, links = np.unique(links, return_inverse=True)
        pinched += len(np.unique(components(links.reshape(-1, 2), int(links.max()) + 1))) > 1
    misoriented = (uses == 2) & (along != 1)
    boundary, non_manifold = np.count_nonzero(uses == 1), np.count_nonzero(uses > 2)
    return len(edges), boundary, np.count_nonzero(misoriented), non_manifold, len(used), pinched


def components(faces: np.ndarray, vertex_count: int) -> np.ndarray:
    """As `kernels.topology.components`: the smallest name spreads over each face until nothing changes."""
    names = np.arange(vertex_count, dtype=np.int32)
    while True:
        before = names.copy()
        smallest = names[faces].min(axis=1, initial=vertex_count)
        for corner in faces.T:
            np.minimum.at(names, corner, smallest)
        if np.array_equal(names, before):
            return names
