"""The tour: fit the input that ships with isofield, or the user's own, and compare the result with a
floor."""

from importlib import resources
from pathlib import Path

from ..runtime.errors import FailedError
from .fit import fit
from .run import Run

__all__ = ["FLOOR", "demo"]

FLOOR = 0.99  # intersection over union that a fit of spot must reach; it reaches more (docs/benchmarks.md)


def demo(shape: Path | None = None, out: Path | None = None) -> Run:
    """Fit `shape` (None: spot). Raises FailedError where spot falls below the floor."""
    with resources.as_file(resources.files("isofield") / "data" / "spot.ply") as spot:
        run = fit(shape or spot, out=out, command=f"isofield demo {shape or ''}".strip())
    iou, certificate = run.metrics["figures"].get("iou"), run.certificate
    if shape is None and not (iou >= FLOOR and certificate["closed"] and certificate["manifold"]):
        raise FailedError(
            f"the demo reached an iou of {iou:.4f}; it should reach {FLOOR}",
            run.path,
            "Run `isofield doctor` and report what it says.",
        )
    return run
