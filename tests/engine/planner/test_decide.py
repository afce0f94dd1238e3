"""Decisions on worlds where the right one is plain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from worlds import hold, split, still_world

from civsim.base.constants import Category, OrderKind, OrderStatus
from civsim.engine.planner.decide import rounded

ALL = {"sight": 20, "attention": 6}


def orders_of(world: Any, civilization: int = 0) -> list[tuple[int, int]]:
    """(kind, cell) of every order that a civilization gave in the last turn."""
    kinds, cells = world.orders.kind[0, civilization], world.orders.cell[0, civilization]
    return [(int(k), int(c)) for k, c in zip(kinds, cells, strict=True) if k >= 0]


@pytest.mark.parametrize("horizon", [0, 4, 12])
def test_the_best_value_per_cost_is_claimed(horizon: int) -> None:
    world = still_world(
        rich={15: 2.0, 8: 3.0}, ruggedness={8: 0.5}, seat_default={"levels": {"horizon": horizon, **ALL}}
    )
    world.state.stock[0, 0, Category.SETTLEMENT] = 4.0
    world.step(split(world, consumption=1))
    assert orders_of(world) == [(OrderKind.CLAIM, 15)]


@pytest.mark.parametrize("horizon", [0, 6])
def test_too_dear_means_waiting_for_it(horizon: int) -> None:
    # The rule of thumb saves for the better cell instead of taking one it can pay.
    world = still_world(rich={15: 6.0}, ruggedness={15: 0.2}, seat_default={"levels": {"horizon": horizon, **ALL}})
    world.state.stock[0, 0, Category.SETTLEMENT] = 7.0
    world.step(split(world, settlement=1))
    assert orders_of(world) == []
    world.step(split(world, settlement=1))
    assert orders_of(world) == [(OrderKind.CLAIM, 15)]


def test_only_foresight_takes_poor_land_to_reach_the_rich() -> None:
    first = {}
    for horizon in (0, 10):
        # Cell 16 is rich but out of reach; 15 on the way is the poorest neighbour.
        world = still_world(rich={16: 9.0, 15: 0.1}, seat_default={"levels": {"horizon": horizon, **ALL}})
        world.state.stock[0, 0, Category.SETTLEMENT] = 4.0
        world.step(split(world, settlement=1))
        first[horizon] = orders_of(world)[0][1]
    assert first[0] != 15
    assert first[10] == 15


def raided(
    horizon: int, attention: int, mind: dict[str, Any] | None = None, **seat: Any
) -> tuple[list[tuple[int, int]], int]:
    """A band that makes for the near cell 14, not for the richer cell 5: orders of the first turn, and raids lost."""
    world = still_world(
        rich={14: 1.0, 5: 5.0},
        claims__per_turn=0,
        game__turns=30,
        raiders={"rate": 1e-9, "damage": 1.0, "disruption": 12},
        walls={"cost": 1.0, "rate": 1.0, "per_turn": 1},
        thinking={"prior": {"raid": 1e-6}, "salience": ["raiders", "rivals", "ore", "hazard"], **(mind or {})},
        seat_default={"levels": {"horizon": horizon, "sight": 20, "attention": attention}, **seat},
    )
    hold(world, 0, 5)
    world.state.works[0, 14] = 2.0
    world.state.band_cell[0, 0], world.state.band_strength[0, 0] = 32, 1.5
    world.state.stock[0, 0, Category.WALLS] = 20.0
    first = []
    for _ in range(8):
        world.step(split(world, consumption=1))
        first = first or orders_of(world)
    return first, int(world.state.losses[0, 0, 2])


def test_walls_stand_before_raiders_come_where_foresight_meets_attention() -> None:
    # A wall rises a unit a turn: both turns before the band is there must go to the cell it makes for.
    assert raided(horizon=10, attention=3) == ([(OrderKind.WALL, 14)], 0)
    assert raided(horizon=10, attention=2) == ([(OrderKind.WALL, 5)], 1)
    assert raided(horizon=0, attention=3) == ([(OrderKind.WALL, 5)], 1)


def test_a_rule_alone_walls_by_dates_where_it_is_told_to() -> None:
    thumb, dates = ([(OrderKind.WALL, 5)], 1), ([(OrderKind.WALL, 14)], 0)
    alone: dict[str, Any] = {"horizon": 0, "attention": 3, "reach": 10, "rollout": 0}
    assert raided(**alone) == raided(**alone, mind={"guard": "dates"}, guard="thumb") == thumb
    assert raided(**alone, mind={"guard": "dates"}) == raided(**alone, guard="dates") == dates
    assert raided(**{**alone, "reach": 1}, guard="dates") == thumb


def attacked(horizon: int, attention: int, army: float) -> list[tuple[int, int]]:
    """Orders of a civilization with an army beside a rich, weakly held cell."""
    world = still_world(
        capitals=(14, 16),
        rich={15: 9.0},
        claims__per_turn=0,
        army={"projection": float("inf"), "lag": 0, "price": 0.2},
        economy__depreciation={"army": 0.0},
        thinking__salience=["rivals", "raiders", "ore", "hazard"],
        seat_default={"levels": {"horizon": horizon, "sight": 20, "attention": attention}},
    )
    hold(world, 1, 15)
    world.state.stock[0, :, Category.ARMY] = army, 1.0
    world.step(split(world, consumption=1))
    return orders_of(world)


def test_an_attack_is_given_where_it_pays_and_rivals_are_attended() -> None:
    assert attacked(6, 3, 8.0) == [(OrderKind.ATTACK, 15)], "one attack a turn"
    assert attacked(6, 2, 8.0) == []
    assert attacked(6, 3, 0.5) == [], "below the least force"
    assert attacked(0, 6, 8.0) == [], "the rule of thumb never attacks"


@pytest.mark.parametrize("horizon", [0, 5])
def test_works_go_where_they_return_most(horizon: int) -> None:
    world = still_world(
        rich={14: 1.0, 15: 3.0, 20: 2.0},
        claims__per_turn=0,
        works={"per_turn": 1},
        seat_default={"levels": {"horizon": horizon, **ALL}},
    )
    hold(world, 0, 15, 20)
    world.state.stock[0, 0, Category.WORKS] = 5.0
    world.step(split(world, consumption=1))
    assert orders_of(world) == [(OrderKind.WORK, 15)]


def test_no_work_that_matures_after_the_end() -> None:
    world = still_world(claims__per_turn=0, works={"menu": [{"maturity": 6}]}, game__turns=6)
    world.state.stock[0, 0, Category.WORKS] = 50.0
    for _ in range(6):
        world.step(split(world, consumption=1))
        assert orders_of(world) == []


def test_the_last_plan_is_remembered() -> None:
    world = still_world(rich={15: 2.0}, seat_default={"levels": {"horizon": 5, **ALL}})
    world.state.stock[0, 0, Category.SETTLEMENT] = 4.0
    world.step(split(world, consumption=1))
    state = world.state
    assert (state.plan_kind[0, 0], state.plan_cell[0, 0], state.plan_turn[0, 0]) == (OrderKind.CLAIM, 15, 0)
    assert state.plan_value[0, 0] > 0
    assert state.plans[0, 0] >= 1
    world.step(split(world, consumption=1))
    assert state.plan_turn[0, 0] == 0, "no funds, no new plan"


def test_horizon_zero_makes_no_plans() -> None:
    world = still_world(seat_default={"levels": {"horizon": 0, **ALL}})
    for _ in range(10):
        world.step(split(world, settlement=1))
    assert world.state.gains[0, 0, 0] > 0
    assert np.all(world.state.plans == 0)


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 0.1, 1e-300, 123456.789, -7e12, 2.0**-40])
def test_values_are_rounded_to_32_binary_digits(value: float) -> None:
    """So that the order in which a sum was taken decides between no two plans."""
    found = rounded(value)
    assert found == rounded(found)
    assert abs(found - value) <= abs(value) * 2.0**-32
    mantissa = math.frexp(found)[0] * 2.0**32
    assert mantissa == round(mantissa)
    assert rounded(value * (1.0 + 2.0**-50)) == found


@pytest.mark.parametrize("horizon", [0, 6])
def test_an_order_that_costs_more_than_was_believed_is_void_and_tells_nothing(horizon: int) -> None:
    """Never-seen land is rugged all round: the party is refused, the fund kept, and no other claim tried that turn."""
    blind = {"levels": {"horizon": horizon, "sight": 0, "attention": 6}}
    world = still_world(ruggedness={c: 1.0 for c in range(36) if c != 14}, claims__per_turn=3, seat_default=blind)
    world.state.stock[0, 0, Category.SETTLEMENT] = 5.0
    for _ in range(3):
        world.step(split(world, consumption=1))
        assert len(orders_of(world)) == 1
        assert world.orders.status[0, 0, 0] == OrderStatus.VOID
        assert world.state.stock[0, 0, Category.SETTLEMENT] == 5.0
        assert (world.state.party_cell[0, 0] < 0).all()


@pytest.mark.parametrize(("raids", "expected"), [(0.0, 14), (1e-9, 15)])
def test_walls_are_planned_where_somebody_goes_by_them(raids: float, expected: int) -> None:
    """Cell 15 lies beside a rival, 14 is the richer: attacks come by a frequency that heeds no wall, raiders do."""
    world = still_world(
        capitals=(14, 27),
        rich={14: 2.0, 15: 1.0},
        game__turns=30,
        claims__per_turn=0,
        raiders={"rate": raids},
        walls={"cost": 1.0, "rate": 1.0, "per_turn": 1},
        army={"per_turn": 1},
        thinking={"prior": {"attack": 0.2, "raid": 1e-9, "weight": 1e6}, "attacks": "never"},
        seat_default={"levels": {"horizon": 12, **ALL}},
    )
    hold(world, 0, 15)
    hold(world, 1, 16)
    world.state.stock[:, 0, Category.WALLS] = 1.0
    world.step(split(world, consumption=1))
    assert orders_of(world) == [(OrderKind.WALL, expected)]
