"""Funds are the realm's: purses and pool are parts of them, never more, and no order costs otherwise for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning import pause
from random_games import scenarios, thoughts
from realms import by_rule, draw, realm
from worlds import given_orders, hold, no_orders, random_shares, split

from civsim.base.constants import Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.knowledge.own import read_funds
from civsim.engine.offices.funds import (
    SETTLEMENT_PURSE,
    WALLS_PURSE,
    WORKS_PURSE,
    charge,
    commanded,
    credit_purses,
    part_of,
    pool_left,
    purse_category,
    share_out,
    weigh_offices,
)
from civsim.engine.offices.rows import put_to_work
from civsim.engine.rules.deliberation import deliberation
from civsim.engine.work import Fund
from civsim.engine.world import World

ROW = range(12, 18)
FUNDS = (Category.SETTLEMENT, Category.WORKS, Category.WALLS)


def two_provinces(pool: float = 0.25, **seats: object) -> World:
    """A realm of four cells and two: its provinces give 4 and 2 of an output of 6."""
    world = realm(ROW, 2, rich={17: 1.01}, seats={"pool": pool, **seats}, works__growth=0.0)
    draw(world)
    world.state.province_output[0, 0] = 4.0, 2.0
    world.state.output[0, 0] = 6.0
    return world


def purses_fit(world: World) -> bool:
    """Whether no fund holds less than its purses, and nothing is in a purse where the capital commands all."""
    s = world.state
    held, stock = s.purse.sum(axis=2), s.stock[:, :, list(FUNDS)].astype(float)
    assert (s.purse >= 0.0).all()
    whole = world.config.pool == 1.0
    assert not s.purse[:, whole].any()
    return bool((held <= stock * (1.0 + 1e-12)).all())


def test_each_purse_is_of_a_fund() -> None:
    places = (SETTLEMENT_PURSE, WORKS_PURSE, WALLS_PURSE)
    assert tuple(purse_category(place) for place in places) == FUNDS


def test_provinces_have_their_part_of_the_funds_and_the_capital_the_pool() -> None:
    world = two_provinces(pool=0.25)
    state, _, config = world.pointers
    assert [part_of(state, 0, 0, office) for office in (0, 1)] == pytest.approx([4 / 6, 2 / 6])
    world.state.stock[0, 0, list(FUNDS)] = 12.0, 24.0, 48.0
    share_out(state, config, 0, 0)
    assert world.state.purse[0, 0] == pytest.approx(np.array([[6.0, 12.0, 24.0], [3.0, 6.0, 12.0]]))
    for k, fund in enumerate((12.0, 24.0, 48.0)):
        assert pool_left(state, 0, 0, k) == pytest.approx(fund / 4)
        parts = [commanded(state, config, 0, 0, office, k) for office in (-1, 0, 1)]
        assert parts == pytest.approx([fund / 4, fund / 2, fund / 4])
        assert sum(parts) == pytest.approx(fund)


def test_where_nothing_is_given_parts_are_equal() -> None:
    world = two_provinces()
    world.state.province_output[:] = 0.0
    assert [part_of(world.pointers.state, 0, 0, office) for office in (0, 1)] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("equal", [0.5, 0.5]), ("output", [4 / 6, 2 / 6]), ([3.0, 1.0], [0.75, 0.25])],
)
def test_the_staff_is_weighed(weights: object, expected: list[float]) -> None:
    world = two_provinces(weights=weights)
    weigh_offices(world.pointers.state, world.pointers.config, 0, 0)
    assert world.state.office_weight[0, 0] == pytest.approx(expected)


def test_given_weights_of_seats_that_stand_sum_to_one() -> None:
    world = realm([15], 4, seats={"weights": [3.0, 1.0, 5.0, 7.0]})
    draw(world)
    weigh_offices(world.pointers.state, world.pointers.config, 0, 0)
    assert world.state.office_weight[0, 0] == pytest.approx([0.75, 0.25, 0.0, 0.0])


def test_a_turn_for_the_purses_known_answer() -> None:
    """They wear as their fund does and gain the province's part of what the pool leaves of what is paid in."""
    world = two_provinces(pool=0.25)
    state, _, config = world.pointers
    world.state.purse[0, 0] = [[2.0, 3.0, 4.0], [1.0, 1.0, 1.0]]
    world.state.stock[0, 0, list(FUNDS)] = 100.0
    shares = split(world, settlement=1, works=2, walls=1)
    world._shares[...] = shares
    credit_purses(state, config, world._plan_work[0], 0, 0)
    loss = [config.record.depreciation[category] for category in FUNDS]
    paid = 6.0 * np.array([0.25, 0.5, 0.25])
    expected = [
        [(1.0 - loss[k]) * had[k] + 0.75 * part * paid[k] for k in range(3)]
        for part, had in ((4 / 6, [2.0, 3.0, 4.0]), (2 / 6, [1.0, 1.0, 1.0]))
    ]
    assert world.state.purse[0, 0] == pytest.approx(np.array(expected))


