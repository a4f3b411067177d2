"""Adam in one pass (Kingma and Ba 2015, algorithm 1)."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...runtime.threads import run_pieces, split, threads
from .. import use_compiled
from . import reference

__all__ = ["Adam"]

_SMALL = 20_000  # elements; below this, starting a thread costs more than the work


class Adam:
    """Adam with the constants of hash-grid fields (beta2 = 0.99, eps = 1e-15; Mueller et al. 2022, section
    4).

    With so small an eps an entry of the table that is seen for the first time moves by the whole learning
    rate at once, which is what makes fits of a few hundred steps possible. Has the interface of torch's
    optimisers (`param_groups`, `state_dict`, ...), but is none: that base class loads torch's compiler, which
    takes as long as a hundred steps. State for each parameter: "mean", "variance" (shapes of the parameter),
    "step".
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        rate: float = 1e-2,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-15,
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {"params": list(parameters), "lr": rate, "betas": betas, "eps": eps}
        ]
        self.state: dict[int, dict[str, Any]] = {}

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        groups = [(parameter, group) for group in self.param_groups for parameter in group["params"]]
        for index, (parameter, group) in enumerate(groups):
            if parameter.grad is not None:
                self._update(parameter, self.state.setdefault(index, _fresh(parameter)), group)

    def state_dict(self) -> dict[str, Any]:
        """The state by the number of the parameter, in the form of torch's optimisers."""
        return {"state": self.state, "param_groups": self.param_groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the state that `state_dict` gave."""
        self.state = {index: dict(entries) for index, entries in state["state"].items()}

    def _update(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        state["step"] += 1
        assert parameter.grad is not None
        arrays = (parameter, parameter.grad, state["mean"], state["variance"])
        if not (use_compiled(parameter.device.type) and all(_is_plain(a) for a in arrays)):
            reference.adam_step(*arrays, state["step"], group["lr"], group["betas"], group["eps"])
            return
        from . import numba

        (beta1, beta2), t = group["betas"], state["step"]
        constants = (group["lr"] / (1 - beta1**t), beta1, beta2, 1 / (1 - beta2**t), group["eps"])
        scalars = tuple(np.float32(c) for c in constants)
        flat = tuple(a.detach().numpy().reshape(-1) for a in arrays)
        pieces = split(len(flat[0]), threads() if len(flat[0]) > _SMALL else 1, 16)
        run_pieces(lambda first, last: numba.adam_step(*flat, first, last, *scalars), pieces)


def _fresh(parameter: Tensor) -> dict[str, Any]:
    return {"step": 0, "mean": torch.zeros_like(parameter), "variance": torch.zeros_like(parameter)}


def _is_plain(array: Tensor) -> bool:
    return array.dtype == torch.float32 and array.is_contiguous()
