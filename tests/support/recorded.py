"""Games to record: one for everything that could make a replay another game."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from face_games import WAR
from worlds import BUSY, random_orders, random_shares, scenario, with_levels

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.engine.land.landscape import draw_land, save_land
from civsim.engine.state import SPEC
from civsim.engine.world import World
from civsim.scenarios import load_scenario, override
from civsim.scenarios.recordings.recorder import GameRecorder, Recording

TURNS = 15
SMALL: dict[str, Any] = {"map.width": 8, "map.height": 8, "game.turns": TURNS}


def _small(name: str, **changes: Any) -> Scenario:
    return override(load_scenario(name), {**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})


GAMES: dict[str, Callable[[], Scenario]] = {
    "baseline": lambda: _small("baseline"),
    "war": lambda: _small("war", army__price=0.2),
    "raiders": lambda: _small("raiders"),
    "volatile": lambda: _small("volatile"),
    "wrong model": lambda: _small("wrong-model"),
    "varied prices": lambda: _small("varied-prices"),
    "adaptive": lambda: _small("baseline", seat_default__policy={"name": "adaptive"}),
    "deep": lambda: with_levels(scenario(BUSY, game__turns=8), 4, 3, 6),
    "bought levels": lambda: scenario(BUSY),
    "eliminations": lambda: WAR,
    "several seats of thought": lambda: _small(
        "volatile",
        claims__cost=1.0,
        thinking__seats={"count": 3, "cells": 1, "messenger": 2.0, "pool": 0.2, "lost": 0.5},
    ),
}
"""By name; short games on small maps."""


def on_file(folder: Path) -> Scenario:
    """The small baseline on land that is read from a file in ``folder``."""
    game = _small("baseline")
    save_land(draw_land(game, seed=5, world_id=5), folder / "land.npz")
    return override(game, {"map.file": str(folder / "land.npz")})


def recorded(game: Scenario, seed: int = 0, world_id: int = 3, turns: int | None = None) -> tuple[Recording, World]:
    """A game played under its policies, recorded, and the world in which it was played."""
    world = World(game, world_ids=[world_id], seed=seed)
    recorder, policies = GameRecorder(world), seat_policies(game)
    while not world.done.all() and recorder.turns != turns:
        world.step(policies.shares(world))
    return recorder.recording, world


def wild(game: Scenario, by_orders: bool) -> tuple[Recording, World]:
    """A game of random float64 shares, which no float32 holds, and of random given orders where they are wanted."""
    world, rng = World(game, world_ids=[1], seed=2), np.random.default_rng(0)
    recorder = GameRecorder(world)
    while not world.done.all():
        world.step(random_shares(world, rng), random_orders(world, rng) if by_orders else None)
    return recorder.recording, world


def strangers(one: World, other: World, row: int = 0, other_row: int = 0) -> set[str]:
    """The fields of the state in which two worlds differ in any bit."""
    return {
        name
        for name in SPEC
        if getattr(one.state, name)[row].tobytes() != getattr(other.state, name)[other_row].tobytes()
    }
