"""What seats play, in words: inherited settings, seats with tables of their own, groups that agree."""

from __future__ import annotations

from typing import Any

import pytest

from civsim.analysis.seats import (
    Varied,
    focal_words,
    in_groups,
    policy_words,
    read_seat,
    rival_words,
    scenario_seats,
    seat_tables,
)
from civsim.scenarios import load_scenario, override
from civsim.scenarios.loader import plain


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("fixed", {"shares": {"consumption": 3, "army": 1}}, "fixed shares: consumption 75%, army 25%"),
        ("uniform", {}, "policy uniform"),
        ("thinker", {"depth": 2}, "policy thinker {'depth': 2}"),
    ],
)
def test_other_policies_in_words(name: str, params: dict[str, Any], words: str) -> None:
    assert policy_words(name, params) == words


SETTINGS: dict[str, Any] = {
    "seat_default.policy": {"name": "fixed", "params": {"cognition": 0.2}},
    "seat_default.levels": {"horizon": 3, "sight": 2},
    "seats.1.levels": {"horizon": 5},
    "seats.1.policy.params.consumption": 0.4,
}


def test_seats_are_those_of_the_scenario_that_is_played() -> None:
    """The tables say what the loader makes of the same settings."""
    made = scenario_seats(plain(load_scenario("baseline")), SETTINGS)
    played = override(load_scenario("baseline"), SETTINGS)
    assert len(made) == played.game.civilizations
    for index, tables in enumerate(made):
        seat, true = read_seat(tables), played.seat(index)
        assert (seat.policy, seat.params) == (true.policy.name, true.policy.params)
        assert seat.levels == true.levels.model_dump(exclude_none=True)


def test_what_the_focal_seat_sets_leaves_the_rest_as_it_was() -> None:
    seats = scenario_seats(plain(load_scenario("baseline")), SETTINGS)
    before = [dict(table) for table in seats]
    settings = {"focal.levels.sight": 8, "focal.policy.params.cognition": 0.0}
    one = focal_words(seats, 1, settings, Varied())
    assert one.startswith("40% of output consumed; 0% on cognition")
    assert one.endswith("given levels: horizon 5, sight 8")
    assert seats == before
    rotating = focal_words(seats, None, settings, Varied())
    assert " in seats 0, 2, 3" in rotating
    assert " in seat 1" in rotating
    assert rival_words(seats, 1, Varied()).endswith("given levels: horizon 3, sight 2")
    assert "in seat 1" in rival_words(seats, 0, Varied())
    assert rival_words(seats[:1], None, Varied()) == "none"
    assert len(scenario_seats(plain(load_scenario("solo")), {}, least=2)) == 2


def test_whole_tables_replace_and_paths_reach_into_them() -> None:
    table = {"policy": {"name": "uniform", "params": {"a": 1}}}
    made = seat_tables(table, {"focal.policy.params.b": 2, "focal.policy": {"name": "fixed"}}, "focal")
    assert made == {"policy": {"name": "fixed", "params": {"b": 2}}}
    assert table == {"policy": {"name": "uniform", "params": {"a": 1}}}


def test_groups_that_agree_are_said_once() -> None:
    assert in_groups({"a": "x", "b": "x"}, ", ".join) == "x"
    assert in_groups({"a": "x", "b": "y", "c": "x"}, ", ".join) == "x in a, c; y in b"
