"""Scenarios that between them set every feature, and states of random legal values."""

from __future__ import annotations

import numpy as np

from civsim.base.scenario import Scenario
from civsim.engine.state import State, allocate, most_offices

SMALL = {"map": {"width": 8, "height": 8}, "game": {"turns": 20, "civilizations": 3}}


def scenario_of(**tables: object) -> Scenario:
    return Scenario.model_validate({**SMALL, **tables})


RICH = [
    {},
    {
        "map": {"width": 6, "height": 9, "torus": True},
        "game": {"turns": 30, "civilizations": 8, "objective": "output", "discount": 0.9, "consumption_scale": 2.0},
        "army": {"price": 2.0, "lag": 0, "projection": 3.0, "decisiveness": 1.0},
        "tribute": {"prize": 3.0, "decisiveness": 2.0},
        "claims": {"cost": 3.0, "growth": 0.1, "ruggedness_cost": 3.0, "lag": 1},
        "works": {"menu": [{"gain": 0.5, "cost": 3.0, "maturity": 2}], "growth": 2.0},
        "walls": {"cost": 2.0, "rate": 2.0},
        "economy": {
            "ore_weight": 1.0,
            "depreciation": dict.fromkeys(
                ["settlement", "works", "army", "walls", "strategists", "scouts", "analysts"], 0.2
            ),
        },
        "thinking": {
            "price": {"horizon": 1.0, "sight": 1.0, "attention": 1.0},
            "curvature": {"horizon": 2.0, "sight": 2.0, "attention": 2.0},
            "span": 0.0,
            "endowment": {"horizon": 2, "sight": 2, "attention": 6},
        },
        "raiders": {"rate": 0.5},
        "seat_default": {"levels_known": True, "grant": {"output": 1.0}},
    },
    {
        "game": {"turns": 20, "civilizations": 3, "objective": "consumption"},
        "army": {"war": False},
        "seat_default": {"levels": {"horizon": 0, "sight": 0, "attention": 2}},
    },
    {
        "game": {
            "turns": 5,
            "civilizations": 1,
            "objective": "share",
            "closed": ["settlement", "works", "army", "walls"],
        }
    },
    {"game": {"turns": 5, "civilizations": 2, "closed": ["consumption", "strategists", "scouts", "analysts"]}},
    {"thinking": {"seats": {"count": 4}}},
]


def random_state(scenario: Scenario, n_worlds: int, rng: np.random.Generator) -> State:
    """A state of random legal values, far wilder than play: every field is filled."""
    state = allocate(scenario, n_worlds)
    n, cells, turns = scenario.game.civilizations, scenario.n_cells, scenario.game.turns
    state.turn[:] = rng.integers(0, turns + 1, n_worlds)
    for name in State._fields:
        field = getattr(state, name)
        if field.dtype in (np.float32, np.float64) and name != "noise":
            field[...] = rng.exponential(3.0, field.shape)
    for name in ("ruggedness", "hazard"):
        getattr(state, name)[...] = rng.random((n_worlds, cells))
    for name in ("site", "known_site", "alive", "site_state"):
        getattr(state, name)[...] = rng.integers(0, 2, getattr(state, name).shape)
    for name in ("owner", "known_owner"):
        getattr(state, name)[...] = rng.integers(-1, n, getattr(state, name).shape)
    for name in ("disrupted", "work_left", "gains", "losses"):
        getattr(state, name)[...] = rng.integers(0, 3, getattr(state, name).shape)
    state.capital[...] = rng.integers(0, cells, state.capital.shape)
    state.office_count[...] = rng.integers(1, most_offices(scenario) + 1, state.office_count.shape)
    state.office_weight[...] = rng.random(state.office_weight.shape)
    state.cells[...] = np.stack([(state.owner == i).sum(1) for i in range(n)], 1)
    state.party_cell[...] = rng.integers(-1, cells, state.party_cell.shape)
    state.level[...] = rng.integers(0, 7, state.level.shape)
    state.salience[...] = rng.permuted(np.tile(np.arange(4, dtype=np.int8), (*state.alive.shape, 1)), axis=-1)
    now = (state.turn - 1)[:, None, None]
    for name in ("seen", "force_turn", "band_turn"):
        field = getattr(state, name)
        field[...] = np.maximum(now - rng.integers(0, 3, field.shape), -1)
    state.band_cell[...] = rng.integers(-1, cells, state.band_cell.shape)
    state.band_seen[...] = state.band_cell[:, None]
    state.plan_kind[...] = rng.integers(-1, 4, state.plan_kind.shape)
    state.plan_turn[...] = np.maximum(now[..., 0] - rng.integers(0, 3, state.plan_turn.shape), -1)
    return state
