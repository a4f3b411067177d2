"""What each of several processes runs in the tests: a training of the loop alone, whose state it writes
down."""

import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from isofield.data import load
from isofield.data.samples import generator
from isofield.methods import ngp, sdf
from isofield.networks.coordinate import CoordinateNetwork
from isofield.runtime.errors import FailedError
from isofield.runtime.interruption import Interrupted
from isofield.runtime.processes import rank
from isofield.runtime.threads import set_threads
from isofield.training.clock import Budget, Clock
from isofield.training.distributed import joined, share
from isofield.training.loop import train
from isofield.training.method import Player, cosine
from tests.ball_scene import ball_from_all_sides

SPOT = Path(__file__).resolve().parents[2] / "isofield" / "data" / "spot.ply"


class Uneven:
    """Two numbers, of which each process gives a gradient to its own only; the first one's is its number."""

    def __init__(self) -> None:
        self.config, self.module = None, nn.ParameterList([torch.zeros(()), torch.zeros(())])
        still = torch.optim.SGD(self.module.parameters(), 1.0)
        self.players = {"uneven": Player(self.module, still, cosine(1.0))}

    def prepare(self, data, seed, share) -> None:
        self.share = share

    def batch(self, player, step, progress):
        return float(generator(0, step, "uneven", self.share).random())

    def loss(self, player, batch, progress):
        return {"number": self.module[self.share.number] * (1.0 + self.share.number)}


class Diverging(Uneven):
    """From step 3 on, the loss of the second process is not a number."""

    def loss(self, player, batch, progress):
        bad = self.share.number == 1 and progress >= 0.3
        return {"number": self.module[0] * (float("nan") if bad else 1.0)}


class Stopped(Uneven):
    """The second process alone is interrupted, in step 3."""

    def batch(self, player, step, progress):
        if self.share.number == 1 and step == 3:
            signal.raise_signal(signal.SIGINT)
        return super().batch(player, step, progress)


class Slow(Uneven):
    """The processes do not take equally long."""

    def batch(self, player, step, progress):
        time.sleep(0.01 * (1 + self.share.number))
        return super().batch(player, step, progress)


def distances() -> sdf.SDF:
    torch.manual_seed(0)
    network = CoordinateNetwork(levels=4, coarsest=8, finest=64, log2_table=17)
    return sdf.SDF(sdf.Config(network, points=2048))


def radiance() -> ngp.NGP:
    torch.manual_seed(0)
    config = ngp.Config(levels=4, log2_table=12, finest=64, samples=16_384, rays_per_pixel=1)
    return ngp.NGP(config.for_data(ball_from_all_sides()))


CASES = {
    "sdf": (distances, Budget(steps=60)),
    "ngp": (radiance, Budget(steps=60)),
    "uneven": (Uneven, Budget(steps=4)),
    "diverging": (Diverging, Budget(steps=10)),
    "interrupted": (Stopped, Budget(steps=10)),
    "seconds": (Slow, Budget(seconds=0.5)),
}


class Diary:
    """A hook that keeps the terms of all steps."""

    def __init__(self) -> None:
        self.terms: list[dict[str, float]] = []

    def after_step(self, clock, terms) -> None:
        self.terms.append({name: float(value) for name, value in terms.items()})

    def close(self, clock, whole) -> None: ...


def main(out: Path) -> None:
    set_threads(1)
    results = {}
    with joined():
        for name, (make, budget) in CASES.items():
            method, diary, said = make(), Diary(), ""
            method.prepare(ball_from_all_sides() if name == "ngp" else load(SPOT), 0, share())
            try:
                train(method, Clock(budget), [diary])
            except (FailedError, Interrupted) as error:
                said = type(error).__name__ + ": " + error.what
            state = next(iter(method.players.values())).module.state_dict()
            results[name] = {"terms": diary.terms, "said": said, "state": state}
    torch.save(results, out / f"{rank()}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
