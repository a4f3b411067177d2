"""Extraction: MISE against dense reading, of formulas and of runs; marching cubes against scikit-image's."""

import isofield  # noqa: F401  (first: it says how torch's idle threads wait)

# isort: split
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from inputs import mesh_path
from report import flags, growth_exponent, publish, table
from skimage.measure import marching_cubes as skimage_marching_cubes
from torch import Tensor

from isofield.extraction.surface import extract_surface, marching_cubes
from isofield.geometry.certificate import certify
from isofield.geometry.level import Below
from isofield.geometry.mesh import Mesh
from isofield.kernels.topology import components
from isofield.verbs.options import TrainOptions
from isofield.verbs.train import train

RESOLUTIONS = (64, 128, 256, 512, 1024)
LARGEST_DENSE = 512  # reading 1025^3 points takes minutes and shows nothing new
TRAINED_ON = ("spot", "stanford-bunny", "armadillo", "truck")
TRAINED_STEPS = (50, 400)  # barely begun, when pieces still float about, and a default fit
TRAINED_RESOLUTION = 384
TRAINED_COARSE = (24, 48, 96)
FIXED_COARSE = 32  # from one coarse grid for all resolutions, so that the growth is that of the refinement


def bumpy_ball(p: Tensor) -> Tensor:
    """A ball with waves on it, which fills about as much of the box as a fitted shape."""
    waves = torch.sin(20 * p[:, 0]) * torch.sin(20 * p[:, 1])
    return p.norm(dim=1) - 0.8 + 0.02 * waves


def thin_torus(p: Tensor) -> Tensor:
    """A ring of 0.16 across."""
    return torch.hypot(torch.hypot(p[:, 0], p[:, 1]) - 0.7, p[:, 2]) - 0.08


FIELDS = {"bumpy ball": bumpy_ball, "thin torus": thin_torus}


def main() -> None:
    """Time, compare, print, write."""
    arguments = flags(__doc__).parse_args()
    certify(extract_surface(bumpy_ball, Below(), 32, coarse=16).mesh, from_marching_cubes=True)  # compiles
    extract_surface(bumpy_ball, Below(), 16, search="dense")
    resolutions, dense = (RESOLUTIONS[:2], 128) if arguments.small else (RESOLUTIONS, LARGEST_DENSE)
    header = (
        "field",
        "resolution",
        "faces",
        "coarse grid",
        "MISE reads",
        "s",
        "dense reads",
        "s",
        "same mesh",
    )
    methods = table(
        (*header, f"MISE from {FIXED_COARSE} reads", "growth"),
        [row for name in FIELDS for row in _methods(name, resolutions, dense)],
    )
    trained = table(
        (
            "trained on",
            "steps",
            "components",
            "coarse grid",
            "MISE reads",
            "s",
            "dense s",
            "missed components: faces, cells across",
            "the rest identical",
        ),
        [
            row
            for name in (TRAINED_ON[:1] if arguments.small else TRAINED_ON)
            for steps in ((10,) if arguments.small else TRAINED_STEPS)
            for row in _trained(name, steps, 96 if arguments.small else TRAINED_RESOLUTION)
        ],
    )
    kernels = table(
        ("256^3 cells", "faces", "isofield ms", "scikit-image ms", "times", "certificate ms"),
        [_marching_cubes(name, 64 if arguments.small else 256) for name in FIELDS],
    )
    publish(
        "extraction",
        "Extraction: MISE, dense, marching cubes",
        [
            "Seconds are wall time, the field (a formula) included; those of a network take longer. "
            "Growth: k of reads ~ resolution^k, from one coarse grid.",
            methods,
            "The fields of runs of `sdf` and `occupancy` (whichever suits), "
            f"{TRAINED_RESOLUTION} cells an axis; dense reads {(TRAINED_RESOLUTION + 1) ** 3:,} points. "
            f"The default coarse grid is {TRAINED_COARSE[-1]}. Nothing is dropped here; `fit` drops pieces "
            "that nothing supports.",
            trained,
            "Marching cubes of values in memory, best of five; the certificate of our mesh.",
            kernels,
        ],
        arguments,
        ["scikit-image"],
    )


