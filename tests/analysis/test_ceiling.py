"""The gap between planner and ceiling, and the turns in which it opens, on tables with known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.ceiling import BLOCK, ceiling_gap, ceiling_turns
from civsim.analysis.statistics.paired import contrast
from civsim.base.errors import ResultsError

WORLDS = pd.DataFrame(
    {"world_id": [4, 7, 9, 11], "planner": [1.0, 5.0, 3.0, 8.0], "ceiling": [2.0, 5.0, 6.0, 8.5], "games": 1}
)
DECISIONS = pd.DataFrame(
    [
        (9, 1, 3, True, 2.0, 0.1, 1.0, 1.0),
        (9, 6, 3, True, 3.0, 0.1, 2.0, 2.0),
        (4, 5, 2, True, 0.5, 0.1, 1.0, 1.0),
        (7, 7, 2, False, -4.0, 0.1, 0.0, 0.0),
        (11, 12, 4, True, 0.7, 0.1, 0.5, 0.5),
    ],
    columns=["world_id", "turn", "compared", "changed", "promised", "error", "worth", "earned"],
)


def test_the_gap_is_the_mean_of_paired_differences() -> None:
    gap = ceiling_gap(WORLDS)
    assert gap["worlds"] == 4
    assert gap["difference"] == pytest.approx(4.5 / 4)
    assert gap["planner"] == pytest.approx(17 / 4)
    assert gap["ceiling"] == pytest.approx(21.5 / 4)
    _, low, high = contrast(WORLDS[["planner", "ceiling"]], [[-1.0], [1.0]])
    assert (gap["low"], gap["high"]) == pytest.approx((low[0], high[0]))
    assert gap["low"] < gap["difference"] < gap["high"]
    assert gap["planner_low"] < gap["planner"] < gap["planner_high"]
    assert gap["correlation"] == pytest.approx(np.corrcoef(WORLDS["planner"], WORLDS["ceiling"])[0, 1])


def test_where_nothing_differs_the_gap_is_exactly_nothing() -> None:
    gap = ceiling_gap(WORLDS.assign(ceiling=WORLDS["planner"]))
    assert (gap["difference"], gap["low"], gap["high"]) == (0.0, 0.0, 0.0)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(0), 0
    for _ in range(300):
        planner = rng.normal(50.0, 10.0, 16)
        worlds = pd.DataFrame(
            {"world_id": range(16), "planner": planner, "ceiling": planner + rng.normal(2.0, 1.0, 16)}
        )
        gap = ceiling_gap(worlds, draws=400)
        covered += gap["low"] <= 2.0 <= gap["high"]
    assert 0.91 <= covered / 300 <= 0.99


def test_turns_stand_in_blocks_and_their_earnings_add_up_to_the_gap() -> None:
    table = ceiling_turns(WORLDS, DECISIONS, 12)
    assert table["first"].tolist() == [1, 6, 11]
    assert table["last"].tolist() == [5, 10, 12]
    assert table["decisions"].tolist() == [2 / 4, 2 / 4, 1 / 4]
    assert table["changed"].tolist() == [2 / 4, 1 / 4, 1 / 4]
    assert table["earned"].tolist() == [2 / 4, 2 / 4, 0.5 / 4]
    assert table["worth"].tolist() == table["earned"].tolist()
    # What was not done promised nothing.
    assert table["promised"].tolist() == [2.5 / 4, 3 / 4, 0.7 / 4]
    assert table["earned"].sum() == pytest.approx(ceiling_gap(WORLDS)["difference"])
    assert (table["low"] <= table["earned"]).all()
    assert (table["earned"] <= table["high"]).all()
    assert BLOCK == 5


def test_turns_without_a_choice_are_rows_of_nothing() -> None:
    table = ceiling_turns(WORLDS, DECISIONS.iloc[:0], 7)
    assert table["last"].tolist() == [5, 7]
    assert not table[["decisions", "changed", "earned", "low", "high", "worth", "promised"]].to_numpy().any()


def test_tables_that_say_too_little_are_refused() -> None:
    with pytest.raises(ResultsError, match="worlds=1"):
        ceiling_gap(WORLDS.iloc[:1])
    with pytest.raises(ResultsError, match="a decision is of turn 12, after the last of 11"):
        ceiling_turns(WORLDS, DECISIONS, 11)
