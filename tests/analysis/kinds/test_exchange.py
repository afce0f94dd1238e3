"""Which context favours what: planted worths of castle and thought come back, in words and in a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import LENGTH, fail, grid_results

from civsim.analysis.kinds.castle import COGNITION, WALLS
from civsim.analysis.kinds.exchange import KIND, held_level
from civsim.analysis.kinds.exchange_figure import QUADRANTS
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import house_style
from civsim.analysis.units import discount_sum
from civsim.base.errors import ResultsError

WEIGHTS, OTHERS, MUSCLE = (0.0, 0.05, 0.13, 0.3, 0.6), 0.85, 0.68
SHARES = (0.0, 0.02, 0.07, 0.15, 0.3)
FACTORS: Mapping[str, Mapping[str, Any]] = {
    "walls": {"path": "focal.policy.params.physical.walls", "levels": list(WEIGHTS)},
    "thought": {"path": "focal.policy.params.cognition", "levels": list(SHARES)},
    "raids": {"path": "raiders.rate", "levels": [0.0, 0.1, 0.2, 0.3]},
}
NAMES = ("raids 0", "raids 0.1", "raids 0.2", "raids 0.3")
WORTHS = {0.0: (-0.6, 1.2), 0.1: (1.0, -0.8), 0.2: (0.8, 1.6), 0.3: (-0.5, -0.7)}
"""Percent of consumption for a percent of output in walls and in cognition."""
SET = {"focal.policy": {"name": "fixed", "params": {"cognition": 0.02, "physical": {"walls": 0.05}}}}


def on_walls(weight: Any) -> Any:
    """The share of output that a weight of walls comes to."""
    return MUSCLE * weight / (OTHERS + weight)


def planted(worlds: int = 60, settings: Mapping[str, Any] = SET, whole: bool = False) -> Results:
    """Two sub-factorials, or with ``whole`` the full factorial, of worths that are the same at every share."""

    def welfare(at: Mapping[str, Any]) -> float:
        walls, thought = WORTHS[at["raids"]]
        return discount_sum(*LENGTH) * (walls * on_walls(at["walls"]) + thought * at["thought"])

    results = grid_results(FACTORS, welfare, worlds=worlds)
    runs = results.runs
    share = on_walls(runs["factor.walls"])
    runs["spent_walls"] = share * 50.0 / (1.0 - share)
    results = replace(results, manifest={**results.manifest, "study": {"factors": FACTORS, "set": settings}})
    if whole:
        return results
    walls = runs[runs["factor.thought"] == 0.02].assign(**{"factor.thought": np.nan})
    thought = runs[runs["factor.walls"] == 0.05].assign(**{"factor.walls": np.nan})
    return replace(results, runs=pd.concat([walls, thought], ignore_index=True))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return KIND.tables(planted(), Resampling(300))


@pytest.mark.parametrize("whole", [False, True])
def test_planted_worths_and_their_exchange_are_recovered(whole: bool, tables: dict[str, pd.DataFrame]) -> None:
    found = (KIND.tables(planted(whole=True), Resampling(300)) if whole else tables)[""].set_index("context")
    assert list(found.index) == list(NAMES)
    for name, (walls, thought) in zip(NAMES, WORTHS.values(), strict=True):
        row = found.loc[name]
        assert row["walls_low"] <= walls <= row["walls_high"]
        assert row["cognition_low"] <= thought <= row["cognition_high"]
        assert row["walls_high"] - row["walls_low"] < 0.6
        assert (row["walls_from"], row["walls_to"]) == pytest.approx((on_walls(0.05), on_walls(0.13)), abs=1e-4)
        assert (row["cognition_from"], row["cognition_to"]) == (0.02, 0.07)
        assert row["exchanged"] == (walls > 0.0 and thought > 0.0)
        # Worth is the same at every share, so that the best share is an end of the range.
        assert row["best_walls_low"] <= (on_walls(0.6) if walls > 0.0 else 0.0) + 1e-4
        assert row["best_cognition_high"] >= (0.3 if thought > 0.0 else 0.0)
    both = found.loc["raids 0.2"]
    assert both["exchange_low"] <= 2.0 <= both["exchange_high"] < 4.0


def test_it_says_what_each_context_favours_and_where_there_is_an_exchange(tables: dict[str, pd.DataFrame]) -> None:
    said = KIND.read(tables)
    assert said[:4] == [
        "Castle and thought both pay: raids 0.2.",
        "The castle pays, and thought is not told to: raids 0.1.",
        "Thought pays, and the castle is not told to: raids 0.",
        "Neither is told to pay: raids 0.3.",
    ]
    assert len(said) == 8
    assert said[6].startswith("raids 0.2: from 4 % of output on walls and 2 % on cognition, one more percent is worth ")
    assert "one spent on cognition is worth " in said[6]
    assert "no rate of exchange" in said[4]
    assert "not told from nothing" not in said[6]
    assert "The best mix, each with the other held there: " in said[6]
    faint = KIND.tables(planted(worlds=3), Resampling(100))
    assert any("(not told from nothing)" in line for line in KIND.read(faint))


def test_a_study_of_one_context_has_its_best_shares_beside_its_worths() -> None:
    results = planted(worlds=8)
    one = results.runs[results.runs["factor.raids"] == 0.2].drop(columns="factor.raids")
    study = results.study | {"factors": {name: FACTORS[name] for name in ("walls", "thought")}}
    alone = replace(results, runs=one, manifest={**results.manifest, "study": study})
    table = KIND.tables(alone, Resampling(50))[""]
    assert table["context"].tolist() == ["baseline"]
    assert table[[f"best_{bought}_share" for bought in (WALLS, COGNITION)]].notna().all(axis=None)


def test_where_the_study_holds_nothing_the_step_begins_at_the_smallest_share() -> None:
    results = planted(settings={}, whole=True, worlds=8)
    assert held_level(results, "focal.policy.params.cognition") is None
    assert held_level(planted(worlds=3), "focal.policy.params.physical.walls") == 0.05
    row = KIND.tables(results, Resampling(50))[""].iloc[0]
    assert (row["walls_from"], row["cognition_from"], row["cognition_to"]) == (0.0, 0.0, 0.07)


def test_the_map_names_its_quadrants_and_every_context_inside_the_figure(tables: dict[str, pd.DataFrame]) -> None:
    for theme in ("light", "dark"):
        with house_style(theme):
            figure = KIND.draw(tables, ["note"])
            figure.canvas.draw()
            width, height = figure.canvas.get_width_height()
            (chart,) = figure.axes
            texts = [text.get_text() for text in chart.texts]
            assert texts[:5] == ["equal worth", *[name for name, *_ in QUADRANTS]]
            assert sorted(texts[5:]) == sorted(NAMES)
            boxes = [text.get_window_extent() for text in [*chart.texts, *figure.texts]]
            assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes)
            names = [text.get_window_extent() for text in chart.texts[5:]]
            assert not any(one.overlaps(other) for one in names for other in names if one is not other)
            marks = {(line.get_xdata()[0], line.get_ydata()[0]) for line in chart.lines if len(line.get_xdata()) == 1}
            assert marks == set(zip(tables[""]["walls"], tables[""]["cognition"], strict=True))
            assert any("1 % on thought is worth " in text.get_text() for text in figure.texts)


def test_a_context_that_fails_is_named_and_does_not_stop_the_others() -> None:
    results = planted(worlds=8)
    bad = (results.runs["factor.raids"] == 0.1) & results.runs["factor.walls"].notna()
    tables = KIND.tables(fail(results, bad), Resampling(50))
    assert list(tables[""]["context"]) == [name for name in NAMES if name != "raids 0.1"]
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0.1"]


def test_a_share_with_nothing_above_it_is_no_step() -> None:
    top = {"focal.policy": {"name": "fixed", "params": {"cognition": 0.3, "physical": {"walls": 0.05}}}}
    with pytest.raises(ResultsError, match="no share of cognition above the held one"):
        KIND.tables(planted(settings=top, worlds=4, whole=True), Resampling(20))
    bare = grid_results({"raids": FACTORS["raids"]}, lambda at: 0.0, worlds=3)
    assert "no factor varies" in str(KIND.refuses(bare))
    with pytest.raises(ResultsError, match="no factor varies"):
        KIND.tables(bare, Resampling(20))


def test_the_study_of_contexts_plays_a_little_more_of_each_from_what_it_holds() -> None:
    from civsim.scenarios import load_study

    study = load_study("contexts")
    params = study.set["focal.policy"]["params"]
    assert params["cognition"] in study.factors["cognition_share"].levels
    assert params["physical"][WALLS] in study.factors["walls"].levels
    assert round(params["cognition"] + 0.05, 9) in study.factors["cognition_share"].levels
    assert COGNITION in params
