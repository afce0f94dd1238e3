"""What was learnt about thinking: planted shares come back beside the optimum; the figure draws its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.learning.evaluation import games_rows
from civsim.analysis.learning.learned import draw_learned, learned_tables, read_optima
from civsim.analysis.panel import select
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError

DOCS = Path(__file__).resolve().parents[3] / "docs"
WORLDS = 2**31 + np.arange(40)
PLANTED = {("baseline", "uniform"): 0.06, ("baseline", "fixed"): 0.04, ("war", "uniform"): 0.0}
BEGUN = {("baseline", "uniform"): 0.375, ("baseline", "fixed"): 0.05, ("war", "uniform"): 0.375}
OPTIMA = pd.DataFrame(
    [
        {"context": "baseline", "share": 0.053, "low": 0.048, "high": 0.104, "near_low": 0.043, "near_high": 0.076,
         "flat": False, "edge": ""},
        {"context": "ridges", "share": 0.0, "low": 0.0, "high": 0.06, "near_low": 0.0, "near_high": 0.055,
         "flat": True, "edge": "low"},
    ]
)  # fmt: skip


def spending(cognition: float, rng: np.random.Generator) -> np.ndarray:
    """Spending float [W, 8] in worlds of unequal wealth, this share of it on cognition."""
    wealth = rng.gamma(4.0, 50.0, len(WORLDS))[:, None]
    rest = (1.0 - cognition) * np.array([0.6, 0.2, 0.1, 0.05, 0.05])
    return wealth * np.concatenate([rest, cognition * np.array([0.5, 0.25, 0.25])])


def games(runs: int = 5, spread: float = 0.01) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = []
    for (context, start), share in PLANTED.items():
        for run, shift in enumerate(np.linspace(-1.0, 1.0, runs) if runs > 1 else [0.0]):
            spent = spending(share + spread * shift * (share > 0.0), rng)
            rows = games_rows(f"{context} {start}", f"run {run}", WORLDS, WORLDS % 4, np.zeros((len(WORLDS), 4)), spent)
            parts.append(rows.assign(context=context, start=start))
    return pd.concat(parts, ignore_index=True)


def test_planted_shares_are_recovered_beside_the_optimum() -> None:
    tables = learned_tables(games(), OPTIMA, BEGUN, draws=400)
    rows = tables.shares.set_index(["context", "start"])
    assert list(rows.index) == list(PLANTED)
    for key, share in PLANTED.items():
        row = rows.loc[key]
        assert (row["runs"], row["worlds"]) == (5, 40)
        assert row["learned"] == pytest.approx(share, abs=0.003)
        assert row["learned_low"] <= share <= row["learned_high"]
        assert row["begun"] == BEGUN[key]
    first = rows.loc[("baseline", "fixed")]
    assert tuple(first[["optimum", "optimum_low", "optimum_high", "near_low", "near_high"]]) == (
        0.053, 0.048, 0.104, 0.043, 0.076,
    )  # fmt: skip
    assert np.isnan(rows.loc[("war", "uniform"), "optimum"])
    single = select(tables.runs, {"context": "baseline", "start": "uniform"})
    assert single["learned"].to_numpy() == pytest.approx(0.06 + 0.01 * np.linspace(-1, 1, 5))


def test_the_interval_counts_seeds_as_well_as_worlds() -> None:
    def width(spread: float) -> float:
        row = learned_tables(games(spread=spread), OPTIMA, BEGUN, draws=400).shares.iloc[0]
        return float(row["learned_high"] - row["learned_low"])

    assert width(0.02) > 3.0 * width(0.002) > 0.0
    # The share is the same in every world: without other seeds nothing varies.
    alone = learned_tables(games(runs=1), OPTIMA, BEGUN, draws=100).shares.iloc[0]
    assert alone["runs"] == 1
    assert alone["learned_low"] == pytest.approx(alone["learned_high"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda table: table.iloc[:0], "games=0"),
        (lambda table: table.drop(columns="start"), "column 'start'"),
        (lambda table: table.assign(policy=table["run"]), "give one"),
        (lambda table: table.assign(start="other"), "where it began"),
        (lambda table: table.drop(index=3), "are not 5 runs × 40 worlds"),
    ],
)
def test_games_that_cannot_be_used_are_one_line(change, word) -> None:
    with pytest.raises(ResultsError, match=word) as caught:
        learned_tables(change(games()), OPTIMA, BEGUN, draws=10)
    assert "\n" not in str(caught.value)


def test_two_optima_of_one_context_are_refused() -> None:
    with pytest.raises(ResultsError, match="2 optima"):
        learned_tables(games(), pd.concat([OPTIMA, OPTIMA]), BEGUN, draws=10)


def test_optima_are_read_from_the_trade_offs_own_table(tmp_path: Path) -> None:
    table = read_optima(DOCS / "figures")
    assert set(table["context"]) == {"baseline", "gold-rush", "siege", "marches", "dear-thought"}
    assert table["flat"].dtype == bool
    assert set(table["edge"]) <= {"", "low", "high"}
    with pytest.raises(ResultsError, match="missing or damaged"):
        read_optima(tmp_path)
    (tmp_path / "tradeoff-optimum.csv").write_text("context,share\nbaseline,0.1\n")
    with pytest.raises(ResultsError, match="column 'flat' is missing"):
        read_optima(tmp_path)


@pytest.mark.parametrize("starts", [("uniform", "fixed"), ("uniform",)])
def test_the_figure_draws_its_tables(starts: tuple[str, ...]) -> None:
    tables = learned_tables(games().query("start in @starts"), OPTIMA, BEGUN, draws=50)
    with house_style():
        figure = draw_learned(tables, ["40 worlds."])
        figure.canvas.draw()
        width, height = figure.canvas.get_width_height()
        for text in [*figure.texts, *(text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label))]:
            box = text.get_window_extent()
            assert 0.0 <= box.x0 <= box.x1 <= width, text
            assert 0.0 <= box.y0 <= box.y1 <= height, text
    (axes,) = figure.axes
    drawn = [tuple(np.asarray(line.get_xdata(), np.float64)) for line in axes.lines]
    for row in tables.shares.to_dict("records"):
        assert (100.0 * row["learned_low"], 100.0 * row["learned_high"]) in drawn
        assert (100.0 * row["learned"],) in drawn
        assert (100.0 * row["begun"],) in drawn
        dots = select(tables.runs, {"context": row["context"], "start": row["start"]})["learned"]
        assert tuple(100.0 * dots) in drawn
    assert (100.0 * 0.053,) in drawn
    labels = [text.get_text() for text in axes.texts]
    assert sum(text.endswith(", 5") for text in labels) == len(tables.shares)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["baseline", "war"]
