"""Messengers: a seat of thought knows of another's province what there was to see a road ago, and nothing newer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from messages import Messages
from realms import as_the_crow_flies, draw, offices, realm
from worlds import given_orders, hold, no_orders, split

from civsim.base.constants import FAR, NEVER, NOBODY, Category, OrderKind
from civsim.engine.offices.news import (
    first_to_see,
    hear_of_land,
    hear_of_rivals,
    keep_present,
    knows_later,
    list_news,
    merge_land,
    merge_others,
    road_between,
    show,
    slot_of,
    tell_of_loss,
    was_seen,
)
from civsim.engine.offices.rows import row_of
from civsim.engine.world import World

ROW = range(12, 18)
RIVAL = 35
"""The capital of a rival, in the last row and column."""


def apart(messenger: float = 1.0, count: int = 2, **changes: object) -> World:
    """The capital at one end of a row of six, a second seat five steps away at the other, a rival far from both."""
    seats = {"messenger": messenger}
    world = realm(ROW, count, 1, (12, RIVAL), seats=seats, raiders__rate=1e-9, **changes)
    draw(world)
    world.state.turn[:] = 9
    return world


@pytest.mark.parametrize(
    ("messenger", "turns"), [(math.inf, 0), (5.0, 1), (4.9, 2), (2.5, 2), (2.4, 3), (1.0, 5), (0.5, 10), (5.0 / 3.0, 3)]
)
def test_a_road_is_steps_over_what_a_messenger_goes_rounded_up(messenger: float, turns: int) -> None:
    world = apart(messenger)
    state, _, config = world.pointers
    assert [road_between(state, config, 0, 0, a, b) for a, b in ((0, 1), (1, 0), (0, 0), (1, 1))] == [
        turns,
        turns,
        0,
        0,
    ]


@pytest.mark.parametrize("torus", [False, True])
def test_no_road_is_longer_than_what_is_kept(torus: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        messenger = float(rng.choice([0.3, 0.7, 1.0, 3.0]))
        world = realm(rng.choice(36, 20, replace=False).tolist(), 6, seats={"messenger": messenger}, map__torus=torus)
        draw(world)
        state, _, config = world.pointers
        stand = offices(world)
        for a, here in enumerate(stand):
            for b, there in enumerate(stand):
                steps = as_the_crow_flies(world, here, there)
                road = road_between(state, config, 0, 0, a, b)
                assert road == math.ceil(round(steps / messenger, 6))
                assert road < world.state.past_owner.shape[1]


@pytest.mark.parametrize(("messenger", "hears"), [(math.inf, True), (2.0, False)])
def test_of_a_seat_that_has_fallen_this_turn_nobody_else_hears_at_once(messenger: float, hears: bool) -> None:
    """The cell beside where it stood is lost next: known to the row of its province, and at once only where all is."""
    world = apart(messenger)
    state, _, config = world.pointers
    world.state.known_owner[:, :] = 0
    world.state.office_cell[0, 0, 1] = NOBODY
    tell_of_loss(state, config, 0, 0, 16, 1)
    rows = [row_of(config, 0, office) for office in (0, 1)]
    assert world.state.known_owner[0, rows, 16].tolist() == [1 if hears else 0, 1]


@pytest.mark.parametrize(("cell", "told"), [(16, [0, 1]), (13, [1, 0])])
def test_a_loss_is_known_where_the_province_was(cell: int, told: list[int]) -> None:
    world = apart(2.0)
    state, _, config = world.pointers
    world.state.known_owner[:, :] = 0
    tell_of_loss(state, config, 0, 0, cell, 1)
    rows = [row_of(config, 0, office) for office in (0, 1)]
    assert world.state.known_owner[0, rows, cell].tolist() == told


def test_with_one_seat_a_loss_is_known() -> None:
    world = realm([15], 1, 1, (14, RIVAL))
    tell_of_loss(world.pointers.state, world.pointers.config, 0, 0, 15, 1)
    assert world.state.known_owner[0, 0, 15] == 1


def test_the_present_is_kept_for_as_many_turns_as_a_road_takes() -> None:
    world = apart(1.0)
    s, (state, _, config) = world.state, world.pointers
    rng, kept = np.random.default_rng(0), {}
    fields = ("owner", "works", "wall", "site_state", "capital", "band_cell", "band_came")
    past = ("past_owner", "past_works", "past_wall", "past_site", "past_capital", "past_band", "past_came")
    turns = s.past_owner.shape[1]
    assert turns == 11
    for turn in range(30):
        s.turn[0] = turn
        s.owner[0] = rng.integers(-1, 2, 36)
        s.works[0], s.wall[0] = rng.random(36), rng.random(36)
        s.site_state[0] = rng.integers(0, 2, 36)
        s.capital[0] = rng.integers(0, 36, 2)
        s.band_cell[0], s.band_came[0] = rng.integers(-1, 36, 4), rng.integers(-1, 30, 4)
        s.stock[0, :, Category.ARMY] = rng.random(2)
        s.past_view[0] = 7
        kept[turn] = [getattr(s, name)[0].copy() for name in fields], s.stock[0, :, Category.ARMY].copy()
        keep_present(state, config, 0)
        assert slot_of(state, turn) == turn % turns
        assert not s.past_view[0, :, turn % turns].any()
        for then in range(max(0, turn - turns + 1), turn + 1):
            for name, values in zip(past, kept[then][0], strict=True):
                assert np.array_equal(getattr(s, name)[0, then % turns], values), name
            assert np.array_equal(s.past_army[0, then % turns], kept[then][1])


@pytest.mark.parametrize("office", range(8))
def test_who_sees_is_a_bit_each(office: int) -> None:
    """Eight seats on a row of nine, every bit of a byte: what is seen, first seen, and shown at once."""
    world = realm(range(36), 8, 1, seats={"messenger": 1.0})
    draw(world)
    s, (state, _, config) = world.state, world.pointers
    s.turn[0] = 3
    view = s.past_view[0, 0, slot_of(state, 3)]
    view[:] = np.random.default_rng(office).integers(0, 256, 36)
    visible = np.zeros(36, np.uint8)
    show(state, config, 0, 0, office, visible)
    for c in range(36):
        bits = [int(view[c]) >> other & 1 for other in range(8)]
        assert was_seen(state, 0, 0, office, slot_of(state, 3), c) == bool(bits[office])
        assert first_to_see(state, 0, 0, office, c) == (bits[office] == 1 and not any(bits[:office]))
        assert visible[c] == (0 if bits[office] else FAR)
    assert not was_seen(state, 0, 0, office, slot_of(state, 3), NOBODY)


def test_only_what_is_not_known_better_is_news() -> None:
    world = apart()
    s, state = world.state, world.pointers.state
    s.past_view[0, 0, slot_of(state, 4), [3, 5, 7, 9]] = 0b10, 0b10, 0b01, 0b11
    s.seen[0, 0, [3, 5, 9]] = 3, 4, NEVER
    cells = np.zeros(36, np.int32)
    assert list_news(state, 0, 0, 1, 4, cells) == 2
    assert cells[:2].tolist() == [3, 9]
    s.past_works[0, slot_of(state, 4), 3] = 5.0
    s.past_owner[0, slot_of(state, 4), 3] = 1
    hear_of_land(state, 0, 0, 4, cells, 1)
    assert (s.seen[0, 0, 3], s.known_works[0, 0, 3], s.known_owner[0, 0, 3]) == (4, 5.0, 1)
    assert s.seen[0, 0, 9] == NEVER


def rival_seen(world: World, turn: int, cell: int, office: int, army: float, capital: int) -> None:
    """Let a seat have had a cell of the rival in sight in a past turn."""
    s, at = world.state, slot_of(world.pointers.state, turn)
    s.past_owner[0, at, [cell, capital]] = 1
    s.past_view[0, 0, at, cell] |= 1 << office
    s.past_army[0, at, 1], s.past_capital[0, at, 1] = army, capital


def test_news_of_a_rival_is_of_its_army_and_of_a_capital_that_was_seen() -> None:
    world = apart()
    s, (state, _, config) = world.state, world.pointers
    rival_seen(world, 4, 30, 1, 7.0, RIVAL)
    hear_of_rivals(state, config, 0, 0, 1, 4)
    assert (s.force_seen[0, 0, 1], s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (7.0, 4, NOBODY)
    rival_seen(world, 5, RIVAL, 1, 8.0, RIVAL)
    hear_of_rivals(state, config, 0, 0, 1, 5)
    assert (s.force_seen[0, 0, 1], s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (8.0, 5, RIVAL)
    rival_seen(world, 3, 20, 1, 1.0, 20)
    hear_of_rivals(state, config, 0, 0, 1, 3)
    assert (s.force_seen[0, 0, 1], s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (8.0, 5, RIVAL)


def test_an_older_sight_of_a_capital_is_news_to_who_knows_none() -> None:
    """Its army was met since, at a border far from the capital."""
    world = apart()
    s, (state, _, config) = world.state, world.pointers
    s.force_seen[0, 0, 1], s.force_turn[0, 0, 1] = 9.0, 8
    rival_seen(world, 4, RIVAL, 1, 7.0, RIVAL)
    hear_of_rivals(state, config, 0, 0, 1, 4)
    assert (s.force_seen[0, 0, 1], s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (9.0, 8, RIVAL)


def test_two_who_saw_a_rival_in_one_turn_tell_of_the_army_and_the_capital() -> None:
    world = apart(count=3)
    s, (state, _, config) = world.state, world.pointers
    s.known_capital[0, 0, 1] = 20
    rival_seen(world, 4, 30, 1, 7.0, RIVAL)
    rival_seen(world, 4, RIVAL, 2, 7.0, RIVAL)
    for other in (1, 2):
        hear_of_rivals(state, config, 0, 0, other, 4)
    assert (s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (4, RIVAL)


def test_what_is_known_later_is_kept() -> None:
    world = apart()
    s, (state, _, config) = world.state, world.pointers
    m = row_of(config, 0, 1)
    s.band_turn[0, 0, :3] = NEVER, 3, 5
    assert [knows_later(state, 0, 0, r, 4, 2) for r in range(3)] == [False, False, True]
    s.band_since[0, 0, 0] = 2
    assert [knows_later(state, 0, 0, 0, 4, came) for came in (1, 2, 3)] == [True, True, False], "it is gone"
    s.band_turn[0, m, :3], s.band_seen[0, m, :3], s.band_seen[0, 0, :3] = (4, 4, 4), (1, 2, 3), (7, 8, 9)
    merge_others(state, config, 0, 0, m)
    assert s.band_seen[0, 0, :3].tolist() == [1, 2, 9]
    assert s.band_turn[0, 0, :3].tolist() == [4, 4, 5]
    for name, value in (("seen", 6), ("known_owner", 1), ("known_works", 2.0), ("known_wall", 3.0), ("known_site", 0)):
        getattr(s, name)[0, m, 5] = value
    merge_land(state, 0, 0, m, 5)
    assert [float(getattr(s, name)[0, 0, 5]) for name in ("seen", "known_owner", "known_works", "known_wall")] == [
        6,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(("mine", "theirs", "known"), [(20, NOBODY, 20), (NOBODY, 21, 21), (20, 21, 21)])
def test_a_council_forgets_no_capital(mine: int, theirs: int, known: int) -> None:
    """The other seat met the rival later; where it saw no capital the one known stays known."""
    world = apart()
    s, (state, _, config) = world.state, world.pointers
    m = row_of(config, 0, 1)
    s.force_turn[0, 0, 1], s.force_turn[0, m, 1], s.force_seen[0, m, 1] = 3, 4, 6.0
    s.known_capital[0, 0, 1], s.known_capital[0, m, 1] = mine, theirs
    merge_others(state, config, 0, 0, m)
    assert (s.force_seen[0, 0, 1], s.force_turn[0, 0, 1], s.known_capital[0, 0, 1]) == (6.0, 4, known)


@pytest.mark.parametrize(("messenger", "turns"), [(math.inf, 0), (5.0, 1), (2.5, 2), (1.0, 5)])
def test_a_wall_beside_one_seat_is_known_at_the_other_a_road_later(messenger: float, turns: int) -> None:
    """Known answer: a wall of as many units as the turn, raised beside the far end of a row of six cells."""
    world = realm(
        ROW, 2, 1, (12,), seats={"messenger": messenger}, rich={17: 1.01}, seat_default={"levels": {"sight": 1}}
    )
    m = row_of(world.pointers.config, 0, 1)
    for turn in range(12):
        world.state.wall[0, 23] = 1.0 + turn
        world.step(split(world, consumption=1), no_orders(world))
        heard = turn - turns
        assert world.state.seen[0, m, 23] == turn
        assert world.state.known_wall[0, m, 23] == 1.0 + turn
        assert world.state.seen[0, 0, 23] == (heard if heard >= 0 else NEVER)
        assert world.state.known_wall[0, 0, 23] == (1.0 + heard if heard >= 0 else 0.0)


@pytest.mark.parametrize("messenger", [0.5, 1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("key", range(4))
def test_what_is_known_is_what_there_was_to_see_a_road_ago(messenger: float, key: int) -> None:
    """Two realms that grow, rivals and bands between them: every row of knowledge against plain Python, each turn."""
    messages = Messages(messenger, key)
    for _ in range(22):
        messages.play()
    assert messages.heard > 0 or math.isinf(messenger)
    assert messages.councils > 2
    assert messages.raids > 0


@pytest.mark.parametrize("messenger", [1.0, math.inf])
def test_a_band_that_has_come_and_gone_is_forgotten_at_every_seat(messenger: float) -> None:
    """It makes for the second seat of a row of six from the corner beside it; what is on the road of it is no news."""
    sight = {"levels": {"sight": 2}}
    world = realm(
        ROW, 2, 1, (12,), seats={"messenger": messenger}, rich={17: 9.0}, raiders__rate=1e-9, seat_default=sight
    )
    s, m = world.state, row_of(world.pointers.config, 0, 1)
    shares = split(world, consumption=1)
    world.step(shares, no_orders(world))
    s.band_cell[0, 0], s.band_target[0, 0], s.band_strength[0, 0], s.band_came[0, 0] = 35, 17, 9.0, 0
    for step in range(9):
        world.step(shares, no_orders(world))
        assert (s.band_turn[0, m, 0] == NEVER) == (s.band_cell[0, 0] < 0 or s.band_cell[0, 0] > 29), step
        if s.band_cell[0, 0] < 0:
            assert s.band_turn[0, [0, m], 0].tolist() == [NEVER, NEVER]
    assert s.losses[0, 0, 2] == 1


def test_a_lost_seat_of_thought_is_news_that_travels() -> None:
    """A council is held in the next turn: the capital learns there what the fallen seat knew."""
    sure = {"decisiveness": 16.0, "projection": math.inf}
    world = realm([], 2, 1, (20, 14), army=sure, seats={"messenger": 1.0}, seat_default={"levels": {"sight": 1}})
    hold(world, 1, 15, 16, 17)
    hold(world, 0, 23)
    world.step(split(world, consumption=1), no_orders(world))
    m = row_of(world.pointers.config, 1, 1)
    assert offices(world, 0, 1) == [14, 17]
    assert (world.state.known_owner[0, 1, 23], world.state.known_owner[0, m, 23]) == (NOBODY, 0)
    world.state.stock[0, 0, Category.ARMY] = 1e6
    world.step(split(world, consumption=1), given_orders(world, (0, OrderKind.ATTACK, 17)))
    assert world.state.owner[0, 17] == 0
    assert (world.state.known_owner[0, 1, 17], world.state.known_owner[0, m, 17]) == (NOBODY, 0)
    world.step(split(world, consumption=1), no_orders(world))
    assert offices(world, 0, 1) == [14, 16]
    assert world.state.known_owner[0, 1, 23] == 0
