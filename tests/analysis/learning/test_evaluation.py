"""The tables of an evaluation recover what was planted; their figures draw them and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.learning.evaluation import THRESHOLDS, evaluation_tables, games_rows, run_world_table
from civsim.analysis.learning.evaluation_figures import draw_profile, draw_ratings
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError

WORLDS = 2**31 + np.arange(80)


def planted(gain: float = 3.0) -> pd.DataFrame:
    """Five runs of "agent" that gain over "fixed", and a "uniform" far below; a fifth of spending on cognition."""
    rng = np.random.default_rng(0)
    land = rng.gamma(4.0, 3.0, len(WORLDS))
    spent = np.tile([4.0, 1, 1, 1, 1, 1, 0.5, 0.5], (len(WORLDS), 1))
    parts = []
    for policy, runs, mean in (("agent ×5", 5, gain), ("fixed", 1, 0.0), ("uniform", 1, -20.0)):
        for run in range(runs):
            score = 50.0 + mean + land + rng.normal(size=len(WORLDS)) + 0.5 * rng.normal() * (runs > 1)
            parts.append(games_rows(policy, f"r{run}", WORLDS, WORLDS % 4, np.stack([score] * 4, 1), spent))
    return pd.concat(parts, ignore_index=True)


def test_planted_scores_are_recovered():
    tables = evaluation_tables(planted(), "welfare", ["agent ×5"], draws=400)
    summary = tables.summary.set_index("policy")
    assert list(summary.index) == ["agent ×5", "fixed", "uniform"]
    assert summary["judged"].tolist() == [True, False, False]
    assert summary["runs"].tolist() == [5, 1, 1]
    assert summary.loc["agent ×5", "share_cognition"] == pytest.approx(0.2)
    assert summary.loc["agent ×5", "share_consumption"] == pytest.approx(0.4)
    rows = tables.comparisons.set_index("other")
    assert list(rows.index) == ["fixed", "uniform"]
    assert rows.loc["fixed", "low"] <= 3.0 <= rows.loc["fixed", "high"]
    assert rows.loc["fixed", "low"] > 0.0
    assert rows.loc["fixed", "improvement"] > 0.9
    better = rows.loc["uniform", ["improvement", "improvement_low", "improvement_high"]].tolist()
    assert better == [1.0, pytest.approx(0.025 ** (1 / 80)), 1.0]
    profile = tables.profile[tables.profile["policy"] == "agent ×5"]
    assert len(profile) == THRESHOLDS
    assert profile["share"].iloc[0] == 1.0
    # A judged pair is compared once, and nobody with itself.
    both = evaluation_tables(planted(), "share", ["agent ×5", "fixed"], draws=20).comparisons
    pairs = list(zip(both["policy"], both["other"], strict=True))
    assert pairs == [("agent ×5", "fixed"), ("agent ×5", "uniform"), ("fixed", "uniform")]


def test_games_are_put_in_order_whatever_theirs():
    games = planted()
    shuffled = games.sample(frac=1.0, random_state=1)
    one, other = (run_world_table(table, "fixed", ["welfare"]) for table in (games, shuffled))
    assert one.shape == (1, 80, 1)
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda games: games.drop(columns="welfare"), "welfare"),
        (lambda games: games[games["policy"] != "agent ×5"], "'agent ×5' has no games"),
        (lambda games: games.drop(index=5), "79|399"),
        (lambda games: pd.concat([games, games.iloc[:1]]), "401 games are not 5 runs × 80 worlds"),
        (lambda games: games[games["world_id"] == WORLDS[0]], "worlds=1"),
    ],
)
def test_tables_that_cannot_be_used_are_one_line(change, word):
    with pytest.raises(ResultsError, match=word) as caught:
        evaluation_tables(change(planted()), "welfare", ["agent ×5"], draws=20)
    assert "\n" not in str(caught.value)


def inside(figure) -> None:
    """No text runs over the edge of the figure."""
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [
        *figure.texts,
        *(text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label, axes.yaxis.label)),
    ]
    for text in texts:
        box = text.get_window_extent()
        assert not text.get_text() or (box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height), text


def test_the_profile_figure_draws_its_table():
    tables = evaluation_tables(planted(), "welfare", ["agent ×5"], draws=50)
    with house_style():
        figure = draw_profile(tables, "welfare", "agent on planted", ["80 worlds."])
        inside(figure)
    (axes,) = figure.axes
    for name in ("agent ×5", "fixed", "uniform"):
        rows = tables.profile[tables.profile["policy"] == name]
        assert any(np.array_equal(line.get_ydata(), rows["share"]) for line in axes.lines)
    assert [text.get_text() for text in axes.texts] == ["agent ×5", "fixed", "uniform"]


def test_the_ratings_figure_draws_its_tables():
    names = ["a-policy-with-a-name", "b", "c"]
    ratings = pd.DataFrame(
        {"policy": names, "elo": [90.0, 0.0, -400.0], "low": [50.0, 0, -np.inf], "high": [130.0, 0, 9]}
    )
    pairs = pd.DataFrame(
        [(i, j, w, w - 0.1, w + 0.1) for i, j, w in (("b", "c", 0.9), ("c", "b", 0.1), (names[0], "b", 0.55))],
        columns=["policy", "other", "wins", "low", "high"],
    )
    with house_style():
        figure = draw_ratings(ratings, pairs, [("b", "c", names[0])], "Tournament", ["3 policies."])
        inside(figure)
    left, right = figure.axes
    drawn = [tuple(line.get_xdata()) for line in left.lines]
    assert (50.0, 130.0) in drawn
    assert (left.get_xlim()[0], 9.0) in drawn  # an open interval runs to the edge
    assert {"90", "10", "55"} <= {text.get_text() for text in right.texts}
    assert any("Cycle: b beats c" in text.get_text() for text in figure.texts)
