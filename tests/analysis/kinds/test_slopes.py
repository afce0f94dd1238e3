"""Pass-through by arm: each estimator stands by itself, each stratum chooses its rows, all are drawn and said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.kinds.slopes import LEAST_SQUARES, POOLED, PPML, chosen, draw_slopes, slope_rows, slope_sentences
from civsim.analysis.statistics.passthrough import pass_through
from civsim.analysis.style import house_style, new_figure

F64 = np.ndarray


def arm(seed: int, slope: float = 0.6, worlds: int = 30) -> tuple[F64, F64]:
    """Return (cognition, outcome) [W, 3] with a planted pass-through, some without cognition, some without outcome."""
    rng = np.random.default_rng(seed)
    cognition = np.exp(rng.normal(size=(worlds, 3)))
    outcome = cognition**slope * np.exp(0.2 * rng.normal(size=(worlds, 3)))
    cognition[0, 0], outcome[1, 1], outcome[2, :2] = 0.0, 0.0, 0.0
    return cognition, outcome


def separated(worlds: int = 12) -> tuple[F64, F64]:
    """Return an arm in which all of each world's outcome is with who thinks most: PPML has no top."""
    rng = np.random.default_rng(3)
    cognition = np.sort(np.exp(rng.normal(size=(worlds, 3))), axis=1)
    return cognition, np.column_stack([np.zeros((worlds, 2)), np.exp(rng.normal(size=worlds))])


def table(arms: dict[str, tuple[F64, F64]], stratum: str = "baseline") -> pd.DataFrame:
    return pd.DataFrame(slope_rows(arms, 0.95)).assign(stratum=stratum)


def test_rows_are_those_of_pass_through_and_count_what_each_leaves_out() -> None:
    cognition, outcome = arm(0)
    found = pass_through(outcome, cognition)
    rows = table({"uneven": (cognition, outcome)}).set_index("estimator")
    for name, slope in ((LEAST_SQUARES, found.log_log), (PPML, found.ppml)):
        expected = [slope.value, slope.low, slope.high, slope.p]
        assert rows.loc[name, ["slope", "low", "high", "p_of_one"]].to_numpy(float) == pytest.approx(expected)
        assert rows.loc[name, "no_cognition"] == found.no_cognition == 1
    assert rows["no_outcome"].tolist() == [found.no_outcome, 0] == [3, 0]
    assert rows["alone"].tolist() == [found.alone, 0] == [1, 0]


def test_a_separation_of_ppml_leaves_least_squares_alone_and_is_said() -> None:
    cognition, outcome = separated()
    both = table({"uneven": (cognition, outcome + np.array([0.0, 1e-9, 0.0]))}).set_index("estimator")
    assert both.loc[LEAST_SQUARES, "problem"] == ""
    assert np.isfinite(both.loc[LEAST_SQUARES, "slope"])
    none = table({"uneven": (cognition, outcome)})
    assert (none["problem"] != "").all()
    assert none["slope"].isna().all()
    said = slope_sentences(none, "baseline")
    assert len(said) == 1
    assert said[0].startswith("baseline, arm uneven: ")
    assert "least squares on logs has no estimate (no world has two civilizations" in said[0]
    assert "PPML has no estimate (" in said[0]
    assert "nan" not in said[0]


def test_one_estimator_is_said_where_the_other_has_none() -> None:
    rows = table({"uneven": arm(1)})
    rows.loc[rows["estimator"] == PPML, ["slope", "low", "high", "p_of_one"]] = np.nan
    rows.loc[rows["estimator"] == PPML, "problem"] = "the slope grows without bound"
    said = slope_sentences(rows, "baseline")[0]
    assert "by least squares on logs, which evens" in said
    assert "PPML has no estimate (the slope grows without bound; left out: 1 without cognition)" in said
    assert "left out: 1 without cognition, 3 without output, 1 then alone in a world" in said


def test_each_stratum_chooses_for_itself_whether_arms_are_pooled() -> None:
    several = table({"mild": arm(1), "strong": arm(2)}, "war")
    alone = table({"even": (np.ones((30, 3)), arm(3)[1]), "strong": arm(2)}, "crowded")
    broken = several.assign(stratum="baseline")
    broken.loc[broken["arm"] == POOLED, "problem"] = "no estimate at all"
    all_rows = pd.concat([several, alone, broken], ignore_index=True)
    assert set(chosen(all_rows, "war")["arm"]) == {POOLED}
    assert set(chosen(all_rows, "crowded")["arm"]) == {"strong"}
    assert set(chosen(all_rows, "baseline")["arm"]) == {"mild", "strong"}
    assert [sentence.split(":")[0] for sentence in slope_sentences(all_rows, "baseline")] == [
        "baseline, arm mild",
        "baseline, arm strong",
    ]
    assert slope_sentences(all_rows, "war")[0].startswith("war, all arms: ")
    with house_style():
        axes = new_figure(3.0).subplots()
        draw_slopes(axes, all_rows)
        labels = [text.get_text() for text in axes.get_yticklabels()]
        points = [line for line in axes.lines if line.get_marker() not in ("", "None")]
    assert labels == ["war", "crowded:\nstrong", "baseline:\nmild", "baseline:\nstrong"]
    assert len(points) == 8
