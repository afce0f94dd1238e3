"""What a rollout leaves in its funds, and the paths it leaves open, are worth what a calculation by hand says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, think
from worlds import hold, scenario, split, still_world

from civsim.base.constants import Category
from civsim.engine.land.landscape import Land
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.propose import look_around
from civsim.engine.work import Base, Left, Levels
from civsim.engine.world import World

TURNS, DISCOUNT = 20, 0.98
SEES_ALL = {"levels": {"horizon": 0, "sight": 20, "attention": 6}}


def years(last: int, before: int = 0) -> float:
    """Σ γ^s over turns ``before`` + 1 … ``last``."""
    return sum(DISCOUNT**s for s in range(before + 1, last + 1))


def stopped(world: World, shares: np.ndarray, **funds: float) -> World:
    """The world stopped in its first deliberation, with these funds, its civilization looking a turn ahead."""
    pause(world, shares)
    for name, fund in funds.items():
        world.state.stock[0, 0, Category[name.upper()]] = fund
    think(world)
    return world


def settled(**changes: Any) -> World:
    """A flat world: every cell gives 1 and costs 2, a claim takes a turn and one is made a turn; nothing is earned."""
    rules = {"game__objective": "consumption", "claims": {"cost": 2.0, "lag": 1, "per_turn": 1}, **changes}
    world = still_world(game__turns=TURNS, game__discount=DISCOUNT, seat_default=SEES_ALL, **rules)
    return stopped(world, split(world, consumption=1), settlement=5.0)


def test_a_fund_left_over_is_worth_what_the_rule_would_buy_with_it_next() -> None:
    """Of 5 the rule spends 2 now and 2 in turn 1, where the rollout ends with 18 turns to come and 1 left over.

    A cell settled with it would be claimed in turn 2 and give output from turn 3, the second to come, on.
    """
    world = settled()
    value = believed_value(world, Plan.RULE, [], 1)
    price = 0.5 * years(18, 1)
    assert world._work[0].price[BaseRule.THUMB, Left.LAND] == pytest.approx(price)
    assert value == pytest.approx(DISCOUNT * (2.0 + 3.0 * years(18) + 1.0 * price))


def test_waiting_costs_the_turns_that_it_loses_and_no_more() -> None:
    """To claim in turn 1 only leaves 2 more in the fund: two turns' output of a cell less than claiming now."""
    world = settled()
    rule = believed_value(world, Plan.RULE, [], 1)
    waiting = believed_value(world, Plan.WAIT, [], 1)
    assert waiting == pytest.approx(DISCOUNT * (1.0 + 2.0 * years(18) + 3.0 * 0.5 * years(18, 1)))
    assert rule - waiting == pytest.approx(DISCOUNT + DISCOUNT**2)
    assert believed_value(world, Plan.CLAIM, [15], 1) == pytest.approx(rule), "all cells are alike"


def test_claims_that_grow_dearer_make_a_fund_worth_less() -> None:
    world = settled(claims__growth=0.25)
    believed_value(world, Plan.RULE, [], 1)
    # 2 are paid for a first cell, 2.5 for a second; a fourth would cost 2 · 1.5.
    assert world._work[0].price[BaseRule.THUMB, Left.LAND] == pytest.approx(years(18, 1) / 3.0)


def test_in_welfare_what_is_left_is_spread_over_the_turns_to_come() -> None:
    world = settled(game__objective="welfare", game__consumption_scale=0.8)
    value = believed_value(world, Plan.RULE, [], 1)
    mean = (3.0 * years(18) + 0.5 * years(18, 1)) / years(18)
    assert value == pytest.approx(DISCOUNT * (math.log1p(2.0 / 0.8) + years(18) * math.log1p(mean / 0.8)))


def building(turns: int, **changes: Any) -> World:
    """Two cells of fertility 1 and 3; a work costs 2 and gives 0.5 of fertility after 3 turns; 3 are in the fund."""
    world = still_world(
        rich={14: 1.0, 15: 3.0},
        game__turns=turns,
        game__discount=DISCOUNT,
        game__objective="consumption",
        claims__per_turn=0,
        works={"menu": [{"gain": 0.5, "cost": 2.0, "maturity": 3}], "per_turn": 1},
        seat_default=SEES_ALL,
        **changes,
    )
    hold(world, 0, 15)
    return stopped(world, split(world, consumption=1), works=3.0)


def test_a_works_fund_left_over_is_worth_the_best_work_of_the_next_turn() -> None:
    """The work on the better cell is begun now; the 1 left over is half of one on the other, from turn 2 on."""
    world = building(TURNS)
    value = believed_value(world, Plan.RULE, [], 1, Phase.WORK)
    price = 0.5 * years(17, 2) / 2.0
    assert world._work[0].price[BaseRule.THUMB, Left.WORKS] == pytest.approx(price)
    assert value == pytest.approx(DISCOUNT * (4.0 + 4.0 * years(18) + 1.5 * years(18, 1) + 1.0 * price))
    # The lesser cell first: what is left over is worth the same, and three times less is gained.
    other = believed_value(world, Plan.WORK, [0, 0], 1, Phase.WORK)
    assert value - other == pytest.approx(DISCOUNT * 1.0 * years(18, 1))


