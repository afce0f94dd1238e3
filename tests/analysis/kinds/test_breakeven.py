"""The break-even kind pairs buying with not buying at each price, and does not extrapolate."""

from __future__ import annotations

import numpy as np
import pytest
from planted_grid import fail, grid_results

from civsim.analysis.kinds.breakeven import KIND, price_column
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import figure_images
from civsim.base.errors import ResultsError

MULTIPLIERS = ("0.25", "0.5", "1", "2", "4")
AT = {"horizon": 1.5, "sight": 20.0, "attention": 0.01}
"""Planted break-even prices: inside, above, below those tried."""


def priced(numeric: bool = False, **settings: object) -> Results:
    arms = {"none": {"focal.policy.params.cognition": 0.0}, **{name: {"focal.x": 1} for name in AT}}
    price = (
        {"path": "focal.price.horizon", "levels": [float(level) for level in MULTIPLIERS]}
        if numeric
        else {"arms": {level: {"focal.price": {"horizon": 0.1 * float(level)}} for level in MULTIPLIERS}}
    )

    def welfare(at: dict) -> float:
        dear = -0.3 * np.log(float(at["price"]))  # prices may matter to whoever buys nothing, too
        return dear + (0.0 if at["bought"] == "none" else -np.log(float(at["price"]) / AT[at["bought"]]))

    return grid_results({"bought": {"arms": arms}, "price": price}, welfare, **settings)


@pytest.mark.parametrize("numeric", [False, True])
def test_planted_prices_are_found_and_those_outside_are_said_to_be(numeric: bool) -> None:
    results = priced(numeric)
    assert KIND.refuses(results) is None
    table = KIND.tables(results, Resampling(400))[""].set_index("bought")
    assert table.loc["horizon", "low"] < AT["horizon"] < table.loc["horizon", "high"]
    assert table["side"].to_dict() == {"horizon": "inside", "sight": "above", "attention": "below"}
    assert table["price"].isna().to_dict() == {"horizon": False, "sight": True, "attention": True}


def test_words_follow_where_the_price_lies() -> None:
    tables = KIND.tables(priced(), Resampling(200))
    said = {row["bought"]: words for (_, row), words in zip(tables[""].iterrows(), KIND.read(tables), strict=True)}
    assert "buying pays at every price tried" in said["sight"]
    assert "above 4, and so is its interval" in said["sight"]
    assert "buying pays at no price tried" in said["attention"]
    assert f"{tables[''].set_index('bought').loc['horizon', 'price']:.2f} [" in said["horizon"]
    wide = KIND.read(KIND.tables(priced(noise=8.0, worlds=12), Resampling(200)))
    assert any("do not bound it" in words or "[below" in words or "above 4]" in words for words in wide)


def test_the_figure_is_drawn_in_both_themes() -> None:
    tables = KIND.tables(priced(worlds=8), Resampling(50))
    for theme in ("light", "dark"):
        assert figure_images(lambda: KIND.draw(tables, ["note"]), theme, ["svg"])


def test_designs_without_prices_or_purchases_are_refused() -> None:
    rate = {"path": "raiders.rate", "levels": [0.0, 0.1]}
    assert "called bought" in str(KIND.refuses(grid_results({"one": rate}, lambda at: 0.0, worlds=3)))
    bought = {"arms": {"none": {"a.b": 0}, "horizon": {"a.b": 1}}}
    unpriced = grid_results({"bought": bought, "one": rate}, lambda at: 0.0, worlds=3)
    assert price_column(unpriced) is None
    assert "no factor moves" in str(KIND.refuses(unpriced))
    words = {"arms": {"cheap": {"focal.price": {}}, "dear": {"focal.price": {}}}}
    assert price_column(grid_results({"bought": bought, "price": words}, lambda at: 0.0, worlds=3)) is None


def test_a_price_estimated_outside_whose_interval_is_not_is_not_said_to_be_told() -> None:
    tables = KIND.tables(priced(worlds=8), Resampling(50))
    row = tables[""].iloc[[0]]
    outside = {"price": np.nan, "lowest": 0.25, "highest": 4.0, "bounded": False, "dropped": 0}
    for side, low, high, reach in (
        ("above", 0.8, np.inf, "not told from prices from 0.80 on"),
        ("above", 0.0, np.inf, "not told from any price tried"),
        ("below", 0.0, 2.5, "not told from prices up to 2.50"),
        ("below", 0.0, np.inf, "not told from any price tried"),
    ):
        (said,) = KIND.read({"": row.assign(**outside, side=side, low=low, high=high)})
        assert "pays at" not in said
        assert f"estimated {side} " in said
        assert reach in said


def with_raids(**settings: object) -> Results:
    arms = {"none": {"focal.x": 0}, "horizon": {"focal.x": 1}, "sight": {"focal.x": 2}}
    price = {"path": "focal.price.horizon", "levels": [0.5, 1.0, 2.0]}
    raids = {"path": "raiders.rate", "levels": [0.0, 0.1]}

    def welfare(at: dict) -> float:
        return 0.0 if at["bought"] == "none" else -np.log(at["price"])

    return grid_results({"bought": {"arms": arms}, "price": price, "raids": raids}, welfare, worlds=8, **settings)


def test_one_bad_stratum_or_thing_bought_does_not_stop_the_others() -> None:
    results = with_raids()
    bad = results.runs["factor.raids"].eq(0.0) & results.runs["factor.bought"].eq("sight")
    tables = KIND.tables(fail(results, bad), Resampling(50))
    made = set(zip(tables[""]["stratum"], tables[""]["bought"], strict=True))
    assert made == {("raids 0", "horizon"), ("raids 0.1", "horizon"), ("raids 0.1", "sight")}
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0, sight"]
    one = KIND.tables(fail(results, results.runs["world_id"].eq(0) & bad), Resampling(50))
    assert one[""]["dropped"].max() == 1
    assert any(text.startswith("Worlds left out") for text in KIND.read(one))
    with pytest.raises(ResultsError, match="no world") as caught:
        KIND.tables(fail(results, results.runs["world_id"] >= 0), Resampling(50))
    assert "\n" not in str(caught.value)
