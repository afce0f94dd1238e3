"""Who thinks: everyone has a row of the state, and stands where the state says so."""

from __future__ import annotations

import numpy as np
from face_games import SEVERAL
from worlds import scenario

from civsim.base.constants import NOBODY, Category
from civsim.engine.compiled import compile_config
from civsim.engine.offices.rows import row_of
from civsim.engine.world import World
from civsim.faces.thinkers import (
    Thinker,
    at_hand,
    has_provinces,
    offices,
    provinces,
    row_of_thinker,
    stands,
    thinkers,
)

MIXED = scenario({"game.civilizations": 3, "seats": [{}, {"thought": {"count": 4}}, {"thought": {"count": 2}}]})


def grown() -> World:
    """A world in which every realm has several provinces."""
    world = World(SEVERAL, 1, seed=2)
    while not world.done[0]:
        world.step(np.broadcast_to(np.eye(8)[Category.SETTLEMENT], (1, 3, 8)))
    return world


def test_capitals_come_first_and_each_has_the_engines_row() -> None:
    assert thinkers(MIXED) == tuple(map(Thinker, (0, 1, 2, 1, 1, 1, 2), (0, 0, 0, 1, 2, 3, 1)))
    config = compile_config(MIXED)
    assert [row_of_thinker(MIXED, one) for one in thinkers(MIXED)] == [row_of(config, *one) for one in thinkers(MIXED)]


def test_where_one_seat_is_all_there_can_be_the_seats_are_who_thinks() -> None:
    alone = scenario({"game.civilizations": 2})
    assert thinkers(alone) == (Thinker(0), Thinker(1))
    world = World(alone, 1, seed=0)
    assert not has_provinces(world.state, 0, 0)
    assert (provinces(world.state, 0, None) == NOBODY).all()
    assert offices(world.state, 0, None) == []
    assert np.array_equal(at_hand(world.state, 0, Thinker(1)), world.state.owner[0] == 1)


def test_seats_of_thought_stand_once_a_realm_has_cells_for_them() -> None:
    world = World(SEVERAL, 1, seed=2)
    assert [stands(world.state, 0, one) for one in thinkers(SEVERAL)] == [True] * 3 + [False] * 6
    world = grown()
    assert all(stands(world.state, 0, one) for one in thinkers(SEVERAL))
    world.state.office_cell[0, 1, 2] = NOBODY
    assert not stands(world.state, 0, Thinker(1, 2))
    world.state.alive[0, 0] = 0
    assert not stands(world.state, 0, Thinker(0))
    assert not stands(world.state, 0, Thinker(0, 1))


def test_a_civilization_is_told_its_own_provinces_and_each_seat_has_its_own_at_hand() -> None:
    state = grown().state
    owner, every = state.owner[0], provinces(state, 0, None)
    assert np.array_equal(every >= 0, owner >= 0)
    for seat in range(3):
        own = owner == seat
        assert np.array_equal(provinces(state, 0, seat), np.where(own, every, NOBODY))
        parts = [at_hand(state, 0, Thinker(seat, office)) for office in range(3)]
        assert np.array_equal(np.sum(parts, axis=0), own)
        assert [int(part.sum()) for part in parts] == state.office_cells[0, seat].tolist()
        assert offices(state, 0, seat) == state.office_cell[0, seat, 1:].tolist()
    assert len(offices(state, 0, None)) == 6
