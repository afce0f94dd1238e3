"""What a plan is reported to be worth is what carrying it out brings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, paths, pause, resume, think, write_off
from worlds import given_orders, hold, no_orders, split
from worlds import still_world as hand_made

from civsim.base.constants import Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.planner.ladder import UNKNOWN
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.propose import look_around
from civsim.engine.work import Levels
from civsim.engine.world import World
from civsim.validation.exhaustive import advance, borders, by_rule, greedy, pay
from civsim.validation.small_lands import FAMILIES, SHARE, TURNS, SmallLand, minded, small_land

FAR = 4096


def still_world(**changes: Any) -> World:
    """A still world whose civilizations want output, so that values are sums of it."""
    return hand_made(**{"game__objective": "consumption", **changes})


def paused(small: SmallLand, turn: int) -> World:
    """A world of the rule of thumb, stopped in the deliberation of ``turn``."""
    world = World(minded(small.game, 0), land=small.land)
    shares = split(world, settlement=SHARE, consumption=1 - SHARE)
    for _ in range(turn):
        world.step(shares)
    pause(world, shares)
    think(world)
    return world


def outputs_of(small: SmallLand, claims: np.ndarray) -> np.ndarray:
    """Output in every turn of the real world when exactly these claims [turns, per_turn] are ordered."""
    world = World(minded(small.game, 0), land=small.land)
    shares = split(world, settlement=SHARE, consumption=1 - SHARE)
    outputs = []
    for turn in range(TURNS):
        orders = given_orders(world, *((0, OrderKind.CLAIM, int(c)) for c in claims[turn] if c >= 0))
        outputs.append(world.step(shares, orders).output[0, 0])
        assert (world.orders.status[0, 0][world.orders.kind[0, 0] >= 0] == 1).all(), "an order of the plan was void"
    return np.array(outputs, float)


def discounted(outputs: np.ndarray, after: int, discount: float = 0.98) -> float:
    """Σ γ^s · output s turns after turn ``after``."""
    tail = outputs[after + 1 :]
    return float(tail @ discount ** np.arange(1, tail.size + 1))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("turn", [0, 4, 9, 15])
def test_reported_value_is_executed_value(family: str, turn: int) -> None:
    plans = 0
    for seed in range(5):
        small = small_land(family, seed)
        world = paused(small, turn)
        income = SHARE * float(world.state.output[0, 0])
        # A path without cells is the rule of thumb, but sets no prices.
        for path in [*paths(world, FAR, income), []]:
            claims = np.empty((TURNS, 2), np.int32)
            by_rule(small.problem, np.array(path, np.int32), turn, claims)
            for horizon in {1, 3, 8, TURNS - 1 - turn}:
                if horizon > TURNS - 1 - turn:
                    continue
                # Nothing is ordered beyond the horizon: what stands or is under way is valued by what it yields.
                cut = claims.copy()
                cut[turn + horizon + 1 :] = -1
                write_off(world)
                value = believed_value(world, Plan.CLAIM, path, horizon)
                assert value == pytest.approx(discounted(outputs_of(small, cut), turn), rel=1e-5), (seed, path, horizon)
            plans += 1
    assert plans > 5


def in_log(small: SmallLand) -> SmallLand:
    """The same land for a civilization that wants welfare: what it consumes of every turn's output, in logs."""
    table = small.game.model_dump(exclude_unset=True)
    table["game"] |= {"objective": "welfare", "consumption_scale": 0.7}
    return small._replace(game=Scenario.model_validate(table))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("turn", [0, 6])
def test_in_welfare_the_reported_value_is_the_discounted_log_of_what_is_consumed(family: str, turn: int) -> None:
    """To the end turn by turn; beyond a horizon what is to come counts as its mean, evenly spread."""
    for seed in range(3):
        small = in_log(small_land(family, seed))
        world = paused(small, turn)
        for path in [*paths(world, FAR, SHARE * float(world.state.output[0, 0])), []]:
            claims = np.empty((TURNS, 2), np.int32)
            by_rule(small.problem, np.array(path, np.int32), turn, claims)
            left = TURNS - 1 - turn
            for horizon in {2, 7, left}:
                cut = claims.copy()
                cut[turn + horizon + 1 :] = -1
                write_off(world)
                value = believed_value(world, Plan.CLAIM, path, horizon)
                outputs = outputs_of(small, cut)
                after = outputs[turn + horizon + 1 :]
                years = discounted(np.ones_like(outputs), turn + horizon)
                if after.size:
                    outputs[turn + horizon + 1 :] = discounted(outputs, turn + horizon) / years
                assert value == pytest.approx(discounted(np.log1p(SHARE * outputs / 0.7), turn), rel=1e-5)


