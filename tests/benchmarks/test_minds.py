"""The parts of a return, on planted games, and what the program says of input that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from civsim.analysis.units import discount_sum
from civsim.base.constants import MAX_MIND
from civsim.base.errors import ResultsError

DISCOUNT, TURNS, WORLDS = 0.98, 100, 400


@pytest.fixture(scope="module")
def minds(benchmark_module: Any) -> Any:
    return benchmark_module("minds")


def planted(minds: Any, means: dict[str, float], first: int = 0) -> Any:
    """Games of one context in which an arm's mean is ``means[arm]`` log points a turn, one standard deviation apart."""
    rng, unit = np.random.default_rng(first), discount_sum(DISCOUNT, TURNS) / 100.0
    ids = tuple(range(first, first + WORLDS))
    return {
        name: {"here": minds.Games(ids, unit * (mean + rng.normal(size=WORLDS)), DISCOUNT, TURNS)}
        for name, mean in means.items()
    }


def test_parts_are_the_planted_ones_and_a_missing_arm_leaves_a_gap(minds: Any) -> None:
    means = {"h0": 0.0, "npv-16+mind-0": 10.0, "h16+mind-0": 13.0, "h16+mind-1": 15.0}
    head, _, row = minds.parts_table(planted(minds, means))
    assert [cell.strip() for cell in head.split("|")[2:-1]] == list(minds.PARTS)
    reach, simulating, deadlines, play_on, sight = (cell.strip() for cell in row.split("|")[2:-1])
    for cell, gained in ((reach, 10.0), (simulating, 3.0), (deadlines, 2.0)):
        value, half = (float(part) for part in cell.split(" ± "))
        assert abs(value - gained) < 0.4
        # Two independent arms of one standard deviation each: 1.97 · √2 / √400.
        assert half == pytest.approx(0.14, abs=0.05)
    assert (play_on, sight) == ("—", "—")


def test_levels_are_compared_sight_by_sight(minds: Any) -> None:
    means = {f"npv+mind-{mind}+sight-4": 5.0 * mind for mind in range(MAX_MIND + 1)}
    head, _, row = minds.minds_table(planted(minds, means))
    assert "level 0 → 1" in head
    assert [float(cell.split("±")[0]) for cell in row.split("|")[4:-1]] == pytest.approx([5.0] * MAX_MIND, abs=0.4)


def test_arms_of_other_worlds_are_refused(minds: Any) -> None:
    played = planted(minds, {"h0": 0.0}) | planted(minds, {"npv-16+mind-0": 1.0}, first=7)
    with pytest.raises(ResultsError, match="met other worlds"):
        minds.parts_table(played)


@pytest.mark.parametrize(("given", "said"), [([], "0 arguments"), (["a", "b"], "2 arguments"), (["/none"], "no games")])
def test_bad_input_is_said_in_a_line(minds: Any, capsys: Any, given: list[str], said: str) -> None:
    assert minds.main(given) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
