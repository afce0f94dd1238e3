"""The leaner rollout buffer: the same contents, and advantages that stop at an idle stretch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from bounds import assert_within, rounded
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.utils import set_random_seed

from civsim.agents.training.buffer import LeanRolloutBuffer

TURNS, ROWS = 6, 3
GAMMA, LAMBDA = 0.9, 0.8
SPACES = (spaces.Box(-np.inf, np.inf, (2,), np.float32), spaces.Box(-1.0, 1.0, (2,), np.float32))


def filled(kind: type[RolloutBuffer], live: np.ndarray | None = None, seed: int = 0) -> Any:
    """A buffer of random turns; ``live`` [T + 1, B] says who is live before each turn and after the last."""
    buffer: Any = kind(TURNS, *SPACES, device="cpu", gamma=GAMMA, gae_lambda=LAMBDA, n_envs=ROWS)
    generator = np.random.default_rng(seed)
    starts = np.zeros(ROWS, np.bool_)
    for turn in range(TURNS):
        drawn = [generator.standard_normal((ROWS, 2)).astype(np.float32) for _ in range(2)]
        reward, value, log = (generator.standard_normal(ROWS).astype(np.float32) for _ in range(3))
        extra = [] if live is None else [live[turn]]
        buffer.add(*drawn, reward, starts, torch.from_numpy(value[:, None]), torch.from_numpy(log), *extra)
        starts = generator.random(ROWS) < 0.3
        if live is not None:
            starts = live[turn] & (starts | ~live[turn + 1])
    last = torch.from_numpy(generator.standard_normal((ROWS, 1)).astype(np.float32))
    buffer.compute_returns_and_advantage(last, starts, *([] if live is None else [live[TURNS]]))
    return buffer


def test_every_minibatch_is_that_of_the_parent_bit_for_bit() -> None:
    parent, lean = filled(RolloutBuffer), filled(LeanRolloutBuffer)
    assert np.array_equal(parent.advantages, lean.advantages)
    assert np.array_equal(parent.returns, lean.returns)
    batches = []
    for buffer in (parent, lean):
        set_random_seed(5)
        batches.append([batch for _ in range(2) for batch in buffer.get(5)])
    assert len(batches[0]) == len(batches[1]) == 8
    for wanted, ours in zip(*batches, strict=True):
        assert all(torch.equal(*pair) for pair in zip(wanted, ours, strict=True))


def test_a_second_rollout_leaves_nothing_of_the_first() -> None:
    buffer = filled(LeanRolloutBuffer)
    next(buffer.get(4))
    buffer.reset()
    again = filled(LeanRolloutBuffer, seed=1)
    generator = np.random.default_rng(1)
    starts = np.zeros(ROWS, np.bool_)
    for _ in range(TURNS):
        drawn = [generator.standard_normal((ROWS, 2)).astype(np.float32) for _ in range(2)]
        reward, value, log = (generator.standard_normal(ROWS).astype(np.float32) for _ in range(3))
        buffer.add(*drawn, reward, starts, torch.from_numpy(value), torch.from_numpy(log))
        starts = generator.random(ROWS) < 0.3
    last = torch.from_numpy(generator.standard_normal((ROWS, 1)).astype(np.float32))
    buffer.compute_returns_and_advantage(last, starts)
    for one in (buffer, again):
        set_random_seed(2)
        one.first = next(one.get(4))
    assert all(torch.equal(*pair) for pair in zip(buffer.first, again.first, strict=True))


def by_hand(buffer: Any, live: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray]:
    """(Advantages of one row, each stretch of live turns by itself, an end where it stops; the size of their terms)."""
    advantages, sizes = np.zeros(TURNS), np.zeros(TURNS)
    for turn in range(TURNS):
        if not live[turn, row]:
            continue
        weight = 1.0
        for ahead in range(turn, TURNS):
            ended = bool(buffer.episode_starts[ahead + 1, row]) if ahead + 1 < TURNS else buffer.last_done[row]
            stops = ended or not live[ahead + 1, row]
            follows = 0.0 if stops else (buffer.values[ahead + 1, row] if ahead + 1 < TURNS else buffer.last[row])
            reward, value = float(buffer.rewards[ahead, row]), float(buffer.values[ahead, row])
            advantages[turn] += weight * (reward + GAMMA * float(follows) - value)
            sizes[turn] += weight * (abs(reward) + GAMMA * abs(float(follows)) + abs(value))
            if stops:
                break
            weight *= GAMMA * LAMBDA
    return advantages, sizes


ADVANTAGE_ROUNDINGS = 5 + 4 * (TURNS - 1)
"""Of γ, γv, two sums and the last in a turn's own term; of γ, λ, their product and the sum in each it is carried to."""


@given(
    st.lists(st.lists(st.booleans(), min_size=ROWS, max_size=ROWS), min_size=TURNS + 1, max_size=TURNS + 1),
    st.integers(0, 99),
)
def test_advantages_do_not_reach_over_an_idle_stretch(pattern: list[list[bool]], seed: int) -> None:
    live = np.array(pattern)
    kept: dict[str, Any] = {}

    class Recorded(LeanRolloutBuffer):
        def compute_returns_and_advantage(self, last_values: Any, dones: Any, live: Any = None) -> None:
            kept.update(last=last_values.numpy().ravel(), last_done=dones)
            super().compute_returns_and_advantage(last_values, dones, live)

    buffer = filled(Recorded, live, seed)
    buffer.last, buffer.last_done = kept["last"], kept["last_done"]
    for row in range(ROWS):
        expected, sizes = by_hand(buffer, live, row)
        assert_within(buffer.advantages[:, row], expected, rounded(sizes, ADVANTAGE_ROUNDINGS))
    assert (buffer.advantages[~live[:TURNS]] == 0.0).all()
    places = sorted(float(x) for batch in buffer.get(4) for x in batch.old_log_prob)
    assert places == sorted(buffer.log_probs[live[:TURNS]].tolist())
    values, returns = buffer.live_values_and_returns()
    assert len(values) == len(returns) == live[:TURNS].sum()


@pytest.mark.parametrize(("alive", "sizes"), [(18, [5, 5, 5, 3]), (17, [4, 4, 4, 5]), (6, [3, 3]), (5, [5]), (0, [])])
def test_minibatches_with_idle_entries_are_of_even_size(alive: int, sizes: list[int]) -> None:
    live = np.ones(TURNS * ROWS, np.bool_)
    live[alive:] = False
    pattern = np.concatenate([live.reshape(TURNS, ROWS), np.ones((1, ROWS), np.bool_)])
    assert [len(batch.returns) for batch in filled(LeanRolloutBuffer, pattern).get(5)] == sizes
    whole = [len(batch.returns) for batch in filled(LeanRolloutBuffer, pattern).get()]
    assert whole == ([alive] if alive else [])
