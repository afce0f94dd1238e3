"""K16: one seat of thought, and several that lack nothing, are the game without the rule; what they lack changes it."""

from __future__ import annotations

from typing import Any

import pytest

from civsim.engine.state import PHYSICAL_FIELDS
from civsim.validation.hand_made import differing
from civsim.validation.k16_offices import ISLANDS, ONE_SEAT, Game, Settings, base_game, played, with_seats

SETTINGS = Settings(turns=40, worlds=2)
HORIZON = 4
PLACES = pytest.mark.parametrize("name", [ISLANDS, "baseline"])


def game(name: str, **seats: Any) -> Game:
    base = base_game(name, HORIZON)
    return played(with_seats(base, seats) if seats else base, name == ISLANDS, SETTINGS, SETTINGS.worlds)


def world_of(one: Game) -> dict[str, bytes]:
    return {field: one.state[field] for field in PHYSICAL_FIELDS}


@PLACES
@pytest.mark.parametrize("seats", ONE_SEAT, ids=["by output", "given"])
def test_one_seat_is_the_game_without_the_rule(name: str, seats: dict[str, Any]) -> None:
    plain, one = game(name), game(name, count=1, **seats)
    assert one.orders == plain.orders
    assert differing(plain.state, one.state) == []


@PLACES
@pytest.mark.parametrize("count", [2, 5])
def test_seats_that_lack_nothing_give_the_orders_of_one(name: str, count: int) -> None:
    plain, many = game(name), game(name, count=count, cells=1, pool=1.0)
    assert many.done == plain.done
    assert sum(len(turn) for turn in many.done) > 20
    assert differing(world_of(plain), world_of(many)) == []
    assert many.state["office_count"] != plain.state["office_count"]


@PLACES
def test_purses_of_their_own_change_the_game(name: str) -> None:
    assert game(name, count=2, cells=1, pool=0.0).done != game(name).done


def test_slow_messengers_change_the_game() -> None:
    assert game("baseline", count=3, cells=1, pool=1.0, messenger=1.0).done != game("baseline").done


def test_on_islands_whatever_messengers_bring_changes_no_order() -> None:
    assert (
        game(ISLANDS, count=2, cells=1, pool=0.0, messenger=0.5).done == game(ISLANDS, count=2, cells=1, pool=0.0).done
    )
