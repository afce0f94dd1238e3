"""Ways as believed: who sees all believes what is; a wall keeps bands from all behind it; sieges take turns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planning import believed_value, pause, think
from worlds import BUSY, given_orders, hold, no_orders, random_shares, scenario, split, still_world, whole, with_levels

from civsim.base.constants import Category, OrderKind
from civsim.engine.land.ways import Way
from civsim.engine.planner.plan import Phase, Plan
from civsim.engine.planner.propose import propose
from civsim.engine.planner.ways import own_projection, rival_projection
from civsim.engine.ways import force_at, forget_ways
from civsim.engine.work import Base, Count, Realm
from civsim.engine.world import World

BLOCKED = {"walls.block": 1.5, "map.block": 2.0, "raiders.rate": 0.5, "army.siege": 0.4, "army.price": 0.3}
RAIDERS = {"rate": 0.2, "strength": 2.0, "disruption": 3}
SEES_ALL = {"levels": {"horizon": 8, "sight": 20, "attention": 6}}


def test_who_sees_all_believes_armies_as_they_project() -> None:
    """Own and rivals' force at every cell, over walls and land as they are: the rule's ways and the planner's."""
    game = scenario(
        {**BUSY, **BLOCKED, "thinking.noise": 0.0}, thinking__salience=["rivals", "raiders", "ore", "hazard"]
    )
    world = World(with_levels(game, 2, 20, 6), 3, seed=4)
    rng, met = np.random.default_rng(1), 0
    for _ in range(10):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    state, _, cfg = world.pointers
    work = world._plan_work[0]
    for b in range(3):
        for i in np.flatnonzero(world.state.alive[b]):
            others = [int(j) for j in np.flatnonzero(world.state.alive[b]) if j != i]
            think(world, b, int(i))
            believed = {int(i): [own_projection(state, cfg, work, b, int(i), c) for c in range(world.n_cells)]}
            for j in others:
                believed[j] = [rival_projection(state, cfg, work, b, int(i), j, c) for c in range(world.n_cells)]
            forget_ways(cfg, work)
            for j, shares in believed.items():
                army = float(world.state.stock[b, j, Category.ARMY])
                told = [force_at(state, cfg, work, b, j, c) for c in range(world.n_cells)]
                assert army * np.array(shares) == pytest.approx(told)
                met += army > 0.0
            forget_ways(cfg, work)
    assert met > 6


def corridor(wall: float = 0.0, **changes: Any) -> World:
    """A realm behind a ridge of a 7×7 map with one pass, 24: the capital, 17, between rich cells, 16 the richer."""
    ridge = dict.fromkeys((8, 9, 10, 11, 12, 15, 19, 22, 23, 25, 26), 1.0)
    world = still_world(
        capitals=(17,),
        rich={16: 4.0, 18: 3.0},
        map__width=7,
        map__height=7,
        fertility=0.1,
        ruggedness=ridge,
        map__block=500.0,
        walls__block=5.0,
        game__turns=40,
        claims__per_turn=0,
        raiders=RAIDERS,
        thinking__prior={"raid": 0.05, "attack": 0.0, "weight": 50.0},
        seat_default=SEES_ALL,
        **changes,
    )
    hold(world, 0, 16, 18, 24)
    world.state.wall[0, 24] = wall
    pause(world, split(world, consumption=1))
    world.state.band_cell[:] = world.state.band_seen[:] = -1
    think(world, horizon=8)
    return world


def raids(world: World) -> dict[int, float]:
    """Raids a turn believed of every cell held."""
    work = world._work[0]
    held = work.sizes[Base.HELD]
    return dict(zip(work.base_counts[Count.CELL, :held].tolist(), work.base[Realm.RAIDED, :held].tolist(), strict=True))


