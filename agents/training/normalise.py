"""Stable-Baselines3's running normalisation, which learns nothing from rows whose civilization is gone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from civsim.agents.network import Normalisation
from civsim.agents.training.ppo import live_rows
from civsim.base.errors import CheckpointError


class LiveNormalize(VecNormalize):
    """Running normalisation of features and rewards over the rows whose next action counts.

    While every row is live (``live`` of the environment, or an environment without it) it is ``VecNormalize``, bit for
    bit. An idle row's zeros enter no mean and no variance.

    Args:
        venv: the environment.
        clip: normalised features and rewards are clipped to ± this.
        epsilon: added to a variance.
        gamma: discount of the running returns whose variance scales the rewards.
    """

    def __init__(self, venv: VecEnv, *, clip: float, epsilon: float, gamma: float) -> None:
        super().__init__(venv, clip_obs=clip, clip_reward=clip, gamma=gamma, epsilon=epsilon)
        self._played: NDArray[np.bool_] | None = None

    def step_async(self, actions: NDArray[Any]) -> None:
        """Note which rows are live before the turn, then play it."""
        self._played = live_rows(self.venv)
        super().step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Return the turn with features and rewards normalised; see the class for what is learnt from it."""
        obs: Any
        obs, rewards, dones, infos = self.venv.step_wait()
        self.old_obs, self.old_reward = obs, rewards
        moments: Any = self.obs_rms
        if self.training:
            seen = _rows(obs, live_rows(self.venv))
            if len(seen):
                moments.update(seen)
            self.returns = self.returns * self.gamma + rewards
            earned = _rows(self.returns, self._played)
            if len(earned):
                self.ret_rms.update(earned)
        for row in np.flatnonzero(dones):
            if "terminal_observation" in infos[row]:
                infos[row]["terminal_observation"] = self.normalize_obs(infos[row]["terminal_observation"])
        scaled = self.normalize_obs(obs), self.normalize_reward(rewards)
        self.returns[dones] = 0.0
        return *scaled, dones, infos

    def moments(self) -> Normalisation:
        """Return the running moments as a checkpoint keeps them, as copies."""
        features: Any = self.obs_rms
        return Normalisation(
            mean=np.array(features.mean, np.float64),
            var=np.array(features.var, np.float64),
            epsilon=np.array(self.epsilon, np.float64),
            clip=np.array(self.clip_obs, np.float64),
            count=np.array(features.count, np.float64),
            return_mean=np.array(self.ret_rms.mean, np.float64),
            return_var=np.array(self.ret_rms.var, np.float64),
            return_count=np.array(self.ret_rms.count, np.float64),
        )

    def set_moments(self, moments: Normalisation, returns: NDArray[np.float64]) -> None:
        """Go on from the moments of :meth:`moments` and the running discounted returns, float64 [rows].

        Raises:
            CheckpointError: the returns are not one for each row.
        """
        if returns.shape != self.returns.shape:
            raise CheckpointError(
                f"{len(returns)} running returns for {len(self.returns)} rows; resume in the same shape"
            )
        features: Any = self.obs_rms
        features.mean, features.var, features.count = moments.mean.copy(), moments.var.copy(), float(moments.count)
        earned: Any = self.ret_rms
        earned.mean, earned.var, earned.count = (
            moments.return_mean[()],
            moments.return_var[()],
            float(moments.return_count),
        )
        self.returns = returns.copy()


def _rows(values: NDArray[Any], chosen: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the rows chosen, all of them (and no copy) for None."""
    return values if chosen is None or chosen.all() else values[chosen]
