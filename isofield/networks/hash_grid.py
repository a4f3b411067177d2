"""The multiresolution hash grid as a module, and the small network on top of it (Mueller et al. 2022)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..kernels import hashgrid
from ..kernels.mlp import layers, mlp, parameter_count

__all__ = ["GridNetwork", "HashGrid", "PlaneHashGrid"]


class HashGrid(nn.Module):
    """Points of the working box [-1, 1]^3 -> interpolated features of all levels, [points, 2 * levels].

    Grids of `coarsest` to `finest` cells along an axis, in geometric progression; each keeps at most
    2^log2_table vectors of two features, shared by hashing where a grid has more vertices. Table entries
    start as U(-1e-4, 1e-4) (section 4 of the paper).
    """

    def __init__(self, levels: int = 8, coarsest: int = 32, finest: int = 256, log2_table: int = 17) -> None:
        super().__init__()
        self.levels = hashgrid.paper_levels(levels, coarsest, finest, log2_table)
        self.in_features, self.out_features = 3, 2 * levels
        rows = self.levels[-1].offset + self.levels[-1].rows
        self.table = nn.Parameter(torch.empty(rows, 2).uniform_(-1e-4, 1e-4))

    def blocks(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "blocks features 128"]:
        """The features in blocks of 128 points, as the fused network takes them."""
        return hashgrid.encode(0.5 * points + 0.5, self.table, self.levels)

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        return hashgrid.unblock(self.blocks(points), len(points))


class PlaneHashGrid(nn.Module):
    """Points of [0, 1]^2 -> interpolated features of all levels, [points, 2 * levels].

    Grids of `coarsest` to `finest` cells along an axis, in geometric progression, with `rows` vectors of two
    features in all. Table entries start as U(-1e-4, 1e-4).
    """

    def __init__(self, levels: int, coarsest: int, finest: int, rows: int) -> None:
        super().__init__()
        self.levels = hashgrid.plane_levels(levels, coarsest, finest, rows)
        self.in_features, self.out_features = 2, 2 * levels
        kept = self.levels[-1].offset + self.levels[-1].rows
        self.table = nn.Parameter(torch.empty(kept, 2).uniform_(-1e-4, 1e-4))

    def blocks(self, points: Float[Tensor, "points 2"]) -> Float[Tensor, "blocks features 128"]:
        """The features in blocks of 128 points, as the fused network takes them."""
        return hashgrid.encode(points, self.table, self.levels)


class GridNetwork(nn.Module):
    """A hash grid followed by a small fully connected network with ReLU: points as the grid takes them ->
    [points, outputs].

    hidden: width of each of the `hidden_layers` hidden layers. Weights start as U(-b, b), b = sqrt(6 /
    fan_in) (He), the last layer's with b = sqrt(3 / fan_in); biases as 0. All lie in one flat vector,
    `parameters_flat`.
    """

    def __init__(
        self,
        grid: HashGrid | PlaneHashGrid,
        hidden: int = 32,
        hidden_layers: int = 2,
        out_features: int = 1,
    ) -> None:
        super().__init__()
        self.grid = grid
        self.widths = (grid.out_features, *[hidden] * hidden_layers, out_features)
        self.parameters_flat = nn.Parameter(torch.zeros(parameter_count(self.widths)))
        with torch.no_grad():
            for index, (weights, _) in enumerate(layers(self.parameters_flat, self.widths)):
                gain = 6 if index < hidden_layers else 3
                bound = math.sqrt(gain / weights.shape[1])
                weights.uniform_(-bound, bound)

    def forward(self, points: Float[Tensor, "points axes"]) -> Float[Tensor, "points outputs"]:
        return hashgrid.unblock(mlp(self.grid.blocks(points), self.parameters_flat, self.widths), len(points))
