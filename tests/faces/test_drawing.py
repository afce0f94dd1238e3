"""The picture shows what is there, or what one seat believes, and touches nothing."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.agents import seat_policies
from civsim.base.scenario import Scenario
from civsim.engine.state import State, allocate
from civsim.engine.world import World
from civsim.faces.drawing import BAND, FOG, INK, PALETTE, SITE, WALL, draw_world
from civsim.scenarios import load_scenario

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
    assert np.array_equal(tile(image, 8)[1, 5], WALL)
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


def test_a_realm_has_a_border_where_it_ends_and_none_within():
    state = board()
    state.owner[0, [1, 6]] = 0
    image = draw_world(state, WIDE)
    dark = (0.55 * PALETTE[0]).astype(np.uint8)
    assert np.array_equal(tile(image, 1)[0, 8], dark)
    assert np.array_equal(tile(image, 1)[8, 15], dark)
    assert not np.array_equal(tile(image, 1)[8, 0], dark)
    assert not np.array_equal(tile(image, 1)[15, 8], dark)
    assert np.array_equal(tile(image, 6)[15, 8], dark)
    round_the_world = WIDE.model_copy(update={"map": WIDE.map.model_copy(update={"torus": True})})
    state.owner[0, 11] = 0
    assert not np.array_equal(tile(draw_world(state, round_the_world), 1)[0, 8], dark)


def test_works_walls_and_sites_are_drawn_by_their_classes():
    def ink(cell: int, colour: np.ndarray, **fields: float) -> int:
        state = board()
        for name, value in fields.items():
            getattr(state, name)[0, cell] = value
        return int((tile(draw_world(state, WIDE), cell) == colour).all(axis=-1).sum())

    pips = [ink(7, INK, works=value) for value in (0.0, 0.25, 0.5, 1.0, 9.0)]
    assert pips[0] == 0
    assert np.diff(pips).tolist() == [pips[1]] * 4
    walls = [ink(7, WALL, wall=value) for value in (0.0, 1.0, 2.0, 9.0)]
    assert walls[0] == 0 < walls[1] < walls[2] < walls[3]
    assert ink(7, SITE, site=1, site_state=1) > ink(7, SITE, site=1, site_state=0) > 0


def test_parties_plans_and_idle_land_are_marked():
    state, plain = board(), draw_world(board(), WIDE)
    state.party_cell[0, 1, 0] = 9
    state.plan_turn[0, 1], state.plan_kind[0, 1], state.plan_cell[0, 1] = 3, 0, 12
    state.disrupted[0, [0, 7]] = 2
    image = draw_world(state, WIDE)
    changed = {cell for cell in range(15) if not np.array_equal(tile(image, cell), tile(plain, cell))}
    assert changed == {9, 12, 0}, "land that nobody owns has no output to lose"
    assert (tile(image, 9) == PALETTE[1]).all(axis=-1).any()
    state.plan_turn[0, 1] = 2
    assert np.array_equal(tile(draw_world(state, WIDE), 12), tile(plain, 12)), "an old plan is no plan"
    own = draw_world(state, WIDE, seat=0)
    state.party_cell[0, 1, 0] = 1
    state.plan_turn[0, 1] = 3
    state.disrupted[0, 14] = 2
    assert np.array_equal(draw_world(state, WIDE, seat=0), own)


def test_a_rivals_capital_is_where_it_was_last_seen():
    state = board()
    before = draw_world(state, WIDE, seat=0)
    state.known_capital[0, 0, 1] = 14
    after = draw_world(state, WIDE, seat=0)
    assert np.array_equal(tile(after, 14)[8, 8], PALETTE[1])
    state.known_owner[0, 0, 14] = -1
    state.known_capital[0, 0, 0] = 3
    gone = draw_world(state, WIDE, seat=0)
    assert not np.array_equal(tile(gone, 14)[8, 8], PALETTE[1])
    assert np.array_equal(tile(gone, 3), tile(before, 3))


def test_what_a_seat_cannot_know_changes_no_pixel_of_its_picture():
    state = board()
    before = draw_world(state, WIDE, seat=0)
    state.owner[0, [5, 6]] = 1
    state.fertility[0, 10:14] = 9.0
    state.wall[0, 14] = state.works[0, 14] = 5.0
    state.site[0, 9] = state.site_state[0, 14] = state.disrupted[0, 14] = 1
    state.band_cell[0, 0] = 12
    state.capital[0, 1] = 6
    state.party_cell[0, 1, 0] = 3
    state.plan_turn[0, 1], state.plan_kind[0, 1], state.plan_cell[0, 1] = 3, 0, 3
    assert np.array_equal(draw_world(state, WIDE, seat=0), before)
    assert not np.array_equal(draw_world(state, WIDE), draw_world(board(), WIDE))


@pytest.mark.parametrize("side", [4, 5, 7, 8, 11, 16, 24, 33, 64])
def test_it_is_drawn_at_any_size_and_every_mark_that_has_room_shows(side):
    def marked(field: str, value: float, cell: int) -> bool:
        state = board()
        getattr(state, field)[0, cell] = value
        return not np.array_equal(draw_world(state, WIDE, cell_pixels=side), plain)

    plain = draw_world(board(), WIDE, cell_pixels=side)
    assert plain.shape == (3 * side, 5 * side, 3)
    assert marked("wall", 1.0, 1)
    assert marked("site", 1, 7)
    assert marked("band_cell", 7, 0)
    assert marked("capital", 7, 0)
    assert marked("works", 1.0, 1) is (side >= 8)


def test_a_game_looks_the_same_to_a_seat_whatever_it_cannot_know():
    world = played(load_scenario("war"), turns=40)
    state = world.state
    before = [draw_world(state, world.scenario, seat=seat) for seat in range(4)]
    for seat in range(4):
        hidden = state.seen[0, seat] != state.turn[0] - 1
        hidden &= state.owner[0] != seat
        land = ("works", "wall", "owner", "disrupted", "site_state")
        kept = {name: getattr(state, name).copy() for name in (*land, "party_cell", "plan_cell")}
        for name in land:
            getattr(state, name)[0, hidden] = getattr(state, name)[0, hidden][::-1]
        rivals = [rival for rival in range(4) if rival != seat]
        # What was own stays so, and nothing becomes own: of its own land a civilization is never wrong.
        state.owner[0, hidden] = np.where(state.owner[0, hidden] == seat, -1, state.owner[0, hidden])
        state.party_cell[0, rivals] = 0
        state.plan_cell[0, rivals] = 1
        assert np.array_equal(draw_world(state, world.scenario, seat=seat), before[seat])
        for name, values in kept.items():
            getattr(state, name)[...] = values


def played(game: Scenario, turns: int) -> World:
    world, policies = World(game, world_ids=[3], seed=0), seat_policies(game)
    for _ in range(turns):
        world.step(policies.shares(world))
    return world


def test_drawing_writes_to_nothing():
    state, twin = board(), board()
    draw_world(state, WIDE)
    draw_world(state, WIDE, seat=1)
    assert all(np.array_equal(getattr(state, name), getattr(twin, name)) for name in State._fields)


def divided() -> tuple[State, Scenario]:
    """A realm of the upper row, whose thought is housed at cell 0 and at cell 4; it has heard of that one's land."""
    game = Scenario.model_validate({**WIDE.model_dump(exclude_unset=True), "thinking": {"seats": {"count": 2}}})
    state = allocate(game, 1)
    state.turn[:], state.alive[:] = 4, 1
    state.owner[0, :5], state.owner[0, 14] = 0, 1
    state.capital[0] = [0, 14]
    state.office_count[0], state.office_cell[0] = [2, 1], [[0, 4], [14, -1]]
    state.province[0, :5] = [0, 0, 0, 1, 1]
    state.seen[0, 0, :5], state.seen[0, 2, :5] = [3, 3, 3, 2, 2], [1, 1, 1, 3, 3]
    return state, game


