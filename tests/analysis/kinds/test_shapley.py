"""The Shapley kind reads coalitions from arms and says which variable earns what."""

from __future__ import annotations

import pytest
from planted_grid import LENGTH, grid_results

from civsim.analysis.kinds.shapley import KIND, members, players_of
from civsim.analysis.recovery.shapley import ALONE, PLAYERS, TOGETHER
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.shapley import coalitions
from civsim.analysis.style import figure_images
from civsim.analysis.units import discount_sum

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
