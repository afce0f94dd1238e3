"""The trade-off tables recover what was planted; the figure draws them and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted import DOSES, LENGTH, tradeoff_runs
from planted_grid import fail, grid_results

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.kinds.tradeoff import KIND, draw_tradeoff, tradeoff_notes, tradeoff_tables
from civsim.analysis.results import Resampling
from civsim.analysis.study import StudyFacts
from civsim.analysis.style import house_style
from civsim.analysis.units import equivalent_percent
from civsim.base.errors import ResultsError

PEAKS: dict[str, float | None] = {"baseline": 0.2, "raiders": 0.3, "peace": None}
LENGTHS = dict.fromkeys(PEAKS, LENGTH)


def test_planted_optima_points_and_flatness_are_recovered() -> None:
    tables = tradeoff_tables(tradeoff_runs(PEAKS), LENGTHS, draws=500)
    optima = tables.optima.set_index("context")
    for context in ("baseline", "raiders"):
        row, peak = optima.loc[context], PEAKS[context]
        assert peak is not None
        assert row["low"] <= peak <= row["high"]
        assert abs(row["share"] - peak) < 0.05
        assert not row["flat"]
        assert row["gain_low"] <= equivalent_percent(150.0 * peak**2, *LENGTH) <= row["gain_high"]
        assert row["near_low"] < row["share"] < row["near_high"]
    assert optima.loc["peace", "flat"]
    assert list(optima.index) == list(PEAKS)
    points = tables.points[tables.points["context"] == "baseline"].set_index("share")
    assert points.loc[0.0, ["gain", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
    planted = equivalent_percent(-150.0 * ((0.45 - 0.2) ** 2 - 0.2**2), *LENGTH)
    assert points.loc[0.45, "low"] <= planted <= points.loc[0.45, "high"]
    assert points["share_spent"].to_numpy() == pytest.approx(np.array(DOSES))
    # Worlds' s.d. 10 against noise 4: correlation 100 / 116.
    assert points.loc[0.3, "correlation"] == pytest.approx(100 / 116, abs=0.08)


def test_failed_games_are_dropped_with_their_world_and_counted() -> None:
    runs = tradeoff_runs({"baseline": 0.2})
    runs.loc[(runs["world_id"] == 7) & (runs["factor.cognition_share"] == 0.1), ["status", "welfare"]] = [
        "failed",
        np.nan,
    ]
    tables = tradeoff_tables(runs, LENGTHS, draws=50)
    assert tables.optima.loc[0, "dropped"] == 1
    assert set(tables.points["worlds"]) == {119}


def test_a_context_with_another_game_length_has_its_own_scale() -> None:
    runs = tradeoff_runs({"baseline": 0.2})
    long = tradeoff_tables(runs, {"baseline": (0.98, 400)}, draws=50)
    short = tradeoff_tables(runs, LENGTHS, draws=50)
    assert 0.0 < long.optima.loc[0, "gain"] < short.optima.loc[0, "gain"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda runs: runs.drop(columns="welfare"), "welfare"),
        (lambda runs: runs.drop(columns="factor.cognition_share"), "cognition_share"),
        (lambda runs: runs.drop(columns="spent_scouts"), "spent_scouts"),
        (lambda runs: runs.iloc[:0], "empty"),
        (lambda runs: runs.assign(**{"factor.context": "atlantis"}), "atlantis"),
        (lambda runs: runs[runs["factor.cognition_share"] < 0.06], "doses=3"),
        (lambda runs: runs[runs["world_id"] == 0], "worlds=1"),
        (lambda runs: runs.assign(status="failed"), "no world"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_in_one_line(change: object, word: str) -> None:
    assert callable(change)
    with pytest.raises(ResultsError, match=word) as caught:
        tradeoff_tables(change(tradeoff_runs({"baseline": 0.2}, worlds=5)), LENGTHS, draws=20)
    assert "\n" not in str(caught.value)


def test_the_figure_shows_every_context_its_optimum_and_the_small_print() -> None:
    tables = tradeoff_tables(tradeoff_runs(PEAKS), LENGTHS, draws=100)
    facts = StudyFacts("tradeoff", LENGTHS, ("1,620 games of a planted table.",), "civsim plot tradeoff out")
    with house_style():
        figure = draw_tradeoff(tables, tradeoff_notes(tables, facts, 100))
        figure.canvas.draw()
    above, below = figure.axes
    named = [text.get_text() for text in above.texts]
    assert sorted(named) == sorted(PEAKS)
    texts = [text.get_text() for text in below.texts]
    assert "peace: flat" in texts
    assert any(text.startswith("raiders: ") and "[" in text for text in texts)
    printed = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "1,620 games" in printed
    assert "95% intervals, 100 resamples of whole worlds" in printed
    # Every drawn curve is the table's, to the last bit: the figure computes nothing.
    drawn = [line.get_ydata() for line in above.lines]
    for context in PEAKS:
        curve = tables.curves.loc[tables.curves["context"] == context, "gain"].to_numpy()
        assert any(len(line) == len(curve) and np.array_equal(line, curve) for line in drawn)
    _inside(figure)


def _inside(figure: object) -> None:
    """No text runs over the edge of the figure."""
    width, height = figure.canvas.get_width_height()  # type: ignore[attr-defined]
    for axes in figure.axes:  # type: ignore[attr-defined]
        for text in [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes.title]:
            if text.get_text():
                box = text.get_window_extent()
                assert box.x0 >= 0, text
                assert box.x1 <= width, text
                assert box.y1 <= height, text
    for text in figure.texts:  # type: ignore[attr-defined]
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.x1 <= width, text
        assert box.y0 >= 0, text


def test_points_are_a_table_of_numbers_alone() -> None:
    tables = tradeoff_tables(tradeoff_runs({"baseline": 0.2}, worlds=30), LENGTHS, draws=50)
    numbers = tables.points.drop(columns="context")
    assert all(pd.api.types.is_numeric_dtype(numbers[name]) for name in numbers)
    assert np.isfinite(numbers.to_numpy(np.float64)).all()


def test_the_kind_reads_any_factor_that_sets_the_share_and_says_what_it_found() -> None:
    share = {"path": "focal.policy.params.cognition", "levels": [0.0, 0.05, 0.1, 0.2, 0.3, 0.45]}
    raids = {"path": "raiders.rate", "levels": [0.0, 0.1]}
    results = grid_results(
        {"portion": share, "raids": raids},
        lambda at: 0.0 if at["raids"] else -100.0 * ((at["portion"] - 0.15) ** 2 - 0.15**2),
    )
    assert KIND.refuses(results) is None
    tables = KIND.tables(results, Resampling(300))
    assert list(tables["optimum"]["context"]) == ["raids 0", "raids 0.1"]
    first, second = KIND.read(tables)
    best = tables["optimum"].iloc[0]
    assert best["low"] <= 0.15 <= best["high"]
    assert f"{100 * best['share']:.0f} % [" in first
    assert f"worth {best['gain']:.1f} %" in first
    assert "flat" in second
    falling = grid_results({"portion": share}, lambda at: -20.0 * at["portion"])
    assert "does not pay at any share tried" in KIND.read(KIND.tables(falling, Resampling(200)))[0]
    rising = grid_results({"portion": share}, lambda at: 20.0 * at["portion"])
    assert "the best may lie beyond" in KIND.read(KIND.tables(rising, Resampling(200)))[0]
    for theme in ("light", "dark"):
        with house_style(theme):
            KIND.draw(tables, ["note"]).canvas.draw()


def test_designs_without_shares_are_refused_in_one_line() -> None:
    raids = {"path": "raiders.rate", "levels": [0.0, 0.1]}
    assert "no factor varies" in str(KIND.refuses(grid_results({"raids": raids}, lambda at: 0.0, worlds=3)))
    few = {"path": "focal.policy.params.cognition", "levels": [0.0, 0.1, 0.2]}
    assert "fewer than 4 levels" in str(KIND.refuses(grid_results({"share": few}, lambda at: 0.0, worlds=3)))


SHARE = {"path": "focal.policy.params.cognition", "levels": [0.0, 0.05, 0.1, 0.2, 0.3, 0.45]}


def test_that_cognition_does_not_pay_takes_every_interval() -> None:
    """The curve falls, but the share next to none is not told from none."""
    faint = grid_results({"portion": SHARE}, lambda at: -20.0 * max(at["portion"] - 0.1, 0.0) - at["portion"])
    tables = KIND.tables(faint, Resampling(200))
    points = tables[""]
    assert (points["high"] > 0.0).any()
    assert tables["optimum"].loc[0, "edge"] == "low"
    said = KIND.read(tables)[0]
    assert "does not pay" not in said
    assert "cannot be told to pay" in said


def test_reference_and_level_are_those_that_were_used() -> None:
    """Each stratum's reference is its own smallest share; axis, small print and words name it."""
    levels = [0.05, 0.1, 0.2, 0.3, 0.45]
    some = grid_results({"portion": SHARE | {"levels": levels}}, lambda at: 20.0 * at["portion"], worlds=20)
    tables = KIND.tables(some, Resampling(100, level=0.8))
    assert tables["optimum"].loc[0, ["reference", "level"]].tolist() == [0.05, 0.8]
    assert "over a share of 5 %" in KIND.read(tables)[0]
    with house_style():
        figure = KIND.draw(tables, ["note"])
    above, below = figure.axes
    assert above.get_ylabel().startswith("Welfare against a share of 5 %")
    assert "best share [80 % interval]" in [text.get_text() for text in below.texts]
    facts = StudyFacts("tradeoff", LENGTHS, ("Games.",), "civsim plot tradeoff out")
    runs = tradeoff_runs({"baseline": 0.2, "raiders": 0.3}, worlds=20)
    runs = runs[(runs["factor.context"] == "baseline") | (runs["factor.cognition_share"] > 0.0)]
    apart = tradeoff_tables(runs, LENGTHS, draws=50, level=0.9)
    assert apart.optima["reference"].tolist() == [0.0, 0.02]
    assert "90% intervals" in " ".join(tradeoff_notes(apart, facts, 50))
    with house_style():
        assert "each line's smallest share" in draw_tradeoff(apart, ["note"]).axes[0].get_ylabel()


def test_one_bad_stratum_does_not_stop_the_others() -> None:
    raids = {"path": "raiders.rate", "levels": [0.0, 0.1]}
    results = grid_results({"portion": SHARE, "raids": raids}, lambda at: 20.0 * at["portion"], worlds=8)
    first = results.runs["factor.raids"].eq(0.0)
    tables = KIND.tables(fail(results, first), Resampling(50))
    assert list(tables["optimum"]["context"]) == ["raids 0.1"]
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0"]
    one = KIND.tables(fail(results, first & results.runs["world_id"].eq(0)), Resampling(50))
    assert one[""].groupby("context")["dropped"].max().to_dict() == {"raids 0": 1, "raids 0.1": 0}
    assert any(text.startswith("Worlds left out") and "raids 0: 1" in text for text in KIND.read(one))
    with pytest.raises(ResultsError, match="no world") as caught:
        KIND.tables(fail(results, results.runs["world_id"] >= 0), Resampling(50))
    assert "\n" not in str(caught.value)
