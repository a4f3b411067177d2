"""Networks at equal seconds: the hash grid against what shape fields used before it, tuned, on the same
labels."""

import isofield  # noqa: F401  (first: it says how torch's idle threads wait)

# isort: split
import itertools
from dataclasses import dataclass, replace

import numpy as np
import torch
from inputs import mesh_path
from judge import Truth
from report import flags, publish, table
from torch import Tensor, nn

from isofield import data
from isofield.methods.sdf import SDF, Config
from isofield.networks.coordinate import CoordinateNetwork
from isofield.runtime.errors import FailedError
from isofield.runtime.memory import keep_freed_memory
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train, warm_up
from isofield.training.recipes import RECIPES
from isofield.verbs.train import solid_of

SHAPES = ("stanford-bunny", "fandisk", "armadillo")
BUDGETS = (3, 5, 10, 20, 60)
TUNED_ON = "spot"  # none of the shapes that are judged
ROUNDS = {10: 3, 60: 1}  # seconds of each round of tuning -> how many settings of a network it keeps
SIGMAS = (0.5, 1.0, 2.0, 3.0, 4.0)
POINTS = (256, 512, 1_024, 4_096, 16_384)
RATES = {
    "fourier": (5e-4, 1e-3, 2e-3, 4e-3),
    "siren": (5e-5, 1e-4, 2e-4),
    "deepsdf": (1e-4, 2.5e-4, 5e-4, 1e-3),
}
NAMES = {
    "hash_grid": "hash grid L8, 2 x 32 (default)",
    "fourier": "256 Fourier features, 8 x 256",
    "siren": "SIREN, 5 x 256",
    "deepsdf": "DeepSDF decoder, 8 x 512",
}
MEASURED = (
    "Intersection over union of the field itself (no mesh between) with the shape's inside by libigl, at "
    "200,000 uniform points of its padded box, after so many seconds of training. Each number is a "
    "training of its own, so that its learning rate falls to its end within its seconds. All networks "
    "learn the signed distance by the method `sdf`, with labels drawn and computed alike in the same "
    "seconds; nothing is logged. The hash grid has its default settings. The others were tuned on "
    "{shape}, which is not judged here: all combinations listed below for {first} s, then the "
    "best {kept} of each network for {last} s; the winner of the first round serves budgets up to {first} "
    "s, that of the second all longer ones."
)


@dataclass(frozen=True)
class Settings:
    """How a network is trained. sigma: of the Fourier features."""

    kind: str
    points: int
    rate: float
    sigma: float = 2.0

    def config(self) -> Config:
        """The method's settings."""
        network = CoordinateNetwork(self.kind, sigma=self.sigma)
        return Config(network, learning_rate=self.rate, points=self.points)

    def __str__(self) -> str:
        sigma = f", sigma {self.sigma:g}" if self.kind == "fourier" else ""
        return f"{self.points:,} points a step, rate {self.rate:g}{sigma}"


class Shape:
    """A shape to train on, and points with their truth by libigl."""

    def __init__(self, name: str, points: int) -> None:
        path = mesh_path(name)
        shape = data.load(path)
        self.solid = solid_of(shape)
        self.truth = Truth(path, points)
        self._points = torch.from_numpy(shape.frame.to_working(self.truth.points))

    def iou(self, settings: Settings, seconds: float) -> tuple[float, int]:
        """(intersection over union of the field after so many seconds of training, steps made); 0 where the
        training diverges."""
        torch.manual_seed(0)
        method = SDF(settings.config())
        method.prepare(self.solid, seed=0)
        warm_up(method)
        clock = Clock(Budget(seconds=seconds))
        try:
            train(method, clock, [])
        except FailedError:
            return 0.0, clock.step
        return self.truth.iou(_inside(method.field, self._points)), clock.step


