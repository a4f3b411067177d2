"""What a shape says at given points: inside or not, signed distance, nearest place, normal."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from ..data.readers import load_shape
from ..runtime.errors import InputError
from ..runtime.files import atomic_path, write_text
from .field import rows_of_three
from .representation import Field, as_field, opened

__all__ = ["TABLES", "query", "write_table"]

TABLES = (".csv", ".npz")


def query(source: Any, points: Any) -> dict[str, np.ndarray]:
    """Answers at points, in the shape's own coordinates and units.

    points: [N, 3], or a file of points. Returns arrays: "point" [N, 3]; "inside" bool [N];
    "signed_distance" [N], negative inside; "nearest" [N, 3], the nearest place of the surface; "normal"
    [N, 3], the outward unit normal there; of a trained field also "value" [N], what the network itself says.
    Distances of a trained field are those to its surface, near and far. Raises InputError for points that
    cannot be read.
    """
    where = load_shape(points).vertices if isinstance(points, (str, Path)) else rows_of_three(points)
    given = opened(source)
    field = as_field(given)
    solid, frame = field.solid, field.frame
    working = frame.to_working(where)
    face, place = solid.nearest(working)
    a, b, c = np.moveaxis(solid.mesh.vertices[solid.mesh.faces[face]].astype(np.float64), 1, 0)
    normal = np.cross(b - a, c - a)
    answers = {
        "point": where,
        "inside": field.inside(where),
        "signed_distance": solid.signed_distance(working).astype(np.float64) / frame.scale,
        "nearest": frame.to_input(place),
        "normal": normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300),
    }
    if isinstance(given, Field) and given.network is not None:
        answers["value"] = field(where).numpy().astype(np.float64)
    return answers


def write_table(path: str | Path, answers: dict[str, np.ndarray]) -> None:
    """Write the answers of `query` as .csv (a column for each number) or .npz (the arrays)."""
    path = Path(path)
    if path.suffix.lower() not in TABLES:
        raise InputError(f"no table is written as '{path.suffix}'", path, f"Choose {' or '.join(TABLES)}.")
    if path.suffix.lower() == ".npz":
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, allow_pickle=False, **answers)
        return
    columns, names = [], []
    for name, values in answers.items():
        columns.append(values.reshape(len(values), -1).astype(np.float64))
        names += [f"{name}_{axis}" for axis in "xyz"] if values.ndim == 2 else [name]
    text = io.StringIO()
    np.savetxt(
        text, np.concatenate(columns, axis=1), fmt="%.9g", delimiter=",", header=",".join(names), comments=""
    )
    write_text(path, text.getvalue())
