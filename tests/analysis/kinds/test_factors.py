"""The factors kind: every design has it, its means are those of the games, and a failed game costs the least."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import fail, grid_results

from civsim.analysis.kinds.factors import BINS, KIND, MOST_PANELS
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import house_style
from civsim.analysis.units import discount_sum
from civsim.base.errors import ResultsError

FEW = Resampling(draws=200)
RAIDS = {
    "rate": {"path": "raiders.rate", "levels": [0.0, 0.2, 0.4]},
    "strength": {"path": "raiders.strength", "levels": [1.0, 8.0]},
}
SUM = discount_sum(0.98, 100)


def raids(worlds: int = 40, **options: Any) -> Results:
    """Return games in which raids cost 10 a unit of rate, and 5 more where they are strong."""
    return grid_results(RAIDS, lambda at: -10.0 * at["rate"] - 5.0 * (at["strength"] > 1.0), worlds=worlds, **options)


def test_a_study_of_raids_has_its_outcome_against_its_own_factors() -> None:
    results = raids()
    table = KIND.tables(results, FEW)[""]
    assert table.groupby("factor")["level"].agg(list).to_dict() == {"rate": ["0", "0.2", "0.4"], "strength": ["1", "8"]}
    for row in table.to_dict("records"):
        games = results.runs[results.runs[f"factor.{row['factor']}"] == row["at"]]
        assert row["value"] == pytest.approx(100.0 * games["welfare"].mean() / SUM)
        assert row["low"] < row["value"] < row["high"]
        assert (row["worlds"], row["dropped"], row["points"]) == (40, 0, games["point"].nunique())
    steps = table.set_index(["factor", "number"])["value"].to_numpy() * SUM / 100.0
    assert np.diff(steps[:3]) == pytest.approx([-2.0, -2.0], abs=0.3)
    assert np.diff(steps[3:]) == pytest.approx([-5.0], abs=0.3)


def test_no_other_kind_tells_a_study_of_raids_as_one_of_thinking() -> None:
    """Whatever raids leave to spend on thinking, the design did not move it."""
    from civsim.analysis.kinds import concentration, discovery, production, strength

    results = raids()
    rng = np.random.default_rng(0)
    rows = [
        {"run_id": run, "point": point, "world_id": world, "seat": seat, "is_focal": seat == 0, "output": 50.0,
         "level_horizon": rng.integers(0, 4) * (1 + 3 * point), "survived": 1.0, "cells": 4.0, "welfare": 1.0,
         **{f"spent_{name}": rng.uniform(1.0, 2.0 + point) for name in
            ("consumption", "settlement", "works", "army", "walls", "strategists", "scouts", "analysts")}}
        for run, point, world in results.runs[["run_id", "point", "world_id"]].itertuples(index=False)
        for seat in (0, 1)
    ]  # fmt: skip
    results.__dict__["civs"] = pd.DataFrame(rows)
    assert "add arms that set seats.0.levels" in (concentration.KIND.refuses(results) or "")
    for kind in (strength.KIND, production.KIND):
        assert "no factor sets what output is spent on" in (kind.refuses(results) or "")
    latin = {**results.manifest["study"], "design": "latin"}
    latin["factors"] = {**RAIDS, "r": {"path": "map.hazard", "low": 0.0, "high": 1.0},
                        "q": {"path": "map.block", "low": 0.0, "high": 1.0}}  # fmt: skip
    swept = replace(results, manifest={**results.manifest, "study": latin})
    assert "no factor that sets thinking has exactly two levels" in (discovery.KIND.refuses(swept) or "")


def test_a_range_is_told_in_parts_of_as_many_points() -> None:
    levels = list(np.linspace(0.0, 1.0, 20))
    made = grid_results({"rate": {"path": "raiders.rate", "levels": levels}}, lambda at: 30.0 * at["rate"], worlds=6)
    factors = {"rate": {"path": "raiders.rate", "low": 0.0, "high": 1.0, "levels": None}}
    results = replace(made, manifest={**made.manifest, "study": {"factors": factors, "design": "latin"}})
    table = KIND.tables(results, FEW)[""]
    assert table["points"].tolist() == [4] * BINS
    assert table["at"].to_numpy() == pytest.approx(np.array(levels).reshape(BINS, 4).mean(1))
    assert (np.diff(table["value"]) > 0.0).all()
    assert table["level"].iloc[0] == "0 to 0.158"


def test_an_unplayable_point_takes_no_world_with_it() -> None:
    results = raids()
    lost = fail(results, (results.runs["factor.rate"] == 0.4) & (results.runs["factor.strength"] == 8.0))
    tables = KIND.tables(lost, FEW)
    assert set(tables[""]["worlds"]) == {40}
    assert set(tables[""]["dropped"]) == {0}
    assert set(tables[""]["unplayed"]) == {1}
    assert KIND.read(tables)[-1] == "Points of which no game gave a number, left out: 1."


def test_a_failed_game_costs_its_world_at_its_own_levels_alone() -> None:
    results = raids()
    one = (results.runs["point"] == 0) & (results.runs["world_id"] == 7)
    tables = KIND.tables(fail(results, one), FEW)
    dropped = tables[""].set_index(["factor", "level"])["dropped"]
    assert dropped[dropped > 0].index.tolist() == [("rate", "0"), ("strength", "1")]
    assert "at most, since a game of theirs failed or gave no number: 1" in KIND.read(tables)[-1]


def test_what_has_no_number_is_said_in_one_line() -> None:
    results = raids(worlds=2)
    with pytest.raises(ResultsError, match="none of 12 games has a number for welfare"):
        KIND.tables(fail(results, results.runs["point"] >= 0), FEW)
    one = (results.runs["factor.rate"] == 0.0) & (results.runs["world_id"] == 0)
    skipped = KIND.tables(fail(results, one), FEW)[SKIPPED]
    assert skipped["stratum"].tolist() == ["rate 0", "strength 1", "strength 8"]
    assert set(skipped["reason"]) == {"1 worlds have a number at every point; 2 are the fewest"}
    assert "varies nothing" in str(KIND.refuses(grid_results({"a": {"path": "b", "levels": [1]}}, lambda at: 0.0)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_many_factors_of_any_kind_are_drawn(theme: str) -> None:
    arms = {"arms": {f"an arm with a long name {n}": {"map.x": n} for n in range(4)}}
    truth = {"path": "army.war", "levels": [False, True]}
    results = grid_results({"arm": arms, "war": truth, **RAIDS}, lambda at: 0.0, worlds=3)
    tables = KIND.tables(results, FEW)
    assert tables[""].loc[tables[""]["factor"] == "war", "level"].tolist() == ["False", "True"]
    assert tables[""].loc[tables[""]["factor"] == "arm", "at"].isna().all()
    many = pd.concat([tables[""].assign(factor=tables[""]["factor"] + str(n)) for n in range(8)])
    with house_style(theme):
        assert len(KIND.draw(tables, ["small print"]).axes) == 4
        figure = KIND.draw({"": many}, [])
        assert len(figure.axes) == MOST_PANELS
        assert "24 of 32 factors are shown" in " ".join(text.get_text() for text in figure.texts)
