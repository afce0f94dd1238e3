"""Environments copied in mid-game are exact and on their own; they are pickled where the rivals can be."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from face_games import PEACE, SEED, WAR, scripted_rivals

from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.faces.gymnasium import CivilizationEnv
from civsim.faces.pettingzoo import CivilizationParallelEnv
from civsim.faces.sb3 import WorldVecEnv
from civsim.faces.vector import CivilizationVectorEnv

HALF = 3


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

    def __init__(self, env: Any, shape: tuple[int, ...]) -> None:
        self.env, self.shape, self.turn = env, shape, 0

    def begin(self) -> Game:
        if isinstance(self.env, WorldVecEnv):
            self.env.seed(SEED)
            self.env.reset()
        else:
            self.env.reset(seed=SEED)
        return self

    def play(self, turns: int, key: int = 0) -> list[Any]:
        """What each turn told: observations, rewards, ends."""
        told = []
        for _ in range(turns):
            rng = np.random.default_rng([key, self.turn])
            self.turn += 1
            action: Any = rng.normal(size=self.shape).astype(np.float32)
            if isinstance(self.env, CivilizationParallelEnv):
                action = {agent: action[self.env._row(agent)] for agent in self.env.agents}
            told.append(self.env.step(action)[:3])
        return told


def single(scenario: Scenario, rivals: Any) -> Game:
    return Game(CivilizationEnv(scenario, rivals, seat="rotate"), (8,))


def vector(scenario: Scenario, rivals: Any) -> Game:
    return Game(CivilizationVectorEnv(scenario, rivals, 3, seat="rotate", threads=2), (3, 8))


def sb3(scenario: Scenario, rivals: Any) -> Game:
    return Game(WorldVecEnv(scenario, rivals, 3, learners=2, threads=2), (6, 8))


def parallel(scenario: Scenario, rivals: Any) -> Game:
    return Game(CivilizationParallelEnv(scenario, rivals, seats=[0, 2]), (2, 8))


FACES = pytest.mark.parametrize("make", [single, vector, sb3, parallel])
Maker = Callable[[Scenario, Any], Game]


def alike(one: Any, other: Any) -> bool:
    """Whether two accounts say the same, bit for bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    return np.array_equal(one, other)


@FACES
@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copy_in_mid_game_is_exact_and_independent(make: Maker, way: str) -> None:
    game = make(PEACE, Even()).begin()
    game.play(HALF)
    twin, other = (copy.deepcopy(game) if way == "deepcopy" else pickle.loads(pickle.dumps(game)) for _ in range(2))
    # Across the end of an episode where the face begins the next one itself.
    turns = PEACE.game.turns - HALF if make in (single, parallel) else PEACE.game.turns + 2
    other.play(2, key=9)
    expected = game.play(turns)
    assert twin.env._batch._rivals.asked == HALF
    assert alike(twin.play(turns), expected)


@FACES
def test_a_copy_outlives_its_original(make: Maker) -> None:
    game = make(WAR, scripted_rivals("softmax")).begin()
    game.play(2)
    expected = copy.deepcopy(game).play(2)
    twin = copy.deepcopy(game)
    gone = weakref.ref(game.env)
    del game
    gc.collect()
    assert gone() is None
    assert alike(twin.play(2), expected)


@FACES
def test_a_copy_before_the_first_episode_begins_like_its_original(make: Maker) -> None:
    game = make(PEACE, Even())
    twin = copy.deepcopy(game)
    assert alike(game.begin().play(2), twin.begin().play(2))


@FACES
def test_a_copy_begins_the_next_episode_like_its_original(make: Maker) -> None:
    game = make(PEACE, Even()).begin()
    game.play(HALF)
    twin = copy.deepcopy(game)
    for one in (game, twin):
        one.env.reset()
    assert alike(game.play(2), twin.play(2))
    assert game.env.world.state.world_id.tolist() == twin.env.world.state.world_id.tolist()


def test_a_waiting_action_is_copied() -> None:
    game = sb3(PEACE, Even()).begin()
    game.env.step_async(np.ones((6, 8), np.float32))
    twin = copy.deepcopy(game.env)
    assert alike(game.env.step_wait()[:3], twin.step_wait()[:3])
