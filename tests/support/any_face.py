"""Any face, played by a script of its own: what tests ask alike of the four that play a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from face_games import SEED

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.vector import CivilizationVectorEnv


class Even:
    """Rivals that spend alike on everything open: a policy that can be pickled, with a count of its own."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, world: World, mask: np.ndarray) -> np.ndarray:
        self.asked += 1
        shares = np.broadcast_to(world.open / world.open.sum(), (*mask.shape, 8))
        return shares.astype(np.float32)


class Game:
    """An environment of any face, played by a script of its own."""

    def __init__(self, env: Any, shape: tuple[int, ...], turn: int = 0) -> None:
        self.env, self.shape, self.turn = env, shape, turn

    def begin(self) -> Game:
        if isinstance(self.env, WorldVecEnv):
            self.env.seed(SEED)
            self.env.reset()
        else:
            self.env.reset(seed=SEED)
        return self

    def play(self, turns: int, key: int = 0) -> list[Any]:
        """What each turn told: observations, rewards, ends, infos."""
        told = []
        for _ in range(turns):
            rng = np.random.default_rng([key, self.turn])
            self.turn += 1
            action: Any = rng.normal(size=self.shape).astype(np.float32)
            if isinstance(self.env, CivilizationParallelEnv):
                action = {agent: action[self.env._row(agent)] for agent in self.env.agents}
            told.append(self.env.step(action))
        return told


def _rivals(scenario: Scenario, rivals: Any) -> Any:
    """The rivals given, or the scenario's own."""
    return seat_policies(scenario).shares if rivals is None else rivals


def single(scenario: Scenario, rivals: Any = None, **options: Any) -> Game:
    return Game(CivilizationEnv(scenario, _rivals(scenario, rivals), seat="rotate", **options), (8,))


def vector(scenario: Scenario, rivals: Any = None, **options: Any) -> Game:
    return Game(CivilizationVectorEnv(scenario, _rivals(scenario, rivals), 3, "rotate", threads=2, **options), (3, 8))


def sb3(scenario: Scenario, rivals: Any = None, **options: Any) -> Game:
    return Game(WorldVecEnv(scenario, _rivals(scenario, rivals), 3, learners=2, threads=2, **options), (6, 8))


def parallel(scenario: Scenario, rivals: Any = None, **options: Any) -> Game:
    return Game(CivilizationParallelEnv(scenario, _rivals(scenario, rivals), seats=[0, 2], **options), (2, 8))


def alike(one: Any, other: Any) -> bool:
    """Whether two accounts say the same, bit for bit."""
    if isinstance(one, np.ndarray) and one.dtype == object:
        return alike(one.tolist(), other.tolist())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    return np.array_equal(one, other)
