"""Sections of docs/benchmarks.md: what was run, on what machine, the numbers, and what they say."""

import argparse
import math
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

__all__ = ["PAGE", "PICTURES", "ROOT", "flags", "growth_exponent", "machine", "publish", "table"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURES = ROOT / "docs" / "pictures"


def flags(description: str) -> argparse.ArgumentParser:
    """A parser with the flags of every benchmark: --small and --write."""
    parser = argparse.ArgumentParser(description=description)
    either = parser.add_mutually_exclusive_group()  # numbers of a trial do not belong into the page
    either.add_argument("--small", action="store_true", help="tiny budgets: to see that the script runs")
    either.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md")
    return parser


def machine(*packages: str) -> str:
    """The machine and the versions that matter, in one line. packages: more of them than the usual ones."""
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "numpy", "numba", *packages)]
    return (
        f"{len(os.sched_getaffinity(0))} cores of {_processor()}, {_memory()}, {platform.system()}; "
        f"Python {platform.python_version()}, {', '.join(versions)}, isofield {metadata.version('isofield')}"
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table: the first column to the left, all others to the right. Floats take four digits."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> list[str]:
    """k of cost ~ size^k between each row and the one before it; a dash for the first."""
    steps = zip(sizes, sizes[1:], costs, costs[1:])
    return ["-"] + [f"{math.log(d / c) / math.log(b / a):.2f}" for a, b, c, d in steps]


def publish(
    name: str, title: str, body: Sequence[str], arguments: argparse.Namespace, packages: Sequence[str] = ()
) -> None:
    """Print a section, and put it between its markers in docs/benchmarks.md where --write asks for that.

    body: paragraphs and tables, the finding last. The command beside the numbers is the one that runs now.
    """
    shown = [Path(a).name if Path(a).is_absolute() else a for a in sys.argv[1:] if a != "--write"]
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *shown])
    parts = [f"## {title}", f"`{command}`", f"{machine(*packages)}.", *body]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        old = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Benchmarks\n"
        PAGE.write_text(_replaced(old, name, text), encoding="utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}", file=sys.stderr)


def _replaced(page: str, name: str, text: str) -> str:
    """`page` with `text` between the markers of `name`, which are added at the end if they are not there."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in page or end not in page:
        page = f"{page.rstrip()}\n\n{start}\n{end}\n"
    before, rest = page.split(start, 1)
    after = rest.split(end, 1)[1]
    return f"{before}{start}\n{text}{end}{after}"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    known = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                known.setdefault(name.strip(), value.strip())
    except OSError:
        return platform.processor() or "an unknown processor"
    if "model name" not in known:
        return platform.machine()
    return f"{known['model name']} (family {known.get('cpu family')}, model {known.get('model')})"


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
