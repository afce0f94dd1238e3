"""The returns study: every arm the analysis asks for is played, and what was planted comes back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from planted import LENGTH, returns_runs
from tree import ROOT

from civsim.analysis.pages import fill_blocks, gain, markdown_table, rules_line
from civsim.analysis.panel import select
from civsim.analysis.returns import CONSTANT, MYOPIC, SWEEPS, ReturnsTables, pick, returns_tables, sweep_levels
from civsim.analysis.returns_figures import draw_closing, draw_controls, draw_levels
from civsim.analysis.returns_report import (
    closing_block,
    controls_block,
    levels_block,
    main,
    marginal_block,
    orders_block,
)
from civsim.analysis.style import house_style
from civsim.analysis.units import equivalent_percent
from civsim.base.errors import ResultsError

CONTEXTS = ("baseline", "ridges")
LENGTHS = dict.fromkeys(CONTEXTS, LENGTH)


@pytest.fixture(scope="module")
def tables() -> ReturnsTables:
    return returns_tables(returns_runs(), LENGTHS, draws=300)


def test_an_arm_is_its_settings_and_no_others() -> None:
    runs = returns_runs(worlds=3)
    arm = pick(runs, "ridges", {"horizon": 16, "sight": 6, "attention": 6})
    assert len(arm) == 3
    assert arm["factor.reach"].isna().all()
    assert arm["factor.closed"].isna().all()
    assert len(pick(runs, "ridges", {"horizon": 16, "sight": 6, "attention": 6, "closed": "works"})) == 3
    assert sweep_levels(runs, "ridges", SWEEPS[0]) == [0, 1, 2, 4, 8, 16, 32]
    assert [len(sweep_levels(runs, "ridges", sweep)) for sweep in SWEEPS] == [7, 5, 6, 4, 5, 3]


def test_planted_gains_by_level_are_recovered(tables: ReturnsTables) -> None:
    hits, total = 0, 0
    for row in select(tables.levels, {"channel": "horizon", "held": "r = 6, k = 6"}).itertuples():
        planted = equivalent_percent(5.0 * min(row.level, 16) / 16, *LENGTH)
        hits += row.low <= planted <= row.high
        total += 1
    assert total == 14
    assert hits >= 11  # 95 % of 14, less two s.d.
    flat = select(tables.levels, {"channel": "attention"})
    assert (np.abs(flat["gain"]) < 1.0).all()


def test_marginal_returns_fall_to_nothing_where_the_planted_curve_is_flat(tables: ReturnsTables) -> None:
    steps = select(tables.marginal, {"channel": "horizon", "held": "r = 6, k = 6", "context": "baseline"})
    last = steps.iloc[-1]
    assert (last["level_from"], last["level_to"]) == (16, 32)
    assert last["low"] <= 0.0 <= last["high"]
    assert steps.iloc[3]["low"] > 0.0


def test_controls_set_reach_and_rollout_apart(tables: ReturnsTables) -> None:
    rows = select(tables.controls, {"context": "ridges"}).set_index("control")
    assert rows.loc[MYOPIC, "gain"] == rows.loc[CONSTANT, "gain_over_constant"] == 0.0
    for control, planted in ((CONSTANT, 4.0), ("rollout 16, no reach", 1.0), ("planner, h = 16", 5.0)):
        assert rows.loc[control, "gain"] == pytest.approx(float(equivalent_percent(planted, *LENGTH)), abs=0.8)


def test_closing_claims_takes_three_quarters_away_and_other_kinds_nothing(tables: ReturnsTables) -> None:
    rows = select(tables.closing, {"context": "ridges", "channel": "horizon"}).set_index("kind")
    whole = float(equivalent_percent(5.0, *LENGTH))
    assert rows.loc["claims", "return_closed"] == pytest.approx(whole / 4, abs=0.9)
    assert rows.loc["claims", "carried_low"] > 0.0
    assert rows.loc["walls", "carried_low"] <= 0.0 <= rows.loc["walls", "carried_high"] + 0.5


def test_counts_of_orders_change_where_planted(tables: ReturnsTables) -> None:
    rows = select(tables.orders, {"context": "baseline", "channel": "horizon"}).set_index("count")
    assert rows.loc["claims", ["change", "low", "high", "at_low"]].tolist() == pytest.approx([2.0, 2.0, 2.0, 5.0])
    assert rows.loc["works", "change"] == 0.0


def test_a_missing_arm_is_named() -> None:
    runs = returns_runs(worlds=3)
    with pytest.raises(ResultsError, match="far-sighted constant"):
        returns_tables(runs[runs["factor.reach"] != 4096], LENGTHS, draws=20)
    with pytest.raises(ResultsError, match="atlantis"):
        returns_tables(runs.assign(**{"factor.context": "atlantis"}), LENGTHS, draws=20)


def test_figures_and_blocks_come_from_the_tables(tables: ReturnsTables) -> None:
    with house_style():
        for draw in (draw_levels, draw_controls, draw_closing):
            figure = draw(tables, ["small print"])
            figure.canvas.draw()
            width, _ = figure.canvas.get_width_height()
            for text in figure.texts:
                assert text.get_window_extent().x1 <= width
            titles = [axes.get_title(loc="left") for axes in figure.axes]
            assert [title for title in titles if title] == list(CONTEXTS)
    for block in (levels_block, marginal_block, controls_block, orders_block, closing_block):
        text = block(tables)
        for context in CONTEXTS:
            assert context in text
    assert "0 → 1" in marginal_block(tables)


def test_table_cells_and_blocks() -> None:
    assert gain(1.26, 0.5, 2.0) == "**+1.3 [+0.5, +2.0]**"
    assert gain(-1.0, -2.0, 0.5) == "−1.0 [−2.0, +0.5]"
    assert gain(0.0, 0.0, 0.0) == gain(1e-6, -0.0, 2e-6) == "0"
    assert gain(0.06, 0.01, 0.11) == "+0.1 [0, +0.1]"
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---:|\n| 1 | 2 |"
    page = "prose\n<!-- generated: levels -->\nold\n<!-- end -->\nmore\n"
    assert fill_blocks(page, {"levels": "new\n"}) == "prose\n<!-- generated: levels -->\nnew\n<!-- end -->\nmore\n"
    with pytest.raises(ResultsError, match="levels"):
        fill_blocks(page, {})
    with pytest.raises(ResultsError, match="controls"):
        fill_blocks(page, {"levels": "", "controls": ""})


def test_the_head_of_a_page_says_under_which_rules_its_games_were_played() -> None:
    assert rules_line([1, 1]).startswith("Played under rules version 1; ")
    assert rules_line([2, 1, 2]).startswith("Played under rules version 1 and 2; ")
    for page in ("results", "returns", "learning"):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        assert re.match(r"# .*\n\n<!-- generated: rules -->\nPlayed under rules version \d", text)


def test_the_program_says_in_one_line_what_it_cannot_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("civsim: error:")
    assert captured.err.count("\n") == 1
    (tmp_path / "returns.md").write_text("page")
    assert main([str(tmp_path), str(tmp_path)]) == 2
    assert "manifest" in capsys.readouterr().err
    assert (tmp_path / "returns.md").read_text() == "page"
