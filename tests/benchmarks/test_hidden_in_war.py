"""What a seat is told is the truth, and only of what is asked; input that cannot be used is told in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from random_states import copied, random_game, random_state

from civsim.base.constants import Category
from civsim.engine.state import State

KNOWN = ("seen", "known_owner", "known_works", "known_wall", "known_site", "known_capital", "force_seen", "force_turn")


@pytest.fixture(scope="module")
def hidden(benchmark_module: Any) -> Any:
    return benchmark_module("hidden_in_war")


def told(hidden: Any, *tells: str) -> tuple[State, State]:
    """A random state before and after the seat was told."""
    before = random_state(random_game(7, 5, torus=False), 6, seed=2)
    after = copied(before)
    for name in tells:
        getattr(hidden, name)(after)
    return before, after


def test_armies_are_told_as_they_are_and_nothing_else(hidden: Any) -> None:
    before, after = told(hidden, "tell_armies")
    assert np.array_equal(after.force_seen[:, hidden.SEAT], before.stock[:, :, Category.ARMY])
    assert np.array_equal(
        after.force_turn[:, hidden.SEAT], np.broadcast_to(before.turn[:, None], (6, before.alive.shape[1]))
    )
    for name in KNOWN[:-2]:
        assert np.array_equal(getattr(after, name), getattr(before, name))


def test_land_is_told_as_it_is_and_only_to_the_seat(hidden: Any) -> None:
    before, after = told(hidden, "tell_land")
    for known, true in (("owner", "owner"), ("works", "works"), ("wall", "wall"), ("site", "site_state")):
        assert np.array_equal(getattr(after, f"known_{known}")[:, hidden.SEAT], getattr(before, true))
    for name in KNOWN:
        assert np.array_equal(getattr(after, name)[:, 1:], getattr(before, name)[:, 1:])
    # Land never seen is known to be held or free, and not what it yields.
    assert np.array_equal(after.seen[:, hidden.SEAT] < 0, before.seen[:, hidden.SEAT] < 0)


def test_a_context_that_does_not_exist_is_told_in_a_line(hidden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert hidden.main(["--contexts", "moon", "--worlds", "2"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("hidden_in_war: error: ")
    assert "'moon'" in said
    assert said.count("\n") == 1
