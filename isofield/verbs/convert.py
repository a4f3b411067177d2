"""From one representation of a shape to another, as a file, with what was lost on the way."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.binvox import write_binvox
from ..data.readers import as_shape
from ..data.shape import Shape
from ..data.voxels import VoxelGrid, voxelised, write_voxels_npz
from ..data.writers import POINT_WRITERS, WRITERS, write_mesh, write_points
from ..geometry.certificate import certify
from ..geometry.certificate import in_words as certificate_in_words
from ..geometry.frames import PADDING, WORKING_BOX
from ..geometry.mesh import Mesh, face_normals
from ..geometry.solid import Solid
from ..geometry.surface_samples import sample_surface
from ..metrics.points import nearest_points
from ..metrics.shape import (
    IOU_POINTS,
    MESH_FIGURES,
    POINT_FIGURES,
    compare_meshes,
    compare_to_points,
    iou,
)
from ..runtime.errors import InputError
from ..training.precision import Precision
from .extract import check_extraction
from .field import Field
from .field_file import ENDING, save_field, weights_of
from .options import TrainOptions
from .representation import Kind, Representation, as_field, box_of, in_words, kind_of, opened, surface_of
from .train import train

__all__ = ["check_output", "convert"]

VOXEL_WRITERS: dict[str, Callable[[Path, VoxelGrid], None]] = {
    ".binvox": write_binvox,
    ".npz": write_voxels_npz,
}
KINDS: dict[Kind, tuple[str, ...]] = {
    "mesh": tuple(WRITERS),
    "points": tuple(POINT_WRITERS),
    "voxels": tuple(VOXEL_WRITERS),
    "field": (ENDING,),
}
VOXELS, POINTS = 128, 100_000
FINEST_VOXELS = 1024
JUDGE = 20_261  # seed of the samples that judge: others than those that are judged
COMPARED_AT = 256  # cells along an axis for surfaces that are made only to be compared
SHOWN = (
    "iou",
    "distance_mean",
    "hausdorff",
    "normal_consistency",
    "points_distance_mean",
    "points_distance_largest",
    "points_normal_consistency",
)
MEANING = {
    **{name: figure.meaning for name, figure in (MESH_FIGURES | POINT_FIGURES).items()},
    "largest_move": "largest distance that rounding moved a vertex, share of the longest edge",
    "level_mean": "mean |value of the field| at samples of the mesh, share of the longest edge",
    "gap_mean": "mean distance from samples of the surface to the nearest point, share of the longest edge",
}


def convert(
    source: Any,
    out: str | Path,
    to: Kind | None = None,
    resolution: int | None = None,
    points: int | None = None,
    precision: Precision | None = None,
    quality: str | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Write `source` (a file, a run, a Shape, a Field) as the file `out`; returns what was made and lost.

    to: "mesh", "points", "voxels" or "field"; None: what the source is, where the ending of `out` can hold
    it, else what the ending usually holds. resolution: cells along an axis, of voxels (128) and of surfaces
    made from points and fields (what suits them). points: how many are drawn from a surface (100,000).
    precision: of a field's weights ("float16"). quality, seed: of the field that is trained where a shape
    becomes a field; seed: also of the points that are drawn. Settings of something else are refused.

    "exact": whether coordinates, faces, normals and colours are the source's bit for bit (a field's weights,
    the cells of voxels); "figures", with "meaning": the result, read back, against the
    source; "notes": sentences. Raises InputError where the source cannot become this.
    """
    out = Path(out)
    check_output(out, source)
    given = opened(source)
    kind = _kind_to_make(given, out, to)
    how = _How(resolution, points, precision, quality, seed)
    how.check(kind, given)
    made = MAKERS[kind](given, out, how)
    result = opened(out)
    exact, figures, notes = _lost(given, made, result)
    notes += [f"the source: {note}" for note in getattr(given, "notes", ())]
    if isinstance(made, Mesh) and len(made.faces) and not (isinstance(given, Shape) and given.kind == "mesh"):
        notes.append(f"the surface: {certificate_in_words(certify(made).to_json())}")
    return {
        "source": in_words(given),
        "result": in_words(result),
        "kind": kind,
        "file": str(out),
        "bytes": out.stat().st_size,
        "exact": exact,
        "figures": figures,
        "meaning": {name: MEANING[name] for name in figures},
        "notes": notes,
    }


def check_output(out: Path, *sources: Any) -> None:
    """Raise InputError where `out` cannot be written, or is one of the sources, before any work."""
    endings = {ending for kinds in KINDS.values() for ending in kinds}
    if out.suffix.lower() not in endings:
        known = " ".join(sorted(endings))
        raise InputError(f"no writer for '{out.suffix}' files", out, f"Name the output with one of: {known}.")
    if not out.parent.is_dir():
        raise InputError("there is no such folder", out.parent, "Make it, or name another output.")
    for source in sources:
        if isinstance(source, (str, Path)) and out.exists() and out.resolve() == Path(source).resolve():
            raise InputError("is the input itself", out, "Name another file.")


