"""Stable-Baselines3's PPO with less overhead, and with the rows of the dead left out."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor
from torch.nn import functional

from civsim.agents.training.buffer import LeanRolloutBuffer
from civsim.agents.training.optimiser import open_stepper
from civsim.agents.training.policies import DirichletPolicy, SoftmaxPolicy
from civsim.base.errors import CivsimError

KL_MARGIN = 1.5
"""An update stops where the approximate KL divergence exceeds this times ``target_kl``, as in Stable-Baselines3."""


def live_rows(env: VecEnv) -> NDArray[np.bool_] | None:
    """Return a copy of the environment's ``live``, bool [B]: whose next action counts; None where it has none."""
    live = getattr(env.unwrapped, "live", None)
    return None if live is None else np.array(live, np.bool_)


def _now(schedule: Any, remaining: float) -> float:
    return float(schedule(remaining))


class _Losses(NamedTuple):
    """One minibatch: the loss to descend, and what is logged of it (scalars without gradients)."""

    loss: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor
    clipped: Tensor
    divergence: Tensor


class LeanPPO(PPO):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347) as Stable-Baselines3 computes it, faster.

    On one seed it makes the same weights as ``PPO``, bit for bit; only where episodes are *truncated* are the values
    that stand in for what was cut off computed in one batch, which may move them by a few units in the last place.

    An environment may say with an attribute ``live`` (bool [B]) which rows' next action counts. The other rows, of
    civilizations that have died while their world goes on, are idle: they are in no minibatch, hence in no loss,
    gradient, statistic or normalisation of advantages. ``num_timesteps`` counts them, as the environment does.

    Takes the arguments of ``PPO``. "MlpPolicy" is :class:`SoftmaxPolicy`; "DirichletPolicy" needs actions="simplex".

    Raises:
        CivsimError: spaces other than Box, or generalised state-dependent exploration: use ``stable_baselines3.PPO``.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpPolicy": SoftmaxPolicy,
        "SoftmaxPolicy": SoftmaxPolicy,
        "DirichletPolicy": DirichletPolicy,
    }
    rollout_buffer: LeanRolloutBuffer

    def _setup_model(self) -> None:
        if self.use_sde or not (type(self.observation_space) is type(self.action_space) is spaces.Box):
            raise CivsimError(
                "LeanPPO takes Box observations, Box actions and use_sde=False; use stable_baselines3.PPO for others"
            )
        if self.rollout_buffer_class is None:
            self.rollout_buffer_class = LeanRolloutBuffer
        super()._setup_model()

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Play ``n_rollout_steps`` turns of every row into the buffer; return False where the callback stops it.

        The callback sees the names it sees in Stable-Baselines3, and ``live`` (bool [B], or None).
        """
        if not isinstance(rollout_buffer, LeanRolloutBuffer) or self._last_obs is None:
            raise CivsimError("LeanPPO collects into a LeanRolloutBuffer, after the environment's reset; call learn()")
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        space: Any = self.action_space
        live, n_steps = live_rows(env), 0
        obs: Any = self._last_obs
        starts: Any = self._last_episode_starts
        while n_steps < n_rollout_steps:
            with torch.no_grad():
                actions_tensor, values, log_probs = self.policy(torch.as_tensor(obs, device=self.device))
            actions = actions_tensor.cpu().numpy()
            clipped_actions = np.clip(actions, space.low, space.high)
            new_obs, rewards, dones, infos = env.step(clipped_actions)
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            ended = np.flatnonzero(dones)
            if len(ended):
                self._update_info_buffer([infos[row] for row in ended], dones[ended])
                rewards = self._with_cut_off(rewards, ended, infos)
            rollout_buffer.add(obs, actions, rewards, starts, values, log_probs, live)
            obs, starts = new_obs, dones
            self._last_obs, self._last_episode_starts = obs, starts
            live = live_rows(env)
            n_steps += 1
        with torch.no_grad():
            values = self.policy.predict_values(torch.as_tensor(new_obs, device=self.device))
        rollout_buffer.compute_returns_and_advantage(values, dones, live)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _with_cut_off(self, rewards: np.ndarray, ended: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
        """Return rewards with the discounted value of what each truncated episode would have gone on to."""
        cut = [
            row
            for row in ended
            if infos[row].get("TimeLimit.truncated") and infos[row].get("terminal_observation") is not None
        ]
        if not cut:
            return rewards
        last = np.stack([infos[row]["terminal_observation"] for row in cut])
        with torch.no_grad():
            values = self.policy.predict_values(torch.as_tensor(last, device=self.device)).cpu().numpy().reshape(-1)
        rewards = rewards.copy()
        rewards[cut] += self.gamma * values
        return rewards

    def train(self) -> None:
        """Update the policy from the rollout: epochs of minibatches of clipped-surrogate steps."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        done: list[_Losses] = []
        epoch: list[_Losses] = []
        with open_stepper(self.policy.optimizer) as stepper:
            params = [param for group in self.policy.optimizer.param_groups for param in group["params"]]
            stopped = False
            for _ in range(self.n_epochs):
                epoch = []
                for batch in self.rollout_buffer.get(self.batch_size):
                    losses = self._losses(batch)
                    epoch.append(losses._replace(loss=losses.loss.detach()))
                    if self.target_kl is not None and float(losses.divergence) > KL_MARGIN * self.target_kl:
                        stopped = True
                        break
                    stepper.step(torch.autograd.grad(losses.loss, params), self.max_grad_norm)
                done += epoch
                self._n_updates += 1
                if stopped:
                    break
        self._log(done, epoch)

    def _losses(self, batch: RolloutBufferSamples) -> _Losses:
        """Return the losses of one minibatch, in Stable-Baselines3's order of operations."""
        clip = _now(self.clip_range, self._current_progress_remaining)
        values, log_prob, entropy = self.policy.evaluate_actions(batch.observations, batch.actions)
        values = values.flatten()
        advantages = batch.advantages
        if self.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        log_ratio = log_prob - batch.old_log_prob
        ratio = torch.exp(log_ratio)
        policy_loss = -torch.min(advantages * ratio, advantages * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()
        if self.clip_range_vf is not None:
            clip_vf = _now(self.clip_range_vf, self._current_progress_remaining)
            values = batch.old_values + torch.clamp(values - batch.old_values, -clip_vf, clip_vf)
        value_loss = functional.mse_loss(batch.returns, values)
        entropy_loss = -torch.mean(-log_prob if entropy is None else entropy)
        # A weight of 0 needs no gradient of the entropy: it would be 0.
        bonus = self.ent_coef * (entropy_loss if self.ent_coef else entropy_loss.detach())
        with torch.no_grad():
            divergence = torch.mean((ratio - 1) - log_ratio)
            clipped = torch.mean((torch.abs(ratio - 1) > clip).float())
        return _Losses(
            policy_loss + bonus + self.vf_coef * value_loss,
            policy_loss.detach(),
            value_loss.detach(),
            entropy_loss.detach(),
            clipped,
            divergence,
        )

    def _log(self, done: list[_Losses], epoch: list[_Losses]) -> None:
        """Record what Stable-Baselines3 records, and the share of the rollout's entries that were live."""
        record = self.logger.record
        if done:
            mean = _Losses(*(torch.stack(column).mean() for column in zip(*done, strict=True)))
            record("train/entropy_loss", mean.entropy.item())
            record("train/policy_gradient_loss", mean.policy.item())
            record("train/value_loss", mean.value.item())
            record("train/approx_kl", torch.stack([losses.divergence for losses in epoch]).mean().item())
            record("train/clip_fraction", mean.clipped.item())
            record("train/loss", done[-1].loss.item())
            record("train/explained_variance", explained_variance(*self.rollout_buffer.live_values_and_returns()))
        record("train/live_share", float(self.rollout_buffer.live.mean()))
        if hasattr(self.policy, "log_std"):
            record("train/std", torch.exp(self.policy.log_std).mean().item())
        record("train/n_updates", self._n_updates, exclude="tensorboard")
        record("train/clip_range", _now(self.clip_range, self._current_progress_remaining))
        if self.clip_range_vf is not None:
            record("train/clip_range_vf", _now(self.clip_range_vf, self._current_progress_remaining))