def main() -> None:
    """Tune, train, judge, print, write."""
    arguments = flags(__doc__).parse_args()
    keep_freed_memory()
    small = arguments.small
    budgets, shapes = ((1, 2), SHAPES[1:2]) if small else (BUDGETS, SHAPES)
    rounds = {0.3: 2, 0.6: 1} if small else ROUNDS
    first, last = rounds
    best, tried = _tuned(rounds, small)
    results: dict[str, dict[str, list[tuple[float, int]]]] = {}
    for name in shapes:
        shape = Shape(name, 10_000 if small else 200_000)
        results[name] = {
            kind: [shape.iou(best[kind][budget > first], budget) for budget in budgets] for kind in NAMES
        }
    body = [
        MEASURED.format(shape=TUNED_ON, first=first, last=last, kept=rounds[first]),
        table(
            ("network", f"settings up to {first} s", "longer"),
            [(NAMES[kind], *settings) for kind, settings in best.items()],
        ),
    ]
    for name, rows in results.items():
        header = (name, *(f"{budget} s" for budget in budgets), f"steps in {budgets[-1]} s")
        cells = [
            (NAMES[kind], *(f"{iou:.4f}" for iou, _ in row), f"{row[-1][1]:,}") for kind, row in rows.items()
        ]
        body.append(table(header, cells))
    body.append("<details><summary>All that was tried in tuning</summary>")
    body.append(table(("network", "settings", "seconds", "IoU", "steps"), tried))
    body.append("</details>")
    body.append(_finding(results, budgets))
    publish("networks", "Networks at equal seconds", body, arguments, ("libigl",))


def _tuned(rounds: dict[float, int], small: bool) -> tuple[dict[str, tuple[Settings, Settings]], list[tuple]]:
    """The best settings of each kind for short and for long budgets, and a row of the table for each try."""
    shape, tried = Shape(TUNED_ON, 10_000 if small else 50_000), []
    (short, kept), (long, _) = rounds.items()

    def ranked(candidates: list[Settings], seconds: float) -> list[Settings]:
        scores = {}
        for settings in candidates[:2] if small else candidates:
            scores[settings], steps = shape.iou(settings, seconds)
            tried.append(
                (NAMES[settings.kind], settings, f"{seconds:g}", f"{scores[settings]:.4f}", f"{steps:,}")
            )
        return sorted(scores, key=scores.__getitem__, reverse=True)

    default = Settings("hash_grid", RECIPES["hash_grid"].points, RECIPES["hash_grid"].learning_rate)
    found = {"hash_grid": (default, default)}
    for kind, rates in RATES.items():
        start = Settings(kind, 512, RECIPES[kind].learning_rate)
        if kind == "fourier":
            start = ranked([replace(start, sigma=sigma) for sigma in SIGMAS], short)[0]
        grid = [replace(start, points=n, rate=rate) for n, rate in itertools.product(POINTS, rates)]
        best = ranked(grid, short)[:kept]
        found[kind] = best[0], ranked(best, long)[0]
    return found, tried


@torch.no_grad()
def _inside(field: nn.Module, points: Tensor) -> np.ndarray:
    """Where the field says inside, bool [N]."""
    field.eval()
    return np.concatenate([(field.inside.depth(field(part)) > 0).numpy() for part in points.split(1 << 14)])


def _finding(results: dict[str, dict[str, list[tuple[float, int]]]], budgets: tuple[int, ...]) -> str:
    sentences = []
    for name, rows in results.items():
        others = {kind: row[-1][0] for kind, row in rows.items() if kind != "hash_grid"}
        rival = max(others, key=others.__getitem__)
        ahead = [budget for budget, (iou, _) in zip(budgets, rows["hash_grid"]) if iou > others[rival]]
        sentences.append(
            f"On {name} the best of the others after {budgets[-1]} s, {NAMES[rival]}, stands at "
            f"{others[rival]:.4f}; "
            + (
                f"the hash grid is above that after {ahead[0]} s."
                if ahead
                else "the hash grid does NOT come above that."
            )
        )
    return " ".join(sentences)


if __name__ == "__main__":
    main()