def _kind_to_make(given: Representation, out: Path, to: Kind | None) -> Kind:
    possible = [kind for kind, endings in KINDS.items() if out.suffix.lower() in endings]
    if to is None:
        own = kind_of(given)
        return own if own in possible else possible[0]
    if to not in possible:
        raise InputError(
            f"a {out.suffix} file cannot hold {to}",
            out,
            f"Name the output with one of: {' '.join(KINDS[to])}.",
        )
    return to


# ---- making: each writes the file and returns what it wrote, before the file's own rounding


@dataclass(frozen=True)
class _How:
    """The settings of `convert`; None for what is usual."""

    resolution: int | None
    points: int | None
    precision: Precision | None
    quality: str | None
    seed: int | None

    def check(self, kind: Kind, given: Representation) -> None:
        """Raise InputError for a setting that has no bearing on what is made, and for one out of range."""
        extraction = ("resolution",) if isinstance(given, Field) or kind_of(given) == "points" else ()
        trained = isinstance(given, Field) and given.network is not None
        allowed: dict[Kind, tuple[str, ...]] = {
            "mesh": extraction,
            "points": () if kind_of(given) == "points" else ("points", "seed", *extraction),
            "voxels": ("resolution",),
            "field": ("precision",) if trained else ("precision", "quality", "seed", *extraction),
        }
        for name, value in vars(self).items():
            if value is not None and name not in allowed[kind]:
                raise InputError(
                    f"has no bearing on {kind} from {kind_of(given)}", f"--{name}", "Leave it out."
                )
        if self.points is not None and self.points < 1:
            raise InputError(
                f"must be 1 or more, not {self.points}", "--points", "Usual are 10,000 and more."
            )
        if self.seed is not None and self.seed < 0:
            raise InputError(f"must not be negative, not {self.seed}", "--seed", "Give a whole number.")
        if self.resolution is not None:
            check_extraction(self.resolution)


def _make_mesh(given: Representation, out: Path, how: _How) -> Mesh:
    mesh = surface_of(given, how.resolution)
    write_mesh(out, mesh, tolerance=0.0 if isinstance(given, Shape) and given.kind == "mesh" else None)
    return mesh


def _make_points(given: Representation, out: Path, how: _How) -> Mesh:
    if isinstance(given, Shape) and given.kind == "points":
        cloud = Mesh(given.vertices, given.faces, given.normals, given.colours)
    else:
        mesh = surface_of(given, how.resolution)
        rng = np.random.default_rng(how.seed or 0)
        where, face = sample_surface(mesh, how.points or POINTS, rng)
        cloud = Mesh(where, np.zeros((0, 3), np.int32), face_normals(mesh)[face].astype(np.float32))
    write_points(out, cloud.vertices, cloud.normals, cloud.colours)
    return cloud


def _make_voxels(given: Representation, out: Path, how: _How) -> VoxelGrid:
    if isinstance(given, Shape) and given.voxels is not None and how.resolution is None:
        grid = given.voxels
    else:
        cells = VOXELS if how.resolution is None else how.resolution
        if not 3 <= cells <= FINEST_VOXELS:
            raise InputError(
                f"must be from 3 to {FINEST_VOXELS}, not {cells}", "--resolution", "Usual are 32 to 256."
            )
        low, high = box_of(given)
        grid = voxelised(as_field(given).inside, low, high, cells)
        if not grid.filled.any():
            raise InputError(
                "no cell's centre is inside: the shape is thinner than the cells",
                in_words(given),
                "Give a finer --resolution.",
            )
    VOXEL_WRITERS[out.suffix.lower()](out, grid)
    return grid


def _make_field(given: Representation, out: Path, how: _How) -> Field:
    field = given if isinstance(given, Field) and given.network is not None else _trained(given, how)
    save_field(out, field, how.precision or "float16")
    return field


MAKERS: dict[Kind, Callable[[Representation, Path, _How], Mesh | VoxelGrid | Field]] = {
    "mesh": _make_mesh,
    "points": _make_points,
    "voxels": _make_voxels,
    "field": _make_field,
}


def _trained(given: Representation, how: _How) -> Field:
    """A field trained on a shape, or on the surface of a field that has no network."""
    shape = given if isinstance(given, Shape) else as_shape(surface_of(given, how.resolution))
    with tempfile.TemporaryDirectory() as folder:
        run = train(shape, options=TrainOptions(out=Path(folder) / "run", seed=how.seed), quality=how.quality)
        return replace(run.field, input=lambda: shape)


# ---- what was lost


