"""Walls against bands in view: which can be done in time, which are worth it, and which comes first."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from planning import pause, think
from worlds import hold, split, still_world

from civsim.base.constants import Guard, OrderKind
from civsim.engine.planner.plan import RULES, BaseRule, Phase
from civsim.engine.planner.propose import order_of_rule, propose
from civsim.engine.planner.warned import next_wall, warned_wall
from civsim.engine.registers import NOW
from civsim.engine.work import Base, Count, Fund, Levels, Realm, Rule
from civsim.engine.world import World

HORIZON, SACKED, DISCOUNT = 12, 3, 0.9
PLENTY = 1e6


class Band(NamedTuple):
    """A band that is believed to make for a cell: where, in how many turns, and how many courses hold it off."""

    cell: int
    due: int
    courses: int


def warned(*bands: Band, fund: float = PLENTY, income: float = 0.0, **changes: Any) -> World:
    """A realm of 14, 15, 20 and 21 that sees ``bands``, with a ``fund`` for walls: a course a turn, at a unit each."""
    rich = changes.pop("rich", {14: 2.0, 15: 1.5, 20: 1.0, 21: 0.5})
    world = still_world(
        capitals=(14,),
        rich=rich,
        game__discount=DISCOUNT,
        raiders={"rate": 1e-9, "strength": 2.0, "disruption": SACKED},
        walls={"per_turn": 1},
        thinking__prior={"raid": 1e-9, "attack": 0.0, "weight": 1e6},
        seat_default={"levels": {"horizon": 0, "sight": 20, "attention": 6}},
        **changes,
    )
    hold(world, 0, 15, 20, 21)
    pause(world, split(world, walls=1))
    think(world, horizon=HORIZON)
    work = world._work[0]
    held = work.base_counts[Count.CELL, : work.sizes[Base.HELD]].tolist()
    work.sizes[Base.RAIDS] = len(bands)
    for r, band in enumerate(bands):
        work.raid_column[:, r], work.raid_due[:, r] = held.index(band.cell), band.due
        work.raid_force[r] = band.courses - 0.5
    work.funds[Fund.WALLS], work.funds[Fund.OUTPUT] = fund, income
    return world


def chosen(world: World, least: float = 0.0) -> tuple[int, float]:
    """The cell of the wall to raise next against bands in view, -1 for none, and what it returns."""
    work, (_, _, config) = world._work[0], world.pointers
    left = work.levels[Levels.TURNS_LEFT]
    column, worth = warned_wall(config, world._key, world._plan_work[0], 0, 0, 0, NOW, 0, left, least)
    return (int(work.base_counts[Count.CELL, column]) if column >= 0 else -1), worth


def agree(found: tuple[int, float], expected: tuple[int, float]) -> None:
    """The same cell, and what it returns but for rounding."""
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1])


def loss(world: World, band: Band) -> float:
    """What its sack costs: the output of the turns that the cell gives nothing, this game's turns only."""
    left = int(world._work[0].levels[Levels.TURNS_LEFT])
    idle = range(band.due, min(band.due + SACKED, left + 1))
    return float(world.state.fertility[0, band.cell]) * sum(DISCOUNT**turn for turn in idle)


def feasible(bands: tuple[Band, ...], fund: float, income: float) -> bool:
    """Some order of the jobs meets every date, a course a turn, each paid when it is raised."""
    for order in itertools.permutations(bands):
        turn, money, paid_at, in_time = 0, fund, 0, True
        for job in order:
            for _ in range(job.courses):
                while math.floor(money + 1e-9) < 1 and turn < HORIZON:
                    turn, money = turn + 1, money + income
                money, paid_at = money - 1.0, turn
                turn, money = turn + 1, money + income
            in_time = in_time and paid_at < job.due
        if in_time:
            return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_the_wall_raised_next_is_the_plain_rule(seed: int) -> None:
    """By what they avert per course as long as all taken can be done in time, then by date: all orders are tried."""
    rng = np.random.default_rng(seed)
    cells = [14, 15, 20, 21]
    bands = tuple(Band(c, int(rng.integers(1, 9)), int(rng.integers(1, 4))) for c in cells[: rng.integers(1, 5)])
    fund, income = float(rng.integers(1, 5)), float(rng.choice([0.25, 0.5, 1.0]))
    world = warned(*bands, fund=fund, income=income)
    taken: tuple[Band, ...] = ()
    for band in sorted(bands, key=lambda one: -loss(world, one) / one.courses):
        if feasible((*taken, band), fund, income):
            taken = (*taken, band)
    expected = min(taken, key=lambda one: one.due) if taken else None
    cell, worth = chosen(world)
    soonest = {one.cell for one in taken if expected and one.due == expected.due}
    assert cell in soonest if taken else cell == -1
    if taken:
        assert worth == pytest.approx(max(loss(world, one) / one.courses for one in taken))