def by_index(small: SmallLand, index: np.ndarray, from_turn: int) -> np.ndarray:
    """Claims [turns, per_turn] of the rule of thumb, and from ``from_turn`` on of the greatest index on the border.

    Where no index is above 0 the rule of thumb goes on.
    """
    problem = small.problem
    claims = np.empty((TURNS, problem.per_turn), np.int32)
    by_rule(problem, np.empty(0, np.int32), TURNS, claims)
    state, due = np.zeros(problem.fertility.size, np.int8), np.zeros(problem.fertility.size, np.int32)
    state[problem.capital] = 1
    book = np.array([-1.0, 0.0, 0.0, 0.0, 1.0])
    for turn in range(TURNS):
        advance(problem, state, due, book)
        for k in range(problem.per_turn):
            if turn < from_turn:
                target = int(claims[turn, k])
            else:
                front = [c for c in range(state.size) if state[c] == 0 and borders(problem, state, c, False)]
                rate = problem.fertility / problem.claim_cost
                target = max(front, key=lambda c: (index[c], rate[c]), default=-1)
            if target < 0 or not pay(problem, state, due, book, target):
                claims[turn, k:] = -1
                break
            claims[turn, k] = target
    return claims


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rule", ["rate", "npv"])
def test_the_index_base_is_worth_what_claiming_by_it_brings(family: str, rule: str) -> None:
    differ = 0
    for seed in range(8):
        small = small_land(family, seed)
        table = small.game.model_dump(exclude_unset=True) | {"thinking": {"rule": rule}}
        small = small._replace(game=Scenario.model_validate(table))
        for turn in (0, 5, 11):
            world = paused(small, turn)
            work, left = world._work[0], TURNS - 1 - turn
            work.levels[Levels.REACH] = left
            look_around(*world.pointers[::2], world._key, world._plan_work[0], 0, 0)
            problem, index = small.problem, work.potential.copy()
            holdings = int(world.state.cells[0, 0] + (world.state.party_cell[0, 0] >= 0).sum())
            alone = problem.fertility / problem.claim_cost / (1.0 + problem.growth * (holdings - 1))
            if rule == "npv":
                alone *= sum(0.98**s for s in range(max(problem.lag, 1), left + 1))
            index[index == UNKNOWN] = alone[index == UNKNOWN]
            claims = by_index(small, index, turn)
            for horizon in (4, left):
                cut = claims.copy()
                cut[turn + horizon + 1 :] = -1
                write_off(world)
                value = believed_value(world, Plan.CLAIM, [], horizon, base=BaseRule.INDEX)
                assert value == pytest.approx(discounted(outputs_of(small, cut), turn), rel=1e-5), (seed, turn)
                differ += value != believed_value(world, Plan.CLAIM, [], horizon)
    assert differ > 5, "the two bases are one"


@pytest.mark.parametrize("family", FAMILIES)
def test_waiting_is_worth_what_it_brings(family: str) -> None:
    for seed in range(6):
        small = small_land(family, seed)
        for turn in (3, 8):
            world = paused(small, turn)
            value = believed_value(world, Plan.WAIT, [], TURNS - 1 - turn)
            for field in ("kind", "cell"):
                getattr(world.orders, field)[...] = -1
            resume(world, replay=True)
            shares = split(world, settlement=SHARE, consumption=1 - SHARE)
            outputs = [0.0] * (turn + 1)
            while not world.done.all():
                outputs.append(float(world.step(shares).output[0, 0]))
            assert value == pytest.approx(discounted(np.array(outputs), turn), rel=1e-5)


