"""Prices drawn a world: log-uniform, keyed by the world alone, and paid wherever a price is."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import no_orders, scenario, split, still_world

from civsim.base.constants import Category, Channel, Price
from civsim.engine.world import World

SPREADS = {"horizon": 4.0, "sight": 2.0, "attention": 1.0, "force": 10.0}


def test_without_draws_every_factor_is_one() -> None:
    assert (World(scenario(), 3, seed=1).state.price_factor == 1.0).all()


def test_factors_are_log_uniform_within_their_spread() -> None:
    world = World(scenario(draws=SPREADS), 2000, seed=3)
    logs = np.log(world.state.price_factor) / np.log([4.0, 2.0, np.e, 10.0])
    assert (world.state.price_factor[:, Price.ATTENTION] == 1.0).all()
    for price in (Price.HORIZON, Price.SIGHT, Price.FORCE):
        # A uniform on [−1, 1] has mean 0 and variance 1/3; four standard errors of 2000 draws.
        assert np.abs(logs[:, price]).max() <= 1.0
        assert abs(logs[:, price].mean()) < 4 * np.sqrt(1 / 3 / 2000)
        assert logs[:, price].var() == pytest.approx(1 / 3, abs=4 * np.sqrt(4 / 45 / 2000))
    assert abs(np.corrcoef(logs[:, Price.HORIZON], logs[:, Price.FORCE])[0, 1]) < 4 / np.sqrt(2000)


def test_a_world_draws_the_same_alone_in_a_batch_and_restarted() -> None:
    game = scenario(draws=SPREADS)
    batch = World(game, seed=3, world_ids=[5, 6, 7])
    alone = World(game, seed=3, world_ids=[6])
    assert np.array_equal(batch.state.price_factor[1], alone.state.price_factor[0])
    batch.reset(world_ids=[7], rows=[0])
    assert np.array_equal(batch.state.price_factor[0], batch.state.price_factor[2])


def test_levels_and_force_are_bought_at_the_worlds_own_prices() -> None:
    world = still_world(
        capitals=(14, 21),
        rich={14: 8.0, 21: 8.0},
        draws={"horizon": 5.0, "force": 5.0},
        thinking={"price": {"horizon": 0.05}, "endowment": {"horizon": 0}, "max_horizon": 200},
        army__lag=0,
        army__price=2.0,
    )
    factor = world.state.price_factor[0]
    world.step(split(world, strategists=0.5, army=0.5), no_orders(world))
    staff = float(world.state.stock[0, 0, Category.STRATEGISTS])
    assert staff > 0
    assert world.state.level[0, 0, Channel.HORIZON] == int(staff / (0.05 * factor[Price.HORIZON]) + 1e-9)
    spent = world.state.spent[0, 0, Category.ARMY]
    assert world.state.stock[0, 0, Category.ARMY] == pytest.approx(spent / (2.0 * factor[Price.FORCE]), rel=1e-6)
    assert factor[Price.HORIZON] != 1.0
    assert factor[Price.FORCE] != 1.0
