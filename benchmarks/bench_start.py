"""How long isofield takes before it does anything: the help text, and the imports behind it."""

import statistics
import sys

from command import isofield, measure
from report import flags, publish, table

TARGET = 0.5  # seconds of `isofield --help`

COMMANDS = {
    "`isofield --help`": ("--help",),
    "`isofield fit --help`": ("fit", "--help"),
    "`isofield list`": ("list",),
}
IMPORTS = ("isofield", "isofield.cli", "isofield.verbs.fit", "numpy", "torch", "numba", "trimesh")


def main() -> None:
    """Measure, print, write."""
    arguments = flags(__doc__).parse_args()
    repeats = 2 if arguments.small else 10
    rows = {"`python -c pass`": _median(lambda: measure([sys.executable, "-c", "pass"]), repeats)}
    rows |= {name: _median(lambda words=words: isofield(*words), repeats) for name, words in COMMANDS.items()}
    for module in IMPORTS:
        code = f"import {module}"
        rows[f"`python -c '{code}'`"] = _median(
            lambda code=code: measure([sys.executable, "-c", code]), repeats
        )
    seconds = rows["`isofield --help`"][0]
    heavy = "torch" in measure([sys.executable, "-c", "import sys, isofield.cli; print(*sys.modules)"]).output
    finding = (
        f"The help text is there after {seconds:.2f} s (target {TARGET} s: "
        f"{'met' if seconds <= TARGET else 'MISSED'}); it {'LOADS' if heavy else 'loads no'} torch. Of "
        f"the {_seconds(rows, 'isofield.verbs.fit'):.1f} s that the imports of a fit take, torch alone "
        f"takes {_seconds(rows, 'torch'):.1f} s."
    )
    cells = [
        (name, f"{median:.3f}", f"{largest:.3f}", peak) for name, (median, largest, peak) in rows.items()
    ]
    body = [
        f"Wall time of whole processes, {repeats} runs each after one that is not counted.",
        table(("command", "median s", "largest s", "peak memory"), cells),
        finding,
    ]
    publish("start", "Start", body, arguments)


def _seconds(rows: dict[str, tuple], module: str) -> float:
    return rows[f"`python -c 'import {module}'`"][0]


def _median(run, repeats: int) -> tuple[float, float, str]:
    """Median and largest seconds of `repeats` runs after one more, and the peak memory of the last."""
    run()
    runs = [run() for _ in range(repeats)]
    seconds = [measured.seconds for measured in runs]
    return statistics.median(seconds), max(seconds), runs[-1].peak_text


if __name__ == "__main__":
    main()
