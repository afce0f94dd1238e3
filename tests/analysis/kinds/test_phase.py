"""The phase diagram finds the planted optimum of each cell and marks the cells that are flat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted_grid import LENGTH, fail, grid_results

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.phase import KIND
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.analysis.units import equivalent_percent
from civsim.base.errors import ResultsError

SHARE = {"path": "focal.policy.params.cognition", "levels": [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.45]}
PEAK = {(0.0, "low"): 0.1, (0.0, "high"): 0.2, (0.2, "low"): 0.25, (0.2, "high"): None}


def gain(at: dict) -> float:
    peak = PEAK[at["raids"], at["land"]]
    return 0.0 if peak is None else -100.0 * ((at["share"] - peak) ** 2 - peak**2)


def cells(curve: object = gain, **settings: object) -> Results:
    factors = {
        "share": SHARE,
        "raids": {"path": "raiders.rate", "levels": [0.0, 0.2]},
        "land": {"arms": {"low": {"map.a": 0}, "high": {"map.a": 1}}},
    }
    return grid_results(factors, curve, **settings)


def test_planted_optima_are_covered_and_the_flat_cell_is_marked() -> None:
    results = cells(worlds=100)
    assert KIND.refuses(results) is None
    table = KIND.tables(results, Resampling(400))[""].set_index(["x", "y"])
    assert len(table) == 4
    for at, peak in PEAK.items():
        row = table.loc[at]
        assert bool(row["flat"]) == (peak is None)
        if peak is not None:
            assert row["low"] <= peak <= row["high"]
            assert row["gain_low"] <= equivalent_percent(100.0 * peak**2, *LENGTH) <= row["gain_high"]


def test_words_follow_the_table() -> None:
    said = " ".join(KIND.read(KIND.tables(cells(worlds=100), Resampling(300))))
    assert "raids 0.2, land high: flat" in said
    assert "In 3 of 4 cells" in said
    none = " ".join(KIND.read(KIND.tables(cells(lambda at: -30.0 * at["share"]), Resampling(200))))
    assert "In none of 4 cells" in none


def test_the_figure_is_drawn_in_both_themes() -> None:
    tables = KIND.tables(cells(worlds=20), Resampling(50))
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["note"]), theme, ["svg"])


def test_other_designs_are_refused() -> None:
    raids = {"path": "raiders.rate", "levels": [0.0, 0.2]}
    assert "no factor varies" in str(KIND.refuses(grid_results({"raids": raids}, lambda at: 0.0, worlds=3)))
    assert "takes 2" in str(KIND.refuses(grid_results({"share": SHARE, "raids": raids}, lambda at: 0.0, worlds=3)))
    results = cells(worlds=3)
    keep = (results.runs["factor.raids"] == 0.0) | (results.runs["factor.share"] < 0.04)
    short = Results(results.folder, results.manifest, results.runs[keep], results.facts)
    assert "fewer than 4 levels" in str(KIND.refuses(short))
    assert np.isfinite(results.runs["welfare"]).all()


def test_one_bad_cell_does_not_stop_the_others() -> None:
    results = cells(worlds=8)
    first = results.runs["factor.raids"].eq(0.0) & results.runs["factor.land"].eq("low")
    tables = KIND.tables(fail(results, first), Resampling(50))
    assert len(tables[""]) == 3
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0, land low"]
    assert figure_images(lambda: KIND.draw(tables, ["note"]), "light", ["svg"])
    one = KIND.tables(fail(results, first & results.runs["world_id"].eq(0)), Resampling(50))
    assert one[""]["dropped"].tolist() == [1, 0, 0, 0]
    assert any(text.startswith("Worlds left out") for text in KIND.read(one))
    with pytest.raises(ResultsError, match="no world") as caught:
        KIND.tables(fail(results, results.runs["world_id"] >= 0), Resampling(50))
    assert "\n" not in str(caught.value)


def test_a_cell_without_one_of_the_conditions_is_said_to_be_left_out() -> None:
    results = cells(worlds=8)
    lacks = results.runs["factor.raids"].eq(0.2) & results.runs["factor.land"].eq("low")
    runs = results.runs.assign(**{"factor.raids": results.runs["factor.raids"].mask(lacks)})
    tables = KIND.tables(replace(results, runs=runs), Resampling(50))
    assert len(tables[""]) == 3
    assert "no level there" in tables[SKIPPED]["reason"].iloc[0]


def test_cells_are_compared_by_intervals_that_allow_for_their_number() -> None:
    table = KIND.tables(cells(worlds=100), Resampling(2000))[""]
    assert table["wide_level"].unique() == pytest.approx([1.0 - 0.05 / 4])
    assert (table["wide_low"] <= table["low"]).all()
    assert (table["wide_high"] >= table["high"]).all()
    assert (table["wide_gain_low"] < table["gain_low"])[~table["flat"]].all()
    assert "told apart" in KIND.read({"": table})[0]
    assert "not told apart" not in KIND.read({"": table})[0]
    # Plain intervals that part say nothing as long as the wide ones touch.
    touching = KIND.read({"": table.assign(wide_low=0.1, wide_high=0.2)})[0]
    assert "not told apart" in touching
    # Intervals that part by a hair do not overlap.
    first = table["share"] == table.loc[~table["flat"], "share"].min()
    near = table.assign(wide_low=np.where(first, 0.1, 0.205), wide_high=np.where(first, 0.2, 0.3))
    assert "the two are told apart" in KIND.read({"": near})[0]


def test_a_best_share_at_the_least_tried_does_not_pay() -> None:
    """Where the least share tried is above 0, an interval above 0 tells nothing."""
    table = KIND.tables(cells(worlds=20), Resampling(100))[""].assign(flat=False, wide_gain_low=0.1)
    at_least = table.assign(least_tried=0.02, wide_low=0.02, share=0.02)
    assert "In none of 4 cells" in " ".join(KIND.read({"": at_least}))


def test_the_title_is_its_own() -> None:
    from civsim.analysis.kinds import kinds

    assert [kind.name for kind in kinds() if kind.title == KIND.title] == ["phase"]
