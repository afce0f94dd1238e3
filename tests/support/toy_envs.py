"""Vectorised environments of no cost, for tests of learners: random features, a reward that likes some actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv


class ToyVecEnv(VecEnv):
    """Rows of random features; the reward is minus the distance of the action from a target. Every turn is drawn anew.

    Args:
        rows: rows.
        box: the action space's bounds: (-1, 1) or (0, 1).
        length: turns of an episode; episodes of the rows end at different turns.
        truncated: whether ends are truncations.
        live: bool [K, rows], who is live before turn t (modulo K); None for an environment without ``live``.
    """

    def __init__(
        self,
        rows: int = 8,
        features: int = 5,
        box: tuple[float, float] = (-1.0, 1.0),
        length: int = 7,
        truncated: bool = False,
        live: np.ndarray | None = None,
    ) -> None:
        space = spaces.Box(box[0], box[1], (4,), np.float32)
        self.length, self.truncated, self.mask = length, truncated, live
        self.rows, self.features = rows, features
        self.junk = 0.0  # what idle rows show and earn
        self.turn = 0
        self.generator = np.random.default_rng(0)
        super().__init__(rows, spaces.Box(-np.inf, np.inf, (features,), np.float32), space)

    @property
    def live(self) -> np.ndarray | None:
        return None if self.mask is None else self.mask[self.turn % len(self.mask)]

    def seed(self, seed: int | None = None) -> list[int | None]:
        return [seed] * self.rows

    def reset(self) -> np.ndarray:
        self.turn, self.generator = 0, np.random.default_rng(0)
        return self._draw()

    def _draw(self) -> np.ndarray:
        drawn = self.generator.standard_normal((self.rows, self.features)).astype(np.float32)
        if self.live is not None:
            drawn[~self.live] = self.junk
        return drawn

    def step_async(self, actions: np.ndarray) -> None:
        self.actions = actions

    def step_wait(self) -> Any:
        rewards = -np.abs(self.actions - 0.3).sum(axis=1).astype(np.float32)
        was = self.live
        self.turn += 1
        done = (self.turn + np.arange(self.rows)) % self.length == 0
        if was is not None:
            rewards[~was] = self.junk
            # A row's episode ends on the turn after which it is idle; an idle row is never done.
            done = was & ~np.asarray(self.live)
        observations = self._draw()
        nothing: dict[str, Any] = {}
        infos = [nothing] * self.rows
        for row in np.flatnonzero(done):
            infos[row] = {
                "episode": {"r": float(rewards[row]), "l": self.length},
                "terminal_observation": observations[row] + 1.0,
                "TimeLimit.truncated": self.truncated,
            }
        return observations, rewards, done, infos

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None if attr_name == "render_mode" else getattr(self, attr_name)] * self.rows

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(attr_name)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.rows
