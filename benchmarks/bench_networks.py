"""Networks at equal seconds: the hash grid against what shape fields used before it, tuned, on the same
labels."""

import isofield  # noqa: F401  (first: it says how torch's idle threads wait)

# isort: split
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

SHAPES = ("stanford-bunny", "fandisk", "armadillo")
BUDGETS = (3, 5, 10, 20, 60)
TUNED_ON = "spot"  # none of the shapes that are judged
TUNING_SECONDS = 10
SIGMAS = (1.0, 2.0, 3.0)
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
    "seconds; nothing is logged. Points a step and learning rates are those of `training/recipes.py`, "
    "which were chosen for each network on {shape}, a shape that is not judged here; the standard "
    "deviation of the Fourier features is the best of {sigmas} there after {seconds} s."
)


class Shape:
    """A shape to train on, and points with their truth by libigl."""

    def __init__(self, name: str, points: int) -> None:
        path = mesh_path(name)
        shape = data.load(path)
        self.shape = shape
        self.truth = Truth(path, points)
        self._points = torch.from_numpy(shape.frame.to_working(self.truth.points))

    def iou(self, network: CoordinateNetwork, seconds: float) -> tuple[float, int]:
        """(intersection over union of the field after so many seconds of training, steps made); 0 where the
        training diverges."""
        torch.manual_seed(0)
        method = SDF(Config(network))
        method.prepare(self.shape, seed=0)
        warm_up(method)
        clock = Clock(Budget(seconds=seconds))
        try:
            train(method, clock, [])
        except FailedError:
            return 0.0, clock.step
        return self.truth.iou(_inside(method.field, self._points)), clock.step


def main() -> None:
    """Tune, train, judge, print, write."""
    parser = flags(__doc__)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), help="names of the meshes to judge on")
    parser.add_argument("--budgets", nargs="+", type=float, default=list(BUDGETS), help="seconds of training")
    arguments = parser.parse_args()
    keep_freed_memory()
    small = arguments.small
    budgets, points = ((1, 2), 10_000) if small else (tuple(arguments.budgets), 200_000)
    tuning = Shape(TUNED_ON, points)
    seconds = 0.5 if small else TUNING_SECONDS
    tried = {sigma: tuning.iou(CoordinateNetwork("fourier", sigma=sigma), seconds)[0] for sigma in SIGMAS}
    sigma = max(tried, key=tried.__getitem__)
    results: dict[str, dict[str, list[tuple[float, int]]]] = {}
    for name in arguments.shapes:
        shape = Shape(name, points)
        results[name] = {
            kind: [shape.iou(CoordinateNetwork(kind, sigma=sigma), budget) for budget in budgets]
            for kind in NAMES
        }
    sigmas = ", ".join(f"{value:g} ({iou:.4f})" for value, iou in tried.items())
    body = [
        MEASURED.format(shape=TUNED_ON, sigmas=sigmas, seconds=seconds),
        table(
            ("network", "points a step", "learning rate"),
            [
                (NAMES[kind], f"{RECIPES[kind].points:,}", f"{RECIPES[kind].learning_rate:g}")
                for kind in NAMES
            ],
        ),
    ]
    for name, rows in results.items():
        header = (name, *(f"{budget:g} s" for budget in budgets), f"steps in {budgets[-1]:g} s")
        cells = [
            (NAMES[kind], *(f"{iou:.4f}" for iou, _ in row), f"{row[-1][1]:,}") for kind, row in rows.items()
        ]
        body.append(table(header, cells))
    body.append(_finding(results, budgets))
    publish("networks", "Networks at equal seconds", body, arguments, ("libigl",))


@torch.no_grad()
def _inside(field: nn.Module, points: Tensor) -> np.ndarray:
    """Where the field says inside, bool [N]."""
    field.eval()
    return np.concatenate([(field.inside.depth(field(part)) > 0).numpy() for part in points.split(1 << 14)])


def _finding(results: dict[str, dict[str, list[tuple[float, int]]]], budgets: tuple[float, ...]) -> str:
    sentences = []
    for name, rows in results.items():
        others = {kind: row[-1][0] for kind, row in rows.items() if kind != "hash_grid"}
        rival = max(others, key=others.__getitem__)
        ahead = [budget for budget, (iou, _) in zip(budgets, rows["hash_grid"]) if iou > others[rival]]
        sentences.append(
            f"On {name} the best of the others after {budgets[-1]:g} s, {NAMES[rival]}, stands at "
            f"{others[rival]:.4f}; "
            + (
                f"the hash grid is above that after {ahead[0]:g} s."
                if ahead
                else "the hash grid does NOT come above that."
            )
        )
    return " ".join(sentences)


if __name__ == "__main__":
    main()
