"""Each seat of thought sees from its own province, and what a realm counts of what it sees is counted once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from realms import as_the_crow_flies, offices, realm
from worlds import no_orders, split

from civsim.base.constants import FAR, NEVER, Channel, Witness
from civsim.engine.offices.rows import row_of
from civsim.engine.world import World

ROW = range(12, 18)


def rows(world: World) -> list[int]:
    """The rows of knowledge of the first civilization's seats."""
    return [row_of(world.config, 0, office) for office in range(int(world.state.office_count[0, 0]))]


def look(world: World, turns: int = 1) -> None:
    """Play turns without orders."""
    for _ in range(turns):
        world.step(split(world, consumption=1), no_orders(world))


@pytest.mark.parametrize("torus", [False, True])
@pytest.mark.parametrize("sight", [0, 1, 2, 4])
def test_sight_is_steps_from_the_province(sight: int, torus: bool) -> None:
    world = realm(
        ROW, 2, seats={"messenger": 0.2}, map__torus=torus, rich={17: 1.01}, seat_default={"levels": {"sight": sight}}
    )
    look(world, 2)
    s = world.state
    for office, row in enumerate(rows(world)):
        own = np.flatnonzero((s.owner[0] == 0) & (s.province[0] == office)).tolist()
        steps = np.array([min(as_the_crow_flies(world, c, o) for o in own) for c in range(36)])
        # The first look around was the capital's alone, and all seats were told of it in council.
        assert ((s.seen[0, row] == 1) == (steps <= sight)).all()
        assert (s.near[0, row] == np.where(steps <= max(sight, 1), steps, FAR)).all()
        assert (s.near_fresh[0, row], s.near_depth[0, row]) == (1, max(sight, 1))


def test_seats_of_unlike_levels_see_unlike_far() -> None:
    world = realm(ROW, 2, seats={"messenger": 0.2, "weights": [1.0, 9.0]}, rich={17: 1.01}, fertility=40.0)
    for _ in range(3):
        world.step(split(world, scouts=1), no_orders(world))
    s = world.state
    sight = [int(s.level[0, row, Channel.SIGHT]) for row in rows(world)]
    assert sight[0] < sight[1]
    for office, row in enumerate(rows(world)):
        own = np.flatnonzero((s.owner[0] == 0) & (s.province[0] == office)).tolist()
        fresh = {c for c in range(36) if min(as_the_crow_flies(world, c, o) for o in own) <= sight[office]}
        assert set(np.flatnonzero(s.seen[0, row] == 2).tolist()) == fresh


@pytest.mark.parametrize("messenger", [0.5, math.inf])
def test_exposure_is_counted_once_where_provinces_overlap(messenger: float) -> None:
    """A rival in the middle of the next row: one own cell is beside it, and three free ones that both see."""
    world = realm(
        [*range(12, 18)],
        2,
        1,
        (14, 21),
        seats={"messenger": messenger},
        rich={17: 1.01},
        seat_default={"levels": {"sight": 2}},
    )
    s = world.state
    for turn in range(4):
        before = s.witness[0, 0].copy()
        look(world)
        gained = s.witness[0, 0] - before
        assert gained[Witness.CELL_TURNS] == 6
        assert gained[Witness.EXPOSED_TURNS] == 1, turn
        assert gained[Witness.RIVAL_EXPOSURE] == 3, turn


def test_a_rivals_gain_is_counted_once() -> None:
    world = realm(ROW, 3, 1, (14, 33), seats={"messenger": 0.5}, seat_default={"levels": {"sight": 3}})
    s = world.state
    look(world, 2)
    before = s.witness[0, 0, Witness.RIVAL_GAINS]
    s.party_cell[0, 1, 0], s.party_due[0, 1, 0] = 27, s.turn[0]
    look(world)
    assert s.owner[0, 27] == 1
    assert s.witness[0, 0, Witness.RIVAL_GAINS] == before + 1


def test_a_rival_is_met_by_the_seat_that_sees_it_and_later_by_the_other() -> None:
    world = realm(ROW, 2, 1, (14, 35), seats={"messenger": 1.0}, rich={17: 1.01}, seat_default={"levels": {"sight": 3}})
    s = world.state
    assert world.state.force_turn[0, 0, 1] == NEVER
    look(world, 1)
    capital, far = rows(world)
    assert offices(world) == [14, 17]
    assert (s.force_turn[0, capital, 1], s.force_turn[0, far, 1]) == (NEVER, 0)
    look(world, 2)
    assert s.force_turn[0, capital, 1] == NEVER
    look(world, 1)
    assert (s.force_turn[0, capital, 1], s.force_turn[0, far, 1]) == (0, 3)
    assert s.known_capital[0, capital, 1] == 35


def test_bands_are_followed_from_where_each_seat_saw_them_first() -> None:
    world = realm(
        ROW,
        2,
        seats={"messenger": 1.5},
        rich={17: 9.0},
        raiders__rate=1e-9,
        raiders__gather=30,
        seat_default={"levels": {"sight": 1}},
    )
    s = world.state
    look(world)
    capital, far = rows(world)
    s.band_cell[0, 0], s.band_came[0, 0], s.band_strength[0, 0] = 23, 0, 1.0
    look(world)
    assert (s.band_turn[0, capital, 0], s.band_turn[0, far, 0]) == (NEVER, 1)
    s.band_cell[0, 0] = 22
    look(world, 2)
    # Three steps at 1.5 cells a turn: what is heard in turn 3 is of turn 1, and there the track begins.
    assert [s.band_turn[0, row, 0] for row in (capital, far)] == [1, 3]
    assert [s.band_seen[0, row, 0] for row in (capital, far)] == [23, 22]
    assert [s.band_from[0, row, 0] for row in (capital, far)] == [23, 23]
    assert [s.band_since[0, row, 0] for row in (capital, far)] == [0, 0]