def test_provinces_are_parted_by_a_dotted_line_and_have_a_seat():
    state, game = divided()
    image = draw_world(state, game)
    dark = (0.55 * PALETTE[0]).astype(np.uint8)
    between = (tile(image, 3)[2:-2, 0] == dark).all(axis=1)
    assert between.any()
    assert not between.all()
    assert not (tile(image, 2)[2:-2, 0] == dark).all(axis=1).any()
    assert np.array_equal(tile(image, 4)[8, 8], WALL)
    assert np.array_equal(tile(image, 4)[5, 5], INK)
    assert np.array_equal(tile(image, 0)[8, 8], PALETTE[0])
    state.office_count[0, 0] = 1
    whole = draw_world(state, game)
    assert not np.array_equal(tile(whole, 4)[8, 8], WALL)
    assert not (tile(whole, 3)[2:-2, 0] == dark).all(axis=1).any()


def test_a_seat_of_thought_sees_its_own_province_and_has_word_of_the_others():
    state, game = divided()
    capital, other = (draw_world(state, game, seat=0, office=office) for office in (0, 1))
    middle = (slice(3, 13), slice(3, 13))
    for image, near, far in ((capital, 1, 3), (other, 3, 1)):
        assert tile(image, far)[middle].mean() < tile(image, near)[middle].mean()
        assert not (tile(image, far)[middle] == FOG).all()
    assert np.array_equal(draw_world(state, game, seat=0), capital)
    # One that does not stand believes what the capital does.
    assert np.array_equal(draw_world(state, game, seat=1, office=1), draw_world(state, game, seat=1))


def test_looking_through_a_seat_of_thought_changes_nothing():
    state, game = divided()
    before = [values.tobytes() for values in state]
    draw_world(state, game, seat=0, office=1)
    assert [values.tobytes() for values in state] == before