def test_a_wall_at_the_pass_makes_bands_late_for_what_lies_behind() -> None:
    """Of the turns left a way of w lets the bands of all but w arrive; one longer than the game lets none."""
    open_, low, high = raids(corridor()), raids(corridor(2.0)), raids(corridor(9.0))
    assert sum(open_.values()) > sum(low.values()) > 0.0
    assert sum(high.values()) == 0.0
    left = 39
    # From the rim the pass's way is so many turns on; two units of wall make it ten longer.
    world, rim = corridor(), [c for c in range(49) if c // 7 in (0, 6) or c % 7 in (0, 6)]
    ways = [steps_to(world, gate) for gate in rim]
    assert sum(open_.values()) / sum(low.values()) == pytest.approx(
        sum(1 - way / left for way in ways) / sum(1 - (way + 10) / left for way in ways)
    )


def steps_to(world: World, gate: int) -> int:
    """Turns from a cell of the rim to the pass, then to the rich cell behind it, on open land outside the ridge."""
    ridge = {c for c in range(49) if world.state.ruggedness[0, c] > 0}
    turns, edge = {gate: 0}, [gate]
    for cell in edge:
        for other in world.config.neighbours[cell]:
            if other >= 0 and other not in turns and other not in ridge:
                turns[int(other)] = turns[cell] + 1
                edge.append(int(other))
    return turns[16]


def test_the_pass_is_weighed_though_nothing_is_to_be_had_there() -> None:
    world = corridor()
    state, _, cfg = world.pointers
    work = world._work[0]
    found = propose(state, cfg, world._key, world._plan_work[0], 0, 0, Phase.WALL)
    assert 24 in work.base_counts[Count.CELL, work.choice_column[:found]].tolist()
    assert raids(world)[24] == 0.0
    assert work.ways[Way.CROSSED, 24] == 24  # from every cell of the rim


def test_a_planner_walls_the_pass() -> None:
    world = corridor(raiders__strength=50.0, walls__per_turn=1, walls__rate=3.0)
    world.state.stock[0, 0, Category.WALLS] = 9.0
    for _ in range(6):
        world.step(split(world, consumption=1))
    assert world.state.wall[0].argmax() == 24


@pytest.mark.parametrize("wall", [0.0, 1.0, 3.0, 9.0])
def test_a_siege_is_believed_to_take_its_turns(wall: float) -> None:
    """A sure win of a cell: its output comes as many turns later as the siege takes."""
    army = {"projection": math.inf, "lag": 0, "siege": 0.5, "loss_winner": 0.0, "disruption": 2, "minimum": 0.1}
    world = still_world(
        capitals=(14, 27),
        rich={15: 2.0},
        game__turns=14,
        game__objective="output",
        claims__per_turn=0,
        army=army,
        economy__depreciation={"army": 0.0},
        thinking={"prior": {"attack": 0.0}},
        seat_default={"levels": {"horizon": 0, "sight": 20, "attention": 6}},
    )
    hold(world, 1, 15)
    world.state.wall[0, 15] = wall
    pause(world, split(world, consumption=1))
    world.state.stock[0, 0, Category.ARMY] = 2.0
    think(world, horizon=13)
    siege = max(math.ceil(wall), 1) - 1
    output = [1.0] * (2 + siege) + [3.0] * 13
    value = believed_value(world, Plan.ATTACK, [15], 13)
    assert value == pytest.approx(sum(0.98 ** (s + 1) * out for s, out in enumerate(output[:13])), rel=1e-6)


def test_a_batch_and_its_threads_change_no_game_that_blocks() -> None:
    game = with_levels(scenario({**BUSY, **BLOCKED}), 3, 4, 6)
    together, split_up = World(game, 5, seed=9), World(game, 5, seed=9, threads=3)
    alone = World(game, world_ids=[3], seed=9)
    rng = np.random.default_rng(2)
    for _ in range(12):
        shares = random_shares(together, rng)
        together.step(shares)
        split_up.step(shares)
        alone.step(shares[3:4])
    assert whole(together) == whole(split_up)
    for name, values in alone.state._asdict().items():
        assert values[0].tobytes() == getattr(together.state, name)[3].tobytes(), name
    assert (together.state.band_left > 0).any()


def test_what_blocks_by_nothing_changes_nothing_but_where_ways_tie() -> None:
    """On even land without walls every way is its steps: bands choose the same cells and come in the same turn."""
    fields = {}
    for block in (0.0, 2.0):
        world = still_world(
            capitals=(14,), rich={21: 9.0}, walls__block=block, raiders={"rate": 0.5, "strength": 2.0, "damage": 0.0}
        )
        hold(world, 0, 21)
        for _ in range(15):
            world.step(split(world, consumption=1), no_orders(world))
        fields[block] = world.state.losses.tobytes(), world.state.utility.tobytes(), world.state.band_target.tobytes()
    assert fields[0.0] == fields[2.0]


def test_a_battle_is_projected_over_others_walls_and_not_over_own() -> None:
    """Two steps away over a cell walled by 3 at a turn a unit: e^(−(2 + 3)/λ) where another holds it, e^(−2/λ) own."""
    lost = {}
    for holder in (0, 1):
        world = still_world(
            capitals=(14, 27),
            army={"projection": 4.0, "loss_winner": 0.5, "minimum": 0.01, "lag": 0},
            economy__depreciation={"army": 0.0},
            walls__block=1.0,
            ruggedness=dict.fromkeys((10, 22, 8, 20), 1.0),
            map__block=50.0,
        )
        hold(world, holder, 15)
        hold(world, 0, 17)
        hold(world, 1, 16)
        world.state.wall[0, 15] = 3.0
        world.state.stock[0, 0, Category.ARMY] = 8.0
        world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, 16)))
        assert world.state.owner[0, 16] == 0
        lost[holder] = 8.0 - float(world.state.stock[0, 0, Category.ARMY])
    assert lost[0] == pytest.approx(4.0 * math.exp(-2 / 4))
    assert lost[1] == pytest.approx(4.0 * math.exp(-5 / 4))
