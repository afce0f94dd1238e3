"""Worth of walls against the strength of raiders: planted games give back what was planted, in words and a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import fail, grid_results

from civsim.analysis.kinds.walls import KIND
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.walls import worth_of_step
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError

FACTORS: Mapping[str, Mapping[str, Any]] = {
    "walls": {"path": "focal.policy.params.physical.walls", "levels": [0.0, 0.1, 0.3]},
    "strength": {"path": "raiders.strength", "levels": [1.0, 3.0, 30.0]},
    "rate": {"path": "raiders.rate", "levels": [0.0, 1.0]},
}
TURNS, CELLS, OUTPUT, DISRUPTION, COST = 100, 4.0, 20.0, 2.0, 10.0
SHARE = {0.0: 0.0, 0.1: 0.05, 0.3: 0.1}


def planted(factors: Mapping[str, Mapping[str, Any]] = FACTORS, excess: float = 1.0, worlds: int = 30) -> Results:
    """Realms of 4 cells and a steady output, of which raids take ``excess`` times what the formula says of a turn."""
    results = grid_results(factors, lambda at: 0.0, worlds=worlds)
    runs = results.runs
    runs["spent_walls"] = 50.0 * runs["factor.walls"].map(SHARE) / (1.0 - runs["factor.walls"].map(SHARE))
    rng = np.random.default_rng(4)
    parts = []
    for run in runs.itertuples():
        row = run._asdict()
        output = OUTPUT + 0.01 * rng.normal(size=TURNS)
        part = pd.DataFrame({"turn": np.arange(TURNS), "output": output, "cells": CELLS})
        walls, strength, rate = (runs.loc[row["Index"], f"factor.{name}"] for name in ("walls", "strength", "rate"))
        lost = 0.0
        for _ in range(50):  # what raids take is not walled with, and they take more where less stands
            standing = np.cumsum(np.full(TURNS, SHARE[walls] * (OUTPUT - lost) / COST)).mean() / CELLS
            lost = rate * excess * DISRUPTION * OUTPUT / CELLS * np.exp(-standing / strength)
        part["output"] -= lost
        parts.append(part.assign(run_id=row["run_id"], is_focal=True))
    study = {"factors": factors, "series": "focal", "set": {"walls.cost": COST}}
    scenarios = {"baseline": {"raiders": {"disruption": DISRUPTION}, "walls": {"cost": 9.0}}}
    made = replace(results, manifest={**results.manifest, "study": study, "scenarios": scenarios})
    made.__dict__["series"] = pd.concat(parts, ignore_index=True)
    return made


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return KIND.tables(planted(), Resampling(200))


def test_measured_and_formula_agree_where_games_follow_the_formula(tables: dict[str, pd.DataFrame]) -> None:
    table = tables[""]
    assert table["strength"].tolist() == [1.0, 1.0, 3.0, 3.0, 30.0, 30.0]
    assert table["share_to"].tolist() == pytest.approx([0.05, 0.1] * 3)
    for row in table.to_dict("records"):
        truth = worth_of_step(
            row["wall_from"], row["wall_to"], row["strength"], 1.0 / CELLS, DISRUPTION * OUTPUT / CELLS
        )
        assert row["worth"] == pytest.approx(truth, rel=0.02, abs=0.01)
        assert row["worth_low"] <= row["worth"] <= row["worth_high"]
        assert truth * 0.5 < row["formula"] < truth  # whose cells give what raids leave
    first = table[table["share_from"] == 0.0].set_index("strength")
    assert first.loc[1.0, "formula"] > first.loc[30.0, "formula"]


def test_it_says_where_games_save_more_than_the_formula(tables: dict[str, pd.DataFrame]) -> None:
    said = KIND.read(tables)
    assert len(said) == 6
    assert said[0].startswith("baseline, ")
    assert "1 bands a turn of mean strength 1, from 0 to 5 % of output on walls (0.0 to " in said[0]
    more = KIND.read(KIND.tables(planted(excess=1.8), Resampling(200)))
    assert "more than the formula's" in more[2]
    none = KIND.read(KIND.tables(planted(excess=0.0), Resampling(200)))
    assert "not told above 0, less than the formula's" in none[2]


def test_the_figure_has_a_panel_a_step_in_both_themes(tables: dict[str, pd.DataFrame]) -> None:
    for theme in ("light", "dark"):
        with house_style(theme):
            figure = KIND.draw(tables, ["note"])
            figure.canvas.draw()
            assert [axes.get_title(loc="left") for axes in figure.axes] == [
                "From 0 to 5 % of output on walls",
                "From 5 to 10 % of output on walls",
            ]
            drawn = [np.asarray(line.get_ydata()) for line in figure.axes[0].lines]
            measured = tables[""].loc[tables[""]["share_from"] == 0.0, "worth"].to_numpy()
            assert any(len(line) == 3 and np.array_equal(line, measured) for line in drawn)


def test_a_world_that_failed_is_left_out_everywhere() -> None:
    results = planted(worlds=8)
    made = fail(results, results.runs["world_id"].eq(2) & results.runs["factor.rate"].eq(0.0))
    made.__dict__["series"] = results.series
    tables = KIND.tables(made, Resampling(50))
    assert set(tables[""]["worlds"]) == {7}
    assert KIND.read(tables)[-1].startswith("Worlds left out")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            {"walls": {"path": "walls.rate", "levels": [0.5, 1.0]}},
            "no factor varies focal.policy.params.physical.walls",
        ),
        ({"strength": {"path": "raiders.bands", "levels": [1, 2]}}, "no factor varies raiders.strength"),
        ({"rate": {"path": "raiders.rate", "levels": [0.5, 1.0]}}, "is not both 0 and above 0"),
    ],
)
def test_designs_that_cannot_tell_are_refused_in_one_line(change: Any, word: str) -> None:
    results = grid_results({**FACTORS, **change}, lambda at: 0.0, worlds=3)
    assert word in str(KIND.refuses(results))
    with pytest.raises(ResultsError, match=word):
        KIND.tables(results, Resampling(20))
    bare = grid_results(FACTORS, lambda at: 0.0, worlds=3)
    assert "set series = 'focal'" in str(KIND.refuses(bare))


def test_the_study_of_walls_has_this_design() -> None:
    from civsim.scenarios import load_study

    study = load_study("walls")
    assert {factor.path for factor in study.factors.values()} == {
        "focal.policy.params.physical.walls",
        "raiders.strength",
        "raiders.rate",
    }
    assert study.series == "focal"
