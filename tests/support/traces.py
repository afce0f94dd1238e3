"""The whole state after every rule of every turn, so that two ways of running the same rules can be compared.

Run as a program, ``python traces.py OUT`` writes the trace to an npz file; with ``NUMBA_DISABLE_JIT=1`` every kernel is
then the plain Python function that it was compiled from.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numba import config as numba_config

if numba_config.DISABLE_JIT:
    # Plain functions read the records themselves.
    import civsim.base.pointer

    civsim.base.pointer.Pointer = lambda record: record  # type: ignore[assignment, misc]
    import civsim.engine.work

    civsim.engine.work.Work.but = civsim.engine.work.Work._replace  # type: ignore[attr-defined]

from worlds import BUSY, random_shares, scenario, with_levels

from civsim.base.constants import N_CATEGORIES
from civsim.engine.formulas import pool
from civsim.engine.rules.order import RULES
from civsim.engine.state import SPEC
from civsim.engine.world import World

TURNS = 12
GAMES: dict[str, dict[str, Any]] = {
    "busy": {},
    "war": {
        "map.width": 6,
        "map.height": 6,
        "army.price": 0.2,
        "thinking.noise": 0.0,
        "army.decisiveness": 1.5,
        "works.menu": [{"cost": 0.3, "maturity": 1}],
        "thinking.levels_of_mind": 3,
    },
    "torus": {
        "map.torus": True,
        "claims.lag": 2,
        "thinking.belief": "optimistic",
        "thinking.curvature": {"horizon": 1.5},
        "thinking.levels_of_mind": 2,
    },
    "pooled": {"economy.pooled": True, "thinking.noise": 0.0},
    "blocked": {
        "map.width": 6,
        "map.height": 6,
        "map.block": 2.0,
        "walls.block": 1.5,
        "army.siege": 0.4,
        "army.price": 0.2,
        "raiders.rate": 0.7,
        "thinking.noise": 0.0,
        "thinking.salience": ["raiders", "rivals", "ore", "hazard"],
    },
    "provinces": {
        "map.width": 6,
        "map.height": 6,
        "army.price": 0.2,
        "raiders.rate": 0.7,
        "works.menu": [{"cost": 0.3, "maturity": 1}],
        "thinking.noise": 0.0,
        "thinking.seats": {"count": 3, "cells": 1, "weights": "output", "messenger": 1.0, "pool": 0.3, "lost": 0.5},
    },
    "marches": {
        "map.torus": True,
        "economy.pooled": True,
        "claims.cost": 0.5,
        "thinking.seats": {"count": 8, "cells": 2, "messenger": 2.0},
        "thinking.levels_of_mind": 2,
    },
}
LEVELS = {
    "busy": (3, 3, 6),
    "war": (2, 5, 6),
    "torus": (None, None, None),
    "pooled": (2, 3, 6),
    "blocked": (3, 3, 6),
    "provinces": (2, 2, 6),
    "marches": (2, 1, 6),
}


def name_of(rule: Any) -> str:
    """The name of a rule, compiled or plain."""
    return str(rule.__name__).lstrip("_")


def trace(game: str) -> dict[str, np.ndarray]:
    """Every state field and order after every rule: ``turn.rule.field``."""
    world = World(with_levels(scenario({**BUSY, **GAMES[game]}), *LEVELS[game]), 2, seed=4)
    rng = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {}
    for turn in range(TURNS):
        np.copyto(world._shares, random_shares(world, rng))
        if world.config.pooled:
            for row in world._shares.reshape(-1, N_CATEGORIES):
                pool(row)
        for rule in RULES:
            rule(*world.pointers, world._key, world._plan_work[0])
            place = f"{game}.{turn:02d}.{name_of(rule)}"
            for record in (world.state, world.orders):
                found |= {f"{place}.{name}": values.copy() for name, values in record._asdict().items()}
    return found


def whole() -> dict[str, np.ndarray]:
    """The traces of all games."""
    found: dict[str, np.ndarray] = {}
    for game in GAMES:
        found |= trace(game)
    return found


assert "kind" not in SPEC, "orders and state share a name"

if __name__ == "__main__":
    np.savez(sys.argv[1], **whole())
