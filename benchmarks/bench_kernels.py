"""The kernels of a training step against plain torch: hash grid, small network, Adam, and the whole step."""

import isofield  # noqa: F401  (first: it says how torch's idle threads wait)

# isort: split
import os
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from report import flags, publish, table
from torch import Tensor, nn

from isofield.kernels import hashgrid
from isofield.kernels.adam import Adam
from isofield.kernels.mlp import mlp, parameter_count
from isofield.runtime.memory import keep_freed_memory
from isofield.runtime.threads import available_cores, set_threads

POINTS = 131_072
ADAM_PARAMETERS = 3_400_000
GRIDS = {"L16, finest 2048": (16, 16, 2048, 17), "L8, finest 256": (8, 16, 256, 17)}
NETWORKS = {"32-64-64-1": (32, 64, 64, 1), "16-32-32-1": (16, 32, 32, 1)}

# Milliseconds of the prototypes that the engine was designed by, plain torch and compiled, on two cores of
# another machine (AMD Zen 4); those of the network 32-64-64-1 are CPU time of both cores together. From
# ../shared/reference/cpu_engine_notes.md, sections 2 to 4.
PROTOTYPE = {
    "hash grid L16, finest 2048, forward": (496, 20.7),
    "hash grid L16, finest 2048, forward and backward": (1467, 55.2),
    "hash grid L8, finest 256, forward": (None, 8.2),
    "hash grid L8, finest 256, forward and backward": (None, 18.7),
    "network 32-64-64-1, forward and backward": (289, 60),
    "network 16-32-32-1, forward and backward": (None, 10.1),
    "Adam, 3,400,000 parameters": (16, 1.8),
    "training step, L8 and 16-32-32-1": (None, 31.7),
}