@pytest.mark.parametrize(("turns", "worth"), [(5, False), (6, True)])
def test_a_works_fund_is_worth_nothing_where_no_work_matures_any_more(turns: int, worth: bool) -> None:
    """After turn 1 a work is begun in turn 2 at the earliest and pays in turn 5, the sixth."""
    world = building(turns)
    believed_value(world, Plan.RULE, [], 1, Phase.WORK)
    assert (world._work[0].price[BaseRule.THUMB, Left.WORKS] > 0.0) == worth


def open_path(rule: str, **changes: Any) -> World:
    """A line C, capital, A, B of 0.4, 1, 0.1 and 4; claims cost 2 and take 2 turns; 0.5 a turn go to the fund of 2."""
    game = scenario(
        {"map.width": 4, "map.height": 2, "map.hazard": 0.0, "game.civilizations": 1, "game.turns": TURNS},
        game__discount=DISCOUNT,
        game__objective="consumption",
        claims={"cost": 2.0, "growth": 0.0, "lag": 2, "per_turn": 1},
        thinking__rule=rule,
        seat_default=SEES_ALL,
        **changes,
    )
    zero = np.zeros(8, np.float32)
    flat = np.array([0.4, 1.0, 0.1, 4.0, 0.0, 0.0, 0.0, 0.0], np.float32)
    world = World(game, land=Land(flat, zero, zero.copy(), zero.copy(), np.zeros(8, np.uint8), np.array([1], np.int32)))
    stopped(world, split(world, settlement=0.5, consumption=0.5), settlement=2.0)
    world._work[0].levels[Levels.REACH] = 12
    state, _, config = world.pointers
    look_around(state, config, world._key, world._plan_work[0], 0, 0)
    return world


@pytest.mark.parametrize("rule", ["rate", "npv"])
def test_a_path_left_open_is_worth_what_it_yields_beyond_its_cost(rule: str) -> None:
    """A, which leads to B, is claimed now; in turn 1 its party is still under way, and of the border only C is left.

    So the price of land is that of C, and what B yields beyond 2 at that price is a surplus of the path begun. With C
    claimed instead the whole path is open: what A costs beyond its yield is lost on the way to B.
    """
    world, later = open_path(rule), years(18, 2)
    rule_value = believed_value(world, Plan.RULE, [], 1, base=BaseRule.INDEX)
    price = 0.4 / 2.0 * later
    assert world._work[0].price[BaseRule.INDEX, Left.LAND] == pytest.approx(price)
    a, b = 0.1 * later, 4.0 * later
    if rule == "npv":
        # B is found to be paid in turn 4 of 19: it is there from turn 6 on, where C, paid now, is from turn 2 on.
        b *= years(19, 5) / years(19, 1)
    beyond_b = b - 2.0 * price
    stands = 1.0 * years(18) + 0.5 * price
    assert rule_value == pytest.approx(DISCOUNT * (1.0 + stands + 0.1 * years(18) + beyond_b), rel=1e-6)
    other = believed_value(world, Plan.CLAIM, [0], 1, base=BaseRule.INDEX)
    beyond_a = a - 2.0 * price + beyond_b
    assert other == pytest.approx(DISCOUNT * (1.0 + stands + 0.4 * years(18) + beyond_a), rel=1e-6)
    # The rule of thumb knows of no path, and has no surplus.
    assert believed_value(world, Plan.CLAIM, [0], 1) < other


@pytest.mark.parametrize("rule", ["rate", "npv"])
def test_at_the_end_of_the_game_nothing_left_over_is_worth_anything(rule: str) -> None:
    world = open_path(rule)
    work = world._work[0]
    for base in BaseRule:
        believed_value(world, Plan.RULE, [], 1, base=base)
    assert (work.price[list(BaseRule), Left.LAND] > 0.0).all()
    assert work.sizes[Base.PROMISING] > 0
    for base in BaseRule:
        believed_value(world, Plan.RULE, [], TURNS - 1, base=base)
    assert (work.price[:, : Left.KEPT] == 0.0).all()
    assert work.sizes[Base.PROMISING] == 0
    for claims in (0, 1):
        rich, poor = (open_path(rule, claims__per_turn=claims) for _ in range(2))
        rich.state.stock[0, 0, Category.SETTLEMENT] = 50.0
        think(rich)
        ends = [believed_value(one, Plan.RULE, [], TURNS - 1) for one in (rich, poor)]
        assert (ends[0] == ends[1]) == (claims == 0), "a fund that buys nothing"