@pytest.mark.parametrize("objective", ["consumption", "welfare"])
@pytest.mark.parametrize("maturity", [1, 3, 6])
@pytest.mark.parametrize("growth", [0.0, 0.07])
def test_the_rule_is_worth_what_it_brings_with_works_on(maturity: int, growth: float, objective: str) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        world = still_world(
            rich=dict(enumerate(rng.uniform(0.1, 1.5, 36))),
            ruggedness=dict(enumerate(rng.uniform(0.0, 0.2, 36))),
            ore=dict(enumerate(rng.exponential(0.2, 36))),
            game__turns=26,
            game__objective=objective,
            claims={"cost": 2.0, "lag": 2, "growth": growth},
            works={"menu": [{"cost": 1.7, "maturity": maturity}, {"cost": 4.1, "gain": 0.7, "maturity": 2}]},
            economy__depreciation={"settlement": 0.03, "works": 0.05},
            seat_default={"levels": {"horizon": 0, "sight": 20, "attention": 6}, "grant": {"output": 0.3}},
        )
        shares = split(world, settlement=0.37, works=0.29, consumption=0.34)
        for _ in range(6):
            world.step(shares)
        pause(world, shares)
        think(world)
        value = believed_value(world, Plan.RULE, [], 26 - 1 - 6)
        resume(world)
        outputs = [0.0] * 7
        while not world.done.all():
            output = float(world.step(shares).output[0, 0])
            outputs.append(output - 0.3 if objective == "consumption" else math.log1p(0.34 * output))
        assert world.state.gains[0, 0, 0] > 1
        assert world.state.gains[0, 0, 2] > 1
        assert value == pytest.approx(discounted(np.array(outputs), 6), rel=1e-5)


