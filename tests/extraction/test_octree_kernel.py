"""The compiled octree against its definition: the same questions in every round, late ones included."""

import numpy as np
import pytest

from isofield.kernels.octree.numba import CompiledOctree
from isofield.kernels.octree.reference import ReferenceOctree


def wavy_balls(resolution, seed):
    """Depth of overlapping balls with waves on them, by linear indices; capped at the border."""
    random = np.random.default_rng(seed)
    centres, radii = random.uniform(-0.7, 0.7, (6, 3)), random.uniform(0.1, 0.4, 6)
    n = resolution + 1

    def depth(points):
        p = np.stack(np.unravel_index(points, (n, n, n)), axis=1) / resolution * 2 - 1
        d = np.max(radii - np.linalg.norm(p[:, None] - centres, axis=2), axis=1)
        d += 0.08 * np.sin(17 * p[:, 0] + 3 * p[:, 1])
        return np.where(np.any(np.abs(p) == 1, axis=1), np.minimum(d, 0), d).astype(np.float32)

    return depth


def search(tree, depth, limit):
    """The questions of each round, sorted."""
    rounds = []
    while True:
        questions = []
        while len(points := tree.query(limit)):
            assert len(points) <= max(limit, 512)
            questions.append(points)
            tree.update(depth(points))
        rounds.append(np.sort(np.concatenate(questions)) if questions else np.empty(0, np.int64))
        if not tree.split():
            return rounds


# 48 from 6 reaches beyond one brick of points; 32 from 2 has cells larger than a brick
@pytest.mark.parametrize(
    ("resolution", "coarse", "seed"), [(24, 12, 0), (24, 12, 2), (32, 8, 2), (48, 6, 0), (32, 2, 2)]
)
def test_compiled_asks_the_same_in_every_round(resolution, coarse, seed):
    depth = wavy_balls(resolution, seed)
    fast, plain = (kind(resolution, coarse, 0, resolution) for kind in (CompiledOctree, ReferenceOctree))
    ours, theirs = search(fast, depth, 700), search(plain, depth, 10**9)
    assert [len(points) for points in ours] == [len(points) for points in theirs]
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)
    axes = (np.linspace(-1, 1, resolution + 1).astype(np.float32),) * 3
    for first in range(0, resolution, 8):
        (cells, cases), expected = (tree.active_cells(first, first + 8) for tree in (fast, plain))
        np.testing.assert_array_equal(cells, expected[0])
        np.testing.assert_array_equal(cases, expected[1])
        np.testing.assert_array_equal(
            fast.place_vertices(cells, cases, axes), plain.place_vertices(cells, cases, axes)
        )


@pytest.mark.parametrize("kind", [CompiledOctree, ReferenceOctree])
def test_points_of_a_neighbour_are_not_asked_again_and_lead_on(kind, tmp_path):
    # the lower half alone, then the upper half with what the lower read on the common plane: together as the
    # whole
    depth, n, plane = wavy_balls(24, 2), 25, 12
    whole = np.concatenate(search(kind(24, 6, 0, 24), depth, 1000))
    halves = [kind(24, 6, 0, plane), kind(24, 6, plane, 24)]
    asked = [np.concatenate(search(halves[0], depth, 1000))]
    turn, news = 1, asked[0][asked[0] // n**2 == plane]
    while len(news):
        with open(tmp_path / "stored", "w+b") as file:
            halves[turn].store(file)
            file.seek(0)
            halves[turn].restore(file)
        halves[turn].insert(news, depth(news))
        asked.append(np.concatenate(search(halves[turn], depth, 1000)))
        turn, news = 1 - turn, asked[-1][asked[-1] // n**2 == plane]
    np.testing.assert_array_equal(np.sort(np.concatenate(asked)), np.sort(whole))
