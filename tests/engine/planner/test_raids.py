"""Raids as believed: as many as were witnessed, where bands would make for; and walls where something threatens."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, resume, think
from worlds import BUSY, hold, random_shares, scenario, split, still_world, with_levels

from civsim.base.constants import NEVER, OrderKind
from civsim.engine.land.geometry import edge_length
from civsim.engine.planner.plan import BaseRule, Phase, Plan
from civsim.engine.planner.propose import propose
from civsim.engine.planner.raids import count_falls, courses_against
from civsim.engine.planner.rollout import rollout
from civsim.engine.planner.waterbed import heed_wall
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import Base, Belief, Clock, Count, Fund, Left, PlanField, Realm
from civsim.engine.world import World

RAIDERS = {"rate": 0.2, "strength": 2.0, "damage": 0.5, "disruption": 3}
SEES_ALL = {"levels": {"horizon": 0, "sight": 20, "attention": 6}}


def raided(*cells: int, capitals: tuple[int, ...] = (14,), raid: float = 0.05, **changes: Any) -> World:
    """A realm of 14 and ``cells`` that expects raids, stopped where it deliberates, its beliefs formed."""
    world = still_world(
        capitals=capitals,
        claims__per_turn=0,
        raiders=changes.pop("raiders", RAIDERS),
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
    assert work.base_counts[Count.CELL, work.raid_column[0, : work.sizes[Base.RAIDS]]].tolist() == [14]
    assert walls_weighed(world) == [14]


@pytest.mark.parametrize(
    ("strength", "wall", "courses"),
    [(0.5, 0.0, 9), (0.9, 0.0, 1), (2.5, 0.0, 3), (2.5, 1.5, 2), (2.5, 1.7, 1), (2.4, 0.0, 3), (99.0, 0.0, 9)],
)
def test_a_wall_is_planned_until_it_holds_against_the_bands_in_view(strength: float, wall: float, courses: int) -> None:
    """Courses of .9 until the defence is the strength; where it holds already, or never will, as long as can be."""
    world = raided(15, 20, raid=0.0, rich={14: 50.0}, walls={"rate": 0.9})
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
    work = world._work[0]
    held = slice(work.sizes[Base.HELD])
    assert work.base_counts[Count.CELL, held][work.base[Realm.EXPOSURE, held] > 0.0].tolist() == [15]


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


def made_for(world: World, noise: float = 0.0, way: float = 1.0, strength: float = 2.0) -> dict[int, float]:
    """Share of bands from the rim that choose each held cell, by hand: loot times chance over the way."""
    state = world.state
    found = dict.fromkeys(np.flatnonzero(state.owner[0] >= 0).tolist(), 0.0)
    gates = rim(6, 6, world.scenario.map.torus)
    for gate in gates:
        logs = {
            c: math.log(float(state.fertility[0, c]) * (1 + float(state.works[0, c])))
            - float(state.wall[0, c]) / strength
            - way * math.log(1 + steps(world, gate, c))
            for c in found
        }
        best = max(logs.values())
        weight = {c: math.exp((x - best) / noise) if noise else float(x == best) for c, x in logs.items()}
        for c, share in weight.items():
            found[c] += share / sum(weight.values()) / len(gates)
    return found


@pytest.mark.parametrize(("way", "noise"), [(1.0, 0.0), (0.0, 0.0), (2.5, 0.0), (1.0, 0.4), (0.0, 2.0)])
def test_the_spread_heeds_walls_the_way_and_the_taste_of_bands(way: float, noise: float) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        raiders = {**RAIDERS, "way": way, "noise": noise}
        world = still_world(
            capitals=(14, 27),
            rich=dict(enumerate(rng.uniform(0.2, 4.0, 36))),
            claims__per_turn=0,
            raiders=raiders,
            thinking__prior={"raid": 0.05, "attack": 0.0, "weight": 50.0},
            seat_default=SEES_ALL,
        )
        hold(world, 0, *(8, 15, 20))
        hold(world, 1, *(22, 28))
        world.state.wall[0] = rng.uniform(0.0, 4.0, 36)
        pause(world, split(world, consumption=1))
        think(world)
        shares = made_for(world, noise, way)
        own = {c: share for c, share in shares.items() if world.state.owner[0, c] == 0}
        total = float(world._work[0].scalars[Belief.RAID]) * len(own)
        if sum(own.values()) > 0.0:
            assert spread(world) == pytest.approx({c: total * s / sum(own.values()) for c, s in own.items()})


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_a_wall_sends_the_bands_yet_to_come_to_the_next_cell(noise: float) -> None:
    """The waterbed: what a wall turns away from a cell falls on the others, by the walls that then stand."""
    moved = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        world = raided(15, 20, 8, rich=dict(enumerate(rng.uniform(1.0, 2.0, 36))), raiders={**RAIDERS, "noise": noise})
        state, _, config = world.pointers
        before, work = spread(world), world._work[0]
        for _ in range(3):
            most = max(spread(world), key=lambda c: spread(world)[c])
            k = work.base_counts[Count.CELL, : work.sizes[Base.HELD]].tolist().index(most)
            world.state.wall[0, most] += 1.0
            work.base[Realm.WALL, k], work.base_counts[Count.RAISED, k] = world.state.wall[0, most], 1
            heed_wall(state, config, world._key, world._plan_work[0], 0, 0, most)
        after, total = spread(world), sum(before.values())
        assert after == pytest.approx({c: total * share for c, share in made_for(world, noise).items()})
        moved += after != pytest.approx(before)
    assert moved > 4


def test_what_was_weighed_stands_where_neither_a_prize_nor_the_greatest_pull_has_changed() -> None:
    """The chances that bands with a taste choose each cell are, to the last bit, those of weighing all anew."""
    stood, left = 0, 30
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rich = dict(enumerate(rng.uniform(1.0, 2.0, 36)))
        world = raided(15, 20, 8, rich=rich, raiders={**RAIDERS, "noise": 0.7})
        _, _, config = world.pointers
        work, handle = world._work[0], world._plan_work[0]
        held = int(work.sizes[Base.HELD])
        for row, changed in ((ROLLED, 0), (ROLLED, 1), (ROLLED, held), (NOW, 1), (ROLLED, 1), (NOW, held)):
            work.prize[ROLLED] = work.prize[NOW]
            work.prize[row, rng.permutation(held)[:changed]] *= 0.6
            stood += (work.weighed_at[: edge_length(config)] == work.clock[Clock.SURVEY]).all()
            count_falls(config, handle, np.int64(row), left)
            told, kept = work.score[:held].tolist(), [each.copy() for each in (work.weighed, work.weighed_at)]
            work.weighed_at[:] = -1
            count_falls(config, handle, np.int64(row), left)
            assert work.score[:held].tolist() == told
            work.weighed[:], work.weighed_at[:] = kept
    assert stood == 36


def test_a_rollout_lets_bands_heed_its_walls_and_leaves_what_is_believed_now() -> None:
    world = raided(15, 20, rich={15: 2.0, 14: 1.8, 20: 1.6})
    think(world, horizon=4)
    work = world._work[0]
    world._work[0].funds[Fund.WALLS] = 1.0
    before, gates = spread(world), work.gate.copy()
    believed_value(world, Plan.RULE, [], 4)
    assert spread(world) == before
    assert (work.gate[0] == gates[0]).all()
    held = work.sizes[Base.HELD]
    rolled = dict(zip(work.counts[Count.CELL, :held].tolist(), work.realm[Realm.RAIDED, :held].tolist(), strict=True))
    assert rolled != pytest.approx(before)
    assert sum(rolled.values()) == pytest.approx(sum(before.values()))


def gathering(turn: int, came: int, gather: int, at: int = 0) -> World:
    """A realm of 14 and 21 that sees a band at ``at``."""
    world = still_world(
        capitals=(14,),
        rich={14: 2.0, 21: 2.1},
        claims__per_turn=0,
        raiders={"rate": 1e-9, "strength": 2.0, "way": 0.0, "gather": gather},
        thinking__prior={"raid": 0.0, "attack": 0.0, "weight": 50.0},
        seat_default=SEES_ALL,
    )
    hold(world, 0, 21)
    state = world.state
    state.turn[:] = turn
    state.band_cell[0, 0], state.band_strength[0, 0], state.band_came[0, 0] = at, 3.0, came
    return world


def expected_bands(world: World) -> list[tuple[int, int]]:
    """(cell, turns from now) of every band that is expected at an own cell."""
    think(world, horizon=6)
    work = world._work[0]
    n = work.sizes[Base.RAIDS]
    return list(
        zip(work.base_counts[Count.CELL, work.raid_column[0, :n]].tolist(), work.raid_due[0, :n].tolist(), strict=True)
    )


def believing(world: World) -> None:
    """Play a turn in which beliefs are formed."""
    pause(world, split(world, consumption=1))
    think(world, horizon=6)
    resume(world)


@pytest.mark.parametrize(("turn", "left"), [(1, 3), (2, 2), (4, 0)])
def test_a_gathering_band_is_expected_when_it_will_have_gathered_and_marched(turn: int, left: int) -> None:
    """It came in turn 0 and gathers for 4: its first step is in turn 5, and 21 is 6 steps away."""
    world = gathering(turn, 0, 4)
    pause(world, split(world, consumption=1))
    assert expected_bands(world) == [(21, left + 6)]
    # What is believed is what happens: it fights when it was expected to.
    resume(world)
    for _ in range(left + 5):
        world.step(split(world, consumption=1))
        assert world.state.band_cell[0, 0] >= 0
    world.step(split(world, consumption=1))
    assert world.state.band_cell[0, 0] == -1


def test_a_band_that_has_set_out_is_not_believed_to_be_turned_by_walls() -> None:
    world = gathering(1, 0, 1)
    for _ in range(3):
        believing(world)
    assert world.state.band_target[0, 0] == 21
    assert world.state.band_aim[0, 0, 0] == 21
    world.state.wall[0, 21] = 9.0
    pause(world, split(world, consumption=1))
    assert [cell for cell, _ in expected_bands(world)] == [21]
    # Had it not set out, it would make for the other.
    late = gathering(1, 0, 6)
    late.state.wall[0, 21] = 9.0
    pause(late, split(late, consumption=1))
    assert [cell for cell, _ in expected_bands(late)] == [14]


def test_a_step_that_belies_the_aim_has_it_made_anew() -> None:
    world = gathering(3, 0, 0, at=7)
    believing(world)
    state = world.state
    assert state.band_aim[0, 0, 0] == state.band_target[0, 0] == 21
    state.band_target[0, 0] = 14
    state.wall[0, 21] = 3.0
    state.band_cell[0, 0] = 2
    believing(world)
    assert state.band_aim[0, 0, 0] == 14


@pytest.mark.parametrize("way", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("tracked", [False, True])
def test_a_band_on_its_way_is_believed_to_make_for_what_it_chose(way: float, tracked: bool) -> None:
    """It chose where it set out, which need not be known: any cell, any way gone, seen first on it or all along."""
    unlike = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        cells = rng.choice(np.delete(np.arange(100), 44), 9, replace=False)
        world = still_world(
            map__width=10,
            map__height=10,
            map__torus=bool(seed % 2),
            capitals=(44, int(cells[0])),
            rich=dict(enumerate(rng.uniform(1.0, 4.0, 100))),
            claims__per_turn=0,
            raiders={"rate": 1e-9, "strength": 2.0, "way": way},
            thinking__prior={"raid": 0.0, "attack": 0.0, "weight": 50.0},
            seat_default=SEES_ALL,
        )
        hold(world, 0, *map(int, cells[1:5]))
        hold(world, 1, *map(int, cells[5:]))
        state = world.state
        state.band_cell[0, 0], state.band_strength[0, 0], state.band_came[0, 0] = rng.integers(100), 3.0, 0
        state.turn[:] = 1
        for _ in range(int(rng.integers(0, 6))):
            world.step(split(world, consumption=1))
            if state.band_cell[0, 0] < 0:
                break
        if not tracked:
            state.band_turn[:] = NEVER
        pause(world, split(world, consumption=1))
        if state.band_cell[0, 0] < 0:
            continue
        aim, at = int(state.band_target[0, 0]), int(state.band_cell[0, 0])
        think(world)
        assert state.band_aim[0, 0, 0] == aim
        held = np.flatnonzero(state.owner[0] >= 0).tolist()
        from_here = max(held, key=lambda c: float(state.fertility[0, c]) / (1 + steps(world, at, c)) ** way)
        unlike += from_here != aim
    assert way == 0.0 or unlike > 0


def test_a_band_that_leads_elsewhere_is_believed_to_make_for_what_its_track_allows() -> None:
    """Of 21 and 14 the richer is 21; but a band that goes from 19 to 13 comes no nearer to 21."""
    world = gathering(3, 0, 0, at=18)
    state = world.state
    believing(world)
    assert (state.band_cell[0, 0], state.band_aim[0, 0, 0]) == (19, 21)
    state.band_target[0, 0] = 14
    believing(world)
    assert (state.band_cell[0, 0], state.band_aim[0, 0, 0]) == (13, 14)
    assert state.band_from[0, 0, 0] == 19


def test_a_rolled_band_chooses_by_the_walls_that_stand_when_it_sets_out() -> None:
    """A course of wall on 21 before the band sets out sends it to 14; one that has set out comes all the same."""
    for gather, cell in ((4, 14), (0, 21)):
        world = gathering(2, 0, gather)
        pause(world, split(world, consumption=1))
        think(world, horizon=12)
        work = world._work[0]
        work.funds[Fund.WALLS] = 1.0
        k = work.base_counts[Count.CELL, : work.sizes[Base.HELD]].tolist().index(21)
        work.plan[:] = 0
        work.plan[PlanField.KIND], work.plan[PlanField.PHASE] = Plan.WALL, Phase.WALL
        work.plan[PlanField.COLUMN], work.plan[PlanField.COURSES] = k, 1
        state, _, config = world.pointers
        work.sizes[Base.WALLS_MATTER] = 1
        rollout(state, config, world._key, world._plan_work[0], 0, 0, 12)
        assert work.counts[Count.CELL, work.raid_column[1, 0]] == cell
        assert work.base_counts[Count.CELL, work.raid_column[0, 0]] == 21
