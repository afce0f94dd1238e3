"""Games to be watched, with every kind of event in them, and how they are played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from worlds import BUSY, random_shares, scenario, with_levels

from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.viewer.camera import Camera, Frame

CROWDED: dict[str, Any] = {
    **BUSY,
    "map.width": 9,
    "map.height": 7,
    "map.ground": 1.0,
    "map.capital_fertility": 6.0,
    "army.price": 0.2,
    "game.turns": 24,
    "thinking.price": {"horizon": 1.0, "sight": 1.0, "attention": 1.0},
    "thinking.max_horizon": 6,
    "thinking.max_sight": 5,
}
"""Rivals within reach, raiders, disasters, volatile sites, a model that is wrong."""

THOUGHTFUL = with_levels(scenario(CROWDED), 5, None, 6)
"""Every seat plans and attends to everything; how far it sees changes with what it spends."""

PROVINCIAL = with_levels(
    scenario(CROWDED, claims__cost=1.0, thinking__seats={"count": 3, "cells": 1, "messenger": 1.0, "pool": 0.3}),
    4,
    2,
    6,
)
"""Every realm has up to three seats of thought, which hear of each other by slow messengers."""

SIMPLE = scenario(CROWDED, thinking__max_horizon=0)
"""No seat ever looks ahead."""


def filmed(
    game: Scenario, worlds: int = 1, row: int = 0, seed: int = 3, key: int = 1
) -> Iterator[tuple[World, Camera, Frame]]:
    """Yield (world, camera, frame) before the first turn of a game of random shares and after each."""
    world = World(game, worlds, seed)
    camera = Camera(world, row)
    yield world, camera, camera.frame()
    rng = np.random.default_rng(key)
    while not world.done.all():
        world.step(random_shares(world, rng))
        yield world, camera, camera.frame()
