"""`isofield demo`: the tour."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..geometry.certificate import in_words
from ..verbs.demo import FLOOR, demo
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Fit a shape that ships with isofield (spot, by Keenan Crane, public domain) or your file.

The result on spot is checked against a floor."""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield demo`."""

    shape: tyro.conf.Positional[Path | None] = None
    """your own file (default: spot)"""
    out: Path | None = None
    """folder of the run (default: runs/NNNN-METHOD-INPUT)"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, fit, compare with the floor."""
    a = parse(Arguments, arguments, "demo", DESCRIPTION)
    a.shared.apply()
    run = demo(a.shape, a.out)
    lines = [f"{run.folder.mesh}: {in_words(run.certificate)}"]
    lines += [f"  {name}: {value:.5g}" for name, value in run.metrics["headline"].items()]
    if a.shape is None:
        iou = run.metrics["figures"]["iou"]
        lines.append(f"check passed: intersection over union {iou:.4f} >= {FLOOR}, closed and manifold")
    lines.append(f"{run.seconds['total']:.1f} s. Open the page in a browser: {run.folder.page.resolve()}")
    result = {"run": str(run.path), "certificate": run.certificate, "metrics": run.metrics}
    show(result, a.shared.json, "\n".join(lines))
