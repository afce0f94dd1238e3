"""What thinking of others costs: the table of planted times, and games that differ by nothing but the mind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from civsim.base.scenario import Scenario


@pytest.fixture(scope="module")
def costs(benchmark_module: Any) -> Any:
    return benchmark_module("minds_cost")


def test_a_ratio_is_of_one_repeat_and_its_median_over_them(costs: Any) -> None:
    found = {"here": {"mind 0": [1.0, 4.0, 0.25], "mind 2": [3.0, 4.0, 1.0]}}
    assert costs.table(found, ["mind 0", "mind 2"])[-1] == "| `here` | 1.00 | 3.00 (3.00×) |"
    assert costs.table({"here": {"mind 0": [0.36]}}, ["mind 0"])[-1] == "| `here` | .36 |"


def test_cases_differ_by_the_mind_or_by_the_seats_alone(costs: Any) -> None:
    cases = costs.cases("war", 12, [0, 3], [1, 4])
    assert list(cases) == ["mind 0", "mind 3", "1 of thought", "4 of thought"]
    plain, deep, one, four = (Scenario.model_validate(tables) for tables in cases.values())
    assert (plain.game.turns, plain.seat_default.levels.horizon) == (12, costs.LEVELS[0])
    alike = {"seat_default": plain.seat_default.model_copy(update={"levels_of_mind": 3})}
    assert plain.model_copy(update=alike) == deep
    thinking = one.thinking.model_copy(update={"seats": four.thinking.seats})
    assert one.model_copy(update={"thinking": thinking}) == four
    assert four.thinking.seats.count == 4


def test_games_are_timed_and_kept(costs: Any, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "times.json"
    chosen = ["--scenarios", "peace", "--minds", "0", "1", "--seats", "--turns", "3", "--worlds", "1", "--repeats", "2"]
    assert costs.main([*chosen, "--out", str(out)]) == 0
    assert "| `peace` | " in capsys.readouterr().out
    assert costs.json.loads(out.read_text())["peace"].keys() == {"mind 0", "mind 1"}


def test_bad_input_is_said_in_a_line(costs: Any, capsys: Any) -> None:
    assert costs.main(["--scenarios", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("minds_cost: error: ")
    with pytest.raises(SystemExit):
        costs.main(["--repeats", "0"])
    assert "--repeats 0 is below 1" in capsys.readouterr().err
