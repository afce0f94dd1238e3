"""Castle or thought: planted peaks in either, both or neither are found on their own side, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_grid import fail, grid_results

from civsim.analysis.kinds.castle import KIND
from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import Resampling, Results
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError

WEIGHTS, OTHERS, MUSCLE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2), 0.8, 0.7
"""Weights of walls, of the other muscle together, and the share of output that muscle has."""
SHARES = (0.0, 0.03, 0.06, 0.1, 0.2, 0.35)
FACTORS: Mapping[str, Mapping[str, Any]] = {
    "walls": {"path": "focal.policy.params.physical.walls", "levels": list(WEIGHTS)},
    "thought": {"path": "focal.policy.params.cognition", "levels": list(SHARES)},
    "raids": {"path": "raiders.rate", "levels": [0.0, 0.1, 0.2, 0.3]},
}
NAMES = ("raids 0", "raids 0.1", "raids 0.2", "raids 0.3")
PEAKS = {0.0: (None, 0.12), 0.1: (0.2, None), 0.2: (0.15, 0.1), 0.3: (None, None)}
"""Where output on walls and on cognition is best; None where every unit is a loss."""


def on_walls(weight: float) -> float:
    """The share of output that a weight of walls comes to."""
    return MUSCLE * weight / (OTHERS + weight)


def planted(worlds: int = 40, factors: Mapping[str, Mapping[str, Any]] = FACTORS) -> Results:
    """Two sub-factorials, as the study has them: walls move where cognition is not stated, and the other way round."""

    def gain(share: float, peak: float | None) -> float:
        return -30.0 * share if peak is None else -200.0 * ((share - peak) ** 2 - peak**2)

    def welfare(at: Mapping[str, Any]) -> float:
        walls, thought = PEAKS[at["raids"]]
        return gain(on_walls(at["walls"]), walls) + gain(at["thought"], thought)

    results = grid_results(factors, welfare, worlds=worlds)
    runs = results.runs
    share = on_walls(runs["factor.walls"])
    runs["spent_walls"] = share * 50.0 / (1.0 - share)
    first = {column: runs[column] == runs[column].min() for column in ("factor.walls", "factor.thought")}
    walls = runs[first["factor.thought"]].assign(**{"factor.thought": np.nan})
    thought = runs[first["factor.walls"]].assign(**{"factor.walls": np.nan})
    thought["spent_strategists"] = 0.0
    return replace(results, runs=pd.concat([walls, thought], ignore_index=True))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return KIND.tables(planted(), Resampling(300))


def test_each_side_recovers_its_own_peaks_in_shares_of_output(tables: dict[str, pd.DataFrame]) -> None:
    optima = tables["optimum"].set_index(["bought", "context"])
    for name, peaks in zip(NAMES, PEAKS.values(), strict=True):
        for bought, peak in zip(("walls", "cognition"), peaks, strict=True):
            best = optima.loc[(bought, name)]
            assert best["pays"] == (peak is not None)
            assert best["low"] <= (peak or 0.0) <= best["high"]
    points = tables[""]
    shares = points.loc[(points["bought"] == "walls") & (points["context"] == NAMES[0]), "share"]
    assert shares.tolist() == pytest.approx([on_walls(weight) for weight in WEIGHTS], abs=1e-4)
    assert SKIPPED not in tables


def test_it_says_which_pays_where(tables: dict[str, pd.DataFrame]) -> None:
    said = KIND.read(tables)
    assert said[:4] == [
        "The castle alone is told to pay in raids 0.1.",
        "Thought alone is told to pay in raids 0.",
        "Castle and thought are both told to pay in raids 0.2.",
        "Neither is told to pay in raids 0.3.",
    ]
    assert len(said) == 4 + 8
    assert said[4].startswith("On walls, raids 0: the best share is 0 %")
    assert "spending more on walls does not pay at any share tried" in said[4]
    assert "over no spending on walls" in said[5]
    assert "over no spending on cognition" in said[8]


def test_the_figure_shows_both_sides_with_every_context_named_once(tables: dict[str, pd.DataFrame]) -> None:
    for theme in ("light", "dark"):
        with house_style(theme):
            figure = KIND.draw(tables, ["note"])
            figure.canvas.draw()
            width, height = figure.canvas.get_width_height()
            castle, best_castle, thought, best_thought = figure.axes
            assert (castle.get_title(loc="left"), thought.get_title(loc="left")) == ("Castle", "Thought")
            assert castle.get_ylim() == thought.get_ylim()
            assert [label.get_text() for label in best_castle.get_yticklabels()] == list(NAMES)
            assert not [label for label in best_thought.get_yticklabels() if label.get_text()]
            boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
            boxes += [label.get_window_extent() for label in best_castle.get_yticklabels()]
            assert all(box.x0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
            drawn = [line.get_ydata() for line in castle.lines]
            curve = tables["curve"]
            for name in NAMES:
                own = curve.loc[(curve["bought"] == "walls") & (curve["context"] == name), "gain"].to_numpy()
                assert any(len(line) == len(own) and np.array_equal(line, own) for line in drawn)


def test_a_context_that_fails_on_one_side_is_named_and_not_judged() -> None:
    results = planted(worlds=12)
    bad = (results.runs["factor.raids"] == 0.1) & results.runs["factor.walls"].notna()
    tables = KIND.tables(fail(results, bad), Resampling(100))
    assert list(tables[SKIPPED]["stratum"]) == ["raids 0.1, walls"]
    said = KIND.read(tables)
    assert not any("castle alone" in line for line in said)
    assert any(line.startswith("On cognition, raids 0.1") for line in said)
    with house_style():
        KIND.draw(tables, ["note"]).canvas.draw()


def test_walls_that_cost_the_same_at_two_levels_are_no_dose() -> None:
    results = planted(worlds=12)
    runs = results.runs.assign(spent_walls=0.0)
    tables = KIND.tables(replace(results, runs=runs), Resampling(50))
    assert set(tables["optimum"]["bought"]) == {"cognition"}
    assert "is the category closed?" in tables[SKIPPED]["reason"].iloc[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            {"walls": {"path": "raiders.damage", "levels": list(WEIGHTS)}},
            "no factor varies focal.policy.params.physical",
        ),
        ({"thought": {"path": "walls.rate", "levels": list(SHARES)}}, "no factor varies focal.policy.params.cognition"),
        ({"walls": {"path": "focal.policy.params.physical.walls", "levels": [0.0, 0.1, 0.2]}}, "fewer than 4 levels"),
    ],
)
def test_designs_without_both_sides_are_refused_in_one_line(change: Any, word: str) -> None:
    results = planted(worlds=3, factors={**FACTORS, **change})
    assert word in str(KIND.refuses(results))
    with pytest.raises(ResultsError, match=word):
        KIND.tables(results, Resampling(20))


def test_the_study_of_contexts_has_this_design() -> None:
    from civsim.scenarios import load_study

    study = load_study("contexts")
    for name, path in (
        ("walls", "focal.policy.params.physical.walls"),
        ("cognition_share", "focal.policy.params.cognition"),
    ):
        assert study.factors[name].path == path
        assert len([block for block in study.points if name in block]) == 1
    others = sum(weight for name, weight in study.set["focal.policy"]["params"]["physical"].items() if name != "walls")
    free = 1.0 - study.set["focal.policy"]["params"]["consumption"] - study.set["focal.policy"]["params"]["cognition"]
    shares = [round(free * weight / (others + weight), 2) for weight in study.factors["walls"].levels]
    assert shares == [0.0, 0.03, 0.08, 0.13, 0.2, 0.3, 0.4]  # what the comment in the file says
