"""When a game is over before its last turn: what can be said, what it means, and what is refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civsim.base.errors import StudyError
from civsim.base.own import Reference
from civsim.base.scenario import Scenario
from civsim.engine.world import World
from civsim.scenarios.games import SERIES, Played, play_each, play_on, play_worlds
from civsim.scenarios.loader import override
from civsim.scenarios.metrics import OwnMetric
from civsim.scenarios.stop import LONGEST, parse_stop

VALUES = {
    "turn": np.array([3, 10]),
    "alive": np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    "cells": np.array([[5.0, 2.0, 0.0], [9.0, 0.0, 0.0]]),
    "output": np.array([[4.0, 1.0, 0.0], [np.nan, 0.0, 0.0]]),
}
WAR = override(
    Scenario(),
    {
        "map.width": 8,
        "map.height": 8,
        "game.civilizations": 3,
        "game.turns": 30,
        "raiders.rate": 0.6,
        "claims.cost": 1.0,
    },
)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("sum(alive) <= 1", [False, True]),
        ("turn == 3", [True, False]),
        ("turn >= 3 and not turn > 5", [True, False]),
        ("cells[0] > 6 or cells[1] == 2", [True, True]),
        ("any(cells >= 9)", [False, True]),
        ("all(cells > 0)", [False, False]),
        ("count(cells > 0) == 2", [True, False]),
        ("max(cells) > 2 * mean(cells)", [True, True]),
        ("1 < min(cells) + turn < 5", [True, False]),
        ("alive[focal] == 0", [False, True]),
        ("any(cells - turn > 0)", [True, False]),
        ("any(output > turn)", [True, False]),
        ("output[0] / 0 > 1e9", [True, False]),
        ("sum(cells * (alive > 0)) > 1", None),
        ("-cells[0] < -6", [False, True]),
    ],
)
def test_what_can_be_said(text: str, over: list[bool] | None) -> None:
    if over is None:
        with pytest.raises(StudyError, match="is a condition where a number stands"):
            parse_stop(text, VALUES)
        return
    assert parse_stop(text, VALUES).of(3, 1).holds(VALUES).tolist() == over


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(alife) <= 1", "'alife' is no column; did you mean 'alive'"),
        ("sum(zzz) <= 1", "'zzz' is no column; use one of: alive, cells, output, turn"),
        ("sum(alive)", "is a number, not a condition"),
        ("alive == 1", "differs from seat to seat; say any"),
        ("1 < 2", "names no column"),
        ("turn", "is a number, not a condition"),
        ("turn == True", "no number up to"),
        ("turn == 'a'", "no number up to"),
        (f"turn == {10**400}", "no number up to"),
        ("turn == 1e999", "no number up to"),
        ("turn ** 2 > 1", "use [+] - [*] /"),
        ("turn is 1", "use < <= > >= == !="),
        ("~turn > 1", "use -, not"),
        ("__import__('os').system('true')", "cannot be said here"),
        ("alive.sum() > 1", "cannot be said here"),
        ("[turn] == 1", "cannot be said here"),
        ("(lambda: 1)() > turn", "cannot be said here"),
        ("sum(alive, 1) > 1", "takes one thing"),
        ("sum(turn) > 1", "is no column of theirs"),
        ("sum(cells > 1) > 1", "is a condition where a number stands; count"),
        ("any(cells)", "is a number where a condition stands"),
        ("turn and turn", "is a number where a condition stands"),
        ("cells[-1] > 1", "a seat is a number from 0"),
        ("cells[turn] > 1", "a seat is a number from 0"),
        ("turn[0] > 1", "only a column that every seat has"),
        ("cells[0][1] > 1", "only a column that every seat has"),
        ("cells >", "is no expression"),
        ("", "is no expression"),
        ("a" * (LONGEST + 1), f"give at most {LONGEST}"),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        parse_stop(text, VALUES)
    assert str(caught.value).startswith("stop=")
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"[-(]{1,400}turn[)]{0,200} > 1", fullmatch=True))
def test_no_text_is_a_fault(text: str) -> None:
    with contextlib.suppress(StudyError):
        assert parse_stop(text, VALUES).of(3, 0).holds(VALUES).shape == (2,)


def test_seats_are_checked_against_the_game() -> None:
    with pytest.raises(StudyError, match="names seat 3; give 0 to 2"):
        parse_stop("cells[3] > 1", SERIES).of(3)
    with pytest.raises(StudyError, match="names the focal seat, and none is"):
        parse_stop("cells[focal] > 1", SERIES).of(3)


def test_a_stopped_game_is_measured_when_it_stops() -> None:
    """Every number is that of the same world played just so many turns, whatever its neighbours do."""
    stop = parse_stop("max(cells) >= 14 or turn == 25", SERIES)
    ids = [0, 1, 2, 3, 4, 5]
    played = play_worlds(WAR, ids, 7, series=True, maps=(2, 12), stop=stop)
    assert len(set(played.turns.tolist())) > 2
    assert played.turns.max() <= 25
    for row, world_id in enumerate(ids):
        alone = play_on(
            World(WAR, world_ids=[world_id], seed=7), turns=int(played.turns[row]), series=True, maps=(2, 12)
        )
        for name, column in played.civs.items():
            if name != "share":
                assert column[row].tolist() == alone.civs[name][0].tolist(), name
        assert played.series is not None
        assert alone.series is not None
        for name in SERIES:
            assert np.array_equal(played.series[name][row], alone.series[name][0], equal_nan=True)
        for turn, owners in played.maps.items():
            assert owners[row].tolist() == (alone.maps[turn][0].tolist() if turn in alone.maps else [-1] * 64)


def test_worlds_that_stand_at_different_turns_are_not_measured_together() -> None:
    world = World(WAR, 2, seed=7)
    play_on(world, turns=3)
    world.reset([9], rows=[1])
    with pytest.raises(StudyError, match="the worlds of the batch stand at turns 0 and 3; play worlds together that"):
        play_on(world, turns=1)


def test_what_becomes_of_a_world_after_its_game_was_stopped_touches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    second = OwnMetric("second", "last", lambda _record, state: state.world_id == 1, Reference("none", "second"))
    stop = parse_stop("max(second) == 1 and turn >= 3", [*SERIES, "second"])

    def played() -> Played:
        return play_each(WAR, [0, 1, 2], 7, series=True, maps=(2, 8), metrics=(second,), stop=stop)

    plain, step = played(), World.step
    assert plain.turns.tolist() == [WAR.game.turns, 3, WAR.game.turns]

    def cursed(self: World, *arguments: object) -> object:
        record = step(self, *arguments)
        bad = (self.state.world_id == 1) & (self.state.turn > 5)
        self.state.utility[bad] = np.inf
        if bad.any():
            raise FloatingPointError("what it sees is cursed")
        return record

    monkeypatch.setattr(World, "step", cursed)
    again = played()
    assert again.errors == ("", "", "")
    assert (again.turns == plain.turns).all()
    assert plain.series is not None
    assert again.series is not None
    for one, other in ((again.civs, plain.civs), (again.series, plain.series), (again.maps, plain.maps)):
        assert all(np.array_equal(one[key], other[key], equal_nan=True) for key in other)


def test_the_share_objective_of_a_stopped_game_is_that_of_its_last_turn() -> None:
    played = play_worlds(WAR, [0, 1], 7, series=True, stop=parse_stop("turn == 9", SERIES))
    assert played.series is not None
    output = played.series["output"][:, :, 8]
    assert np.allclose(played.civs["share"], output / output.sum(1, keepdims=True))
    whole, until = play_worlds(WAR, [0, 1], 7), play_worlds(WAR, [0, 1], 7, stop=parse_stop("turn == 30", SERIES))
    assert all(np.array_equal(until.civs[name], whole.civs[name]) for name in whole.civs)
    assert until.turns.tolist() == [30, 30]
