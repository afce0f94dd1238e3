"""Raids as believed: as many as were witnessed, where bands would make for; and walls where something threatens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, think
from worlds import BUSY, hold, random_shares, scenario, split, still_world, with_levels

from civsim.base.constants import OrderKind
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.propose import propose
from civsim.engine.planner.raids import courses_against
from civsim.engine.work import Base, Belief, Count, Left, Realm
from civsim.engine.world import World

RAIDERS = {"rate": 0.2, "strength": 2.0, "damage": 0.5, "disruption": 3}
SEES_ALL = {"levels": {"horizon": 0, "sight": 20, "attention": 6}}


def raided(*cells: int, capitals: tuple[int, ...] = (14,), raid: float = 0.05, **changes: Any) -> World:
    """A realm of 14 and ``cells`` that expects raids, stopped where it deliberates, its beliefs formed."""
    world = still_world(
        capitals=capitals,
        claims__per_turn=0,
        raiders=RAIDERS,
        thinking__prior={"raid": raid, "attack": 0.0, "weight": 50.0},
        seat_default=SEES_ALL,
        **changes,
    )
    hold(world, 0, *cells)
    pause(world, split(world, consumption=1))
    world.state.band_cell[:] = world.state.band_seen[:] = -1
    think(world)
    return world


def spread(world: World) -> dict[int, float]:
    """Raids a turn believed of every cell held."""
    work = world._work[0]
    held = work.sizes[Base.HELD]
    return dict(zip(work.base_counts[Count.CELL, :held].tolist(), work.base[Realm.RAIDED, :held].tolist(), strict=True))


def rim(width: int, height: int, torus: bool) -> list[int]:
    """The cells where bands come in."""
    cells = range(width * height)
    if torus:
        return [c for c in cells if c // width == 0 or c % width == 0]
    return [c for c in cells if c // width in (0, height - 1) or c % width in (0, width - 1)]


def steps(world: World, a: int, b: int) -> int:
    """Steps between two cells."""
    size = world.scenario.map
    ways = []
    for x, y, side in ((a // size.width, b // size.width, size.height), (a % size.width, b % size.width, size.width)):
        gap = abs(x - y)
        ways.append(min(gap, side - gap) if size.torus else gap)
    return sum(ways)


@pytest.mark.parametrize("torus", [False, True])
def test_the_spread_is_the_share_of_the_rim_from_which_bands_make_for_a_cell(torus: bool) -> None:
    """From each cell of the rim by what pulls most, fertility with works per cell of way; all is tried by hand."""
    unlike = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cells = [int(c) for c in rng.choice([c for c in range(36) if c not in (14, 27)], 6, replace=False)]
        rich = dict(enumerate(rng.uniform(0.2, 4.0, 36)))
        world = raided(*cells[:4], capitals=(14, 27), rich=rich, map__torus=torus)
        hold(world, 1, *cells[4:])
        pause(world, split(world, consumption=1))
        think(world)
        fertility, owner = world.state.fertility[0], world.state.owner[0]
        found, made_for = spread(world), dict.fromkeys(np.flatnonzero(owner == 0).tolist(), 0)
        for gate in rim(6, 6, torus):
            pull = {c: float(fertility[c]) / (1 + steps(world, gate, c)) for c in np.flatnonzero(owner >= 0).tolist()}
            target = max(pull, key=lambda c: pull[c])
            if owner[target] == 0:
                made_for[target] += 1
        total = float(world._work[0].scalars[Belief.RAID]) * len(made_for)
        assert sum(found.values()) == pytest.approx(total)
        shares = {c: count / sum(made_for.values()) for c, count in made_for.items()}
        assert found == pytest.approx({c: total * share for c, share in shares.items()})
        unlike += max(found.values()) > min(found.values())
    assert unlike > 8


def test_where_bands_all_go_elsewhere_every_cell_is_as_likely() -> None:
    rich = dict.fromkeys(range(36), 0.01) | {27: 500.0}
    world = raided(15, 20, capitals=(14, 27), rich=rich)
    raids = float(world._work[0].scalars[Belief.RAID])
    assert raids > 0.0
    assert spread(world) == pytest.approx(dict.fromkeys((14, 15, 20), raids))


def test_the_spread_in_busy_games_sums_to_what_was_witnessed() -> None:
    world = World(with_levels(scenario(BUSY), 3, 4, 6), 4, seed=2)
    rng, met = np.random.default_rng(1), 0
    for _ in range(14):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    for b in range(4):
        for i in range(3):
            think(world, b, i, 3)
            found = spread(world)
            raids = float(world._work[0].scalars[Belief.RAID])
            assert sum(found.values()) == pytest.approx(raids * len(found))
            assert min(found.values()) >= 0.0
            met += len(found) > 1
    assert met > 4


def walls_weighed(world: World) -> list[int]:
    """Cells whose walls are candidates."""
    state, _, config = world.pointers
    work = world._work[0]
    found = propose(state, config, world._key, world._plan_work[0], 0, 0, Phase.WALL)
    return sorted(work.base_counts[Count.CELL, work.choice_column[:found]].tolist())


def test_a_wall_is_a_candidate_only_where_something_threatens() -> None:
    """15 is so rich that every band makes for it; a wall on 14 or 20 would guard nothing."""
    world = raided(15, 20, rich={15: 50.0})
    think(world, horizon=4)
    assert {c for c, raids in spread(world).items() if raids > 0.0} == {15}
    assert walls_weighed(world) == [15]


def test_a_band_in_view_threatens_the_cell_it_makes_for() -> None:
    """No raid was ever witnessed and none is expected: but one is seen, a step from 14."""
    world = raided(15, 20, raid=0.0)
    think(world, horizon=4)
    assert walls_weighed(world) == []
    state = world.state
    state.band_seen[0, 0, 0], state.band_turn[0, 0, 0] = 8, state.turn[0]
    state.band_strength[0, 0], state.band_cell[0, 0] = 3.0, 8
    think(world, horizon=4)
    work = world._work[0]
    assert set(spread(world).values()) == {0.0}
    assert work.base_counts[Count.CELL, work.raid_column[: work.sizes[Base.RAIDS]]].tolist() == [14]
    assert walls_weighed(world) == [14]


@pytest.mark.parametrize(
    ("strength", "wall", "courses"),
    [(0.5, 0.0, 9), (0.9, 0.0, 1), (2.5, 0.0, 3), (2.5, 1.5, 2), (2.5, 1.7, 1), (2.4, 0.0, 3), (99.0, 0.0, 9)],
)
def test_a_wall_is_planned_until_it_holds_against_the_bands_in_view(strength: float, wall: float, courses: int) -> None:
    """Courses of .9 until the defence is the strength; where it holds already, or never will, as long as can be."""
    world = raided(15, 20, raid=0.0, walls={"rate": 0.9})
    config = world.pointers.config
    world.state.wall[0, 14] = wall + (1.0 if strength == 0.5 else 0.0)
    world.state.known_wall[0, 0, 14] = world.state.wall[0, 14]
    world.state.band_seen[0, 0, 0], world.state.band_turn[0, 0, 0] = 8, world.state.turn[0]
    world.state.band_strength[0, 0], world.state.band_cell[0, 0] = strength, 8
    think(world, horizon=4)
    work = world._work[0]
    column = int(np.flatnonzero(work.base_counts[Count.CELL, : work.sizes[Base.HELD]] == 14)[0])
    assert courses_against(config, world._plan_work[0], column, 9) == courses
    assert courses_against(config, world._plan_work[0], 1 - column if column < 2 else 0, 9) == 9, "nothing makes for it"


def test_a_rival_beside_a_cell_threatens_it_alone() -> None:
    world = still_world(
        capitals=(14, 17),
        claims__per_turn=0,
        thinking__prior={"attack": 0.1},
        seat_default=SEES_ALL,
    )
    hold(world, 0, 15, 13)
    pause(world, split(world, consumption=1))
    hold(world, 1, 16)
    pause(world, split(world, consumption=1))
    think(world, horizon=4)
    assert walls_weighed(world) == [15]


def test_without_threat_there_are_no_walls() -> None:
    world = still_world(claims__per_turn=0, seat_default={"levels": {"horizon": 4, "sight": 20, "attention": 6}})
    for _ in range(10):
        world.step(split(world, walls=1))
        assert not (world.orders.kind == OrderKind.WALL).any()


def test_what_raids_leave_is_counted_in_the_price_of_what_is_left() -> None:
    """The share is the mean over cells of (1 − raids · e^(−defence / strength))^turns idle."""
    world = raided(15, 20, rich={15: 4.0})
    believed_value(world, Plan.RULE, [], 3)
    kept = [(1.0 - raids) ** RAIDERS["disruption"] for raids in spread(world).values()]
    price = world._work[0].price[BaseRule.THUMB]
    assert price[Left.KEPT] == pytest.approx(np.mean(kept))
    safe = raided(15, 20, rich={15: 4.0}, raid=0.0)
    believed_value(safe, Plan.RULE, [], 3)
    assert safe._work[0].price[BaseRule.THUMB, Left.KEPT] == 1.0
    full = safe._work[0].price[BaseRule.THUMB, Left.LAND]
    assert price[Left.LAND] == pytest.approx(full * np.mean(kept))
    assert math.isfinite(full)
    assert full > 0.0
