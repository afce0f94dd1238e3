"""What bands from the rim make for: all of the rim at once, and one cell of it after the other."""

from __future__ import annotations

import numpy as np
import pytest
from planning import pause, think
from worlds import BUSY, random_shares, scenario, with_levels

from civsim.engine.formulas import _preferred
from civsim.engine.land.geometry import edge_cell, edge_length, steps_between
from civsim.engine.land.ways import Way, _find_ways_to
from civsim.engine.planner.gates import choose_from_gate, choose_from_rim, choose_over
from civsim.engine.planner.ways import roll_entries
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.ways import _lure_over
from civsim.engine.work import Base, Realm
from civsim.engine.world import World


def chosen(world: World, b: int) -> tuple[list[list[float]], list[list[float]]]:
    """(at once, one by one) what bands make for from each cell of the rim, what the next pulls, and which that is."""
    work, handle, config = world._work[0], world._plan_work[0], world.pointers.config
    key, name, rim = world._key, world.state.world_id[b], edge_length(config)
    found = []
    for at_once in (True, False):
        work.gate[NOW], work.second[NOW], work.spare[NOW] = -7, -7, -7.0
        if at_once:
            choose_from_rim(config, key, handle, name, np.int64(NOW))
        else:
            for place in range(rim):
                choose_from_gate(config, key, handle, name, np.int64(NOW), place)
        found.append([row[NOW, :rim].tolist() for row in (work.gate, work.spare, work.second)])
    return found[0], found[1]


@pytest.mark.parametrize("torus", [False, True])
def test_the_rim_at_once_is_the_rim_cell_by_cell(torus: bool) -> None:
    world = World(with_levels(scenario({**BUSY, "map.torus": torus}), 3, 4, 6), 3, seed=4)
    rng, told = np.random.default_rng(3), set()
    for _ in range(12):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    for b, i in np.argwhere(world.state.alive).tolist():
        think(world, b, i, horizon=4)
        work = world._work[0]
        n = work.sizes[Base.OPEN]
        # As they are, with two alike, with all alike, and with none that is worth anything.
        for change in ("none", "two", "all", "nothing"):
            prize = work.prize[NOW]
            if change == "two" and n > 1:
                prize[work.open[1]] = prize[work.open[0]]
            elif change in ("all", "nothing"):
                prize[work.open[:n]] = float(change == "all")
            at_once, one_by_one = chosen(world, b)
            assert at_once == one_by_one, (b, i, change)
            told.update(at_once[0])
    assert len(told) > 4


@pytest.mark.parametrize("torus", [False, True])
def test_the_table_of_the_rim_is_the_nearness_of_its_cells(torus: bool) -> None:
    changes = {**BUSY, "map.torus": torus, "map.width": 5, "map.height": 4}
    world = World(scenario(changes), 1)
    config = world.pointers.config
    table = world.config.rim_nearness
    assert table.shape == (20, edge_length(config))
    for cell in range(20):
        for place in range(table.shape[1]):
            steps = steps_between(config, edge_cell(config, place), cell)
            assert table[cell, place] == world.config.raid_nearness[steps]


@pytest.mark.parametrize("raiders", [{"rate": 0.0}, {"rate": 0.2, "noise": 0.5}])
def test_no_table_is_made_where_none_is_asked(raiders: dict[str, float]) -> None:
    assert World(scenario({**BUSY, "raiders": raiders}), 1).config.rim_nearness.size == 0


def looked_over(world: World, b: int, row: int) -> list[tuple[int, int, float]]:
    """(target, turns to it, pull) of every cell of the rim, every target searched from to the end."""
    work, config = world._work[0], world.config
    n, enter, prize = int(work.sizes[Base.TARGETS]), work.ways[Way.BELIEVED + row], work.prize[row]
    gates = [edge_cell(config, place) for place in range(edge_length(config))]
    best = [(-1, 0, 0.0)] * len(gates)
    for k in sorted(range(n), key=lambda each: -prize[each]):
        c, ways = int(work.target[k]), work.ways.copy()
        _find_ways_to(config, ways, Way.BELIEVED + row, c, -1, -1)
        for place, at in enumerate(gates):
            way = 0 if at == c else int(ways[Way.WAY, at] - enter[at] + enter[c])
            pull, (before, _, most) = _lure_over(config, prize[k], way), best[place]
            cell = int(work.target[before]) if before >= 0 else -1
            if _preferred(pull, c, most, cell, world._key, world.state.world_id[b]):
                best[place] = (k, way, pull)
    return best


@pytest.mark.parametrize("torus", [False, True])
def test_what_bands_make_for_over_what_blocks_is_found_as_if_every_target_were_searched_from(torus: bool) -> None:
    """As believed now, and as one rollout after another walls: what was found for the one is of use to the next."""
    blocks = {"walls.block": 1.5, "map.block": 12.0, "map.torus": torus, "raiders.rate": 0.5}
    world = World(with_levels(scenario({**BUSY, **blocks}), 3, 20, 6), 3, seed=4)
    rng, moved, held_up = np.random.default_rng(3), 0, 0
    for _ in range(12):
        world.step(random_shares(world, rng))
    pause(world, random_shares(world, rng))
    work, handle, config = world._work[0], world._plan_work[0], world.pointers.config
    for b, i in np.argwhere(world.state.alive).tolist():
        think(world, b, i, horizon=4)
        name, held, told = world.state.world_id[b], int(work.sizes[Base.HELD]), {}
        for row, wall in ((NOW, 0.0), (ROLLED, 0.0), (ROLLED, 0.3), (ROLLED, 3.0), (ROLLED, 20.0), (NOW, 0.0)):
            work.realm[:, :held] = work.base[:, :held]
            chosen = rng.permutation(held)[: 1 + held // 3]
            work.realm[Realm.WALL, chosen] += np.float64(wall)
            work.prize[ROLLED] = work.prize[NOW]
            work.prize[ROLLED, chosen] /= 1.0 + wall
            roll_entries(config, handle)
            held_up += int(work.sizes[Base.DELAYED])
            choose_over(config, world._key, handle, name, np.int64(row))
            rim = edge_length(config)
            found = work.gate[row, :rim], work.ways[Way.GATE_NOW + row, :rim], work.spare[row, :rim]
            told_of = list(zip(*(each.tolist() for each in found), strict=True))
            assert told_of == looked_over(world, b, row), (b, i, wall)
            told[row] = found[0].tolist()
            moved += row == ROLLED and told[NOW] != told[ROLLED]
    assert moved > 3, moved
    assert held_up > 10, held_up
