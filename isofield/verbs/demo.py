"""The tour: fit the input that ships with isofield, or the user's own, and compare the result with a
floor."""

from importlib import resources
from pathlib import Path

from ..runtime.errors import FailedError
from .fit import fit

__all__ = ["FLOOR", "demo"]

FLOOR = 0.99  # intersection over union that a fit of spot must reach; it reaches more (docs/benchmarks.md)


def demo(shape: Path | None = None, out: Path | None = None) -> str:
    """Fit `shape` (None: spot) and return what came out in words. Raises FailedError where spot falls below
    the floor."""
    with resources.as_file(resources.files("isofield") / "data" / "spot.ply") as spot:
        run = fit(shape or spot, out=out, command=f"isofield demo {shape or ''}".strip())
    certificate, metrics = run.certificate, run.metrics
    figures = metrics["figures"]
    lines = [
        f"{run.path / 'mesh.ply'}: {certificate['faces']:,} faces, "
        f"{'closed' if certificate['closed'] else 'open'}, "
        f"{'manifold' if certificate['manifold'] else 'not manifold'}",
        *(f"  {name}: {value:.5g}" for name, value in metrics["headline"].items()),
    ]
    if shape is None:
        if not (figures["iou"] >= FLOOR and certificate["closed"] and certificate["manifold"]):
            raise FailedError(
                f"the demo reached an iou of {figures['iou']:.4f}; it should reach {FLOOR}",
                run.path,
                "Run `isofield doctor` and report what it says.",
            )
        lines.append(
            f"check passed: intersection over union {figures['iou']:.4f} >= {FLOOR}, closed and manifold"
        )
    lines.append(
        f"{run.seconds['total']:.1f} s. Open the page in a browser: {(run.path / 'page.html').resolve()}"
    )
    return "\n".join(lines)
