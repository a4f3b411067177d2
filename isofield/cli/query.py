"""`isofield query SHAPE`: what a shape says at given points."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro

from ..runtime.errors import InputError
from ..runtime.files import json_text
from .arguments import Shared, parse

__all__ = ["main"]

DESCRIPTION = """Ask a shape at points: inside or outside, signed distance (negative inside), nearest place of
the surface and its normal; of a run or field also the network's own value. In the shape's own units.

Examples: isofield query bunny.ply --at 0,0.1,0 --at 0.05,0.1,0
          isofield query runs/0001-sdf-bunny --points probes.xyz --out answers.csv"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield query`."""

    source: tyro.conf.Positional[Path]
    """a file or the folder of a run"""
    at: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """a point X,Y,Z; may be repeated"""
    points: Path | None = None
    """a file of points, instead"""
    out: Path | None = None
    """write the answers as .csv or .npz"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, ask, print or write the answers."""
    a = parse(Arguments, arguments, "query", DESCRIPTION)
    from ..verbs.query import TABLES, query, write_table  # after parsing: --help need not wait for torch

    a.shared.apply()
    if (a.points is None) == (not a.at):
        raise InputError("needs points, one way or the other", "query", "Give --at X,Y,Z or --points FILE.")
    if a.out is not None and a.out.suffix.lower() not in TABLES:
        raise InputError(f"no table is written as '{a.out.suffix}'", a.out, f"Choose {' or '.join(TABLES)}.")
    answers = query(a.source, a.points or np.array([_point(text) for text in a.at]))
    if a.out is not None:
        write_table(a.out, answers)
        print(f"{a.out}: {len(answers['point']):,} points, {int(answers['inside'].sum()):,} inside")
    elif a.shared.json:
        print(json_text({name: values.tolist() for name, values in answers.items()}, indent=2))
    else:
        print(_text(answers))


def _point(text: str) -> list[float]:
    try:
        values = [float(number) for number in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3 or not np.isfinite(values).all():
        raise InputError(f"{text!r} is not a point", "--at", "Write three numbers: 0,0.1,0.")
    return values


def _text(answers: dict[str, np.ndarray]) -> str:
    lines = []
    for row in range(len(answers["point"])):
        vectors = {n: " ".join(f"{c:.9g}" for c in answers[n][row]) for n in ("point", "nearest", "normal")}
        side = "inside" if answers["inside"][row] else "outside"
        value = f", value {answers['value'][row]:.6g}" if "value" in answers else ""
        lines.append(
            f"{vectors['point']}: {side}, signed distance {answers['signed_distance'][row]:.6g}{value}, "
            f"nearest {vectors['nearest']}, normal {vectors['normal']}"
        )
    return "\n".join(lines)
