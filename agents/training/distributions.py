"""Distributions of actions: the Gaussian's terms without overhead, and a Dirichlet as Stable-Baselines3 wants it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import torch
from stable_baselines3.common.distributions import Distribution
from torch import Tensor, nn

from civsim.base.errors import ScenarioError

EDGE = 1e-6
"""Smallest share that a sample has in an open category: the density's logarithm is finite there."""

LEAST_OPEN = 2
"""Open categories that a choice needs."""

LOG_ROOT_TAU = math.log(math.sqrt(2 * math.pi))
"""The constant of the Gaussian's log density, rounded as torch.distributions rounds it."""


def gaussian_terms(mean: Tensor, log_std: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """Return log densities and entropies, [B] each, of actions [B, A] under a diagonal Gaussian.

    Means are [B, A], log standard deviations [A]. The operations are those of ``torch.distributions.Normal`` summed
    over the last axis, in the same order, so that values and gradients are the same bit for bit; the objects and the
    checks of that class, in every call, are what is saved.
    """
    scale = torch.ones_like(mean) * log_std.exp()
    variance = scale**2
    log_prob = (-((actions - mean) ** 2) / (2 * variance) - scale.log() - LOG_ROOT_TAU).sum(dim=1)
    return log_prob, (0.5 + 0.5 * math.log(2 * math.pi) + torch.log(scale)).sum(dim=1)


def concentration_of(head: Tensor) -> Tensor:
    """Return concentrations 1 + softplus(head), at least 1: the density is bounded, and greatest away from the edge."""
    return 1.0 + nn.functional.softplus(head)


def head_of(concentration: Tensor) -> Tensor:
    """Return the head's output that gives ``concentration`` (above 1): the inverse of :func:`concentration_of`."""
    above = concentration - 1.0
    return above + torch.log(-torch.expm1(-above))


class DirichletDistribution(Distribution):
    """Dirichlet(c) over the open categories; a closed category's share is exactly 0.

    With S = Σ c over the K open categories:
        log p(x) = Σ (c − 1) log x + log Γ(S) − Σ log Γ(c);
        entropy = Σ log Γ(c) − log Γ(S) − (K − S) ψ(S) − Σ (c − 1) ψ(c);
        mean = c / S, mode = (c − 1) / (S − K) where every c > 1
    (Ng, Tian and Tang 2011, *Dirichlet and Related Distributions*, ch. 2).

    A sample closer to the simplex's edge than :data:`EDGE` is moved there, and log p is that of the moved sample.

    Args:
        open_categories: bool [A], True where a category may be spent on.

    Raises:
        ScenarioError: fewer than two categories are open.
    """

    def __init__(self, open_categories: Sequence[bool]) -> None:
        super().__init__()
        self.places = [place for place, opened in enumerate(open_categories) if opened]
        self.size = len(open_categories)
        if len(self.places) < LEAST_OPEN:
            raise ScenarioError(
                f"{len(self.places)} of {self.size} categories open; a policy chooses between at least {LEAST_OPEN}"
            )

    def proba_distribution_net(self, latent_dim: int) -> nn.Module:
        """Return the head: one output a category, open or closed (a closed one's output has no effect)."""
        return nn.Linear(latent_dim, self.size)

    def proba_distribution(self, head: Tensor) -> Self:
        """Take the head's output, [..., A], and return this distribution."""
        self.concentration = concentration_of(self._opened(head))
        return self

    def log_prob(self, actions: Tensor) -> Tensor:
        """Return log p of shares, [..., A] → [...]; a share below :data:`EDGE` counts as that."""
        shares = self._opened(actions).clamp(min=EDGE)
        above = self.concentration - 1.0
        total = self.concentration.sum(-1)
        return (above * shares.log()).sum(-1) + torch.lgamma(total) - torch.lgamma(self.concentration).sum(-1)

    def entropy(self) -> Tensor:
        """Return the differential entropy over the open categories' simplex, [...]."""
        c, total = self.concentration, self.concentration.sum(-1)
        spread = (total - len(self.places)) * torch.digamma(total) - ((c - 1.0) * torch.digamma(c)).sum(-1)
        return torch.lgamma(c).sum(-1) - torch.lgamma(total) + spread

    def sample(self) -> Tensor:
        """Return one draw a row, [..., A], without gradients; open shares are at least :data:`EDGE`, closed ones 0."""
        with torch.no_grad():
            shares = torch.distributions.Dirichlet(self.concentration, validate_args=False).sample().clamp(min=EDGE)
            return self._placed(shares / shares.sum(-1, keepdim=True))

    def mean(self) -> Tensor:
        """Return the mean shares, [..., A]."""
        return self._placed(self.concentration / self.concentration.sum(-1, keepdim=True))

    def mode(self) -> Tensor:
        """Return the deterministic action, [..., A]: the mean, which is what the policy spends on average."""
        return self.mean()

    def actions_from_params(self, head: Tensor, deterministic: bool = False) -> Tensor:
        """Return actions given the head's output, [..., A]."""
        return self.proba_distribution(head).get_actions(deterministic=deterministic)

    def log_prob_from_params(self, head: Tensor) -> tuple[Tensor, Tensor]:
        """Return a draw and its log p given the head's output."""
        actions = self.actions_from_params(head)
        return actions, self.log_prob(actions)

    def _opened(self, rows: Tensor) -> Tensor:
        return rows if len(self.places) == self.size else rows[..., self.places]

    def _placed(self, shares: Tensor) -> Tensor:
        if len(self.places) == self.size:
            return shares
        rows = torch.zeros(*shares.shape[:-1], self.size, dtype=shares.dtype, device=shares.device)
        rows[..., self.places] = shares
        return rows
