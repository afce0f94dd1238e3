"""The discovery kind: contexts are told above, below or not at all; losses are told; nothing empty is a share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import grid_results

from civsim.analysis.kinds.discovery import KIND
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import ResultsError

SIDE = 6
"""Levels of each of the two parameters."""


def contexts(noise: float = 0.1, paired: bool = True, above: float = 0.5) -> Results:
    """Return games in which the second arm gains where the price is low, loses where it is high, and else nothing."""
    ranges = {
        name: {"path": f"map.{name}", "low": 0.0, "high": 1.0, "levels": list(np.linspace(0.0, 1.0, SIDE))}
        for name in ("price", "hazard")
    }

    def welfare(at: Any) -> float:
        return 0.0 if at["horizon"] == 0 else float(np.sign(round(above - at["price"], 6)))

    made = grid_results(
        {**ranges, "horizon": {"path": "focal.levels.horizon", "levels": [0, 16]}}, welfare, worlds=6, noise=noise
    )
    factors = {**made.study["factors"], **{name: {**ranges[name], "levels": None} for name in ranges}}
    study = {"factors": factors, "paired": paired, "design": "latin"}
    return replace(made, manifest={**made.manifest, "study": study})


def lose(results: Results, bad: pd.Series) -> Results:
    runs = results.runs.copy()
    runs.loc[bad, "status"], runs.loc[bad, "welfare"] = "failed", np.nan
    return replace(results, runs=runs)


@pytest.mark.parametrize("paired", [True, False])
def test_contexts_are_told_above_below_or_not(paired: bool) -> None:
    results = contexts(paired=paired)
    if not paired:  # worlds of a point's own share nothing: take out what is common
        common = results.runs.groupby("world_id")["welfare"].transform("mean")
        results = replace(results, runs=results.runs.assign(welfare=results.runs["welfare"] - common))
    (row,) = KIND.tables(results, Resampling(50))[""].itertuples()
    assert (row.above, row.below, row.untold) == (SIDE**2 // 2, SIDE**2 // 2, 0)
    (noisy,) = KIND.tables(contexts(noise=20.0, paired=True), Resampling(50))[""].itertuples()
    assert noisy.untold > 0.8 * SIDE**2
    assert 0 < noisy.paying < SIDE**2


def test_counts_and_losses_are_said() -> None:
    results = contexts()
    runs = results.runs
    gone = (runs["factor.price"] == 0.0) & (runs["factor.hazard"] == 0.0)
    one = (runs["factor.price"] == 1.0) & (runs["factor.hazard"] == 0.0) & (runs["world_id"] == 2)
    tables = KIND.tables(lose(results, gone | one), Resampling(50))
    (row,) = tables[""].itertuples()
    assert (row.points, row.points_dropped, row.games_dropped, row.dropped) == (SIDE**2 - 1, 1, 14, 1)
    said = KIND.read(tables)
    assert "told above 0 in 17 and below 0 in 18; in 0 it is not told apart" in said[0]
    assert "1 contexts and 14 games in all are left out" in said[0]


def test_a_sign_everywhere_is_not_a_share_of_nothing() -> None:
    said = KIND.read(KIND.tables(contexts(above=2.0), Resampling(50)))
    assert "in every one of 36 contexts (100 % [90, 100])" in said[1]


def test_all_games_of_an_arm_failed_is_one_line() -> None:
    results = contexts()
    with pytest.raises(ResultsError, match="no context has a game of both arms") as caught:
        KIND.tables(lose(results, results.runs["factor.horizon"] == 16), Resampling(50))
    assert "\n" not in str(caught.value)
    with pytest.raises(ResultsError, match="look at failed games"):
        KIND.tables(lose(results, results.runs["seed"] >= 0), Resampling(50))


def test_an_empty_box_or_leaf_is_worded() -> None:
    tables = KIND.tables(contexts(), Resampling(50))
    blank = dict.fromkeys(("density", "density_low", "density_high"), np.nan)
    leaves = tables["tree"].assign(density=np.nan, low=np.nan, high=np.nan)
    empty = tables | {"": tables[""].assign(**blank, limits=1), "tree": leaves}
    missed = tables | {"": tables[""].assign(coverage=np.nan, limits=1)}
    for said in (KIND.read(empty), KIND.read(missed)):
        assert not any("nan" in words for words in said)
    assert any("none lies in the box" in words for words in KIND.read(empty))
    assert any("in which 0 held-out contexts lie" in words for words in KIND.read(empty))
    assert any("not confirmed" in words for words in KIND.read(missed))
