"""Attacks: never, by rule where they pay, or only as a simulated plan; and the compass decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from planning import believed_value, candidates, pause, resume, think
from worlds import BUSY, given_orders, hold, no_orders, scenario, split, still_world

from civsim.base.constants import Category, Channel, OrderKind
from civsim.engine.land.landscape import Land
from civsim.engine.planner.attacks import expect_force
from civsim.engine.planner.battles import falls_short, force_worth, gamble, most_years
from civsim.engine.planner.beginning import start_realm
from civsim.engine.planner.plan import Plan
from civsim.engine.planner.transition import open_way
from civsim.engine.rules.deliberation import deliberation
from civsim.engine.rules.order import RULES as RULES_OF_A_TURN
from civsim.engine.work import Base, Clock, Fund, Levels
from civsim.engine.world import World

CROWDED = {"map.width": 6, "map.height": 6, "army.price": 0.1, "thinking.prior": {"attack": 0.1}}
EYES = {"sight": 20, "attention": 6}
TURNS = 14


def fought(attacks: str, horizon: int, **mind: Any) -> int:
    """Attacks given in three busy, crowded games."""
    seat = {"levels": {"horizon": horizon, **EYES}}
    world = World(scenario({**BUSY, **CROWDED}, thinking={"attacks": attacks, **mind}, seat_default=seat), 3, seed=6)
    shares, met = split(world, settlement=0.5, army=0.2, consumption=0.3), 0
    while not world.done.all():
        world.step(shares)
        met += int((world.orders.kind == OrderKind.ATTACK).sum())
    return met


@pytest.mark.parametrize("horizon", [0, 2, 6, 20])
def test_never_is_never_at_any_horizon(horizon: int) -> None:
    assert fought("never", horizon) == 0
    assert fought("never", horizon, rollout=0) == 0


def test_a_plan_attacks_only_where_it_is_simulated() -> None:
    assert fought("plan", 0) == 0
    assert fought("plan", 6, rollout=0) == 0
    assert fought("plan", 6) > 10
    assert fought("rule", 0) > 10
    assert fought("rule", 6, rollout=0) > 10
    assert fought("rule", 6) == fought("plan", 6), "where plans are simulated nothing is left to the rule"


@pytest.mark.parametrize("decisiveness", [1.0, 2.0, 1.5])
def test_what_falls_short_by_products_falls_short_by_the_odds(decisiveness: float) -> None:
    """An attack that is passed over has an index below the bar; for the two common contests nearly all of those are."""
    world = still_world(army={"decisiveness": decisiveness, "loss_winner": 0.1, "loss_loser": 0.4})
    config, work, rng = world.pointers.config, world._plan_work[0], np.random.default_rng(1)
    world._work[0].funds[Fund.FORCE_PRICE] = 1.3
    passed, below = 0, 0
    for _ in range(500):
        attack, defence, prize, bar = rng.exponential(1.0, 4)
        left = int(rng.integers(1, 40))
        won, years, lost = gamble(config, work, attack, defence, 0.0, prize, left)
        short = falls_short(
            config, attack, defence, prize * most_years(config, left), force_worth(config, work, left), bar
        )
        assert not short or won * years < bar * lost
        passed, below = passed + bool(short), below + (won * years < bar * lost)
    assert passed == (below if decisiveness != 1.5 else 0)
    assert 50 < below < 450


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_the_army_to_come_is_the_army_that_comes(lag: int) -> None:
    """A lone realm that earns the same every turn musters as it expects to, what is under way included."""
    world = still_world(
        claims__per_turn=0,
        army={"lag": lag, "price": 0.5},
        economy__depreciation={"army": 0.1},
        seat_default={"levels": {"horizon": 6, **EYES}},
    )
    shares = split(world, army=0.6, consumption=0.4)
    for _ in range(3):
        world.step(shares)
    pause(world, shares)
    think(world, horizon=6)
    state, _, config = world.pointers
    expect_force(state, config, world._plan_work[0], 0, 0)
    expected = world._work[0].force_to_come.copy()
    resume(world)
    for turn in range(6):
        # A turn is paid in before it is deliberated.
        assert float(world.state.stock[0, 0, Category.ARMY]) == pytest.approx(expected[turn], rel=1e-6)
        world.step(shares)


@pytest.mark.parametrize(("rule", "reach"), [("myopic", 6), ("npv", 0), ("npv", 6)])
def test_the_first_decision_weighs_attacks_whatever_is_searched(rule: str, reach: int) -> None:
    world = still_world(
        capitals=(14, 16),
        rich={15: 9.0},
        claims__per_turn=0,
        army={"projection": math.inf, "lag": 0, "price": 0.2},
        seat_default={"levels": {"horizon": 6, "sight": 20, "attention": 6}, "rule": rule, "reach": reach},
    )
    hold(world, 1, 15)
    world.state.stock[0, 0, Category.ARMY] = 20.0
    world.step(split(world, consumption=1))
    assert 15 in world.orders.cell[0, 0][world.orders.kind[0, 0] == OrderKind.ATTACK]


RULES = {
    "projection": math.inf,
    "lag": 0,
    "price": 0.4,
    "decisiveness": 2.0,
    "loss_winner": 0.15,
    "loss_loser": 0.4,
    "disruption": 3,
    "minimum": 1.0,
}


def beside_a_rival(army: float, guard: float, wall: float, rich: float, turn: int = 0, **changes: Any) -> World:
    """A seat with an army beside a cell of a rival, in ``turn`` of 14, with its own fund empty."""
    mind = {"attacks": "rule", "prior": {"attack": 0.0}, **changes.pop("thinking", {})}
    world = still_world(
        **{"army": RULES, "economy__depreciation": {"army": 0.0}, **changes},
        capitals=(14, 27),
        rich={15: rich},
        game__turns=TURNS,
        claims__per_turn=0,
        thinking=mind,
        seats=[{"levels": {"horizon": 0, **EYES}}, {"attacks": "never", "levels": {"horizon": 0, **EYES}}],
    )
    hold(world, 1, 15)
    world.state.wall[:, 15] = wall
    for _ in range(turn):
        world.step(split(world, consumption=1), no_orders(world))
    world.state.stock[:, 0, Category.ARMY], world.state.stock[:, 1, Category.ARMY] = army, guard
    return world


def worth_of_force(turn: int) -> float:
    """A unit's price for what it has yet to serve, of what it serves in a whole game; nothing depreciates."""
    return 0.4 * sum(0.98**s for s in range(1, TURNS - turn)) / sum(0.98**s for s in range(1, TURNS))


