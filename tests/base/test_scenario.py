"""The scenario's schema: frozen, closed to unknown keys, and every one of its limits can fire."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from civsim.base import limits, thinking
from civsim.base import scenario as module
from civsim.base.constants import RULES_VERSION, Category, Variable
from civsim.base.scenario import Frozen, Scenario

CONTEXT = {"optimism": {"belief": "optimistic"}}
"""What a setting needs beside it, where alone it would have no effect and is refused."""
FOUR = ("ore", "hazard", "rivals", "raiders")


def tables() -> list[type[Frozen]]:
    values = {**vars(thinking), **vars(module)}.values()
    return [value for value in values if isinstance(value, type) and issubclass(value, Frozen) and value is not Frozen]


FIELDS = [
    pytest.param(table, name, field, id=f"{table.__name__}.{name}")
    for table in tables()
    for name, field in table.model_fields.items()
]


def bounds(field: Any) -> dict[str, float]:
    """The declared limits of a field, those inside Optional included."""
    found: dict[str, float] = {}
    for rule in field.metadata:
        for kind in ("ge", "gt", "le", "lt"):
            if getattr(rule, kind, None) is not None:
                found[kind] = getattr(rule, kind)
    return found


def test_the_default_scenario_is_valid() -> None:
    scenario = Scenario()
    assert scenario.rules == RULES_VERSION
    assert (scenario.game.civilizations, scenario.n_cells) == (4, 256)
    assert all(scenario.seat(i) == scenario.seat_default for i in range(4))


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.__name__)
def test_every_table_is_frozen_and_refuses_unknown_keys(table: type[Frozen]) -> None:
    made = table()
    name = next(iter(table.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, name, getattr(made, name))
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        table(colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize(("table", "name", "field"), FIELDS)
def test_every_number_is_bounded_and_its_bounds_hold(table: type[Frozen], name: str, field: Any) -> None:
    limits = bounds(field)
    if field.annotation not in (int, float, int | None, float | None) or name == "rules":
        return
    assert {"ge", "gt"} & set(limits), "unbounded below"
    if "int" in str(field.annotation):
        assert {"le", "lt"} & set(limits), "an integer unbounded above"
    outside = [limits[kind] - step for kind, step in (("ge", 1), ("gt", 0)) if kind in limits]
    outside += [limits[kind] + step for kind, step in (("le", 1), ("lt", 0)) if kind in limits]
    for value in outside:
        with pytest.raises(ValidationError, match=name):
            table(**{name: value})
    inside = [limits[kind] for kind in ("ge", "le") if kind in limits]
    for value in inside:
        assert getattr(table(**{name: value, **CONTEXT.get(name, {})}), name) == value


@pytest.mark.parametrize(("table", "name", "field"), FIELDS)
def test_no_number_may_be_nan(table: type[Frozen], name: str, field: Any) -> None:
    if field.annotation in (int, float, int | None, float | None):
        with pytest.raises(ValidationError, match=name):
            table(**{name: math.nan})


@pytest.mark.parametrize(("table", "name", "field"), FIELDS)
def test_every_number_says_what_it_is(table: type[Frozen], name: str, field: Any) -> None:
    if field.annotation in (int, float):
        assert field.description, "no description"


def test_only_projection_and_messengers_may_be_infinite() -> None:
    infinite = []
    for table in tables():
        for name, field in table.model_fields.items():
            if field.annotation is float:
                try:
                    table(**{name: math.inf})
                except ValidationError:
                    continue
                infinite.append(f"{table.__name__}.{name}")
    assert sorted(infinite) == ["ArmySettings.projection", "ThoughtSettings.messenger"]


def test_names_of_categories_and_variables_are_those_of_the_enums() -> None:
    assert limits.CategoryName.__args__ == tuple(member.name.lower() for member in Category)  # type: ignore[attr-defined]
    assert limits.VariableName.__args__ == tuple(member.name.lower() for member in Variable)  # type: ignore[attr-defined]


REFUSED = [
    ({"rules": RULES_VERSION + 1}, f"is not {RULES_VERSION}, the version this release plays"),
    ({"seats": [{}] * 5}, "seats has 5 entries but civilizations=4"),
    ({"seats": [{}] * 9}, "at most 8 items"),
    ({"map": {"width": 2, "height": 3}}, "civilizations=4 on 6 cells"),
    ({"map": {"symmetric": True}, "game": {"civilizations": 3}}, "use 1, 2 or 4"),
    ({"map": {"symmetric": True, "width": 8, "height": 9}}, "must be square"),
    ({"map": {"symmetric": True, "file": "land.npz"}}, "no effect with map.file"),
    ({"army": {"projection": math.nan}}, "projection"),
    ({"game": {"closed": ["army", "army"]}}, "names a category twice"),
    ({"game": {"closed": [member.name.lower() for member in Category]}}, "leave at least one open"),
    ({"game": {"closed": ["war"]}}, "consumption"),
    ({"game": {"objective": "fame"}}, "welfare"),
    ({"thinking": {"salience": ["ore", "ore", "rivals", "raiders"]}}, "must order all of"),
    ({"thinking": {"salience": ["ore"]}}, "must order all of"),
    ({"thinking": {"optimism": 0.9}}, "no effect unless belief = 'optimistic'"),
    ({"thinking": {"seats": {"cells": 0}}}, "greater than or equal to 1"),
    ({"thinking": {"seats": {"count": 9}}}, "less than or equal to 8"),
    ({"thinking": {"seats": {"count": 2, "weights": [1.0]}}}, "weights has 1 entries for count = 2; give one a seat"),
    ({"thinking": {"seats": {"count": 2, "weights": [1.0, 0.0]}}}, "greater than 0"),
    ({"thinking": {"seats": {"count": 2, "weights": "size"}}}, "output"),
    ({"thinking": {"seats": {"count": 2, "messenger": 0.2}}}, "up to 150 turns .*, over 128; give 0.24 or more"),
    ({"thinking": {"seats": {"count": 2, "messenger": 1e-300}}}, "over 128; give 0.24 or more"),
    ({"seats": [{"thought": {"count": 2, "messenger": 0.1}}]}, "over 128; give 0.24 or more"),
    ({"thinking": {"seats": {"messenger": math.nan}}}, "greater than 0"),
    ({"works": {"menu": []}}, "at least 1 item"),
    ({"works": {"menu": [{}] * 17}}, "at most 16 items"),
    ({"name": "with space"}, "pattern"),
    ({"name": ""}, "pattern"),
    ({"description": "x" * 2001}, "at most 2000 characters"),
    ({"seat_default": {"sham": "partial"}}, "inert"),
    ({"seat_default": {"force_price": 0.0}}, "force_price"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_setting_that_cannot_be_used_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scenario(**settings)


ACCEPTED = [
    {"army": {"projection": math.inf}},
    {"map": {"symmetric": True}},
    {"map": {"symmetric": True, "width": 8, "height": 9}, "game": {"civilizations": 2}},
    {"thinking": {"salience": FOUR}},
    {"thinking": {"seats": {"count": 1, "messenger": 1e-3}}},
    {"thinking": {"seats": {"count": 8, "weights": "output", "messenger": 0.24, "pool": 1.0, "lost": 1.0}}},
    {"thinking": {"belief": "optimistic", "optimism": 0.9}},
    {"game": {"civilizations": 8, "closed": ["army", "walls"]}},
    {"map": {"width": 2, "height": 4}},
]


@pytest.mark.parametrize("settings", ACCEPTED, ids=str)
def test_a_setting_at_the_edge_of_what_is_allowed_is_kept(settings: dict[str, Any]) -> None:
    made = Scenario(**settings)
    for table, values in settings.items():
        for name, value in values.items():
            kept = getattr(getattr(made, table), name)
            kept = kept.model_dump(exclude_unset=True) if isinstance(value, dict) else kept
            assert kept == (tuple(value) if isinstance(value, list) else value)


def test_seats_fall_back_on_the_default_seat() -> None:
    scenario = Scenario(seats=({"sham": "inert"},), seat_default={"levels_known": True})  # type: ignore[arg-type]
    assert (scenario.seat(0).sham, scenario.seat(0).levels_known) == ("inert", False)
    assert (scenario.seat(3).sham, scenario.seat(3).levels_known) == ("none", True)


def test_a_seats_own_thought_replaces_that_of_all_whole() -> None:
    game = Scenario(thinking={"seats": {"count": 3, "pool": 0.5}}, seats=({}, {"thought": {"count": 2}}))  # type: ignore[arg-type]
    assert [game.thought(i).count for i in range(4)] == [3, 2, 3, 3]
    assert [game.thought(i).pool for i in range(4)] == [0.5, 0.0, 0.5, 0.5]
    # 16 by 16 cells are at most 30 steps across.
    slow = Scenario(seat_default={"thought": {"count": 2, "messenger": 4.0}}, seats=({"thought": {}},))  # type: ignore[arg-type]
    assert [slow.news_turns(i) for i in range(4)] == [0, 8, 8, 8]
    assert game.news_turns(0) == 0


def test_a_scenario_survives_a_round_trip() -> None:
    scenario = Scenario(game={"closed": ["army"]}, army={"projection": math.inf})  # type: ignore[arg-type]
    assert Scenario.model_validate(scenario.model_dump(exclude_unset=True)) == scenario
