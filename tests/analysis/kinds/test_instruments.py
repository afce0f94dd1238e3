"""The instruments kind: the dose is what is bought, the reduced form comes first, and losses by price are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import grid_results

from civsim.analysis.kinds.instruments import KIND
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.rows import price_columns
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.instruments import price_slopes
from civsim.base.errors import ResultsError

PATHS = ["focal.price.horizon", "focal.price.sight", "focal.price.attention"]
PRICE = {"paths": PATHS, "levels": [0.1, 0.4, 1.6]}
TO_LEVELS, TO_OUTPUT = -0.5, 0.3
"""Planted elasticities: of 1 + levels to the price, of output to 1 + levels."""


def bought(factors: dict[str, Any] | None = None, seed: int = 0) -> Results:
    """Return games in which output follows the levels bought, while spending does not move with the price."""
    made = grid_results(factors or {"price": PRICE}, lambda at: 0.0, worlds=30)
    rng, runs = np.random.default_rng(seed), made.runs.copy()
    taste = rng.normal(size=len(runs)) * 0.1
    price = np.log(pd.to_numeric(runs["factor.price"]).to_numpy(np.float64))
    level = 3.0 + TO_LEVELS * price + taste
    runs["level_horizon"] = np.expm1(level) - 2.0
    runs["level_sight"], runs["level_attention"] = 1.0, 1.0
    runs["output"] = np.exp(TO_OUTPUT * level + taste + 0.02 * rng.normal(size=len(runs)))
    return replace(made, runs=runs, manifest={**made.manifest, "study": {**made.study, "paired": True}})


def lose(results: Results, where: pd.Series) -> Results:
    runs = results.runs.copy()
    runs.loc[where, "status"] = "failed"
    runs.loc[where, ["output", "level_horizon", "level_sight", "level_attention"]] = np.nan
    return replace(results, runs=runs)


def test_the_dose_is_what_is_bought_and_the_reduced_form_is_told_first() -> None:
    tables = KIND.tables(bought(), Resampling())
    (one,) = tables[""].itertuples()
    assert one.low < TO_OUTPUT < one.high
    assert one.ols > one.slope
    (form,) = tables["first-stage"].itertuples()
    assert form.first == pytest.approx(TO_LEVELS, abs=0.03)
    assert form.reduced == pytest.approx(TO_LEVELS * TO_OUTPUT, abs=0.03)
    said = KIND.read(tables)
    assert said[0].startswith("baseline: price 1 % higher moves output by -0.1")
    assert "with all else that the price moves counted in" in said[1]
    assert "bundle" in KIND.method
    assert not any("more thinking does" in words for words in (*said, KIND.title, KIND.question))


def test_three_counts_are_told_and_games_that_buy_nothing_stay() -> None:
    results = lose(bought(), bought().runs.index < 4)
    runs = results.runs
    runs.loc[10:12, "output"] = 0.0
    free = runs.index[20:25]
    runs.loc[free, ["spent_strategists", "spent_scouts", "spent_analysts"]] = 0.0
    tables = KIND.tables(results, Resampling())
    (one,) = tables[""].itertuples()
    assert (one.failed, one.dead, one.unbought, one.rows) == (4, 3, 5, 90 - 7)
    assert "4 games failed and 3 have no output" in " ".join(KIND.read(tables))
    assert "in 5 of 83 kept no thinking is bought" in " ".join(KIND.read(tables))


def test_losses_that_differ_by_price_are_warned_of() -> None:
    even = bought()
    assert not any("warning" in words for words in KIND.read(KIND.tables(even, Resampling())))
    dear = lose(even, (even.runs["factor.price"] == 1.6) & (even.runs["world_id"] < 12))
    assert any("warning: the share of games left out differs by price" in words for words in
               KIND.read(KIND.tables(dear, Resampling())))  # fmt: skip


def test_a_bad_stratum_is_passed_on_and_all_bad_is_one_line() -> None:
    rate = {"path": "raiders.rate", "levels": [0.0, 0.5]}
    results = bought({"price": PRICE, "rate": rate})
    tables = KIND.tables(lose(results, results.runs["factor.rate"] == 0.5), Resampling())
    assert len(tables[""]) == 1
    assert "look at failed games" in tables[SKIPPED]["reason"].item()
    with pytest.raises(ResultsError, match="look at failed games") as caught:
        KIND.tables(lose(results, results.runs["seed"] >= 0), Resampling())
    assert "\n" not in str(caught.value)


def test_prices_may_be_multipliers_named_by_arms() -> None:
    arms = {str(price): dict.fromkeys(PATHS, price) for price in PRICE["levels"]}
    results = bought({"price": {"arms": arms}})
    assert price_columns(results) == ["factor.price"]
    assert KIND.refuses(results) is None
    pd.testing.assert_frame_equal(KIND.tables(results, Resampling())[""], KIND.tables(bought(), Resampling())[""])
    other = {"path": "raiders.rate", "levels": [0.1, 0.5]}
    assert price_columns(bought({"price": {**PRICE, "paths": [*PATHS, "raiders.rate"]}, "rate": other})) == []


def test_a_reduced_form_is_least_squares_and_a_steady_outcome_has_none() -> None:
    rng = np.random.default_rng(0)
    z, worlds = rng.normal(size=120), np.repeat(np.arange(30), 4)
    y = 0.5 * z + rng.normal(size=120)
    table = price_slopes(y, z, worlds)
    assert table["slope"].item() == pytest.approx(np.polyfit(z, y, 1)[0])
    assert table["told"].item()
    still = price_slopes(np.full(120, 1.0), z, worlds)
    assert (still["slope"].item(), still["told"].item()) == (0.0, False)