def test_a_wall_that_comes_too_late_or_is_not_seen_to_matter_is_left_out() -> None:
    assert chosen(warned(Band(14, 3, 3)))[0] == 14
    assert chosen(warned(Band(14, 2, 3)))[0] == -1
    assert chosen(warned(Band(14, 3, 3), fund=2.0))[0] == -1
    assert chosen(warned(Band(14, HORIZON, 1)))[0] == 14
    assert chosen(warned(Band(14, HORIZON + 1, 1)))[0] == -1
    assert chosen(warned())[0] == -1


def test_courses_already_raised_this_turn_are_of_its_number() -> None:
    """A course a turn: once it is raised, what would have to be done in this turn cannot be, and what can wait may."""
    for due, expected in ((1, -1), (2, 20)):
        world = warned(Band(20, due, 1))
        assert chosen(world)[0] == 20
        world._work[0].done[OrderKind.WALL] = 1
        assert chosen(world)[0] == expected


def test_a_wall_averts_what_all_bands_that_it_stops_would_take() -> None:
    """A wall high enough for one band stops later ones that are no stronger, too, and none before it is done."""
    first, second, other = Band(20, 4, 1), Band(20, 9, 2), Band(15, 9, 2)
    world = warned(first, second)
    agree(chosen(world), (20, loss(world, first)))
    world = warned(Band(20, 9, 1), second)
    assert chosen(world)[1] == pytest.approx(loss(world, second))
    world = warned(Band(20, 4, 2), second, other)
    agree(chosen(world), (20, (loss(world, Band(20, 4, 2)) + loss(world, second)) / 2))


def test_a_cell_that_gives_nothing_anyway_loses_the_rest_alone() -> None:
    world = warned(Band(14, 2, 1))
    work = world._work[0]
    k = work.base_counts[Count.CELL, : work.sizes[Base.HELD]].tolist().index(14)
    work.base_counts[Count.IDLE, k] = 4  # three turns more without output
    assert chosen(world)[1] == pytest.approx(2.0 * DISCOUNT**4)


def test_what_returns_less_than_is_asked_for_is_left_out() -> None:
    near, far = Band(21, 2, 1), Band(14, 6, 1)
    world = warned(near, far)
    agree(chosen(world), (21, loss(world, far)))
    agree(chosen(world, least=1.001 * loss(world, near)), (14, loss(world, far)))
    assert chosen(world, least=1.001 * loss(world, far))[0] == -1


def test_without_a_rollout_the_rule_of_thumb_knows_of_no_band() -> None:
    world = warned(Band(21, 2, 1))
    work, (_, _, config) = world._work[0], world.pointers
    left = work.levels[Levels.TURNS_LEFT]

    def walled() -> int:
        column, _ = next_wall(config, world._key, world._plan_work[0], 0, 0, 0, NOW, 0, left, True)
        return int(work.base_counts[Count.CELL, column])

    assert walled() == 21
    work.sizes[Base.ROLLED] = 0
    assert walled() == 14  # the most output behind a unit of wall
    work.levels[Levels.GUARD], work.levels[Levels.REACH] = Guard.DATES, 2
    assert walled() == 21
    work.levels[Levels.REACH] = 1
    assert walled() == 14  # the band comes later than it looks


def test_with_a_treasury_a_base_walls_by_return_or_by_date() -> None:
    """A claim that returns more than the wall comes first by return, and the wall by date."""
    world = warned(Band(21, 2, 1), economy__pooled=True, rich={14: 2.0, 15: 1.5, 20: 1.0, 21: 0.5, 13: 9.0})
    work, (state, _, config) = world._work[0], world.pointers
    handle = world._plan_work[0]
    work.funds[Fund.SETTLEMENT] = PLENTY
    propose(state, config, world._key, handle, 0, 0, Phase.LAND)
    found = {}
    for base in (BaseRule.THUMB, RULES + BaseRule.THUMB):
        for phase in (Phase.LAND, Phase.WALL):
            order_of_rule(state, config, world._key, handle, 0, 0, phase, base)
            found[int(base), phase] = int(work.rule[Rule.ORDER]), int(work.rule[Rule.CELL])
    assert found == {
        (0, Phase.LAND): (OrderKind.CLAIM, 13),
        (0, Phase.WALL): (OrderKind.NONE, -1),
        (2, Phase.LAND): (OrderKind.NONE, -1),
        (2, Phase.WALL): (OrderKind.WALL, 21),
    }
    assert work.base[Realm.WALL, 0] == 0.0