def gain(army: float, guard: float, wall: float, rich: float, turn: int) -> float:
    """Chance · value · annuity from capture on, less the force lost in expectation at its worth; by hand."""
    chance = army**2 / (army**2 + (guard + wall) ** 2) if guard + wall > 0.0 else 1.0
    lost = army * (0.15 * chance + 0.4 * (1.0 - chance)) * worth_of_force(turn)
    years = sum(0.98**s for s in range(RULES["disruption"] + 1, TURNS - turn))
    return chance * rich * years - lost


def test_a_rule_attacks_exactly_where_what_it_wins_exceeds_the_force_it_loses() -> None:
    met = {True: 0, False: 0}
    grid = product((0.5, 1.5, 4.0, 9.0), (0.0, 1.0, 5.0), (0.0, 6.0), (0.02, 0.3, 2.0), (0, 6, 9, 12))
    for army, guard, wall, rich, turn in grid:
        world = beside_a_rival(army, guard, wall, rich, turn)
        world.step(split(world, consumption=1))
        given = world.orders.kind[0, 0] == OrderKind.ATTACK
        pays = army >= RULES["minimum"] and gain(army, guard, wall, rich, turn) > 0.0
        assert given.any() == pays, (army, guard, wall, rich, turn)
        assert not given.any() or world.orders.cell[0, 0][given].tolist() == [15]
        met[pays] += 1
    assert min(met.values()) > 60


def test_what_the_rule_counts_on_is_what_attacks_bring() -> None:
    """The mean of 3,000 battles: output won less force lost at its worth is the gain by hand."""
    army, guard, wall, rich = 4.0, 2.0, 1.0, 1.5
    base = beside_a_rival(army, guard, wall, rich, worlds=3000)
    orders = given_orders(base, (0, OrderKind.ATTACK, 15))
    base.step(split(base, consumption=1), orders)
    lost = army - base.state.stock[:, 0, Category.ARMY].astype(float)
    won = np.zeros(base.n_worlds)
    for turn in range(1, TURNS):
        won += 0.98**turn * (base.step(split(base, consumption=1), no_orders(base)).output[:, 0].astype(float) - 1.0)
    net = won - lost * worth_of_force(0)
    assert abs(net.mean() - gain(army, guard, wall, rich, 0)) < 4.0 * net.std() / math.sqrt(net.size)


