"""Games that every face can play alike: scripted actions for every seat, and the same game as the engine plays it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import Category
from civsim.base.scenario import Scenario
from civsim.engine.observation.observer import observe
from civsim.engine.world import World
from civsim.faces.actions import ActionKind, action_from_shares, shares_of
from civsim.faces.seats import Rivals

SEED = 1

PEACE = Scenario.model_validate(
    {
        "name": "peace",
        "map": {"width": 6, "height": 6},
        "game": {"turns": 7, "civilizations": 3, "closed": ["walls"]},
        "draws": {"horizon": 2.0, "force": 2.0},
    }
)
"""A short game in which nobody is eliminated; one category is closed, and prices differ from world to world."""

WAR = Scenario.model_validate(
    {
        "name": "war",
        "map": {"width": 5, "height": 4},
        "game": {"turns": 10, "civilizations": 4, "objective": "consumption"},
        "claims": {"cost": 1.0, "lag": 0},
        "army": {
            "price": 0.1,
            "lag": 0,
            "minimum": 0.01,
            "per_turn": 3,
            "projection": float("inf"),
            "decisiveness": 4.0,
        },
    }
)
"""A short game on a crowded map where force is cheap: civilizations are eliminated, at different turns."""

SEVERAL = Scenario.model_validate(
    {
        "name": "several",
        "map": {"width": 8, "height": 6},
        "game": {"turns": 9, "civilizations": 3},
        "claims": {"cost": 0.5, "lag": 0},
        "thinking": {"seats": {"count": 3, "cells": 1, "weights": [2.0, 1.0, 1.0], "messenger": 1.0, "pool": 0.3}},
    }
)
"""A short game in which realms grow at once, and each comes to have three seats of thought."""

_LEANING = np.array([3.0, 1.0, 0.1, 0.3, 0.05, 0.1, 0.1, 0.1])


@cache
def _actions(n: int, closed: tuple[str, ...], kind: ActionKind, world_id: int, turn: int) -> NDArray[np.float32]:
    weights = np.random.default_rng([world_id, turn]).exponential(size=(n, 8)) * _LEANING
    # One seat arms, the others enjoy themselves.
    weights[world_id % n, Category.ARMY] *= 40.0
    opened = np.array([category.name.lower() not in closed for category in Category])
    shares = weights / weights.sum(axis=1, keepdims=True)
    action = shares if kind == "simplex" else action_from_shares(shares, opened)
    return action.astype(np.float32)


def scripted_actions(
    scenario: Scenario, kind: ActionKind, world_id: int | np.integer, turn: int | np.integer
) -> NDArray[np.float32]:
    """The action of every seat in a world's turn, [N, 8]: a pure function of the arguments."""
    game = scenario.game
    return _actions(game.civilizations, tuple(game.closed), kind, int(world_id), int(turn))


def scripted_rivals(kind: ActionKind) -> Rivals:
    """Rivals that play the script; the masked seats get shares that no world accepts."""

    def rivals(world: World, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        played = zip(world.state.world_id, world.state.turn, strict=True)
        actions = np.stack([scripted_actions(world.scenario, kind, w, t) for w, t in played])
        shares = shares_of(kind, actions, world.open)
        assert mask.shape == shares.shape[:2]
        shares[mask] = np.nan
        return shares

    return rivals


class Played(NamedTuple):
    """Whole scripted games, world w in row w."""

    seen: NDArray[np.float32]  # [W, T + 1, N, F] observations after t turns
    reward: NDArray[np.float64]  # [W, T, N]
    alive: NDArray[np.bool_]  # [W, T + 1, N]
    objective: NDArray[np.float64]  # [W, T + 1, N] as recorded after t turns


def played(scenario: Scenario, kind: ActionKind, worlds: int) -> Played:
    """What the engine itself makes of the script, in worlds 0 … ``worlds`` − 1."""
    world = World(scenario, worlds, SEED)
    seen, reward = [observe(world).features], []
    alive, objective = [world.state.alive != 0], [world.state.utility[:, :, world.config.objective].copy()]
    for turn in range(scenario.game.turns):
        actions = np.stack([scripted_actions(scenario, kind, w, turn) for w in range(worlds)])
        record = world.step(shares_of(kind, actions, world.open))
        seen.append(observe(world).features)
        reward.append(record.reward)
        alive.append(record.alive != 0)
        objective.append(world.state.utility[:, :, world.config.objective].copy())
    return Played(*(np.stack(values, axis=1) for values in (seen, reward, alive, objective)))
