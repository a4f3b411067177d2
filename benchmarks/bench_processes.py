"""One training in two processes, beside one process of one thread and of two."""

import json
import sys
import tempfile
from pathlib import Path

from command import isofield, measure
from inputs import DATA
from report import flags, publish, table

LEGO = ("--data", DATA / "nerf" / "lego", "--downscale", 8)
TRAININGS = {
    "`nerf --preset lowres`": ("nerf", "--preset", "lowres"),
    "`ngp`, its first steps": ("ngp",),
    "`ngp --samples 262144`, as large as its last": ("ngp", "--samples", 262_144),
}
STEPS = 150
PYTHON = (sys.executable, "-m")
COMMANDS = {
    "one process, one thread": ("taskset", "-c", "0", *PYTHON, "isofield"),
    "one process, two threads": ("taskset", "-c", "0,1", *PYTHON, "isofield"),
    "two processes, one thread each": (
        "taskset", "-c", "0,1", *PYTHON, "torch.distributed.run", "--nproc-per-node", "2", "-m", "isofield",
    ),
}  # fmt: skip
WHAT = (
    "Milliseconds a step of `isofield train METHOD --data nerf/lego --downscale 8 --steps 150` on one core "
    "or two, and with `torchrun --nproc-per-node 2 -m isofield train ...`. All three take the same steps "
    "with the same number of rays. Two processes send each other the gradients of every step: 8 MiB for the "
    "grids of `ngp`, which its small first steps do not pay for."
)


def main() -> None:
    """Train, print, write."""
    arguments = flags(__doc__).parse_args()
    isofield("doctor", "--warm")
    steps = 10 if arguments.small else STEPS
    with tempfile.TemporaryDirectory() as name:
        rows = [
            (
                training,
                *(
                    _step(command, what, steps, Path(name) / f"{a}-{b}")
                    for b, command in enumerate(COMMANDS.values())
                ),
            )
            for a, (training, what) in enumerate(TRAININGS.items())
        ]
    publish("processes", "One training in several processes", [WHAT, table(("", *COMMANDS), rows)], arguments)


def _step(command: tuple, what: tuple, steps: int, run: Path) -> str:
    """Milliseconds."""
    options = map(str, (*what, *LEGO, "--steps", steps, "--out", run))
    measure([*command, "train", *options])
    last = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    return f"{1000 * json.loads(last)['seconds'] / steps:.0f}"


if __name__ == "__main__":
    main()
