"""Walls and thought on a grid: what is played, what is told of it, and input that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from civsim.scenarios import load_scenario, override

SMALL = {"game.turns": 12, "map.width": 8, "map.height": 8}


@pytest.fixture(scope="module")
def warned(benchmark_module: Any) -> Any:
    return benchmark_module("warned")


@pytest.mark.parametrize("funds", ["treasury", "shares"])
def test_the_sides_of_a_comparison_differ_in_walls_alone(warned: Any, funds: str) -> None:
    base = load_scenario("siege-warned")
    with_walls, without = (
        override(base, warned.settings_of(funds, walled, warned.Arm(8, 4, True))) for walled in (True, False)
    )
    assert without.walls.per_turn == 0 < with_walls.walls.per_turn == base.walls.per_turn
    assert with_walls.economy.pooled == without.economy.pooled == (funds == "treasury")
    for game in (with_walls, without):
        levels = game.seats[0].levels
        assert levels is not None
        assert (levels.horizon, levels.sight) == (8, 4)
        params = game.seats[0].policy.params["physical"]
        assert sum(params.values()) == pytest.approx(1.0 - warned.CONSUMED)
        assert (params["walls"] > 0.0) == (funds == "shares" and game is with_walls)


def test_a_rule_simulates_nothing_and_walls_by_dates(warned: Any) -> None:
    game = override(load_scenario("siege-warned"), warned.settings_of("treasury", True, warned.Arm(8, 4, False)))
    seat = game.seats[0]
    assert seat.levels is not None
    assert (seat.levels.horizon, seat.levels.sight, seat.reach, seat.rollout) == (0, 4, 8, 0)
    assert (seat.rule, seat.guard) == ("npv", "dates")


def test_without_walls_none_is_raised_and_what_they_do_is_the_difference(warned: Any) -> None:
    base = override(load_scenario("siege-warned"), SMALL)
    won = warned.what_walls_do(base, "shares", warned.Arm(4, 8, True), 3, 1)
    assert won.courses.sum() > 0
    assert won.a_course == pytest.approx(won.prevented.sum() / won.courses.sum())
    assert won.gain.shape == (3,)


def test_interactions_are_those_of_the_corners(warned: Any) -> None:
    worth = {(0, 2): 1.0, (0, 16): 1.5, (16, 2): 3.0, (16, 16): 10.0, (8, 2): 99.0, (8, 16): 99.0}
    nothing = np.zeros(4)
    found = {pair: warned.Won(np.full(4, value), nothing, nothing) for pair, value in worth.items()}
    said = [line.rsplit(": ", 1)[1] for line in warned.interactions(found)]
    assert said == [f"{value:+.1f} ± 0.0" for value in (2.0, 8.5, 0.5, 7.0, 6.5)]
    assert warned.interactions({(0, 2): found[0, 2], (16, 2): found[16, 2]}) == []
    head, _, *rows = warned.table("worth", {pair: str(value) for pair, value in worth.items()})
    assert head == "| worth | sight 2 | sight 16 |"
    assert rows[-1] == "| horizon 16 | 3.0 | 10.0 |"
    assert np.isnan(found[0, 2].a_course)


def test_a_scenario_that_does_not_exist_is_told_in_a_line(warned: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert warned.main(["--scenario", "moon"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("warned: error: ")
    assert said.count("\n") == 1