def test_a_rule_takes_the_cell_that_pays_best_first() -> None:
    world = beside_a_rival(6.0, 1.0, 0.0, 1.0)
    hold(world, 1, 20)
    world.state.fertility[:, 20] = 5.0
    world.step(split(world, consumption=1))
    assert world.orders.cell[0, 0, 0] == 20


def test_who_does_not_attend_to_rivals_does_not_attack() -> None:
    mind = {"salience": ["ore", "hazard", "raiders", "rivals"]}
    seen = {}
    for attention in (5, 6):
        seat = {"levels": {"horizon": 0, "sight": 20, "attention": attention}}
        world = beside_a_rival(9.0, 0.0, 0.0, 5.0, thinking=mind)
        game = world.scenario.model_dump(exclude_unset=True) | {"seats": [seat, seat]}
        twin = World(type(world.scenario).model_validate(game), land=_land_of(world))
        hold(twin, 1, 15)
        twin.state.stock[:, 0, Category.ARMY] = 9.0
        twin.step(split(twin, consumption=1))
        seen[attention] = bool((twin.orders.kind[0, 0] == OrderKind.ATTACK).any())
    assert seen == {5: False, 6: True}


def _land_of(world: World) -> Land:
    """The land of row 0."""
    state = world.state
    fields = {name: getattr(state, name)[0].copy() for name in ("fertility", "ore", "ruggedness", "hazard", "site")}
    return Land(capitals=state.capital[0].copy(), **fields)


def test_force_lost_counts_at_the_marginal_welfare_of_the_output_to_come() -> None:
    """A sure win of a cell: log of consumption every turn, less the force at its price times c / (1 + c · output)."""
    values = {}
    for price in (0.4, 1.2):
        world = beside_a_rival(6.0, 0.0, 0.0, 2.0, army__price=price, game__objective="welfare")
        pause(world, split(world, consumption=1))
        world.state.stock[0, 0, Category.ARMY] = 6.0
        think(world, horizon=TURNS - 1)
        values[price] = believed_value(world, Plan.ATTACK, [15], TURNS - 1)
        output = [1.0] * RULES["disruption"] + [3.0] * (TURNS - 1 - RULES["disruption"])
        told = sum(0.98 ** (s + 1) * math.log1p(out) for s, out in enumerate(output))
        assert values[price] == pytest.approx(told - 6.0 * 0.15 * price / (1.0 + 3.0), rel=1e-6)
    assert values[1.2] < values[0.4]


