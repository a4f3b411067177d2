"""Sculpting: volumes of a smooth union and of a shell against counting cells with libigl's distances, and
whether the results are closed."""

import tempfile
from pathlib import Path

import igl
import numpy as np
from command import isofield
from inputs import mesh_path, read_mesh
from judge import is_closed_and_manifold
from report import flags, publish, table

NAME = "bunny-watertight-7k"
CELLS = 128  # along an axis; one random place in each, so that borders of the grid do not matter
RADIUS, THICKNESS = 0.05, 0.02  # of the longest edge
INTRODUCTION = (
    "Volumes of what `isofield combine` makes of a closed bunny (7,000 faces), measured on its mesh by the "
    "divergence theorem, against counting: one random place in each of {cells}^3 cells, inside or not by "
    "libigl's distance (its fast winding number says the sign) and the operation's formula. The sphere's "
    "radius is a quarter of the longest edge; it sits on the upper side of the box."
)


def main() -> None:
    """Combine, count, print, write."""
    parser = flags(__doc__)
    arguments = parser.parse_args()
    cells = 32 if arguments.small else CELLS
    vertices, faces = read_mesh(mesh_path(NAME))
    low, high = vertices.min(0), vertices.max(0)
    edge = float((high - low).max())
    centre = (low + high) / 2
    centre[1] = high[1]
    radius = edge / 4
    box_low, box_high = np.minimum(low, centre - radius), np.maximum(high, centre + radius)
    margin = 0.03 * edge
    places, volume = _places(box_low - margin, box_high + margin, cells)
    bunny = igl.signed_distance(places, vertices, faces, igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER)[0]
    ball = np.linalg.norm(places - centre, axis=1) - radius
    k = RADIUS * edge
    blend = np.minimum(bunny, ball) - np.maximum(1 - np.abs(bunny - ball) / k, 0) ** 2 * k / 4
    shell = np.maximum(bunny, -bunny - THICKNESS * edge)
    body = "sphere:" + ",".join(f"{c!r}" for c in [*centre.tolist(), radius])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for title, words, distance in (
            (
                "smooth union with a sphere, radius 5 %",
                (body, "--op", "smooth_union", "--length", "5%"),
                blend,
            ),
            ("shell of 2 %", ("--op", "shell", "--length", "2%"), shell),
        ):
            out = Path(folder) / "out.ply"
            run = isofield("combine", mesh_path(NAME), *words, "--out", out)
            made = _volume(out)
            counted = float(np.mean(distance < 0) * volume)
            closed = "yes" if is_closed_and_manifold(out) else "NO"
            rows.append(
                (
                    title,
                    f"{made:.6g}",
                    f"{counted:.6g}",
                    f"{100 * (made / counted - 1):+.3f} %",
                    closed,
                    run.cells[0],
                )
            )
    header = ("result", "volume", "counted", "difference", "closed and manifold", "seconds")
    publish(
        "combine",
        "Sculpting with fields",
        [INTRODUCTION.format(cells=cells), table(header, rows)],
        arguments,
        ("libigl",),
    )


def _places(low: np.ndarray, high: np.ndarray, cells: int) -> tuple[np.ndarray, float]:
    """A random place in each cell of a box, and the volume of the box."""
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shares = (corners + np.random.default_rng(0).random(corners.shape)) / cells
    return low + shares * (high - low), float(np.prod(high - low))


def _volume(path: Path) -> float:
    vertices, faces = read_mesh(path)
    return float(np.linalg.det(vertices[faces] - vertices[0]).sum() / 6)


if __name__ == "__main__":
    main()