class Grid:
    """A hash grid's work at random points. table: its entries; gradient: one of its output."""

    def __init__(self, sizes: tuple[int, int, int, int], points: Tensor) -> None:
        self.points, self.levels = points, hashgrid.paper_levels(*sizes)
        rows = self.levels[-1].offset + self.levels[-1].rows
        self.table = ((torch.rand(rows, 2) - 0.5) * 2e-4).requires_grad_()
        self.gradient = torch.randn(len(points) // 128, 2 * sizes[0], 128)

    def encode(self) -> Tensor:
        return hashgrid.encode(self.points, self.table, self.levels)

    @torch.no_grad()
    def forward(self) -> Tensor:
        return self.encode()

    def both(self) -> Tensor:
        """The gradient of the table, after a forward pass."""
        return torch.autograd.grad(self.encode(), self.table, self.gradient)[0]


def main() -> None:
    """Time, compare, print, write."""
    arguments = flags(__doc__).parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    cores = min(available_cores(), 2)
    points = 4_096 if arguments.small else POINTS
    seconds = 0.05 if arguments.small else 2.0
    works = _works(points, 20_000 if arguments.small else ADAM_PARAMETERS)
    rows = []
    for name, (plain, compiled) in works.items():
        torch.set_num_threads(cores)
        milliseconds = {"plain": _milliseconds(_plainly(plain), seconds)}
        for count in (1, 2):
            set_threads(count)
            torch.set_num_threads(count)
            milliseconds[count] = _milliseconds(compiled, seconds)
        rows.append(_row(name, milliseconds, None if name.startswith("Adam") else points))
    same = all(_same_gradient(Grid(sizes, torch.rand(points, 3))) for sizes in GRIDS.values())
    header = (
        "work",
        "plain torch",
        "1 thread",
        "2 threads",
        "times faster",
        "M points/s",
        "prototype, torch",
        "prototype, compiled",
    )
    body = [
        f"Milliseconds, median, of {points:,} random points and tables of at most 2^17 rows a level. "
        f"Plain torch, with {cores} threads, is the reference of each kernel, `nn.Sequential` for the "
        "network and `torch.optim.Adam` for Adam. Beside them the figures of the prototypes that the "
        "design rests on, measured on another machine (two Zen 4 cores, 131,072 points).",
        table(header, rows),
        f"The gradient of the table with 2, 3 and 5 threads {'equals' if same else 'DIFFERS FROM'} that "
        "with one, bit for bit.",
    ]
    publish("kernels", "Kernels of a training step", body, arguments)


def _works(points: int, adam_parameters: int) -> dict[str, tuple[Callable, Callable]]:
    """Name -> (in plain torch, compiled)."""
    works: dict[str, tuple[Callable, Callable]] = {}
    for name, sizes in GRIDS.items():
        grid = Grid(sizes, torch.rand(points, 3))
        works[f"hash grid {name}, forward"] = (grid.forward, grid.forward)
        works[f"hash grid {name}, forward and backward"] = (grid.both, grid.both)
    for name, widths in NETWORKS.items():
        works[f"network {name}, forward and backward"] = _network(widths, points)
    parameters = [torch.randn(adam_parameters).requires_grad_() for _ in range(2)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    works[f"Adam, {adam_parameters:,} parameters"] = (
        torch.optim.Adam(parameters[:1]).step,
        Adam(parameters[1:]).step,
    )
    works["training step, L8 and 16-32-32-1"] = _plain_step(points), _step(points)
    return works


def _network(widths: tuple[int, ...], points: int) -> tuple[Callable, Callable]:
    network = _sequential(widths)
    rows, row_gradient = torch.randn(points, widths[0]).requires_grad_(), torch.randn(points, 1)
    blocks = hashgrid.block(rows.detach()).requires_grad_()
    gradient = hashgrid.block(row_gradient)
    flat = (torch.randn(parameter_count(widths)) * 0.2).requires_grad_()
    return (
        lambda: torch.autograd.grad(network(rows), [rows, *network.parameters()], row_gradient),
        lambda: torch.autograd.grad(mlp(blocks, flat, widths), [blocks, flat], gradient),
    )


def _plain_step(points: int) -> Callable[[], None]:
    grid, network = Grid(GRIDS["L8, finest 256"], torch.rand(points, 3)), _sequential(NETWORKS["16-32-32-1"])
    optimiser = torch.optim.Adam([grid.table, *network.parameters()], 1e-3)
    target = torch.rand(points)

    def step() -> None:
        optimiser.zero_grad()
        features = hashgrid.reference.encode(grid.points, grid.table, grid.levels)
        (network(features)[:, 0] - target).abs().mean().backward()
        optimiser.step()

    return step


def _step(points: int) -> Callable[[], None]:
    widths = NETWORKS["16-32-32-1"]
    grid = Grid(GRIDS["L8, finest 256"], torch.rand(points, 3))
    flat = (torch.randn(parameter_count(widths)) * 0.2).requires_grad_()
    optimiser = Adam([grid.table, flat], 1e-3)
    target = torch.rand(points)

    def step() -> None:
        optimiser.zero_grad()
        (mlp(grid.encode(), flat, widths).reshape(-1) - target).abs().mean().backward()
        optimiser.step()

    return step


def _sequential(widths: tuple[int, ...]) -> nn.Sequential:
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def _plainly(call: Callable) -> Callable:
    """`call` with the kernels replaced by their references."""

    def plain() -> None:
        os.environ["ISOFIELD_KERNELS"] = "reference"
        try:
            call()
        finally:
            del os.environ["ISOFIELD_KERNELS"]

    return plain


def _milliseconds(call: Callable, seconds: float) -> float:
    """Median over so many seconds (three calls at least), after one that is not counted."""
    call()
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * sorted(times)[len(times) // 2]


def _row(name: str, milliseconds: dict, points: int | None) -> tuple[str, ...]:
    torch_ms, compiled_ms = PROTOTYPE.get(name, (None, None))
    two = milliseconds[2]
    return (
        name,
        *(f"{value:.1f}" for value in milliseconds.values()),
        f"{milliseconds['plain'] / two:.1f}",
        f"{points / two / 1e3:.1f}" if points else "-",
        *("-" if value is None else f"{value:g}" for value in (torch_ms, compiled_ms)),
    )


def _same_gradient(grid: Grid) -> bool:
    gradients = []
    for count in (1, 2, 3, 5):
        set_threads(count)
        gradients.append(grid.both())
    return all(torch.equal(gradient, gradients[0]) for gradient in gradients)


if __name__ == "__main__":
    main()
