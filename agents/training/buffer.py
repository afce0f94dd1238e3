"""A rollout buffer that is allocated once, is never turned round, and leaves the rows of the dead out."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples

from civsim.engine.state import F32, I64

Bools = NDArray[np.bool_]


class LeanRolloutBuffer(RolloutBuffer):
    """Stable-Baselines3's rollout buffer with the same contents and minibatches, and less copying.

    The arrays are allocated once and stay [T, B, ...] (T turns, B rows); minibatches are gathered straight from them.
    Without idle entries, advantages, returns and every minibatch are those of ``RolloutBuffer``, bit for bit.

    An entry (turn t, row b) is *idle* where ``live[t, b]`` is False: the row's civilization was dead, and its action
    counted for nothing. Idle entries are in no minibatch, their advantage is 0, and no value passes through them: the
    entry before an idle one counts as the last of its episode.
    """

    live: Bools  # [T, B] True where the entry counts

    def reset(self) -> None:
        """Begin a new rollout; what the last one left is overwritten entry by entry."""
        if not hasattr(self, "live"):
            super().reset()
            self.live = np.ones((self.buffer_size, self.n_envs), np.bool_)
            # The parent would swap the axes before the first minibatch; places are computed instead.
            self.generator_ready = True
        self.pos = 0
        self.full = False
        self._flat: tuple[torch.Tensor, ...] | None = None

    def add(
        self,
        obs: F32,
        action: F32,
        reward: F32,
        episode_start: NDArray[Any],
        value: torch.Tensor,
        log_prob: torch.Tensor,
        live: Bools | None = None,
    ) -> None:
        """Store one turn of every row.

        Args:
            obs: [B, F] what the policy saw.
            action: [B, A] what it did.
            reward: [B].
            episode_start: [B] True where the row's previous turn was the last of an episode.
            value: [B] or [B, 1] the critic's estimate.
            log_prob: [B] of the action.
            live: [B], None where every row is.
        """
        turn = self.pos
        self.observations[turn] = obs
        self.actions[turn] = action
        self.rewards[turn] = reward
        self.values[turn] = value.cpu().numpy().reshape(-1)
        self.log_probs[turn] = log_prob.cpu().numpy()
        if live is None:
            self.live[turn] = True
            self.episode_starts[turn] = episode_start
        else:
            self.live[turn] = live
            # The recursion of the advantages runs backwards: a start here keeps it from reaching the turn before.
            self.episode_starts[turn] = episode_start | ~live
        self.pos += 1
        self.full = self.pos == self.buffer_size

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: Bools, live: Bools | None = None) -> None:
        """Compute GAE(λ) advantages (Schulman et al. 2016, arXiv:1506.02438) and TD(λ) returns, float32 [T, B].

        Args:
            last_values: [B] or [B, 1] the critic's estimate of what follows the last turn.
            dones: bool [B], True where the last turn ended an episode.
            live: bool [B], True where the row is live after the last turn; None where every row is.
        """
        super().compute_returns_and_advantage(last_values, dones if live is None else dones | ~live)
        if not self.live.all():
            idle = ~self.live
            self.advantages[idle] = 0.0
            self.returns[idle] = self.values[idle]

    def live_values_and_returns(self) -> tuple[F32, F32]:
        """Return the critic's values and the returns of the live entries, float32 [M] each, in one order."""
        return self.values[self.live], self.returns[self.live]

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Yield one pass over the live entries in random order, in minibatches.

        With idle entries the M live ones are cut into ⌈M / batch_size⌉ minibatches whose sizes differ by one at most,
        so that the last is never a handful. Without, minibatches are those of ``RolloutBuffer``.
        """
        # The parent draws the order (from the generator that Stable-Baselines3 seeds) and passes it to _get_samples.
        drawn: Any = next(super().get(None))
        order: I64 = drawn
        live = self.live.reshape(-1)
        places: I64 = order[live[order]]
        if len(places) == 0:
            return
        size = batch_size or len(places)
        if len(places) == len(order):
            cuts = list(range(size, len(places), size))
        else:
            parts = -(-len(places) // size)
            cuts = [len(places) * part // parts for part in range(1, parts)]
        for part in np.split(places, cuts):
            yield self._gather(part)

    def _get_samples(self, batch_inds: I64, env: Any = None) -> Any:
        """Return where the entries lie that the parent numbers row by row: their places in the arrays [T · B, ...]."""
        row, turn = np.divmod(batch_inds, self.buffer_size)
        return turn * self.n_envs + row

    def _gather(self, places: I64) -> RolloutBufferSamples:
        if self._flat is None:
            arrays = (self.observations, self.actions, self.values, self.log_probs, self.advantages, self.returns)
            size = self.buffer_size * self.n_envs
            self._flat = tuple(
                torch.from_numpy(array.reshape(size, *array.shape[2:])).to(self.device, torch.float32)
                for array in arrays
            )
        index = torch.from_numpy(places).to(self.device)
        return RolloutBufferSamples(*(array.index_select(0, index) for array in self._flat))
