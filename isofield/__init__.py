"""isofield: shapes and pictures as continuous neural fields, on any machine.

run = isofield.fit("bunny.ply", seconds=10)     # train, extract, evaluate, page
run.mesh()                                      # trimesh.Trimesh in the file's own coordinates
run.field(points)                               # signed distances near the surface, in the file's own units
"""

import importlib as _importlib
import os as _os
from typing import Any as _Any

# Before any numerical library starts its threads: waiting threads should sleep, and a small matrix product
# inside one of our own threads should not start more. A setting of the user's own wins.
_os.environ.setdefault("OMP_WAIT_POLICY", "passive")
_os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"

_PUBLIC = {
    "Image": "data",
    "Field": "verbs.field",
    "Shape": "data",
    "TrainOptions": "verbs.options",
    "load": "data",
    "write_mesh": "data",
    "write_points": "data",
    "write_table": "verbs.query",
    "check": "verbs.check",
    "compare": "verbs.compare",
    "combine": "verbs.combine",
    "convert": "verbs.convert",
    "evaluate": "verbs.evaluate",
    "extract": "verbs.extract",
    "fit": "verbs.fit",
    "import_checkpoint": "verbs.import_",
    "measure": "verbs.measure",
    "open_field": "verbs.field_file",
    "open_run": "verbs.run",
    "query": "verbs.query",
    "render": "verbs.render",
    "save_field": "verbs.field_file",
    "train": "verbs.train",
    "view": "verbs.view",
}
__all__ = [
    "Field",
    "Image",
    "Shape",
    "TrainOptions",
    "check",
    "combine",
    "compare",
    "convert",
    "evaluate",
    "extract",
    "fit",
    "import_checkpoint",
    "load",
    "measure",
    "open_field",
    "open_run",
    "query",
    "render",
    "save_field",
    "train",
    "view",
    "write_mesh",
    "write_points",
    "write_table",
]


def __getattr__(name: str) -> _Any:
    """Public names are imported when they are first used, so that `import isofield` is light."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'isofield' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(_importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
