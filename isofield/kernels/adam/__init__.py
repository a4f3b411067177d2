"""Adam in one pass (Kingma and Ba 2015, algorithm 1), as a torch optimiser."""

import numpy as np
import torch

from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled
from . import reference

__all__ = ["Adam"]

_SMALL = 20_000  # elements; below this, starting a thread costs more than the work


class Adam(torch.optim.Optimizer):
    """Adam with the constants of hash-grid fields (beta2 = 0.99, eps = 1e-15; Mueller et al. 2022, section
    4).

    With so small an eps an entry of the table that is seen for the first time moves by the whole learning
    rate at once, which is what makes fits of a few hundred steps possible. State for each parameter: "mean",
    "variance" (shapes of the parameter), "step".
    """

    def __init__(
        self, parameters, rate: float = 1e-2, betas: tuple[float, float] = (0.9, 0.99), eps: float = 1e-15
    ) -> None:
        super().__init__(parameters, {"lr": rate, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: torch.Tensor, group: dict) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"], state["variance"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        arrays = (parameter, parameter.grad, state["mean"], state["variance"])
        fast = use_compiled(parameter.device.type) and all(
            a.dtype == torch.float32 and a.is_contiguous() for a in arrays
        )
        if not fast:
            reference.adam_step(*arrays, state["step"], group["lr"], group["betas"], group["eps"])
            return
        from . import numba

        (beta1, beta2), t = group["betas"], state["step"]
        constants = (group["lr"] / (1 - beta1**t), beta1, beta2, 1 / (1 - beta2**t), group["eps"])
        flat = [a.detach().numpy().reshape(-1) for a in arrays]
        scalars = [np.float32(c) for c in constants]
        pieces = split(len(flat[0]), threads() if len(flat[0]) > _SMALL else 1, 16)
        run_pieces(lambda first, last: numba.adam_step(*flat, first, last, *scalars), pieces)
