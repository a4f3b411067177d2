"""Nearest points and winding numbers of a mesh, and its self-intersections, against libigl."""

import time
from collections.abc import Callable

import igl
import numpy as np
from inputs import Triangles, mesh_path, read_mesh, sample_surface
from report import flags, publish, table

from isofield.geometry.frames import Frame
from isofield.kernels import bvh
from isofield.runtime.threads import available_cores, set_threads

MESHES = ("stanford-bunny", "armadillo")
POINTS = 1_000_000
EXACT = 2_000  # points of the exact winding number
LIMIT = 0.1
SIGMA = 0.01

MEASURED = (
    "{points:,} points, in the box [-1, 1]^3 around the mesh (its longest edge is 1.82) or beside its "
    f"surface (a normal deviate of {SIGMA} in x, y and z); seconds, isofield the best of three. libigl "
    "takes all {cores} cores, isofield one, then as many. libigl builds its tree anew in each call: seconds "
    "of a call with one point are in the table of trees."
)
AGREEMENT = (
    "Largest difference of the distances; root mean square and largest error of the winding numbers w "
    f"against the exact sum at {EXACT:,} points; number of points that only one of both puts above one half:"
)


def main() -> None:
    """Time, compare, print, write."""
    arguments = flags(__doc__).parse_args()
    count = 20_000 if arguments.small else POINTS
    cores = available_cores()
    seconds, errors, builds = [], [], []
    for name in MESHES:
        mesh = _working(read_mesh(mesh_path(name)))
        builds.append(_builds(name, mesh, cores))
        for where, points in _points(mesh, count).items():
            label = f"{name}, {where}"
            timed, agreement = _compare(label, mesh, points, cores)
            seconds += timed
            errors.append(agreement)
    body = [
        MEASURED.format(points=count, cores=cores),
        table(("work", "libigl", "1 thread", f"{cores} threads", "times faster"), seconds),
        AGREEMENT,
        table(
            ("points", "distance", "w libigl, rms", "max", "w isofield, rms", "max", "sides differ"), errors
        ),
        "Seconds to build the tree, by libigl for winding numbers and for distances, and to find all pairs "
        "of faces that cross:",
        table(("mesh", "faces", "libigl, w", "libigl, d", "isofield, both", "crossings", "pairs"), builds),
        _finding(seconds),
    ]
    publish("bvh", "Distances and winding numbers", body, arguments, ("libigl",))


def _working(mesh: Triangles) -> Triangles:
    vertices, faces = mesh
    return Frame.around(vertices[np.unique(faces)]).to_working(vertices).astype(np.float64), faces


def _points(mesh: Triangles, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    near = sample_surface(mesh, count, rng)[0] + rng.normal(0, SIGMA, (count, 3))
    return {
        "in the box": rng.uniform(-1, 1, (count, 3)).astype(np.float32),
        "at the surface": near.astype(np.float32),
    }


def _compare(
    label: str, mesh: Triangles, points: np.ndarray, cores: int
) -> tuple[list[list[object]], list[object]]:
    """Rows of seconds, and the row of differences."""
    doubled, tree = points.astype(np.float64), bvh.build(*mesh)
    number_theirs, their_number = _best(lambda: igl.fast_winding_number(*mesh, doubled), 1)
    near_theirs, their_near = _best(lambda: igl.point_mesh_squared_distance(doubled, *mesh), 1)
    works = {
        "winding number": (lambda: bvh.winding_number(tree, points), number_theirs),
        "nearest point": (lambda: bvh.nearest(tree, points), near_theirs),
        f"nearest point within {LIMIT}": (lambda: bvh.nearest(tree, points, LIMIT), near_theirs),
    }
    rows, results = [], {}
    for work, (call, theirs) in works.items():
        taken = []
        for threads in (1, cores):
            set_threads(threads)
            ours, results[work] = _best(call, 3)
            taken.append(ours)
        rows.append([f"{work}, {label}", theirs, *taken, f"{theirs / taken[-1]:.1f}"])
    number, distance = results["winding number"], results["nearest point"][0]
    some = np.random.default_rng(1).choice(len(points), min(EXACT, len(points)), replace=False)
    exact = igl.winding_number(*mesh, doubled[some])
    errors = [np.abs(w[some] - exact) for w in (their_number, number)]
    measures = [x for e in errors for x in (float(np.sqrt(np.mean(e**2))), float(e.max()))]
    sides = int(np.count_nonzero((number > 0.5) != (their_number > 0.5)))
    return rows, [label, float(np.abs(distance - np.sqrt(their_near[0])).max()), *measures, sides]


def _builds(name: str, mesh: Triangles, cores: int) -> list[object]:
    set_threads(cores)
    bvh.self_intersections(mesh[0][mesh[1][0]], np.array([[0, 1, 2]]))  # compiles
    point = np.zeros((1, 3))
    taken = [
        _best(call, 3)[0]
        for call in (
            lambda: igl.fast_winding_number(*mesh, point),
            lambda: igl.point_mesh_squared_distance(point, *mesh),
            lambda: bvh.build(*mesh),
        )
    ]
    crossing, pairs = _best(lambda: bvh.self_intersections(*mesh), 1)
    return [name, f"{len(mesh[1]):,}", *taken, crossing, len(pairs)]


def _best(call: Callable, times: int) -> tuple[float, object]:
    """Least seconds of several calls, and the result."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        result = call()
        taken.append(time.perf_counter() - start)
    return min(taken), result


def _finding(rows: list[list[object]]) -> str:
    def between(work: str) -> str:
        factors = [float(row[-1]) for row in rows if str(row[0]).startswith(f"{work},")]
        return f"{min(factors):.0f} to {max(factors):.0f}"

    return (
        f"On all cores each, isofield is {between('winding number')} times as fast as libigl for winding "
        f"numbers, {between('nearest point')} times for nearest points."
    )


if __name__ == "__main__":
    main()
