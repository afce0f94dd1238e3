"""What is within sight is seen as it is; everything else stays as last seen."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import hold, no_orders, split, still_world

from civsim.base.constants import Category, Seen
from civsim.engine.land.geometry import _distance


def look(world, **weights: float) -> None:
    """Play a turn without orders."""
    world.step(split(world, **(weights or {"consumption": 1})), no_orders(world))


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("sight", [0, 1, 2, 3, 20])
def test_sight_is_steps_from_the_territory(sight: int, torus: bool) -> None:
    world = still_world(seat_default={"levels": {"sight": sight}}, map__torus=torus)
    hold(world, 0, 15, 2)
    look(world)
    own = (14, 15, 2)
    expected = [min(_distance(c, o, 6, 6, torus) for o in own) <= sight for c in range(36)]
    assert (world.state.seen[0, 0] >= 0).tolist() == expected


def test_the_unseen_is_remembered_as_last_seen() -> None:
    # Scouts are paid once and gone a turn later: one look from afar, then nothing but memory.
    world = still_world(
        capitals=(14, 17),
        fertility=100.0,
        thinking={"endowment": {"sight": 0}, "price": {"sight": 10.0}, "span": 0.0},
        economy__depreciation={"scouts": 1.0, "army": 0.0},
    )
    world.state.wall[0, 17] = 2.0
    world.state.stock[0, 1, Category.ARMY] = 5.0
    look(world, scouts=1)
    state = world.state
    assert state.known_owner[0, 0, 17] == 1
    assert state.known_wall[0, 0, 17] == 2.0
    assert state.force_seen[0, 0, 1] == 5.0
    assert state.seen[0, 0].tolist() == [0] * 36
    state.wall[0, 17], state.works[0, 17] = 9.0, 3.0
    state.stock[0, 1, Category.ARMY] = 50.0
    hold(world, 1, 16)
    look(world)
    look(world)
    assert state.known_wall[0, 0, 17] == 2.0
    assert state.known_works[0, 0, 17] == 0.0
    assert state.known_owner[0, 0, 16] == -1
    assert (state.force_seen[0, 0, 1], state.force_turn[0, 0, 1]) == (5.0, 0)
    assert state.seen[0, 0, 17] == 0
    assert state.seen[0, 0, 14] == 2
    look(world, scouts=1)
    assert state.known_wall[0, 0, 17] == 9.0
    assert state.known_works[0, 0, 17] == 3.0
    assert state.known_owner[0, 0, 16] == 1
    assert (state.force_seen[0, 0, 1], state.force_turn[0, 0, 1]) == (50.0, 3)


def test_sums_of_what_was_ever_seen_count_each_cell_once() -> None:
    world = still_world(rich={8: 5.0, 0: 100.0}, ore={15: 2.0}, ruggedness={13: 0.5}, hazard={20: 0.25})
    for _ in range(3):
        look(world)
    sums = world.state.seen_sum[0, 0]
    expected = {Seen.CELLS: 5, Seen.FERTILITY: 9, Seen.ORE: 2, Seen.RUGGEDNESS: 0.5, Seen.HAZARD: 0.25}
    assert {name: sums[name] for name in expected} == pytest.approx(expected)


def test_bands_are_spotted_in_sight_only() -> None:
    world = still_world(raiders__rate=1e-9, seat_default={"levels": {"sight": 2}})
    world.state.band_cell[0, :2] = 0, 34
    world.state.band_strength[0, :2] = 3.0
    look(world)
    # The first walked from 0 to 6 (three steps off: unseen); the second from 34 to 28 (two off).
    near = [_distance(c, 14, 6, 6, False) for c in world.state.band_cell[0, :2]]
    assert (world.state.band_seen[0, 0, :2] >= 0).tolist() == [n <= 2 for n in near]
    assert sorted(near)[0] <= 3


def test_sight_costs_no_civilization_its_own_land() -> None:
    world = still_world(seat_default={"levels": {"sight": 0}})
    hold(world, 0, 15)
    look(world)
    assert np.flatnonzero(world.state.seen[0, 0] >= 0).tolist() == [14, 15]
