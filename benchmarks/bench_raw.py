"""Raw points to a mesh, no normals given: range scans with their poses, noise and outliers, clean samples;
beside the screened Poisson reconstruction of open3d with normals of its own."""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import igl
import numpy as np
from bench_points import open3d_version, without_path
from command import Measured, isofield, measure
from inputs import MESHES, mesh_path, read_mesh, read_points, sample_surface, write_cloud
from judge import Figures, Truth, is_closed_and_manifold
from report import flags, publish, table

SCANS = MESHES.parent / "scans" / "bunny"
NOISY = ("nefertiti", "fandisk", "rocker-arm", "stanford-bunny", "armadillo")
CAPS = 2e-3  # metres: surface farther than this from every scan point closes a hole that nobody saw
SAMPLES = 100_000
PEER = Path(__file__).with_name("peer_poisson.py")


@dataclass(frozen=True)
class Cloud:
    """Points drawn on a shape. noise: its standard deviation, as a share of the longest edge. outliers: how
    many of the points are."""

    title: str
    points: int
    noise: float = 0.0
    outliers: int = 0

    def draw(self, name: str) -> np.ndarray:
        """Points float64 [N, 3] in random order; outliers are uniform in the box padded by 5 % a side."""
        rng = np.random.default_rng(0)
        vertices, faces = read_mesh(mesh_path(name))
        used = vertices[np.unique(faces)]
        edge = float(np.ptp(used, axis=0).max())
        points, _, _ = sample_surface((vertices, faces), self.points - self.outliers, rng)
        points = points + rng.normal(0, self.noise * edge, points.shape)
        far = rng.uniform(used.min(0) - 0.05 * edge, used.max(0) + 0.05 * edge, (self.outliers, 3))
        return rng.permutation(np.concatenate([points, far]))


TEXTBOOKS = ("sdf", "igr", "sal")
SAME_SECONDS = 60  # of training, for each of them
COARSE = 192  # resolution of their meshes: a network of 8 x 512 takes long to ask

CLOUDS = (
    Cloud("10,000 points: noise of 1 % of the longest edge, 1,000 outliers", 10_000, 0.01, 1_000),
    Cloud("30,000 clean points", 30_000),
)


def main() -> None:
    """Reconstruct, judge, print, write."""
    parser = flags(__doc__)
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--open3d", metavar="PYTHON", help="a Python that has open3d")
    either.add_argument("--textbooks", action="store_true", help="sdf beside igr and sal instead")
    parser.add_argument("--shapes", nargs="+", default=NOISY, help="names of the meshes")
    arguments = parser.parse_args()
    if arguments.textbooks:
        _textbooks(arguments)
        return
    version = open3d_version(arguments.open3d)
    isofield("doctor", "--warm")
    more = ("--steps", 30, "--resolution", 64) if arguments.small else ()
    body = [
        "Seconds are those of whole commands. Poisson is that of open3d "
        f"{version} at depth 8, with its normals from 30 neighbours, oriented by its spanning tree."
    ]
    with tempfile.TemporaryDirectory() as folder:
        body += ["The ten range scans of the bunny.", _scans(Path(folder), more)]
        for cloud in CLOUDS:
            shapes = arguments.shapes[:1] if arguments.small else arguments.shapes
            body += [f"{cloud.title}.", _clouds(Path(folder), cloud, shapes, arguments.open3d, more)]
    without_path(arguments)
    publish("raw", "Raw points", body, arguments, ("libigl", "trimesh", "manifold3d"))


def _scans(folder: Path, more: tuple) -> str:
    """Two rows: with the directions to the scanner, and the same points without. `bun_zipper.ply` is not
    read."""
    scans = folder / "scans"
    shutil.copytree(SCANS, scans, ignore=shutil.ignore_patterns("bun_zipper*"))
    with_sensors = isofield("fit", scans, "--out", folder / "posed", "--json", *more)
    alone = folder / "alone.ply"
    write_cloud(alone, _posed_points(scans))
    without = isofield("fit", alone, "--out", folder / "alone", "--json", *more)
    header = (
        "input",
        "seconds",
        "completeness, mm",
        "accuracy, mm",
        "caps: area",
        "mm away",
        "parts",
        "solid",
    )
    rows = [
        _scan_row("scans and poses", with_sensors, folder / "posed" / "mesh.ply", alone),
        _scan_row("the same points alone", without, folder / "alone" / "mesh.ply", alone),
    ]
    return table(header, rows)