def _methods(name: str, resolutions: tuple[int, ...], largest_dense: int) -> list[tuple]:
    """A row for each resolution; the coarse grid is half the resolution where the default is all of it."""
    field, fixed, rows = FIELDS[name], [], []
    for resolution in resolutions:
        coarse = resolution // 2 if resolution <= 128 else None
        mise, mise_seconds = _timed(partial(extract_surface, field, Below(), resolution, coarse=coarse))
        fixed.append(extract_surface(field, Below(), resolution, coarse=FIXED_COARSE).evaluations)
        dense_seconds, same = "-", "-"
        if resolution <= largest_dense:
            dense, dense_seconds = _timed(
                partial(extract_surface, field, Below(), resolution, search="dense")
            )
            arrays = zip((mise.mesh.vertices, mise.mesh.faces), (dense.mesh.vertices, dense.mesh.faces))
            same = "yes" if all(np.array_equal(a, b) for a, b in arrays) else "no"
        reads = (mise.evaluations, mise_seconds, (resolution + 1) ** 3, dense_seconds)
        rows.append((name, resolution, len(mise.mesh.faces), mise.coarse, *reads, same))
    growth = growth_exponent(resolutions, fixed)
    return [(*row, reads, exponent) for row, reads, exponent in zip(rows, fixed, growth)]


def _trained(name: str, steps: int, resolution: int) -> list[tuple]:
    """A row for each coarse grid: MISE of a trained field against dense reading of it."""
    with tempfile.TemporaryDirectory() as folder:
        surface = train(mesh_path(name), options=TrainOptions(out=Path(folder) / "run", steps=steps)).surface
    dense, dense_seconds = _timed(
        partial(extract_surface, surface.field, surface.inside, resolution, search="dense")
    )
    rows = []
    for coarse in TRAINED_COARSE:
        mise, seconds = _timed(
            partial(extract_surface, surface.field, surface.inside, resolution, coarse=coarse)
        )
        parts, missed, same = compared(mise.mesh, dense.mesh)
        names = "; ".join(f"{faces}, {edge / dense.cell:.1f}" for faces, edge in missed[:4])
        if len(missed) > 4:
            names += f"; and {len(missed) - 4} smaller"
        rows.append(
            (name, steps, parts, coarse, mise.evaluations, seconds, dense_seconds, names or "none", same)
        )
    return rows


def compared(mise: Mesh, dense: Mesh) -> tuple[int, list[tuple[int, float]], bool]:
    """(components of the dense mesh; faces and longest edge of the box of each that MISE has no vertex of,
    largest first; whether the others are the mesh of MISE, vertices and faces in the same order)."""
    part = components(dense.faces, len(dense.vertices))
    place = np.dtype((np.void, 12))
    found = np.isin(*(np.ascontiguousarray(m.vertices).view(place).ravel() for m in (dense, mise)))
    reached = np.unique(part[found])
    kept = np.isin(part, reached)
    names, sizes = np.unique(part[dense.faces[:, 0]], return_counts=True)
    missed = [
        (int(size), float(np.ptp(dense.vertices[part == name], axis=0).max()))
        for name, size in zip(names, sizes)
        if name not in reached
    ]
    renumbered = np.cumsum(kept) - 1
    same = np.array_equal(dense.vertices[kept], mise.vertices) and np.array_equal(
        renumbered[dense.faces[kept[dense.faces[:, 0]]]], mise.faces
    )
    return len(names), sorted(missed, reverse=True), same


def _marching_cubes(name: str, resolution: int) -> tuple:
    """Both implementations on the same values, best of five."""
    axis = torch.linspace(-1, 1, resolution + 1)
    planes = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(len(axis), -1, 3)
    values = torch.stack([FIELDS[name](plane) for plane in planes]).reshape(3 * [len(axis)]).numpy()
    mesh, ours = _best(lambda: marching_cubes(values, (-1.0, 1.0), Below()))
    _, theirs = _best(lambda: skimage_marching_cubes(values, 0.0))
    certificate, certifying = _best(lambda: certify(mesh, from_marching_cubes=True))
    assert certificate.manifold
    assert certificate.closed
    return name, len(mesh.faces), 1e3 * ours, 1e3 * theirs, theirs / ours, 1e3 * certifying


def _timed(work: Callable) -> tuple:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _best(work: Callable) -> tuple:
    return min((_timed(work) for _ in range(5)), key=lambda result: result[1])


if __name__ == "__main__":
    main()
