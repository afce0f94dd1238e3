"""The picture shows what is there, or what one seat believes, and touches nothing."""

from __future__ import annotations

import numpy as np

from civsim.base.scenario import Scenario
from civsim.engine.state import State, allocate
from civsim.engine.world import World
from civsim.faces.drawing import BAND, FOG, PALETTE, SITE, WALL, draw_world

WIDE = Scenario.model_validate({"map": {"width": 5, "height": 3}, "game": {"civilizations": 2}})


def board() -> State:
    state = allocate(WIDE, 1)
    state.turn[:] = 4
    state.owner[0, [0, 14]] = [0, 1]
    state.alive[:] = 1
    state.capital[0] = [0, 14]
    state.seen[0, 0, [0, 1, 2, 14]] = [3, 3, 1, 1]
    state.known_owner[0, 0, 14] = 1
    return state


def tile(image: np.ndarray, cell: int) -> np.ndarray:
    row, column = divmod(cell, 5)
    return image[16 * row : 16 * (row + 1), 16 * column : 16 * (column + 1)]


def test_it_has_the_shape_of_the_map():
    image = draw_world(board(), WIDE)
    assert image.shape == (48, 80, 3)
    assert image.dtype == np.uint8
    assert draw_world(board(), WIDE, cell_pixels=4).shape == (12, 20, 3)


def test_owners_sites_walls_and_bands_are_marked():
    state = board()
    state.site[0, 7], state.wall[0, 8], state.band_cell[0, 0] = 1, 1.0, 9
    image = draw_world(state, WIDE)
    assert np.array_equal(tile(image, 14)[8, 8], PALETTE[1])
    assert np.array_equal(tile(image, 7)[8, 8], SITE)
    assert np.array_equal(tile(image, 8)[0, 5], WALL)
    assert np.array_equal(tile(image, 9)[3, 3], BAND)


def test_a_seat_sees_fog_where_it_has_never_been():
    state = board()
    state.site[0, 7] = 1
    image = draw_world(state, WIDE, seat=0)
    assert (tile(image, 7) == FOG).all()
    assert not (tile(image, 1) == FOG).all()
    assert tile(image, 2).mean() < tile(image, 1).mean()


def test_the_first_picture_of_a_seat_shows_what_it_sees_in_full_colour():
    world = World(WIDE, world_ids=[0], seed=0)
    seen, whole, own = world.state.seen[0, 0], draw_world(world.state, WIDE), draw_world(world.state, WIDE, seat=0)
    in_sight = [cell for cell in np.flatnonzero(seen >= 0) if world.state.owner[0, cell] < 0]
    assert world.state.turn[0] == 0
    assert in_sight
    assert all(np.array_equal(tile(own, cell), tile(whole, cell)) for cell in in_sight)


def test_what_a_seat_cannot_know_changes_no_pixel_of_its_picture():
    state = board()
    before = draw_world(state, WIDE, seat=0)
    state.owner[0, [5, 6]] = 1
    state.fertility[0, 10:14] = 9.0
    state.wall[0, 14] = 5.0
    state.band_cell[0, 0] = 12
    state.capital[0, 1] = 6
    assert np.array_equal(draw_world(state, WIDE, seat=0), before)
    assert not np.array_equal(draw_world(state, WIDE), draw_world(board(), WIDE))


def test_drawing_writes_to_nothing():
    state, twin = board(), board()
    draw_world(state, WIDE)
    draw_world(state, WIDE, seat=1)
    assert all(np.array_equal(getattr(state, name), getattr(twin, name)) for name in State._fields)
