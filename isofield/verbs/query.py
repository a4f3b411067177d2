"""What a shape says at given points: inside or not, signed distance, nearest place, normal."""

from pathlib import Path
from typing import Any

import numpy as np

from ..data.readers import load_shape
from ..geometry.mesh import face_normals
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
    where = load_shape(points).vertices if isinstance(points, (str, Path)) else points
    where = rows_of_three(where)
    given = opened(source)
    field = as_field(given)
    solid, frame = field.solid, field.frame
    working = frame.to_working(where)
    signed_distance = solid.signed_distance(working).astype(np.float64)
    face, place = solid.nearest(working)
    answers = {
        "point": where,
        "inside": signed_distance < 0,
        "signed_distance": signed_distance / frame.scale,
        "nearest": frame.to_input(place),
        "normal": face_normals(solid.mesh)[face],
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
    names = [
        column
        for name, values in answers.items()
        for column in ([f"{name}_{axis}" for axis in "xyz"] if values.ndim == 2 else [name])
    ]
    columns = [values.reshape(len(values), -1).astype(np.float64) for values in answers.values()]
    rows = np.concatenate(columns, axis=1).tolist()
    lines = [",".join(names), *(",".join(map(repr, row)) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")
