"""What games a comparison of two revisions plays: levels of mind and seats of thought multiply them, and hold there."""

from __future__ import annotations

from typing import Any

import pytest

from civsim.base.scenario import Scenario


@pytest.fixture(scope="module")
def parity(benchmark_module: Any) -> Any:
    return benchmark_module("parity")


def scenario_of(tables: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(tables)


def test_minds_and_seats_multiply_the_games(parity: Any) -> None:
    plain = parity.games(["baseline", "bench"], 30)
    found = parity.games(["baseline", "bench"], 30, [1, 3], [1, 4])
    assert len(found) == 4 * len(plain)
    for name, tables in found.items():
        scenario = scenario_of(tables)
        _, mind, count = name.rsplit(", ", 2)
        assert scenario.game.turns == 30
        assert f"mind {scenario.seat_default.levels_of_mind}" == mind
        assert f"{scenario.thinking.seats.count} of thought" == count


def test_where_none_is_named_games_are_the_scenarios_own(parity: Any) -> None:
    for name in ("empire", "marches"):
        own = scenario_of(parity.tables_of(name))
        bought = scenario_of(parity.games([name], None)[f"{name} {parity.BOUGHT}"])
        assert bought == own


def test_a_seats_own_thought_and_what_else_is_set_of_it_are_kept_but_for_the_count(parity: Any) -> None:
    tables = parity.tables_of("empire")
    tables["seats"] = [{"thought": {"count": 2, "pool": 0.5}}]
    three, one = scenario_of(parity.with_seats(tables, 3)), scenario_of(parity.with_seats(tables, 1))
    assert three.thinking.seats.count == three.seats[0].thought.count == 3
    assert (three.thinking.seats.messenger, three.seats[0].thought.pool) == (0.5, 0.5)
    assert (one.thinking.seats.count, one.seats[0].thought) == (1, None)
    assert tables["seats"][0]["thought"]["count"] == 2
