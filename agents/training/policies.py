"""The networks that are trained: a Gaussian over the box [−1, 1]^8, and a Dirichlet over shares.

Both are Stable-Baselines3's actor-critic MLP under the names it gives (``mlp_extractor.policy_net.0.weight``, ...,
``action_net.bias``), so PPO, A2C and :class:`civsim.agents.training.ppo.LeanPPO` train either, and the reader of
checkpoints (:mod:`civsim.agents.network`) knows them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import ArrayLike
from stable_baselines3.common.distributions import DiagGaussianDistribution, Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor

from civsim.agents.training.distributions import DirichletDistribution, gaussian_terms, head_of
from civsim.base.errors import ActionError
from civsim.engine.state import F64
from civsim.faces.actions import action_from_shares

LEAST_START = 0.005
"""Smallest share of an open category with which a Dirichlet policy can be started."""

LEAST_CONCENTRATION = 1.1
"""Smallest concentration at a start from given shares: nearer to 1 the head's output runs off to −∞."""

UNTRAINED_CONCENTRATION = 1.0 + float(np.log(2.0))
"""Concentration of every category where the head gives 0."""


class _Started(ActorCriticPolicy):
    """An actor-critic policy whose first actions can be set.

    Args:
        observation_space: a Box.
        action_space: a Box of one axis, one entry a category.
        lr_schedule: learning rate by progress.
        open_categories: bool [A], True where a category may be spent on; None where all are.
        start_shares: [A] shares to start from, see ``set_start``; None leaves Stable-Baselines3's initialisation alone.
        **others: of ``ActorCriticPolicy``.

    Raises:
        ActionError: ``open_categories`` or ``start_shares`` do not fit the action space.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        *,
        open_categories: Sequence[bool] | None = None,
        start_shares: Sequence[float] | None = None,
        **others: Any,
    ) -> None:
        shape = action_space.shape or ()
        opened = np.ones(shape, np.bool_) if open_categories is None else np.asarray(open_categories, np.bool_)
        if opened.shape != shape:
            raise ActionError(
                f"open_categories of shape {opened.shape}; actions have shape {shape}: give one a category"
            )
        self.open_categories = opened
        self.start_shares = start_shares
        super().__init__(observation_space, action_space, lr_schedule, **others)
        if start_shares is not None:
            self.set_start(start_shares)

    def set_start(self, shares: ArrayLike) -> None:
        """Set the head's bias so that the first deterministic action gives about these shares.

        A zero head gives every open category the same, an eighth each where all are open: 37.5 % on cognition. A
        learner stopped early then looks like one that thinks too much; a second beginning shows how much of a result is
        its beginning.

        Args:
            shares: [A] on the simplex, 0 where closed.

        Raises:
            ActionError: they are not on the simplex of the open categories.
        """
        rows = np.asarray(shares, np.float64)
        fits = rows.shape == self.open_categories.shape and np.isfinite(rows).all() and (rows >= 0.0).all()
        if not fits or abs(rows.sum() - 1.0) > 1e-6 or rows[~self.open_categories].any():
            raise ActionError(
                f"start shares {rows.tolist()}; give {self.open_categories.size} numbers >= 0 that sum to 1, "
                "0 where a category is closed"
            )
        with torch.no_grad():
            bias: Any = self.action_net.bias
            bias.copy_(torch.as_tensor(self._start_bias(rows), dtype=torch.float32))

    @abstractmethod
    def _start_bias(self, shares: F64) -> F64:
        """Return the head's bias, [A], for shares [A] on the simplex."""

    def _get_constructor_parameters(self) -> dict[str, Any]:
        own = {"open_categories": self.open_categories.tolist(), "start_shares": self.start_shares}
        return super()._get_constructor_parameters() | own


class SoftmaxPolicy(_Started):
    """Stable-Baselines3's ``MlpPolicy`` with a leaner Gaussian and a settable start.

    It acts on the box [−1, 1]^A of ``actions="softmax"`` (and on any other box, like its parent). Weights, samples and
    gradients are those of ``MlpPolicy``, bit for bit.

    Raises:
        ActionError: the action space is not a box, or exploration is state-dependent (``use_sde``).
    """

    def _build(self, lr_schedule: Schedule) -> None:
        if not isinstance(self.action_dist, DiagGaussianDistribution):
            raise ActionError(
                f"SoftmaxPolicy cannot act on {self.action_space} with use_sde={self.use_sde}: it takes a Box and "
                "use_sde=False; use Stable-Baselines3's MlpPolicy for others"
            )
        super()._build(lr_schedule)

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return actions [B, A], values [B, 1] and log densities [B] for observations [B, F]."""
        mean, values = self._heads(obs)
        actions = mean if deterministic else mean + torch.empty_like(mean).normal_() * self.log_std.exp()
        log_prob, _ = gaussian_terms(mean, self.log_std, actions)
        return actions, values, log_prob

    def evaluate_actions(self, obs: Any, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return values [B, 1], log densities [B] of actions [B, A], and entropies [B]."""
        mean, values = self._heads(obs)
        return values, *gaussian_terms(mean, self.log_std, actions)

    def _heads(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Return means [B, A] and values [B, 1] for observations [B, F]."""
        features = self.extract_features(obs)
        of_actor, of_critic = features if isinstance(features, tuple) else (features, features)
        nets = self.mlp_extractor
        return self.action_net(nets.policy_net(of_actor)), self.value_net(nets.value_net(of_critic))

    def _start_bias(self, shares: F64) -> F64:
        return action_from_shares(shares, self.open_categories)


class DirichletPolicy(_Started):
    """An actor-critic MLP that draws shares from a Dirichlet distribution; it acts on ``actions="simplex"``.

    Concentrations are 1 + softplus(head). Its deterministic action is the mean, over the open categories; closed
    categories are exactly 0. See :class:`civsim.agents.training.distributions.DirichletDistribution`.

    Raises:
        ActionError: the action space is not the box [0, 1]^A.
        ScenarioError: fewer than two categories are open.
    """

    def _build(self, lr_schedule: Schedule) -> None:
        space: Any = self.action_space
        if not (
            isinstance(space, spaces.Box)
            and len(space.shape) == 1
            and (space.low == 0).all()
            and (space.high == 1).all()
        ):
            raise ActionError(f"DirichletPolicy acts on weights in [0, 1]^A, not on {space}; give actions='simplex'")
        super()._build(lr_schedule)
        # What the parent built for a Gaussian is taken back: a Dirichlet has no standard deviation of its own.
        del self.log_std
        self.action_dist = DirichletDistribution(self.open_categories.tolist())
        make: Any = self.optimizer_class
        self.optimizer = make(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> Distribution:
        return self.action_dist.proba_distribution(self.action_net(latent_pi))

    def _start_bias(self, shares: F64) -> F64:
        opened = self.open_categories
        rows = np.where(opened, np.maximum(shares, LEAST_START), 0.0)
        rows /= rows.sum()
        total = max(LEAST_CONCENTRATION / rows[opened].min(), UNTRAINED_CONCENTRATION * opened.sum())
        concentration = torch.as_tensor(np.where(opened, rows * total, UNTRAINED_CONCENTRATION))
        return head_of(concentration).numpy()
