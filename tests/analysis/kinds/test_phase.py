"""The phase diagram finds the planted optimum of each cell and marks the cells that are flat."""

from __future__ import annotations

import numpy as np
from planted_grid import LENGTH, grid_results

from civsim.analysis.kinds.phase import KIND
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.analysis.units import equivalent_percent

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
