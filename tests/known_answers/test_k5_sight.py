"""K5: the value of sight, shown with the volatile-site rule.

A site flips with probability p a turn, so what was seen n turns ago is right about the next turn with probability
½ (1 + λ^(n+1)), λ = 1 − 2p. Acting on a fresh look instead of one n turns stale is worth ½ (λ − λ^(n+1)): for n = 1 it
peaks at p = ¼ with 0.125, an inverted U in volatility.
"""

from __future__ import annotations

import numpy as np
import pytest
from worlds import flat_land, no_orders, scenario, split

from civsim.engine.formulas import _site_chance
from civsim.engine.world import World

WORLDS, SIDE, TURNS = 150, 8, 24
CELLS = SIDE * SIDE - 1


def correct(volatility: float, age: int) -> np.ndarray:
    """Share of sites whose next state is as last seen, by world, when a civilization looks every ``age`` + 1 turns."""
    game = scenario(
        {"map.width": SIDE, "map.height": SIDE, "map.hazard": 0.0, "game.civilizations": 1, "game.turns": TURNS},
        map__volatility=volatility,
        thinking={"endowment": {"sight": 0}, "price": {"sight": 1.0}, "span": 0.0, "max_sight": 32},
        economy__depreciation={"scouts": 1.0},
    )
    sites = dict.fromkeys(range(1, SIDE * SIDE), 1)
    world = World(game, WORLDS, seed=3, land=flat_land(game, (0,), 40.0, site=sites))
    hits, looks = np.zeros(WORLDS), 0
    for turn in range(TURNS):
        believed = world.state.known_site[:, 0, 1:] == 1
        if turn > 0 and (turn - 1) % (age + 1) == age:
            assert (world.state.seen[:, 0, 1:] == turn - 1 - age).all()
            looks += 1
        # Scouts last a turn: they are paid in the turns of a look and see the whole map then, else nothing.
        spend = split(world, scouts=1) if turn % (age + 1) == 0 else split(world, consumption=1)
        world.step(spend, no_orders(world))
        if turn > 0 and (turn - 1) % (age + 1) == age:
            hits += (believed == (world.state.site_state[:, 1:] == 1)).mean(axis=1)
    return hits / looks


@pytest.mark.parametrize("volatility", [0.02, 0.1, 0.25, 0.4, 0.5])
@pytest.mark.parametrize("age", [0, 1, 3])
def test_a_look_is_right_as_often_as_it_should_be(volatility: float, age: int) -> None:
    memory = 1 - 2 * volatility
    found = correct(volatility, age)
    error = found.std() / np.sqrt(WORLDS)
    assert found.mean() == pytest.approx(0.5 * (1 + memory ** (age + 1)), abs=4 * error)
    assert error < 0.005


@pytest.mark.parametrize("stale", [1, 2, 4])
@pytest.mark.parametrize("volatility", [0.05, 0.25, 0.45])
def test_a_fresh_look_is_worth_its_formula(volatility: float, stale: int) -> None:
    memory = 1 - 2 * volatility
    worth = correct(volatility, 0).mean() - correct(volatility, stale).mean()
    assert worth == pytest.approx(0.5 * (memory - memory ** (stale + 1)), abs=0.012)


def test_the_value_of_sight_is_an_inverted_u_in_volatility() -> None:
    levels = [0.02, 0.1, 0.25, 0.4, 0.48]
    worth = [correct(p, 0).mean() - correct(p, 1).mean() for p in levels]
    assert int(np.argmax(worth)) == 2
    assert worth[2] == pytest.approx(0.125, abs=0.008)
    assert worth[0] < worth[1] < worth[2] > worth[3] > worth[4]


@pytest.mark.parametrize("volatility", [0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("age", [0, 1, 2, 7])
def test_civilizations_believe_what_is_so(volatility: float, age: int) -> None:
    memory = 1 - 2 * volatility
    chain = np.array([[1 - volatility, volatility], [volatility, 1 - volatility]])
    high = np.linalg.matrix_power(chain, age)
    assert _site_chance(True, age, memory) == pytest.approx(high[1, 1])
    assert _site_chance(False, age, memory) == pytest.approx(high[0, 1])
