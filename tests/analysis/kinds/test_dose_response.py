"""The dose–response kind recovers planted gains, and its words follow sign and width of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from planted_grid import LENGTH, fail, grid_results

from civsim.analysis.kinds.dose_response import KIND
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.analysis.units import discount_sum, equivalent_percent
from civsim.base.errors import ResultsError

HORIZON = {"path": "focal.levels.horizon", "levels": [0, 1, 2, 4, 8]}
SPAN = discount_sum(*LENGTH)


def rising(rate: float = 1.5, **settings: object) -> Results:
    """Welfare rises by ``rate`` a doubling of h + 1; raids, the other factor, change its level alone."""
    factors = {"horizon": HORIZON, "raids": {"path": "raiders.rate", "levels": [0.0, 0.1]}}
    return grid_results(factors, lambda at: rate * np.log2(1.0 + at["horizon"]) - 20.0 * at["raids"], **settings)


def test_planted_gains_slopes_and_elasticity_are_covered() -> None:
    tables = KIND.tables(rising(), Resampling(400))
    assert list(dict.fromkeys(tables[""]["stratum"])) == ["raids 0", "raids 0.1"]
    planted = equivalent_percent(1.5 * np.log2(9.0), *LENGTH)
    for _, row in tables[""][tables[""]["level"] == 8].iterrows():
        assert row["low"] < planted < row["high"]
    step = tables["marginal"][tables["marginal"]["level_from"] == 4]
    planted = 100.0 * 1.5 * np.log2(9.0 / 5.0) / 4.0 / SPAN
    assert ((step["low"] < planted) & (planted < step["high"])).all()
    whole = tables["elasticity"][tables["elasticity"]["whole"]]
    planted = 1.5 * np.log2(9.0 / 2.0) / SPAN / np.log(8.0)
    assert ((whole["low"] < planted) & (planted < whole["high"])).all()
    tests = tables["tests"].set_index(["stratum", "scale"])
    early, late = 1.5 * np.log2(3.0) / 2.0, 1.5 * np.log2(3.0) / 6.0
    row = tests.loc[("raids 0", "level")]
    assert row["low"] < 100.0 * (late - early) / SPAN < row["high"]
    assert (tests["concave_p"] > 0.05).all()


def test_words_follow_the_intervals() -> None:
    said = " ".join(KIND.read(KIND.tables(rising(), Resampling(300))))
    assert "welfare gains" in said
    assert "returns diminish per level" in said
    assert "not concave" not in said
    none = " ".join(KIND.read(KIND.tables(rising(0.0), Resampling(300))))
    assert "cannot be told from nothing" in none
    assert "returns diminish per level" not in none
    loss = " ".join(KIND.read(KIND.tables(rising(-1.5), Resampling(300))))
    assert "welfare loses" in loss
    assert "returns increase per level" in loss
    assert "not concave" in loss


def test_the_figure_is_drawn_in_both_themes_with_long_names_and_few_levels() -> None:
    tables = KIND.tables(rising(worlds=10), Resampling(50))
    short = grid_results({"sight": {"path": "focal.levels.sight", "levels": [0, 2, 6]}}, lambda at: at["sight"])
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["note"]), theme, ["svg"])
        assert figure_images(lambda: KIND.draw(KIND.tables(short, Resampling(50)), ["note"]), theme, ["png"])


@pytest.mark.parametrize(
    ("factor", "word"),
    [
        ({"path": "focal.levels.horizon", "levels": [0, 4]}, "3 levels"),
        ({"path": "raiders.rate", "levels": [0.0, 0.1, 0.2]}, "no factor varies"),
    ],
)
def test_designs_without_doses_are_refused_in_one_line(factor: dict, word: str) -> None:
    reason = KIND.refuses(grid_results({"one": factor}, lambda at: 0.0, worlds=3))
    assert reason is not None
    assert word in reason
    assert "\n" not in reason


def test_one_bad_stratum_or_channel_does_not_stop_the_others() -> None:
    factors = {"horizon": HORIZON, "sight": {"path": "focal.levels.sight", "levels": [0, 2, 6]}}
    results = grid_results(factors, lambda at: at["horizon"] + at["sight"], worlds=6)
    bad = results.runs["factor.sight"].eq(0)
    tables = KIND.tables(fail(results, bad), Resampling(50))
    assert set(zip(tables[""]["channel"], tables[""]["stratum"], strict=True)) == {
        ("horizon", "sight 2"),
        ("horizon", "sight 6"),
    }
    assert list(tables[SKIPPED]["stratum"]) == ["sight 0, horizon", "sight"]
    one = KIND.tables(fail(results, bad & results.runs["world_id"].eq(0)), Resampling(50))
    assert one[""]["dropped"].max() == 1
    assert any(text.startswith("Worlds left out") for text in KIND.read(one))
    with pytest.raises(ResultsError, match="no world") as caught:
        KIND.tables(fail(results, results.runs["world_id"] >= 0), Resampling(50))
    assert "\n" not in str(caught.value)


def test_strata_of_games_of_other_lengths_have_scales_of_their_own() -> None:
    """The same welfare is worth more percent a turn in a shorter game."""
    factors = {"horizon": HORIZON, "turns": {"path": "game.turns", "levels": [20, 100]}}
    tables = KIND.tables(grid_results(factors, lambda at: at["horizon"] / 4.0), Resampling(50))
    step = tables["marginal"][tables["marginal"]["level_from"] == 4].set_index("stratum")
    for turns in (20, 100):
        planted = 100.0 * 0.25 / discount_sum(0.98, turns)
        assert step.loc[f"turns {turns}", "low"] < planted < step.loc[f"turns {turns}", "high"]
