"""The Shapley kind reads coalitions from arms and says which variable earns what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planted_grid import LENGTH, fail, grid_results

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.shapley import KIND, members, players_of
from civsim.analysis.recovery.shapley import ALONE, PLAYERS, TOGETHER
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.shapley import coalitions
from civsim.analysis.style import figure_images
from civsim.analysis.units import discount_sum
from civsim.base.errors import ResultsError

PERCENT_A_POINT = 100.0 / discount_sum(*LENGTH)


def worth(arm: str) -> float:
    who = members(arm)
    return sum(ALONE[name] for name in who) + TOGETHER * ({"rivals", "raiders"} <= who)


def played(scale: float = 1.0, skip: str = "", **settings: object) -> Results:
    names = ["+".join(name for name in reversed(PLAYERS) if name in who) or "none" for who in coalitions(PLAYERS)]
    arms = {name: {"focal.levels.attention": 2 + len(members(name))} for name in names if name != skip}
    return grid_results({"coalition": {"arms": arms}}, lambda at: scale * worth(at["coalition"]), **settings)


def test_planted_values_and_interactions_come_back_whatever_the_order_of_names() -> None:
    tables = KIND.tables(played(noise=0.2), Resampling(400))
    values = tables[""].set_index("player")
    assert set(values.index) == set(PLAYERS)
    for name, share in (("ore", 0.6), ("rivals", 0.65), ("raiders", 0.25)):
        assert values.loc[name, "low"] < share * PERCENT_A_POINT < values.loc[name, "high"]
    assert values["value"].sum() == pytest.approx(tables["total"]["value"].iloc[0])
    pairs = tables["interaction"]
    pair = pairs[[{a, b} == {"rivals", "raiders"} for a, b in zip(pairs["first"], pairs["second"], strict=True)]]
    assert float(pair["low"].iloc[0]) < TOGETHER * PERCENT_A_POINT < float(pair["high"].iloc[0])


def test_words_follow_the_intervals() -> None:
    said = " ".join(KIND.read(KIND.tables(played(noise=0.1), Resampling(200))))
    assert "are complements" in said
    assert "cannot be told" not in said
    none = " ".join(KIND.read(KIND.tables(played(0.0, noise=1.0), Resampling(200))))
    assert "not told from 0" in none
    assert "cannot be told from nothing" in none


def test_the_figure_is_drawn_in_both_themes() -> None:
    tables = KIND.tables(played(worlds=8), Resampling(50))
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["note"]), theme, ["svg"])


def test_arms_are_read_as_coalitions() -> None:
    assert members("none") == frozenset()
    assert members("ore+hazard") == {"ore", "hazard"}
    assert players_of(["none", "hazard", "ore+hazard"]) == ("hazard", "ore")


def test_a_missing_coalition_is_named() -> None:
    reason = KIND.refuses(played(skip="none", worlds=3))
    assert reason is not None
    assert "coalition none is not played" in reason
    other = grid_results({"one": {"path": "raiders.rate", "levels": [0.0, 0.1]}}, lambda at: 0.0, worlds=3)
    assert "no factor called coalition" in str(KIND.refuses(other))


def test_one_bad_stratum_does_not_stop_the_others() -> None:
    arms = {name: {"focal.x": 1} for name in ("none", "ore", "hazard", "ore+hazard")}
    raids = {"path": "raiders.rate", "levels": [0.0, 0.1]}
    results = grid_results({"coalition": {"arms": arms}, "raids": raids}, lambda at: len(members(at["coalition"])))
    first = results.runs["factor.raids"].eq(0.0)
    tables = KIND.tables(fail(results, first), Resampling(50))
    assert set(tables[""]["stratum"]) == {"raids 0.1"}
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0"]
    lacking = results.runs[~(first & results.runs["factor.coalition"].eq("ore"))]
    tables = KIND.tables(replace(results, runs=lacking), Resampling(50))
    assert "1 of 4 coalitions are not played" in tables[SKIPPED]["reason"].iloc[0]
    one = KIND.tables(fail(results, first & results.runs["world_id"].eq(0)), Resampling(50))
    assert one[""].groupby("stratum")["dropped"].max().to_dict() == {"raids 0": 1, "raids 0.1": 0}
    assert any(text.startswith("Worlds left out") for text in KIND.read(one))
    with pytest.raises(ResultsError, match="no world") as caught:
        KIND.tables(fail(results, results.runs["world_id"] >= 0), Resampling(50))
    assert "\n" not in str(caught.value)
