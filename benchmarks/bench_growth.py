"""How seconds and memory grow: of `fit` with the faces of the input, of `extract` with the resolution."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import fast_simplification
import igl
import numpy as np
from command import Measured, isofield
from inputs import Triangles, mesh_path, read_mesh, write_mesh
from judge import is_closed_and_manifold
from report import PICTURES, ROOT, flags, growth_exponent, publish, table

SHAPE = "bunny-watertight-7k"
FACES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
RESOLUTIONS = (64, 128, 256, 512, 1024)
LIMIT = "1GiB"
PICTURE = PICTURES / "growth.png"


@dataclass(frozen=True)
class Row:
    """One measurement. size: faces of the input, or cells along an axis. faces: of the mesh. solid: closed
    and manifold, by the judge."""

    size: int
    measured: Measured
    faces: int
    solid: bool


def main() -> None:
    """Measure, print, draw, write."""
    arguments = flags(__doc__).parse_args()
    isofield("doctor", "--warm")
    small = arguments.small
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = (1_000, 10_000) if small else FACES
        fits = _fits(folder, sizes, ("--steps", 30) if small else ())
        run = folder / f"fit-{sizes[-1]}"
        extractions = [_extraction(folder, run, size) for size in ((64, 128) if small else RESOLUTIONS)]
        limited = _extraction(folder, run, extractions[-1].size, "--max-memory", LIMIT)
    [(_, *last)] = _cells([limited])
    rows = [*_cells(extractions), (f"{limited.size:,} within {LIMIT}", *last)]
    header = ("seconds", "growth", "peak memory", "growth", "faces out", "closed, manifold")
    body = [
        f"The watertight bunny ({SHAPE}), subdivided (Loop) and simplified to these numbers of faces; "
        "`isofield fit` with default settings. Seconds and peak memory of the whole process, kernels "
        "compiled before. Growth: k, where the quantity goes with the k-th power of the size, from the "
        "row above to this one. Closed and manifold by trimesh and manifold3d.",
        table(("faces in", *header), _cells(fits)),
        "`isofield extract --resolution R` of the last of these runs, the same measures; the last row "
        f"adds `--max-memory {LIMIT}`, which bounds what extraction takes on top of Python, torch and the "
        "field.",
        table(("resolution", *header), rows),
    ]
    if arguments.write:
        _draw(fits, extractions)
        body.append(
            f"![seconds and memory against faces and resolution]({PICTURE.relative_to(ROOT / 'docs')})"
        )
    body.append(_finding(fits, extractions, limited))
    publish("growth", "Growth with the size of the work", body, arguments)


def _fits(folder: Path, sizes: tuple[int, ...], more: tuple) -> list[Row]:
    rows = []
    for size in sizes:
        mesh = _with_faces(read_mesh(mesh_path(SHAPE)), size)
        source = folder / f"{size}.ply"
        write_mesh(source, mesh)
        out = folder / f"fit-{size}"
        measured = isofield("fit", source, "--out", out, "--json", *more)
        faces, solid = measured.json["certificate"]["faces"], is_closed_and_manifold(out / "mesh.ply")
        rows.append(Row(len(mesh[1]), measured, faces, solid))
    return rows


def _with_faces(mesh: Triangles, count: int) -> Triangles:
    """The mesh, subdivided until it has `count` faces or more, then simplified to about `count`."""
    vertices, faces = mesh
    while len(faces) < count:
        vertices, faces = igl.loop(vertices, faces)
    vertices, faces = fast_simplification.simplify(vertices, faces.astype(np.int64), target_count=count)
    return np.asarray(vertices, np.float64), np.asarray(faces, np.int64)


def _extraction(folder: Path, run: Path, resolution: int, *more: object) -> Row:
    out = folder / "mesh.ply"
    measured = isofield("extract", run, "--resolution", resolution, "--out", out, "--json", *more)
    return Row(resolution, measured, measured.json["faces"], is_closed_and_manifold(out))


def _cells(rows: list[Row]) -> list[tuple]:
    sizes = [row.size for row in rows]
    seconds = growth_exponent(sizes, [row.measured.seconds for row in rows])
    memory = growth_exponent(sizes, [row.measured.peak for row in rows])
    cells = []
    for row, k_seconds, k_memory in zip(rows, seconds, memory):
        taken, peak = row.measured.cells
        cells.append((f"{row.size:,}", taken, k_seconds, peak, k_memory, f"{row.faces:,}", row.solid))
    return cells


def _finding(fits: list[Row], extractions: list[Row], limited: Row) -> str:
    first, last = fits[0], fits[-1]
    largest = extractions[-1]
    return (
        f"{last.size / first.size:,.0f} times the faces take "
        f"{last.measured.seconds / first.measured.seconds:.1f} times the seconds and "
        f"{last.measured.peak / first.measured.peak:.1f} times the memory. Resolution {largest.size} "
        f"takes {largest.measured.seconds:.1f} s and {largest.measured.peak_text}; within {LIMIT} "
        f"{limited.measured.seconds:.1f} s and {limited.measured.peak_text} for the whole process, "
        f"{'closed and manifold' if limited.solid else 'NOT closed and manifold'}."
    )


def _draw(fits: list[Row], extractions: list[Row]) -> None:
    """The picture: seconds above, memory below; faces on the left, resolution on the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    figure, axes = pyplot.subplots(2, 2, figsize=(8, 5), sharex="col", sharey="row", layout="constrained")
    for column, (rows, title) in enumerate(
        ((fits, "fit: faces of the input"), (extractions, "extract: resolution"))
    ):
        sizes = [row.size for row in rows]
        axes[0, column].loglog(sizes, [row.measured.seconds for row in rows], "o-", color="#1f5f8b")
        axes[1, column].loglog(sizes, [row.measured.peak / 2**20 for row in rows], "o-", color="#8b3a1f")
        axes[1, column].set_xlabel(title)
    axes[0, 0].set_ylabel("seconds")
    axes[1, 0].set_ylabel("peak memory, MiB")
    axes[1, 1].set_xticks(sizes, map(str, sizes))
    axes[1, 1].xaxis.set_minor_locator(ticker.NullLocator())
    for axis in axes.flat:
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_locator(ticker.NullLocator())
        axis.grid(True, which="major", alpha=0.3)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=100)


if __name__ == "__main__":
    main()