def ways(rich_way: int | None, worlds: int = 1) -> Iterator[int]:
    """Over worlds the first claim of the cheapest path to a rival's cell, that lies one claim away both ways round.

    The land is two by two: the capital in a corner, the rival's in the other, and ``rich_way``, 1 or 2, the better way.
    """
    game = scenario(
        {"map.width": 2, "map.height": 2, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": 30},
        claims={"cost": 2.0, "growth": 0.0, "lag": 1},
        army=RULES,
        seat_default={"levels": {"horizon": 12, **EYES}, "levels_of_mind": 0},
    )
    fertility = np.array([1.0, 0.3, 0.3, 9.0], np.float32)
    if rich_way is not None:
        fertility[rich_way] = 0.4
    zero, site = np.zeros(4, np.float32), np.zeros(4, np.uint8)
    world = World(game, worlds, land=Land(fertility, zero, zero, zero, site, np.array([0, 3], np.int32)))
    shares = split(world, settlement=0.5, consumption=0.5)
    pause(world, shares)
    world.state.stock[:, 0, Category.ARMY] = 9.0
    for b in range(worlds):
        think(world, b, 0, 12)
        world._work[0].levels[Levels.REACH] = 12
        found = [path for plan, path in candidates(world, b, 0) if plan == Plan.ATTACK]
        assert len(found) == 1
        assert found[0][1:] == [3]
        yield found[0][0]


def test_of_two_ways_to_a_rival_that_cost_the_same_the_richer_is_taken() -> None:
    assert [next(ways(rich_way)) for rich_way in (1, 2)] == [1, 2]


def test_of_two_ways_that_are_worth_the_same_neither_is_preferred_by_the_compass() -> None:
    taken = np.array(list(ways(None, worlds=400)))
    north = (taken == 1).mean()
    assert abs(north - 0.5) < 4.0 * 0.5 / math.sqrt(taken.size)


def thinking_of(
    force: float, guard: float, wall: float, rich: float, behind: float | None = None, **changes: Any
) -> World:
    """The same border in turn 0 before the first seat orders; the rival may hold a cell behind the first, too."""
    world = beside_a_rival(force, guard, wall, rich, game__objective="consumption", **changes)
    if behind is not None:
        hold(world, 1, 16)
        world.state.fertility[:, 16] = behind
    pause(world, split(world, consumption=1))
    world.state.stock[:, 0, Category.ARMY], world.state.stock[:, 1, Category.ARMY] = force, guard
    return world


def test_a_base_attacks_on_where_a_plan_has_opened_the_way() -> None:
    """Two sure wins, one behind the other: the second a turn after the first, by the army that this has left."""
    world = thinking_of(6.0, 0.0, 0.0, 0.5, 3.0)
    think(world, horizon=TURNS - 1)
    first, second = 6.0 * 0.15, 6.0 * 0.85 * 0.15
    years = [sum(0.98**s for s in range(k, TURNS)) for k in (1, 4, 5)]
    told = years[0] + 0.5 * years[1] + 3.0 * years[2]
    told -= first * worth_of_force(0) + 0.98 * second * worth_of_force(1)
    assert believed_value(world, Plan.ATTACK, [15], TURNS - 1) == pytest.approx(told, rel=1e-5)
    assert believed_value(world, Plan.RULE, [], TURNS - 1) == pytest.approx(told, rel=1e-5)


def test_what_an_attack_opens_is_open_with_its_chance() -> None:
    world = thinking_of(6.0, 0.0, 4.0, 0.5, 3.0)
    think(world, horizon=TURNS - 1)
    chance = 36.0 / (36.0 + 16.0)
    lost = 6.0 * (0.15 * chance + 0.4 * (1.0 - chance))
    second = (6.0 - lost) * 0.15
    years = [sum(0.98**s for s in range(k, TURNS)) for k in (1, 4, 5)]
    told = years[0] + chance * (0.5 * years[1] + 3.0 * years[2])
    told -= lost * worth_of_force(0) + 0.98 * chance * second * worth_of_force(1)
    assert believed_value(world, Plan.ATTACK, [15], TURNS - 1) == pytest.approx(told, rel=1e-5)


def test_a_claim_stands_by_the_chance_it_was_paid_at() -> None:
    world = thinking_of(6.0, 0.0, 4.0, 0.5, 3.0)
    think(world, horizon=TURNS - 1)
    work, (state, _, config) = world._work[0], world.pointers
    start_realm(state, config, world._plan_work[0], 0, 0)
    beside = int(work.front[0])
    for claimed, opened in ((False, 0.75), (True, 0.5)):
        work.opened[beside] = 0.5
        work.claimed[beside] = work.clock[Clock.MARK] if claimed else 0
        open_way(state, config, world._plan_work[0], 0, 0, 14, 0.75)
        assert work.opened[beside] == opened


def test_the_army_is_held_back_where_it_is_worth_more_at_home() -> None:
    """A seat follows the base that attacks, or the same base without attacks, whichever is believed worth more."""
    chosen, dear = [], {"army__loss_winner": 0.8, "army__loss_loser": 1.0}
    for frequency, rich in product((0.0, 0.05, 0.1, 0.2), (0.3, 2.0)):
        mind = {"prior": {"attack": frequency, "weight": 100.0}}
        world = thinking_of(3.0, 2.5, 0.0, rich, thinking=mind, **dear)
        think(world, horizon=TURNS - 1)
        work, values = world._work[0], []
        for holds in (0, 1):
            work.sizes[Base.HOLDS] = holds
            values.append(believed_value(world, Plan.RULE, [], TURNS - 1))
        resumed = thinking_of(3.0, 2.5, 0.0, rich, thinking=mind, **dear)
        resumed.state.level[:, 0, Channel.HORIZON] = TURNS - 1
        for rule in RULES_OF_A_TURN[RULES_OF_A_TURN.index(deliberation) :]:
            rule(*resumed.pointers, resumed._key, resumed._plan_work[0])
        attacked = bool((resumed.orders.kind[0, 0] == OrderKind.ATTACK).any())
        assert attacked == (values[0] >= values[1]), (frequency, rich, values)
        chosen.append(attacked)
    assert set(chosen) == {True, False}
