"""Normalisation: Stable-Baselines3's own while every row is live; idle rows teach it nothing."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from civsim.agents.training.normalise import LiveNormalize
from civsim.base.errors import CheckpointError

ROWS = 6


class Scripted(VecEnv):
    """Rows that see and earn what a generator says; some are idle."""

    def __init__(self, seed: int, idle: bool) -> None:
        self.rng, self.idle = np.random.default_rng(seed), idle
        self.live = np.ones(ROWS, np.bool_)
        super().__init__(ROWS, spaces.Box(-9, 9, (3,), np.float32), spaces.Box(-1, 1, (2,), np.float32))

    def observation(self):
        seen = self.rng.normal(2.0, 3.0, (ROWS, 3)).astype(np.float32)
        seen[~self.live] = 0.0
        return seen

    def reset(self):
        return self.observation()

    def step_async(self, actions):
        pass

    def step_wait(self):
        played = self.live
        if self.idle:
            self.live = self.rng.random(ROWS) < 0.7
        dones = played & (self.rng.random(ROWS) < 0.2)
        rewards = np.where(played, self.rng.normal(1.0, 2.0, ROWS), 0.0).astype(np.float32)
        infos = [{"terminal_observation": np.full(3, 4.0, np.float32)} if done else {} for done in dones]
        return self.observation(), rewards, dones, infos

    def close(self):
        pass

    def get_attr(self, attr_name, indices=None):
        return [getattr(self, attr_name, None)] * ROWS

    def set_attr(self, attr_name, value, indices=None):
        raise AttributeError(attr_name)

    def env_method(self, method_name, *args, indices=None, **kwargs):
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * ROWS


def actions():
    return np.zeros((ROWS, 2), np.float32)


def test_with_every_row_live_it_is_stable_baselines3s_bit_for_bit():
    own = LiveNormalize(Scripted(1, idle=False), clip=5.0, epsilon=0.01, gamma=0.9)
    theirs = VecNormalize(Scripted(1, idle=False), clip_obs=5.0, clip_reward=5.0, epsilon=0.01, gamma=0.9)
    assert np.array_equal(own.reset(), theirs.reset())
    for _ in range(50):
        ours, other = own.step(actions()), theirs.step(actions())
        assert all(np.array_equal(a, b) for a, b in zip(ours[:3], other[:3], strict=True))
        assert all(
            np.array_equal(*(i.get("terminal_observation", 0) for i in pair))
            for pair in zip(ours[3], other[3], strict=True)
        )
    assert np.array_equal(own.returns, theirs.returns)


def test_idle_rows_enter_no_moment():
    env = Scripted(2, idle=True)
    own = LiveNormalize(env, clip=5.0, epsilon=0.01, gamma=0.9)
    seen = [own.get_original_obs()] if own.reset() is not None else []
    for _ in range(400):
        own.step(actions())
        seen.append(own.get_original_obs()[env.live])
    everything = np.concatenate(seen)
    moments = own.moments()
    assert moments.mean == pytest.approx(everything.mean(axis=0), abs=1e-3)
    assert moments.var == pytest.approx(everything.var(axis=0), rel=1e-3)
    assert moments.count == pytest.approx(len(everything), abs=1e-3)


def test_moments_put_back_go_on_alike():
    first, second = (LiveNormalize(Scripted(3, idle=True), clip=5.0, epsilon=0.01, gamma=0.9) for _ in range(2))
    first.reset(), second.reset()
    for _ in range(20):
        first.step(actions())
    second.venv.rng, second.venv.live = first.venv.rng, first.venv.live
    second.set_moments(first.moments(), first.returns)
    state = first.venv.rng.bit_generator.state
    ours = first.step(actions())
    second.venv.rng.bit_generator.state, second.venv.live = state, second.venv.live
    second.venv.rng.bit_generator.state = state
    theirs = second.step(actions())
    assert np.array_equal(first.moments().mean, second.moments().mean)
    assert np.array_equal(ours[1], theirs[1])


def test_returns_of_another_shape_are_refused():
    own = LiveNormalize(Scripted(3, idle=True), clip=5.0, epsilon=0.01, gamma=0.9)
    with pytest.raises(CheckpointError, match="running returns"):
        own.set_moments(own.moments(), np.zeros(ROWS + 1))
