"""Learning curves: read from run folders, pooled over runs, refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trained import make_evaluations, make_run

from civsim.analysis.learning.evaluation_figures import draw_learning
from civsim.analysis.learning.learning_curves import (
    Evaluations,
    curve_tables,
    evaluation_curve,
    has_evaluations,
    read_evaluations,
    read_monitor,
    training_curve,
)
from civsim.analysis.statistics.scores import mean_score
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError
from civsim.base.scenario import Scenario


def run(steps=(10, 20), level=0.0, seconds=1.0, episodes=8) -> Evaluations:
    steps = np.array(steps)
    results = level + steps[:, None] / 10.0 + np.arange(episodes)
    return Evaluations(steps, results, seconds * np.arange(1.0, len(steps) + 1.0))


def test_a_curve_is_the_mean_over_runs_with_an_interval():
    table = evaluation_curve([run(level=0.0), run(level=2.0, seconds=3.0)], draws=400)
    assert table["steps"].tolist() == [10, 20]
    assert table["mean"].tolist() == [1.0 + 3.5 + 1.0, 2.0 + 3.5 + 1.0]
    assert table["cpu_seconds"].tolist() == [2.0, 4.0]
    assert table["cpu_least"].tolist() == [1.0, 2.0]
    assert table["cpu_most"].tolist() == [3.0, 6.0]
    assert (table["low"] < table["mean"]).all()
    assert (table["mean"] < table["high"]).all()
    assert table["iqm"].tolist() == [1.0 + 3.5 + 1.0, 2.0 + 3.5 + 1.0]
    assert table[["runs", "episodes"]].to_numpy().tolist() == [[2, 8]] * 2


def test_intervals_are_students_over_runs_because_each_run_has_worlds_of_its_own():
    """Runs whose means are 0.5 and 4.5 (s = 2√2): t₁ · s / √2 = 12.706 · 2, however many episodes they have."""
    for episodes in (2, 200):
        results = [np.full((1, episodes), mean) + np.resize([-0.5, 0.5], episodes) for mean in (0.5, 4.5)]
        runs = [Evaluations(np.array([10]), each, np.array([1.0])) for each in results]
        row = evaluation_curve(runs).iloc[0]
        for value, low, high in (("mean", "low", "high"), ("iqm", "iqm_low", "iqm_high")):
            assert row[value] == pytest.approx(2.5)
            assert (row[low], row[high]) == pytest.approx((2.5 - 25.412, 2.5 + 25.412), rel=1e-4)


def test_intervals_of_runs_on_worlds_of_their_own_cover_at_their_nominal_rate():
    hits, rng = 0, np.random.default_rng(7)
    for _ in range(400):
        results = rng.normal(size=(3, 1, 6)) + rng.normal(size=(3, 1, 1))
        row = evaluation_curve([Evaluations(np.array([1]), each, np.array([1.0])) for each in results]).iloc[0]
        hits += row["low"] <= 0.0 <= row["high"]
    assert 0.92 <= hits / 400 <= 0.98


def test_of_one_run_the_worlds_are_resampled():
    one = run(steps=(10,))
    row, known = evaluation_curve([one]).iloc[0], mean_score(one.results[:1])
    assert (row["mean"], row["low"], row["high"]) == tuple(map(float, known))
    with pytest.raises(ResultsError, match="too few to resample"):
        evaluation_curve([run(episodes=1)])


def test_only_evaluations_that_every_run_had_are_pooled():
    table = evaluation_curve([run(steps=(10, 20, 30)), run(steps=(20, 30, 40))], draws=20)
    assert table["steps"].tolist() == [20, 30]
    assert table["cpu_seconds"].tolist() == [1.5, 2.5]
    with pytest.raises(ResultsError, match="no evaluation at the same step"):
        evaluation_curve([run(steps=(10,)), run(steps=(20,))])
    with pytest.raises(ResultsError, match=r"\[7, 8\] episodes"):
        evaluation_curve([run(), run(episodes=7)])
    with pytest.raises(ResultsError, match="runs=0"):
        evaluation_curve([])
    with pytest.raises(ResultsError, match="runs=0"):
        curve_tables({})


def test_training_episodes_are_averaged_by_span_run_by_run():
    one = pd.DataFrame({"steps": [10, 20, 30, 40], "cpu_s": [1.0, 2, 3, 4], "objective": [1.0, 3, 5, 7]})
    other = pd.DataFrame({"steps": [5, 40], "cpu_s": [2.0, 6], "objective": [4.0, 8]})
    table = training_curve([one, other], bins=2)
    assert table["mean"].tolist() == [(2.0 + 4.0) / 2, (6.0 + 8.0) / 2]
    assert table["least"].tolist() == [2.0, 6.0]
    assert table["most"].tolist() == [4.0, 8.0]
    assert table["steps"].tolist() == [(15 + 5) / 2, (35 + 40) / 2]
    assert table["episodes"].tolist() == [3, 3]
    assert training_curve([one, other.iloc[:0]]).empty
    assert training_curve([one.iloc[:0]]).empty


def test_runs_are_read_from_their_folders(tmp_path):
    folders = [make_run(tmp_path / f"s{seed}", Scenario(), seed) for seed in range(3)]
    assert has_evaluations(folders[0])
    assert not has_evaluations(folders[0] / "best")
    read = read_evaluations(folders[0])
    assert read.timesteps.tolist() == [100, 200, 300]
    assert read.cpu_seconds.tolist() == [1.0, 2.0, 3.0]
    assert read.results.shape == (3, 6)
    tables = curve_tables({"kind": folders, "one": folders[:1]}, draws=50)
    assert tables.evaluations["policy"].tolist() == ["kind"] * 3 + ["one"] * 3
    assert tables.evaluations["runs"].tolist() == [3] * 3 + [1] * 3
    assert (tables.training.groupby("policy").size() > 10).all()
    with house_style():
        figure = draw_learning(tables, "welfare", ["Two kinds."])
        figure.canvas.draw()
    left, right = figure.axes
    drawn = [line.get_ydata() for line in left.lines]
    for name in ("kind", "one"):
        rows = tables.evaluations[tables.evaluations["policy"] == name]
        assert any(np.array_equal(line, rows["mean"]) for line in drawn)
        assert any(np.array_equal(line.get_xdata(), rows["cpu_seconds"]) for line in right.lines)
    assert [text.get_text() for text in right.texts] == ["kind", "one"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"cpu_seconds": None}, "lacks cpu_seconds"),
        ({"results": np.zeros((2, 6))}, "do not fit"),
        ({"results": np.zeros((3, 0))}, "do not fit"),
        ({"timesteps": np.array(3)}, "do not fit"),
        ({"timesteps": np.array([100, 100, 300])}, "do not rise"),
        ({"results": np.full((3, 6), np.nan)}, "not finite"),
        ({"results": np.array([["a"] * 6] * 3)}, "missing or damaged"),
        ({"results": np.array([[{}] * 6] * 3, dtype=object)}, "missing or damaged"),
    ],
)
def test_evaluations_that_cannot_be_used_are_one_line(tmp_path, changes, word):
    make_evaluations(tmp_path, **changes)
    with pytest.raises(ResultsError, match=word) as caught:
        read_evaluations(tmp_path)
    assert "\n" not in str(caught.value)
    assert "evaluations.npz" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_a_damaged_file_is_one_line(tmp_path, content):
    (tmp_path / "evaluations.npz").write_bytes(content)
    with pytest.raises(ResultsError, match="missing or damaged"):
        read_evaluations(tmp_path)
    with pytest.raises(ResultsError, match="missing or damaged"):
        read_evaluations(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "missing or damaged"),
        ("", "missing or damaged"),
        ("steps,cpu_s\n1,2\n", "lacks the column objective"),
        ("steps,cpu_s,objective\n1,2,three\n", "not numbers"),
    ],
)
def test_a_monitor_that_cannot_be_used_is_one_line(tmp_path, text, word):
    if text is not None:
        (tmp_path / "monitor.csv").write_text(text)
    with pytest.raises(ResultsError, match=word):
        read_monitor(tmp_path)
