"""A method small enough to know everything about: a line through points."""

from pathlib import Path

import pytest
import torch
from torch import nn

from isofield.data.samples import generator
from isofield.runtime import threads
from isofield.runtime.progress import set_quiet
from isofield.training.method import Player, cosine
from isofield.training.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


class Line:
    """y = slope x + offset, fitted by least squares to fresh points of y = 3 x - 1; one player."""

    slope, offset = 3.0, -1.0

    def __init__(self, final: float = 0.1, rate: float = 0.05) -> None:
        self.config = None
        self.line = nn.Linear(1, 1)
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)
        self.players = {
            "line": Player(self.line, torch.optim.Adam(self.line.parameters(), rate), cosine(final))
        }
        self.seed = 0

    def prepare(self, data: None, seed: int) -> None:
        self.seed = seed

    def batch(self, player: str, step: int, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.from_numpy(generator(self.seed, step, "line").uniform(-1, 1, (32, 1))).float()
        return x, self.slope * x + self.offset

    def loss(
        self, player: str, batch: tuple[torch.Tensor, torch.Tensor], progress: float
    ) -> dict[str, torch.Tensor]:
        x, y = batch
        return {"residual": (self.line(x) - y).square().mean()}

    def metric(self) -> tuple[str, float]:
        return "slope_error", abs(self.line.weight.item() - self.slope)

    def products(self) -> dict:
        return {}


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def new_line() -> type[Line]:
    """The class, for tests that need several or change one."""
    return Line


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder(tmp_path)


@pytest.fixture
def spot() -> Path:
    return ROOT / "isofield" / "data" / "spot.ply"


@pytest.fixture(autouse=True)
def _as_before_afterwards():
    before = threads.threads()
    yield
    set_quiet(False)
    if threads.threads() != before:
        threads.set_threads(before)
