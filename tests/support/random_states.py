"""States of random content within their ranges, for rules that are compared with their definition cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from worlds import scenario

from civsim.base.pointer import Pointer
from civsim.base.randomness import as_key
from civsim.base.scenario import Scenario
from civsim.engine.compiled import Config, compile_config
from civsim.engine.state import State, allocate, allocate_orders
from civsim.engine.workspace import allocate_work

KEY = as_key(11)
SIZES = [(2, 2), (3, 2), (2, 9), (7, 5), (16, 16), (20, 20), (33, 4)]
"""Maps of every kind: smallest, odd, a whole number of registers, more than one byte of cells."""
TURN = 7


def random_game(width: int, height: int, torus: bool, civilizations: int = 3, **changes: Any) -> Scenario:
    """Return a scenario with every rule on, on a map of this size."""
    settings = {
        "map.width": width,
        "map.height": height,
        "map.torus": torus,
        "map.volatility": 0.3,
        "map.hazard": 0.1,
        "game.civilizations": min(civilizations, width * height // 2),
        "raiders.rate": 0.3,
        "thinking.noise": 0.2,
        "claims.lag": 1,
    }
    return scenario({**settings, **changes})


def random_state(game: Scenario, worlds: int, seed: int) -> State:
    """Return a state at turn :data:`TURN`: random land, holders, works, and knowledge that is older than the turn."""
    rng = np.random.default_rng(seed)
    state = allocate(game, worlds)
    n, cells = game.game.civilizations, game.n_cells
    shape, known = (worlds, cells), (worlds, n, cells)
    state.turn[:] = TURN
    state.world_id[:] = np.arange(worlds)
    for name in ("fertility", "ore", "works", "wall"):
        getattr(state, name)[:] = rng.random(shape) * (rng.random(shape) < 0.7)
    state.ruggedness[:], state.hazard[:] = rng.random(shape), rng.random(shape) * 0.4 * (rng.random(shape) < 0.5)
    state.site[:], state.site_state[:] = rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    state.disrupted[:], state.work_left[:] = rng.integers(0, 3, shape), rng.integers(0, 3, shape)
    state.work_kind[:] = np.where(state.work_left > 0, 0, -1)
    held = rng.random((worlds, 1)) * 0.9
    state.owner[:] = np.where(rng.random(shape) < held, rng.integers(0, n, shape), -1)
    for i in range(n):
        state.owner[:, i] = i
        state.capital[:, i] = i
    state.cells[:] = (state.owner[:, None] == np.arange(n)[:, None]).sum(-1)
    state.alive[:] = rng.random((worlds, n)) < 0.9
    state.stock[:] = rng.random(state.stock.shape)
    state.seen[:] = rng.integers(-1, TURN, known)
    state.known_owner[:] = np.where(rng.random(known) < 0.5, rng.integers(0, n, known), -1)
    state.known_works[:], state.known_wall[:] = rng.random(known), rng.random(known)
    state.noise[:] = rng.random(state.noise.shape) + 0.5
    state.level[:, :, 1] = rng.integers(0, 5, (worlds, n))
    state.band_cell[:] = rng.integers(-1, cells, state.band_cell.shape)
    return state


def run(rule: Any, game: Scenario, state: State) -> None:
    """Carry out a compiled rule on a state, in place."""
    worlds = len(state.turn)
    shares = np.full((worlds, game.game.civilizations, 8), 0.125)
    config: Config = compile_config(game)
    rule(Pointer(state), Pointer(allocate_orders(game, worlds)), Pointer(config), KEY, work_of(game, shares))


def work_of(game: Scenario, shares: np.ndarray) -> Pointer:
    """Return working space for these shares."""
    return Pointer(allocate_work(game, shares))


def copied(state: State) -> State:
    """Return a copy of a state."""
    return State(*(values.copy() for values in state))


def changed(a: State, b: State) -> list[str]:
    """Return the names of the fields whose bits differ."""
    return [name for name in State._fields if getattr(a, name).tobytes() != getattr(b, name).tobytes()]