def _lost(
    given: Representation, made: Mesh | VoxelGrid | Field, result: Representation
) -> tuple[bool, dict[str, float], list[str]]:
    """Whether nothing was lost; figures of the result, read back, against the source; sentences."""
    if isinstance(made, Field):
        assert isinstance(result, Field)
        exact = given is made and _equal_weights(made, result)
        return exact, {} if exact else _compared(result, given), []
    assert isinstance(result, Shape)
    if isinstance(made, VoxelGrid):
        assert result.voxels is not None
        same = isinstance(given, Shape) and made is given.voxels
        exact = same and _equal_grids(made, result.voxels)
        return exact, {} if exact else _compared(result, given), []
    notes = _attributes(given, made, result)
    resampled = not isinstance(given, Shape) or (len(made.faces) > 0) != (given.kind == "mesh")
    moved = None if resampled else _largest_move(made, result)
    if moved is None:
        return False, _compared(result, given), notes
    exact = moved == 0 and not notes
    if len(result.vertices) != len(made.vertices):
        joined = f"{len(made.vertices):,} vertices became {len(result.vertices):,}"
        notes.append(f"{joined}: the format stores triangles, and equal corners are joined")
    return exact, {"largest_move": moved} if moved else {}, notes


def _equal_weights(a: Field, b: Field) -> bool:
    assert a.network is not None
    assert b.network is not None
    pairs = zip(weights_of(a.network.method).values(), weights_of(b.network.method).values())
    return all(torch.equal(x, y) for x, y in pairs)


def _equal_grids(a: VoxelGrid, b: VoxelGrid) -> bool:
    return np.array_equal(a.filled, b.filled) and (a.low, a.edges) == (b.low, b.edges)


def _largest_move(made: Mesh, result: Shape) -> float | None:
    """The largest distance between a corner (a point, where there are no faces) and what the file holds, over
    the longest edge; None where they do not correspond."""
    before, after = np.asarray(made.vertices, np.float64), result.vertices
    if len(made.faces) != len(result.faces):
        return None
    if len(made.faces):
        before, after = before[made.faces].reshape(-1, 3), after[result.faces].reshape(-1, 3)
    if before.shape != after.shape:
        return None
    longest = float(np.max(np.ptp(before, axis=0)))
    return float(np.max(np.linalg.norm(before - after, axis=1))) / longest


def _attributes(given: Representation, made: Mesh, result: Shape) -> list[str]:
    """Sentences on normals and colours of the source that the file does not hold as they were."""
    notes = []
    sensors = [getattr(each, "towards_sensor", None) for each in (given, result)]
    if sensors[0] is not None and not np.array_equal(sensors[0], np.asarray(sensors[1])):
        notes.append("the directions to the sensor do not come back from this format")
    for name in ("normals", "colours"):
        before, written, after = (getattr(each, name, None) for each in (given, made, result))
        if before is None:
            continue
        if after is None:
            notes.append(f"the {name} do not come back from this format")
        elif before is written and not np.array_equal(np.asarray(before), np.asarray(after)):
            notes.append(f"the {name} were rounded")
    return notes


def _compared(result: Representation, given: Representation) -> dict[str, float]:
    """Figures of the result against the source: of surfaces, or of points where one of them is points."""
    if isinstance(result, Shape) and result.kind == "points":
        truth = surface_of(given, _coarse(given))
        samples, _ = sample_surface(truth, POINTS, np.random.default_rng(JUDGE))
        longest = float(np.max(np.ptp(samples, axis=0)))
        gap = float(nearest_points(samples, result.vertices)[0].mean()) / longest
        return {**_chosen(compare_to_points(truth, result.vertices, result.normals)), "gap_mean": gap}
    if isinstance(given, Field) and kind_of(result) == "mesh":
        return _against_field(given, surface_of(result))
    surface = surface_of(result, _coarse(result))
    if isinstance(given, Shape) and given.kind == "points":
        normals = None if given.normals is None else given.normals[given.used]
        return _chosen(compare_to_points(surface, given.vertices[given.used], normals))
    return _chosen(compare_meshes(surface, surface_of(given, _coarse(given))))


def _against_field(field: Field, mesh: Mesh) -> dict[str, float]:
    """How well a mesh made from a field follows it: what marching cubes and the file's rounding lost."""
    frame, rng = field.frame, np.random.default_rng(JUDGE)
    points = frame.to_input(rng.uniform(*WORKING_BOX, (IOU_POINTS, 3)))
    solid = Solid(Mesh(frame.to_working(mesh.vertices), mesh.faces))
    figures = {"iou": iou(field.inside(points), solid.occupancy(frame.to_working(points)))}
    if field.surface.is_length:
        values = field(sample_surface(mesh, POINTS, rng)[0])
        figures["level_mean"] = float(values.abs().mean()) * frame.scale * PADDING / 2
    return figures


def _chosen(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if name in SHOWN}


def _coarse(representation: Representation) -> int | None:
    return min(representation.resolution, COMPARED_AT) if isinstance(representation, Field) else None
