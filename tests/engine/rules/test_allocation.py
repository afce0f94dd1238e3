"""Spending, depreciation, musters, tribute and levels on hand-made worlds."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import BUSY, hold, no_orders, random_shares, scenario, split, still_world

from civsim.base.constants import Category, Channel
from civsim.engine.world import World

ARMY = Category.ARMY


def test_stocks_lose_their_share_then_gain_the_spending() -> None:
    rates = {"settlement": 0.1, "works": 0.2, "walls": 0.3, "strategists": 0.4, "scouts": 0.5, "analysts": 0.6}
    world = still_world(fertility=10.0, economy__depreciation=rates, claims__per_turn=0)
    shares = split(world, settlement=1, works=1, walls=1, strategists=1, scouts=1, analysts=1, consumption=2, army=2)
    for _ in range(3):
        world.step(shares, no_orders(world))
    for name, rate in rates.items():
        kept = 1 - rate
        assert world.state.stock[0, 0, Category[name.upper()]] == pytest.approx(1 + kept + kept**2)
    assert world.state.stock[0, 0, Category.CONSUMPTION] == 0


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_force_musters_after_its_lag_at_its_price(lag: int) -> None:
    world = still_world(fertility=10.0, army__lag=lag, army__price=4.0, economy__depreciation={"army": 0.5})
    force = []
    for turn in range(6):
        shares = split(world, army=1) if turn == 0 else split(world, consumption=1)
        world.step(shares, no_orders(world))
        force.append(float(world.state.stock[0, 0, ARMY]))
    assert force == pytest.approx([0.0] * lag + [2.5 * 0.5**k for k in range(6 - lag)])


def test_a_seat_may_pay_another_price_for_force() -> None:
    world = still_world(capitals=(7, 28), fertility=6.0, army__lag=0, seats=[{"force_price": 3.0}])
    world.step(split(world, army=1), no_orders(world))
    assert world.state.stock[0, :, ARMY] == pytest.approx([2.0, 6.0])


def test_spending_sums_to_output_whatever_happens() -> None:
    world = World(scenario(BUSY), 6, seed=1)
    rng = np.random.default_rng(0)
    produced = np.zeros((6, 3))
    by_category = np.zeros((6, 3, 8))
    while not world.done.all():
        shares = random_shares(world, rng)
        record = world.step(shares)
        produced += record.output
        by_category += record.output[..., None].astype(float) * shares
    assert world.state.spent.sum(axis=2) == pytest.approx(produced, rel=1e-4)
    assert world.state.spent == pytest.approx(by_category, rel=1e-4)
    assert world.state.utility[:, :, 2] == pytest.approx(produced, rel=1e-5)


@pytest.mark.parametrize("decisiveness", [0.5, 1.0, 2.0, 7.0])
def test_tribute_is_shared_by_force_to_the_power_m(decisiveness: float) -> None:
    world = still_world(
        capitals=(0, 5, 30, 35),
        tribute__prize=12.0,
        tribute__decisiveness=decisiveness,
        economy__depreciation={"army": 0},
    )
    world.state.stock[0, :, ARMY] = [1.0, 2.0, 3.0, 0.0]
    record = world.step(split(world, consumption=1), no_orders(world))
    powers = np.array([1.0, 2.0, 3.0, 0.0]) ** decisiveness
    assert record.tribute[0] == pytest.approx(12 * powers / powers.sum(), rel=1e-5)
    assert record.consumption[0] == pytest.approx(1.0 + record.tribute[0])
    assert world.state.spent[0].sum() == pytest.approx(4.0)


def test_tribute_without_force_is_shared_equally_among_the_living() -> None:
    world = still_world(capitals=(0, 5, 30, 35), tribute__prize=12.0)
    record = world.step(split(world, consumption=1), no_orders(world))
    assert record.tribute[0] == pytest.approx([3.0] * 4)
    world.state.alive[0, 2] = 0
    world.state.owner[0, 30] = -1
    world.state.cells[0, 2] = 0
    record = world.step(split(world, consumption=1), no_orders(world))
    assert record.tribute[0] == pytest.approx([4.0, 4.0, 0.0, 4.0])


def test_overwhelming_force_still_shares_the_whole_prize() -> None:
    world = still_world(capitals=(0, 35), tribute__prize=1.0, tribute__decisiveness=16.0)
    world.state.stock[0, :, ARMY] = [1e30, 1e25]
    assert world.step(split(world, consumption=1), no_orders(world)).tribute[0].sum() == pytest.approx(1.0)


def levels_of(staff: float, cells: int = 1, **changes: object) -> list[int]:
    """Levels in force with this much staff on each channel before the turn (no depreciation)."""
    rates = {"strategists": 0.0, "scouts": 0.0, "analysts": 0.0}
    world = still_world(economy__depreciation=rates, **changes)
    hold(world, 0, *range(15, 14 + cells))
    world.state.stock[0, 0, Category.STRATEGISTS :] = staff
    record = world.step(split(world, consumption=1), no_orders(world))
    return record.level[0, 0].tolist()


def test_levels_follow_from_staff_and_prices() -> None:
    prices = {"horizon": 2.0, "sight": 4.0, "attention": 3.0}
    assert levels_of(0.0, thinking__price=prices) == [0, 1, 2]
    assert levels_of(8.0, thinking__price=prices) == [4, 3, 4]
    assert levels_of(7.99, thinking__price=prices) == [3, 2, 4]
    # Attention ends where all variables are attended.
    assert levels_of(80.0, thinking__price=prices) == [40, 21, 6]


@pytest.mark.parametrize(("span", "expected"), [(0.0, 16), (0.5, 8), (1.0, 4)])
def test_span_makes_levels_dearer_in_a_larger_realm(span: float, expected: int) -> None:
    assert levels_of(16.0, cells=4, thinking__span=span, thinking__price={"horizon": 1.0})[Channel.HORIZON] == expected


@pytest.mark.parametrize(("gamma", "expected"), [(0.5, 64), (1.0, 27), (2.0, 5), (3.0, 3)])
def test_curvature_makes_further_levels_dearer(gamma: float, expected: int) -> None:
    level = levels_of(27.0, thinking__curvature={"horizon": gamma}, thinking__price={"horizon": 1.0})
    assert level[Channel.HORIZON] == expected


def test_endowment_grant_exogenous_and_caps() -> None:
    price = {"horizon": 1.0, "sight": 1.0, "attention": 1.0}
    assert levels_of(2.0, thinking__price=price, thinking__endowment={"horizon": 3, "sight": 2, "attention": 3}) == [
        5,
        4,
        5,
    ]
    assert levels_of(
        2.0, thinking__price=price, seat_default={"grant": {"horizon": 4, "sight": 1, "attention": 1}}
    ) == [6, 4, 5]
    assert levels_of(9.0, thinking__price=price, seat_default={"levels": {"horizon": 7}}) == [7, 10, 6]
    assert levels_of(9.0, thinking__price=price, thinking__max_horizon=5, thinking__max_sight=4) == [5, 4, 6]


def test_an_inert_sham_pays_and_gets_the_endowment() -> None:
    assert levels_of(50.0, seat_default={"sham": "inert"}) == [0, 1, 2]


def test_a_seat_may_pay_its_own_prices() -> None:
    price = {"horizon": 10.0, "sight": 1.0, "attention": 50.0}
    assert levels_of(20.0, seats=[{"price": price}]) == [2, 21, 2]


def test_absurdly_cheap_thought_stops_at_the_caps() -> None:
    price = {"horizon": 1e-300, "sight": 1e-300, "attention": 1e-300}
    assert levels_of(1e6, thinking__price=price, thinking__curvature={"horizon": 0.25}) == [64, 32, 6]