def test_a_candidate_work_is_worth_what_it_brings() -> None:
    world = still_world(
        rich={14: 2.0, 15: 1.3},
        claims__per_turn=0,
        works={"menu": [{"cost": 2.0, "maturity": 3}, {"cost": 3.1, "gain": 1.0, "maturity": 7}], "per_turn": 1},
        seat_default={"levels": {"horizon": 0, "sight": 20, "attention": 6}},
    )
    hold(world, 0, 15)
    shares = split(world, works=0.5, consumption=0.5)
    world.state.stock[0, 0, Category.WORKS] = 3.5
    pause(world, shares)
    think(world)
    # Column 1 is cell 15, menu entry 1.
    value = believed_value(world, Plan.WORK, [1, 1], 19, Phase.WORK)
    world.orders.kind[0, 0, 0], world.orders.cell[0, 0, 0], world.orders.choice[0, 0, 0] = OrderKind.WORK, 15, 1
    resume(world, replay=True)
    assert world.orders.status[0, 0, 0] == 1
    outputs = [0.0]
    while not world.done.all():
        outputs.append(float(world.step(shares).output[0, 0]))
    assert value == pytest.approx(discounted(np.array(outputs), 0), rel=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_plans_are_paths_that_claim_no_cell_twice(family: str) -> None:
    met = 0
    for seed in range(10):
        small = small_land(family, seed)
        for turn in (0, 5, 12):
            world = paused(small, turn)
            state = world.state
            own = set(np.flatnonzero(state.owner[0] == 0).tolist())
            pending = {int(c) for c in state.party_cell[0, 0] if c >= 0}
            for reach in (1, 4, FAR):
                for path in paths(world, reach, SHARE * float(state.output[0, 0])):
                    met += 1
                    assert len(set(path)) == len(path)
                    assert not set(path) & (own | pending)
                    held = own | pending
                    for cell in path:
                        assert held & {int(n) for n in small.problem.neighbours[cell]}, "not beside the realm"
                        held.add(cell)
    assert met > 30


def test_reach_bounds_the_length_of_a_plan() -> None:
    small = small_land("lines", 2)
    world = paused(small, 0)
    longest = [max((len(path) for path in paths(world, reach, SHARE)), default=0) for reach in (0, 2, 6, 12, FAR)]
    assert longest[0] == 0
    assert longest == sorted(longest)
    assert longest[-1] > longest[1]


def mean_gap(world: World, shares: np.ndarray, turns: int, plan: Plan = Plan.RULE, path: tuple[int, ...] = ()):
    """Executed minus reported value of civilization 0 over a batch: (mean, standard error, mean value)."""
    pause(world, shares)
    reported = np.empty(world.n_worlds)
    for b in range(world.n_worlds):
        think(world, b)
        reported[b] = believed_value(world, plan, list(path), turns - 1, b=b)
    resume(world, replay=bool(path))
    executed = np.zeros(world.n_worlds)
    for turn in range(1, turns):
        executed += 0.98**turn * world.step(shares, no_orders(world)).output[:, 0]
    gap = executed - reported
    return gap.mean(), gap.std() / np.sqrt(gap.size), executed.mean()


@pytest.mark.parametrize("hazard", [0.05, 0.3])
def test_with_disasters_reported_value_is_the_mean(hazard: float) -> None:
    world = still_world(
        worlds=800,
        hazard=dict.fromkeys((14, 15, 20), hazard),
        rich={15: 2.0},
        claims__per_turn=0,
        disasters__duration=1,
        seat_default={"levels": {"sight": 20, "attention": 6}},
    )
    hold(world, 0, 15, 20)
    mean, error, value = mean_gap(world, split(world, consumption=1), 20)
    assert abs(mean) < 4 * error
    assert error < 0.01 * value


@pytest.mark.parametrize("volatility", [0.02, 0.2, 0.5])
def test_with_volatile_sites_reported_value_is_the_mean(volatility: float) -> None:
    world = still_world(
        worlds=800,
        site=dict.fromkeys((14, 15, 20), 1),
        claims__per_turn=0,
        map__volatility=volatility,
        seat_default={"levels": {"sight": 20, "attention": 6}},
    )
    hold(world, 0, 15, 20)
    mean, error, value = mean_gap(world, split(world, consumption=1), 20)
    assert abs(mean) < 4 * error
    assert error < 0.05 * value


@pytest.mark.parametrize("force", [2.0, 3.0, 6.0])
def test_with_an_attack_reported_value_is_the_mean_less_force_lost(force: float) -> None:
    world = still_world(
        worlds=1500,
        capitals=(14, 27),
        rich={15: 4.0},
        claims__per_turn=0,
        army={"projection": float("inf"), "price": 0.5, "lag": 0},
        economy__depreciation={"army": 0.0},
        thinking__prior={"attack": 0.0},
        seat_default={"levels": {"sight": 20, "attention": 6}},
    )
    hold(world, 1, 15)
    world.state.wall[:, 15] = 1.0
    world.state.stock[:, :, Category.ARMY] = force, 2.0
    orders = given_orders(world, (0, OrderKind.ATTACK, 15))
    for name in ("kind", "cell"):
        getattr(world.orders, name)[...] = getattr(orders, name)
    mean, error, _ = mean_gap(world, split(world, consumption=1), 20, Plan.ATTACK, (15,))
    chance = force**2 / (force**2 + 3.0**2)
    lost = force * (chance * 0.15 + (1 - chance) * 0.4) * 0.5
    assert abs(mean - lost) < 4 * error
    assert world.state.gains[:, 0, 1].min() == 1


@pytest.mark.parametrize("wall", [0.0, 10.0])
def test_a_band_in_sight_is_expected_when_it_comes(wall: float) -> None:
    world = still_world(
        rich={14: 2.0},
        claims__per_turn=0,
        raiders={"rate": 1e-9, "damage": 0.25, "disruption": 4},
        thinking__prior={"raid": 0.0},
        seat_default={"levels": {"sight": 20, "attention": 6}},
    )
    world.state.band_cell[0, 0], world.state.band_strength[0, 0] = 32, 3.0
    world.state.wall[0, 14] = wall
    world.state.works[0, 14] = 1.0
    mean, _, value = mean_gap(world, split(world, consumption=1), 20)
    assert mean == pytest.approx(0.0, abs=1e-4 * value)
    assert world.state.losses[0, 0, 2] == (wall == 0.0)


def test_greedy_without_thinking_is_greedy() -> None:
    for family in FAMILIES:
        small = small_land(family, 3)
        assert greedy(small.problem)[0] > 0
