"""Steps of the optimiser: Adam over all parameters at once, and any other optimiser as it is."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

OTHERWISE = ("amsgrad", "capturable", "differentiable", "fused", "foreach", "maximize", "weight_decay")
"""Settings of ``torch.optim.Adam`` that ask for other arithmetic than its plain one, which is written out here."""


def open_stepper(optimiser: torch.optim.Optimizer) -> FlatAdam | PlainStepper:
    """Return what steps the optimiser, to be opened by ``with``: :class:`FlatAdam` if it is plain Adam."""
    groups = optimiser.param_groups
    if type(optimiser) is torch.optim.Adam and len(groups) == 1 and not any(groups[0][name] for name in OTHERWISE):
        return FlatAdam(optimiser)
    return PlainStepper(optimiser)


class FlatAdam:
    """While open, the optimiser's parameters lie one after another in one vector, and a step updates that vector.

    Every operation of Adam is elementwise, so parameters and moments are those of ``torch.optim.Adam`` bit for bit. On
    leaving, parameters and the optimiser's state get tensors of their own again: outside, nothing tells it was used.

    Args:
        optimiser: plain Adam with one group of parameters.
    """

    def __init__(self, optimiser: torch.optim.Adam) -> None:
        self._optimiser = optimiser
        (self._group,) = optimiser.param_groups
        self._params: list[torch.nn.Parameter] = self._group["params"]
        self._sizes = [param.numel() for param in self._params]

    def __enter__(self) -> Self:
        state = self._optimiser.state
        moments: list[dict[str, Any]] = [state.get(param) or _untouched(param) for param in self._params]
        self._step = int(moments[0]["step"])
        self._mean = self._join([one["exp_avg"] for one in moments])
        self._square = self._join([one["exp_avg_sq"] for one in moments])
        self._weights = self._join([param.data for param in self._params])
        self._gradient = torch.empty_like(self._weights)
        self._gradients = self._split(self._gradient)
        for param, view in zip(self._params, self._split(self._weights), strict=True):
            param.data = view
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for param, mean, square in zip(self._params, self._split(self._mean), self._split(self._square), strict=True):
            param.data = param.data.clone()
            if self._step > 0:
                self._optimiser.state[param] = {
                    "step": torch.tensor(float(self._step)),
                    "exp_avg": mean.clone(),
                    "exp_avg_sq": square.clone(),
                }

    def step(self, gradients: Sequence[Tensor], most: float) -> None:
        """Update every parameter, after its gradients (in order) are scaled to a joint norm of at most ``most``."""
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self._gradient)
        # The norm of the tensors' norms, as in torch.nn.utils.get_total_norm less its grouping by device.
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(self._gradients)))
        # As in torch.nn.utils.clip_grads_with_norm_, whose scale is always applied, 1 where the norm is small enough.
        self._gradient.mul_(torch.clamp(most / (norm + 1e-6), max=1.0))
        group, gradient = self._group, self._gradient
        beta1, beta2 = group["betas"]
        self._step += 1
        # The operations of torch.optim.adam, in its order: any other rounds differently.
        with torch.no_grad():
            self._mean.lerp_(gradient, 1 - beta1)
            self._square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            root = (1 - beta2**self._step) ** 0.5
            size = group["lr"] / (1 - beta1**self._step)
            spread = self._square.sqrt().div_(root).add_(group["eps"])
            self._weights.addcdiv_(self._mean, spread, value=-size)

    @staticmethod
    def _join(tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])

    def _split(self, flat: Tensor) -> list[Tensor]:
        parts = flat.split(self._sizes)
        return [part.view(param.shape) for part, param in zip(parts, self._params, strict=True)]


def _untouched(param: Tensor) -> dict[str, Any]:
    return {"step": 0, "exp_avg": torch.zeros_like(param), "exp_avg_sq": torch.zeros_like(param)}


class PlainStepper:
    """Any optimiser, stepped by its own ``step``."""

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser = optimiser
        self._params = [param for group in optimiser.param_groups for param in group["params"]]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._optimiser.zero_grad()

    def step(self, gradients: Sequence[Tensor], most: float) -> None:
        """Update every parameter, after its gradients (in order) are scaled to a joint norm of at most ``most``."""
        for param, gradient in zip(self._params, gradients, strict=True):
            param.grad = gradient
        torch.nn.utils.clip_grad_norm_(self._params, most)
        self._optimiser.step()