def test_purses_over_their_fund_are_cut_in_step() -> None:
    world = two_provinces(pool=0.0)
    state, _, config = world.pointers
    world.state.purse[0, 0] = [[6.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    world.state.stock[0, 0, Category.SETTLEMENT] = 4.0
    world.state.output[0, 0] = 0.0
    world._shares[...] = split(world, settlement=1)
    credit_purses(state, config, world._plan_work[0], 0, 0)
    assert world.state.purse[0, 0, :, 0] == pytest.approx([3.0, 1.0])


def test_an_order_is_paid_out_of_the_purse_then_the_pool_then_all_purses_in_step() -> None:
    world = two_provinces(pool=0.0)
    state, purse, stock = world.pointers.state, world.state.purse[0, 0, :, 0], world.state.stock[0, 0]
    purse[:], stock[Category.SETTLEMENT] = (6.0, 3.0), 12.0
    stock[Category.SETTLEMENT] -= 2.0
    charge(state, 0, 0, 1, SETTLEMENT_PURSE, 2.0)
    assert (purse.tolist(), pool_left(state, 0, 0, 0)) == ([6.0, 1.0], 3.0)
    stock[Category.SETTLEMENT] -= 3.0
    charge(state, 0, 0, 1, SETTLEMENT_PURSE, 3.0)
    assert (purse.tolist(), pool_left(state, 0, 0, 0)) == ([6.0, 0.0], 1.0)
    stock[Category.SETTLEMENT] -= 4.0
    charge(state, 0, 0, -1, SETTLEMENT_PURSE, 4.0)
    assert (purse.tolist(), pool_left(state, 0, 0, 0)) == ([3.0, 0.0], 0.0)


def read(world: World, office: int) -> dict[Fund, float]:
    """What a seat of thought, or at -1 the capital for all, plans with."""
    state, _, config = world.pointers
    put_to_work(world._plan_work[0], office)
    read_funds(state, config, world._plan_work[0], 0, 0)
    put_to_work(world._plan_work[0], -1)
    return {fund: float(world._work[0].funds[fund]) for fund in Fund}


def test_who_expects_what_known_answer() -> None:
    """Of 6 and a grant of 1, pool 1/4: the capital for all has a quarter of all, each province the rest of its part."""
    world = realm(ROW, 2, rich={17: 1.01}, seats={"pool": 0.25}, seat_default={"grant": {"output": 1.0}})
    draw(world)
    world.state.province_output[0, 0], world.state.output[0, 0] = (4.0, 2.0), 7.0
    for office, commands, granted, output, rest, sent in (
        (-1, 0.25, 0.25, 0.25 * 7.0, 1.0, 1.0),
        (0, 0.75, 0.75 * 4 / 6, 0.75 * 7.0 * 4 / 6, 3.0, 0.0),
        (1, 0.75, 0.75 * 2 / 6, 0.75 * 7.0 * 2 / 6, 5.0, 0.75 * 2 / 6),
    ):
        found = read(world, office)
        assert found[Fund.COMMANDED] == commands
        assert found[Fund.GRANTED] == pytest.approx(granted)
        assert found[Fund.OUTPUT] == pytest.approx(output)
        assert found[Fund.REST] == pytest.approx(rest)
        assert found[Fund.REALM] == 7.0
        assert found[Fund.SENT] == pytest.approx(sent)


def test_without_a_pool_a_province_sends_its_share_of_the_army_and_the_capital_all() -> None:
    world = two_provinces(pool=0.0)
    assert [read(world, office)[Fund.SENT] for office in (0, 1)] == pytest.approx([1.0, 2 / 6])


def test_what_an_order_costs_over_what_was_believed_is_taken_from_all() -> None:
    """The second seat takes the land beside it for flat, and has 3 for a claim of 2; it is rugged, and costs 6."""
    world = realm(
        ROW,
        2,
        rich={17: 1.01},
        ruggedness=dict.fromkeys([*range(12), *range(18, 36)], 1.0),
        seat_default={"levels": {"horizon": 0, "sight": 0}},
        claims={"cost": 2.0, "ruggedness_cost": 2.0},
        works__per_turn=0,
        walls__per_turn=0,
    )
    pause(world, split(world, consumption=1))
    world.state.stock[0, 0, list(FUNDS)] = 10.0, 0.0, 0.0
    world.state.purse[0, 0] = [[1.0, 0.0, 0.0], [3.0, 0.0, 0.0]]
    world.state.stock[0, 0, Category.SETTLEMENT] = 8.0
    deliberation(*world.pointers, world._key, world._plan_work[0])
    assert world.state.stock[0, 0, Category.SETTLEMENT] == 2.0
    assert world.state.party_by[0, 0, world.state.party_cell[0, 0] >= 0].tolist() == [1]
    assert world.state.purse[0, 0, :, 0].tolist() == [1.0, 0.0]
    world.state.party_cell[:] = -1
    world.state.purse[0, 0] = [[1.9, 0.0, 0.0], [4.1, 0.0, 0.0]]
    world.state.stock[0, 0, Category.SETTLEMENT] = 6.5
    deliberation(*world.pointers, world._key, world._plan_work[0])
    assert world.state.purse[0, 0, :, 0] == pytest.approx([0.5, 0.0])


@given(scenarios(), thoughts(2), st.integers(0, 2**32))
@settings(max_examples=80)
def test_purses_are_never_more_than_their_fund(game: Scenario, thought: dict, seed: int) -> None:
    table = game.model_dump(exclude_unset=True)
    table["seat_default"]["thought"] = thought
    world = World(Scenario.model_validate(table), 2, seed=seed)
    rng = np.random.default_rng(seed)

    def after(rule: str) -> None:
        # In between, raiders have taken loot, or output was paid in that no purse has its part of yet.
        if rule in ("provinces", "allocation", "deliberation", "record"):
            assert purses_fit(world), rule

    while not world.done.all():
        by_rule(world, random_shares(world, rng), after)


def test_what_was_ordered_without_a_seat_is_cut_from_the_purses_in_the_next_turn() -> None:
    world = realm(ROW, 2, fertility=10.0, seats={"pool": 0.0})
    shares = split(world, settlement=1)
    world.step(shares, no_orders(world))
    orders = no_orders(world)
    orders.kind[0, 0, 0], orders.cell[0, 0, 0] = OrderKind.CLAIM, 20
    world.step(shares, orders)
    assert world.orders.status[0, 0, 0] == 1
    assert not purses_fit(world)
    world.step(shares, no_orders(world))
    assert purses_fit(world)


def test_a_realm_that_is_out_has_no_purse() -> None:
    world = realm([], 2, capitals=(14, 15), army={"decisiveness": 16.0, "projection": float("inf")}, fertility=10.0)
    hold(world, 1, 16)
    shares = split(world, settlement=1)
    world.step(shares, no_orders(world))
    assert world.state.purse[0, 1].sum() > 0.0
    world.state.stock[0, 0, Category.ARMY] = 1e6
    world.step(shares, given_orders(world, (0, OrderKind.ATTACK, 15), (0, OrderKind.ATTACK, 16)))
    world.state.stock[0, 0, Category.ARMY] = 1e6
    world.step(shares, given_orders(world, (0, OrderKind.ATTACK, 16), (0, OrderKind.ATTACK, 15)))
    assert not world.state.alive[0, 1]
    assert not world.state.purse[0, 1].any()
