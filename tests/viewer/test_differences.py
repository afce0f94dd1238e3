"""The first turn at which two games differ is found, whatever it is that differs, and told as it was."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
from recorded import GAMES, recorded
from worlds import BUSY, no_orders, scenario

from civsim.agents import seat_policies
from civsim.base.constants import Category, OrderKind
from civsim.base.scenario import Scenario
from civsim.engine.state import SPEC, allocate
from civsim.engine.world import World
from civsim.scenarios import override
from civsim.scenarios.recordings.replay import Replay
from civsim.viewer.differences import GROUPS, Watch

FIELDS = [(group, name) for group, names in GROUPS.items() for name in names]


def fixed(game: Scenario) -> Callable[[World], np.ndarray]:
    policies = seat_policies(game)
    return policies.shares


def test_every_field_is_in_one_group() -> None:
    names = [name for _, name in FIELDS]
    assert len(set(names)) == len(names)
    assert set(names) == set(SPEC) - {"world_id", "turn"}


@pytest.mark.parametrize("game", GAMES)
def test_one_game_recorded_twice_differs_nowhere(game: str) -> None:
    pair = [Replay(recorded(GAMES[game](), seed=3)[0]) for _ in range(2)]
    watch = Watch(pair[0].world, pair[1].world)
    while not pair[0].done:
        for replay in pair:
            replay.step()
        watch.played()
    assert watch.firsts == []
    assert watch.first is None


@pytest.mark.parametrize("turn", [1, 4, 9])
def test_other_shares_in_a_turn_are_the_first_difference_in_that_turn(turn: int) -> None:
    recording, _ = recorded(GAMES["baseline"]())
    shares = recording.shares.copy()
    shares[turn - 1, 2] = np.eye(8, dtype=np.float32)[Category.ARMY]
    pair = [Replay(one, "shares") for one in (recording, recording._replace(shares=shares))]
    watch = Watch(pair[0].world, pair[1].world)
    for _ in range(recording.turns):
        for replay in pair:
            replay.step()
        watch.played()
    assert watch.first is not None
    assert (watch.first.group, watch.first.turn, watch.first.seats) == ("shares", turn, (2,))
    assert "seat 2 spends" in watch.first.words
    assert "army 12 % → 100 %" in watch.first.words or "→ 100 %" in watch.first.words
    assert [first.turn for first in watch.firsts] == sorted(first.turn for first in watch.firsts)
    assert {"stocks", "output"} <= {first.group for first in watch.firsts}


def test_other_orders_in_a_turn_are_told_as_they_were() -> None:
    game = scenario(BUSY)
    one, other = World(game, 1, 0), World(game, 1, 0)
    watch, play = Watch(one, other), fixed(game)
    for turn in range(1, 5):
        orders = no_orders(one)
        changed = copy.deepcopy(orders)
        if turn == 3:
            changed.kind[0, 1, 0], changed.cell[0, 1, 0] = OrderKind.WALL, int(one.state.capital[0, 1])
        one.step(play(one), orders)
        other.step(play(other), changed)
        watch.played()
    assert watch.first is not None
    row, column = divmod(int(one.state.capital[0, 1]), 8)
    assert watch.first[:3] == ("orders", 3, (1,))
    assert watch.first.words == f"seat 1: none → wall ({column}, {row})"


def test_levels_that_are_set_otherwise_are_told_before_what_follows_from_them() -> None:
    game = scenario(BUSY, game__turns=12)
    deep = override(game, {"seats.1.levels.horizon": 9, "seats.1.levels.sight": 4})
    one, other = World(game, 1, 0), World(deep, 1, 0)
    watch, play = Watch(one, other), fixed(game)
    while not one.done.all():
        shares = play(one)
        one.step(shares)
        other.step(shares)
        watch.played()
    assert watch.first is not None
    assert watch.first[:3] == ("levels", 0, (1,))
    assert watch.first.words.startswith("seat 1, horizon: ")
    assert watch.first.words.endswith(" → 9")
    groups = [first.group for first in watch.firsts]
    assert "shares" not in groups
    assert {"knowledge", "plans"} <= set(groups)


@pytest.mark.parametrize(("group", "name"), FIELDS, ids=[name for _, name in FIELDS])
def test_any_field_that_differs_is_noticed_and_whose_it_is(group: str, name: str) -> None:
    game = scenario(BUSY, thinking__seats={"count": 2, "cells": 1})
    one, other = World(game, 1, 0), World(game, 1, 0)
    values = getattr(other.state, name)
    last = (0, *(size - 1 for size in values.shape[1:]))
    values[last] = values[last] + 1 if values.dtype.kind != "u" else values[last] ^ 1
    (first,) = Watch(one, other).firsts
    assert (first.group, first.turn) == (group, 0)
    assert "→" in first.words
    if SPEC[name].shape[1] in ("N", "M"):
        assert first.seats == (2,)
    if SPEC[name].shape[1] == "M":
        assert "seat 2, province 1, " in first.words


def test_a_cell_that_differs_is_its_holders() -> None:
    game = scenario(BUSY)
    one, other = World(game, 1, 0), World(game, 1, 0)
    other.state.owner[0, 0] = 1
    assert Watch(one, other).firsts[0][2:] == ((1,), "cell (0, 0), owner: nobody → seat 1")
    one.state.wall[0, one.state.capital[0, 2]] = 3.5
    walls = next(first for first in Watch(one, other).firsts if first.group == "walls")
    assert walls.seats == (2,)
    assert walls.words.endswith("wall: 3.5 → 0")


def test_settings_that_give_other_slots_are_compared_as_far_as_they_go() -> None:
    game = scenario(BUSY)
    other = override(
        game, {"army.lag": 3, "claims.lag": 2, "claims.per_turn": 3, "raiders.bands": 9, "thinking.noise": 0.0}
    )
    worlds = World(game, 1, 0), World(other, 1, 0)
    assert [first.group for first in Watch(*worlds).firsts] == ["knowledge"], (
        "factors of error are 1 where there are none"
    )
    assert allocate(game, 1).muster.shape != allocate(other, 1).muster.shape


def test_what_only_one_game_has_seats_of_thought_for_is_not_compared() -> None:
    """Until realms have two cells each, one seat and four are one game; then they part in how thought is housed."""
    one, four = scenario(BUSY), scenario(BUSY, thinking__seats={"count": 4, "cells": 1, "messenger": 1.0})
    worlds = World(one, 1, 0), World(four, 1, 0)
    watch, play = Watch(*worlds), fixed(one)
    assert watch.first is None
    while (worlds[0].state.cells < 2).all():
        assert watch.first is None
        for world in worlds:
            world.step(play(world))
        watch.played()
    while not worlds[0].done[0]:
        for world in worlds:
            world.step(play(world))
        watch.played()
    assert watch.first is not None
    assert watch.first.group == "provinces"
    assert watch.first.words.endswith("office count: 1 → 2")
    assert {"orders", "knowledge"} <= {first.group for first in watch.firsts}


def test_groups_may_be_left_out() -> None:
    game = scenario(BUSY)
    one, other = World(game, 1, 0), World(game, 1, 0)
    other.state.plans[0, 0] = 4
    assert [first.group for first in Watch(one, other).firsts] == ["plans"]
    assert Watch(one, other, ("plans",)).firsts == []
