"""Points with normals to a mesh: `isofield fit` against the screened Poisson reconstruction of open3d."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from command import Measured, isofield, measure
from inputs import mesh_path, read_mesh, sample_surface, write_points
from judge import Figures, Truth, is_closed_and_manifold
from report import flags, publish, table

SHAPES = ("stanford-bunny", "nefertiti", "armadillo", "fandisk", "rocker-arm")
POINTS = 100_000
DEPTHS = (8, 9)
PEER = Path(__file__).with_name("peer_poisson.py")


@dataclass(frozen=True)
class Outcome:
    """What one program made of the points. solver: seconds without reading, writing and imports, as the
    program says."""

    program: str
    measured: Measured
    solver: float
    figures: Figures
    solid: bool


def main() -> None:
    """Sample, reconstruct, judge, print, write."""
    parser = flags(__doc__)
    parser.add_argument(
        "--open3d",
        metavar="PYTHON",
        default=sys.executable,
        help="a Python that has open3d (default: this one)",
    )
    arguments = parser.parse_args()
    version = open3d_version(arguments.open3d)
    isofield("doctor", "--warm")
    shapes, points = (SHAPES[-1:], 5_000) if arguments.small else (SHAPES, POINTS)
    body = [
        f"{points:,} points drawn evenly by area on each mesh, with the normals of their faces; the "
        "programs see the points alone. Their meshes are judged against the true mesh as under `Fitting a "
        "shape`. Seconds and memory are those of whole commands: imports, reading and writing, for isofield "
        "also its figures and its page. The solver alone is for isofield training and extraction. Poisson "
        f"is that of open3d {version}, its default settings at each depth, on both cores.",
    ]
    results: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in shapes:
            results[name] = _outcomes(Path(folder), name, points, arguments)
    for name, outcomes in results.items():
        body.append(_table(name, outcomes))
    body.append(_finding(results))
    without_path(arguments)
    publish("points", "Points with normals", body, arguments, ("libigl", "trimesh", "manifold3d"))


def _outcomes(folder: Path, name: str, points: int, arguments: argparse.Namespace) -> list[Outcome]:
    source, cloud = mesh_path(name), folder / f"{name}.ply"
    positions, normals, _ = sample_surface(read_mesh(source), points, np.random.default_rng(0))
    write_points(cloud, positions, normals)
    truth = Truth(source)

    def outcome(
        program: str, mesh: Path, run: Callable[[], Measured], solver: Callable[[Measured], float]
    ) -> Outcome:
        measured = run()
        return Outcome(program, measured, solver(measured), truth.judge(mesh), is_closed_and_manifold(mesh))

    more = ("--steps", 30, "--resolution", 64) if arguments.small else ()
    results = []
    for quality in ("standard",):
        out = folder / f"{name}-{quality}"
        command = ("fit", cloud, "--out", out, "--quality", quality, "--json", *more)
        title = "isofield fit" + (f" --quality {quality}" if quality != "standard" else "")
        results.append(
            outcome(title, out / "mesh.ply", lambda command=command: isofield(*command), _seconds_of_fit)
        )
    for depth in (6,) if arguments.small else DEPTHS:
        mesh = folder / f"{name}-poisson-{depth}.ply"
        command = [arguments.open3d, str(PEER), str(cloud), str(mesh), str(depth)]
        run = lambda command=command: measure(command, timeout=300)  # noqa: E731
        results.append(outcome(f"Poisson, depth {depth}", mesh, run, lambda measured: float(measured.output)))
    return results


def _seconds_of_fit(measured: Measured) -> float:
    seconds = measured.json["seconds"]
    return seconds["training"] + seconds["extraction"]


def open3d_version(python: str) -> str:
    found = measure([python, "-c", "import open3d; print(open3d.__version__)"], timeout=120, check=False)
    if found.exit_code != 0:
        sys.exit(
            "This benchmark compares with open3d, which this Python cannot import. Install open3d-cpu (on "
            "Debian also libusb-1.0-0), best into an environment of its own, and name its Python: "
            "--open3d PYTHON."
        )
    return found.output.strip()


def _table(name: str, outcomes: list[Outcome]) -> str:
    header = (
        name,
        "seconds",
        "peak memory",
        "solver alone, s",
        "IoU",
        "distance",
        "normals",
        "closed, manifold",
    )
    rows = [(o.program, *o.measured.cells, f"{o.solver:.1f}", *o.figures.cells, o.solid) for o in outcomes]
    return table(header, rows)


def _finding(results: dict[str, list[Outcome]]) -> str:
    programs = [outcome.program for outcome in next(iter(results.values()))]
    sentences = []
    for index, program in enumerate(programs):
        figures = [outcomes[index].figures for outcomes in results.values()]
        means = [
            np.mean([getattr(f, name) for f in figures]) for name in ("iou", "distance", "normal_consistency")
        ]
        cells = Figures(*map(float, means)).cells
        sentences.append(f"{program} IoU {cells[0]}, distance {cells[1]}, normals {cells[2]}")
    best = max(programs, key=lambda program: _wins(results, programs.index(program)))
    wins = _wins(results, programs.index(best))
    return (
        f"Means over {len(results)} shapes: {'; '.join(sentences)}. "
        f"{best} has the highest IoU on {wins} of them."
    )


def _wins(results: dict[str, list[Outcome]], index: int) -> int:
    """On how many shapes the program of this number has the highest intersection over union."""
    return sum(
        outcomes[index].figures.iou == max(other.figures.iou for other in outcomes)
        for outcomes in results.values()
    )


def without_path(arguments: argparse.Namespace) -> None:
    """Show the command without this machine's path to a Python."""
    sys.argv[1:] = [word.replace(arguments.open3d, "PYTHON") for word in sys.argv[1:]]


if __name__ == "__main__":
    main()
