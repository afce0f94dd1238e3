"""Disasters and flips come with their probabilities, last as long as said, and are the same in every arm."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import BUSY, flat_land, hold, no_orders, random_shares, scenario, split, still_world

from civsim.engine.world import World


def test_a_struck_cell_gives_nothing_for_the_duration() -> None:
    world = still_world(hazard={14: 0.3}, disasters__duration=2, game__turns=60)
    outputs = [float(world.step(split(world, consumption=1), no_orders(world)).output[0, 0]) for _ in range(60)]
    runs = "".join("1" if y else "0" for y in outputs)
    idle = [len(run) for run in runs.split("1")[1:-1] if run]
    assert idle, "no disaster in 60 turns at hazard 0.3"
    assert min(idle) >= 2, "a strike lasts two turns at least"
    assert 2 in idle
    assert world.state.losses[0, 0, 0] >= len(idle)


@pytest.mark.parametrize("hazard", [0.02, 0.2, 0.6])
def test_strikes_come_with_the_hazard_of_the_cell(hazard: float) -> None:
    world = still_world(worlds=500, hazard={14: hazard}, disasters__duration=1)
    for _ in range(20):
        world.step(split(world, consumption=1), no_orders(world))
    struck = world.state.losses[:, 0, 0].mean() / 20
    assert struck == pytest.approx(hazard, abs=4 * np.sqrt(hazard * (1 - hazard) / 10_000))
    assert world.state.utility[:, 0, 2].mean() / 20 == pytest.approx(1 - hazard, abs=0.02)


@pytest.mark.parametrize("volatility", [0.0, 0.05, 0.25, 0.5])
def test_sites_flip_and_nothing_else_does(volatility: float) -> None:
    sites = dict.fromkeys(range(0, 36, 2), 1)
    world = still_world(worlds=60, site=sites, map__volatility=volatility)
    flips = 0
    for _ in range(20):
        before = world.state.site_state.copy()
        world.step(split(world, consumption=1), no_orders(world))
        changed = before != world.state.site_state
        assert not changed[:, 1::2].any()
        flips += changed.sum()
    draws = 20 * 60 * 18
    assert flips / draws == pytest.approx(volatility, abs=4 * np.sqrt(0.25 / draws))


def test_weather_is_the_same_whatever_anybody_does() -> None:
    game = scenario(BUSY)
    trails = []
    for arm in range(2):
        world = World(game, 4, seed=3)
        land = {
            name: getattr(world.state, name).copy() for name in ("fertility", "ore", "ruggedness", "hazard", "site")
        }
        rng = np.random.default_rng(arm)
        trail = []
        for _ in range(10):
            world.step(random_shares(world, rng))
            trail.append(world.state.site_state.copy())
        for name, values in land.items():
            assert np.array_equal(getattr(world.state, name), values), name
        trails.append((land, trail))
    for name in trails[0][0]:
        assert np.array_equal(trails[0][0][name], trails[1][0][name])
    assert np.array_equal(trails[0][1], trails[1][1])


def test_disasters_are_the_same_in_every_arm() -> None:
    game = scenario(BUSY, **{"raiders.rate": 0.0, "army.war": False})
    idle = []
    for arm in range(2):
        world = World(game, 4, seed=3)
        rng = np.random.default_rng(arm)
        trail = []
        for _ in range(10):
            world.step(random_shares(world, rng))
            trail.append(world.state.disrupted.copy())
        idle.append(trail)
    assert np.array_equal(idle[0], idle[1])
    assert np.any(idle[0])


def test_no_hazard_no_disaster() -> None:
    game = scenario(BUSY, **{"raiders.rate": 0.0, "army.war": False, "map.hazard": 0.0})
    world = World(game, 4, seed=3, land=flat_land(game, (0, 30, 60)))
    hold(world, 0, 1, 2)
    rng = np.random.default_rng(0)
    for _ in range(10):
        world.step(random_shares(world, rng))
    assert (world.state.disrupted == 0).all()
    assert (world.state.losses == 0).all()