def _posed_points(scans: Path) -> np.ndarray:
    """The points of all scans in one frame, by the rule of the data's own notes, without isofield."""
    from scipy.spatial.transform import Rotation

    parts = []
    for line in (scans / "bun.conf").read_text().splitlines():
        if line.startswith("bmesh"):
            _, name, *numbers = line.split()
            x, y, z, *quaternion = map(float, numbers)
            points = read_points(scans / name)
            parts.append(Rotation.from_quat(quaternion).inv().apply(points) + np.array([x, y, z]))
    return np.concatenate(parts)


def _scan_row(title: str, measured: Measured, mesh_file: Path, cloud: Path) -> tuple:
    """Completeness from samples of bun_zipper.ply, accuracy from those of the mesh that lie near a scan
    point."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(0)
    truth, mesh = read_mesh(SCANS / "bun_zipper.ply"), read_mesh(mesh_file)
    samples, _, _ = sample_surface(truth, SAMPLES, rng)
    completeness = 1e3 * np.sqrt(igl.point_mesh_squared_distance(samples, *mesh)[0]).mean()
    samples, _, _ = sample_surface(mesh, SAMPLES, rng)
    away = 1e3 * np.sqrt(igl.point_mesh_squared_distance(samples, *truth)[0])
    cap = cKDTree(read_points(cloud)).query(samples)[0] > CAPS
    return (
        title,
        f"{measured.seconds:.1f}",
        f"{completeness:.3f}",
        f"{away[~cap].mean():.3f}",
        f"{cap.mean():.1%}",
        f"{away[cap].mean():.2f}" if cap.any() else "-",
        measured.json["certificate"]["components"],
        is_closed_and_manifold(mesh_file),
    )


def _textbooks(arguments: argparse.Namespace) -> None:
    """The section that sets the default beside the two methods that learn from the points alone."""
    isofield("doctor", "--warm")
    seconds, resolution = (5, 64) if arguments.small else (SAME_SECONDS, COARSE)
    body = [
        f"Each method trains for {seconds} s on the same points without normals; meshes at {resolution}. "
        "Seconds are those of whole commands."
    ]
    with tempfile.TemporaryDirectory() as folder:
        for cloud in CLOUDS:
            rows = []
            for name in arguments.shapes[:1] if arguments.small else arguments.shapes:
                source, truth = Path(folder) / f"{name}-{cloud.points}.ply", Truth(mesh_path(name))
                write_cloud(source, cloud.draw(name))
                for method in TEXTBOOKS:
                    out = source.with_name(f"{source.stem}-{method}")
                    budget = ("--seconds", seconds, "--resolution", resolution)
                    ours = isofield("fit", source, "--method", method, "--out", out, *budget, "--json")
                    figures = truth.judge(out / "mesh.ply")
                    solid = is_closed_and_manifold(out / "mesh.ply")
                    rows.append((name, method, f"{ours.seconds:.1f}", *figures.cells, solid))
            header = ("shape", "method", "seconds", "IoU", "distance", "normals", "solid")
            body += [f"{cloud.title}.", table(header, rows)]
    publish("textbooks", "Raw points, learnt directly", body, arguments, ("libigl", "trimesh", "manifold3d"))


def _clouds(folder: Path, cloud: Cloud, shapes: Sequence[str], open3d: str, more: tuple) -> str:
    header = (
        "shape",
        "seconds",
        "IoU",
        "distance",
        "normals",
        "solid",
        "Poisson: seconds",
        "IoU",
        "distance",
        "normals",
    )
    rows, means = [], []
    for name in shapes:
        source, out, peer = (
            folder / f"{name}-{cloud.points}.ply",
            folder / f"{name}-{cloud.points}",
            folder / "p.ply",
        )
        write_cloud(source, cloud.draw(name))
        ours = isofield("fit", source, "--out", out, "--json", *more)
        theirs = measure([open3d, str(PEER), str(source), str(peer), "8"], timeout=600)
        truth = Truth(mesh_path(name))
        figures: tuple[Figures, Figures] = truth.judge(out / "mesh.ply"), truth.judge(peer)
        rows.append(
            (name, f"{ours.seconds:.1f}", *figures[0].cells, is_closed_and_manifold(out / "mesh.ply"),
             f"{theirs.seconds:.1f}", *figures[1].cells)
        )  # fmt: skip
        means.append([f.iou for f in figures])
    ours_mean, theirs_mean = np.mean(means, axis=0)
    return f"{table(header, rows)}\n\nMean IoU: isofield {ours_mean:.4f}, Poisson {theirs_mean:.4f}."


if __name__ == "__main__":
    main()
