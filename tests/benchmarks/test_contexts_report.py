"""The judgement of arms over contexts, on planted games: gains, their t, and the best of equal rungs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from civsim.analysis.units import discount_sum
from civsim.base.errors import ResultsError

CONTEXTS, WORLDS = 60, 24
DISCOUNT, TURNS = 0.98, 100
RUNGS = ("h0", "npv-16", "npv")


@pytest.fixture(scope="module")
def arms(benchmark_module: Any) -> Any:
    return benchmark_module("contexts_arms")


@pytest.fixture(scope="module")
def judging(benchmark_module: Any) -> Any:
    return benchmark_module("contexts_report")


def planted(judging: Any, means: dict[str, Any], spread: float = 4.0, seed: int = 0) -> Any:
    """Games in which an arm's mean is ``means[arm]`` (log points a turn, a number or one a context)."""
    rng, unit = np.random.default_rng(seed), discount_sum(DISCOUNT, TURNS) / 100.0
    worlds = rng.normal(size=(CONTEXTS, WORLDS)) * 20.0
    found: Any = {}
    for name, mean in means.items():
        points = worlds + np.reshape(np.broadcast_to(mean, CONTEXTS), (-1, 1)) + spread * rng.normal(size=worlds.shape)
        found[name] = {
            f"context-{number:03d}": judging.Games(tuple(range(WORLDS)), unit * row, DISCOUNT, TURNS)
            for number, row in enumerate(points)
        }
    return found


def rows_of(arms: Any, judging: Any, played: Any) -> tuple[dict[tuple[str, str], Any], Any]:
    rows, judged = judging.judge_all(arms.pairs_of(played), played)
    return {(row.arm, row.against): row for row in rows}, judged


def test_a_planner_meets_rungs_that_look_as_far_or_anywhere_and_the_next_shorter_planner(arms: Any) -> None:
    found = arms.pairs_of(["npv", "h16", "h0", "npv-4", "h4", "npv-16"])
    assert [(pair.arm, pair.against) for pair in found if pair.arm == "h16"] == [
        ("h16", "h0"),
        ("h16", "npv"),
        ("h16", "npv-16"),
        ("h16", "best rung of reach 16"),
        ("h16", "best rung of any reach"),
        ("h16", "h4"),
    ]
    best = {pair.against: set(pair.options) for pair in found if len(pair.options) > 1 and pair.arm == "h16"}
    assert best == {"best rung of reach 16": {"h0", "npv-16"}, "best rung of any reach": {"h0", "npv"}}
    assert ("h4", "npv-4") in [(pair.arm, pair.against) for pair in found]
    assert ("h4", "npv-16") not in [(pair.arm, pair.against) for pair in found]


def test_an_arm_that_may_not_attack_meets_rungs_that_may_not(arms: Any) -> None:
    names = ["h16+never", "h16", "npv-16+never", "npv-16+rule", "myopic+never", "h4+never"]
    met = {pair.against: pair.options for pair in arms.pairs_of(names) if pair.arm == "h16+never"}
    assert set(met) == {
        "npv-16+never", "myopic+never", "best rung of reach 16", "h4+never",
    }  # fmt: skip
    assert set(met["best rung of reach 16"]) == {"npv-16+never", "myopic+never"}
    assert "npv-16+rule" in [pair.against for pair in arms.pairs_of(names) if pair.arm == "h16"]


def test_planted_gains_come_out_in_log_points_a_turn(arms: Any, judging: Any) -> None:
    played = planted(judging, {"h0": 0.0, "npv-16": 5.0, "npv": -3.0, "h16": 6.0})
    rows, judged = rows_of(arms, judging, played)
    for against, gain in (("h0", 6.0), ("npv-16", 1.0), ("npv", 9.0), ("best rung of reach 16", 1.0)):
        row = rows["h16", against]
        assert row.contexts == CONTEXTS
        assert row.error == pytest.approx(4.0 * np.sqrt(2.0 / WORLDS / CONTEXTS), rel=0.3)
        assert abs(row.mean - gain) < 4.0 * row.error
    assert rows["h16", "h0"].above > 55
    assert rows["h16", "h0"].below == 0
    best = judged[judged["against"] == "best rung of reach 16"]
    assert (best["chosen"] == "npv-16").mean() > 0.9
    assert set(best["freedom"]) == {WORLDS - 2}


def test_the_best_of_equal_rungs_does_not_beat_a_planner_as_good_as_each(arms: Any, judging: Any) -> None:
    """Where the best rung of all worlds would be taken, the planner would lose by a good part of a standard error."""
    found = [
        rows_of(arms, judging, planted(judging, dict.fromkeys((*RUNGS, "h16"), 0.0), seed=seed)) for seed in range(8)
    ]
    each = [rows["h16", "best rung of reach 16"] for rows, _ in found]
    means = np.array([row.mean for row in each])
    assert abs(means.mean()) < 3.0 * np.mean([row.error for row in each]) / np.sqrt(len(each))
    told = sum(row.above + row.below for row in each)
    chance = sum(2.0 * row.by_chance for row in each)
    assert 0.8 * chance < told < 2.0 * chance


def test_contexts_that_differ_choose_rungs_of_their_own(arms: Any, judging: Any) -> None:
    turn = np.where(np.arange(CONTEXTS) % 2 == 0, 10.0, -10.0)
    played = planted(judging, {"h0": turn, "npv-16": -turn, "h16": 10.0})
    rows, judged = rows_of(arms, judging, played)
    best = judged[judged["against"] == "best rung of reach 16"].sort_values("context")
    assert best["chosen"].tolist() == ["h0", "npv-16"] * (CONTEXTS // 2)
    assert abs(rows["h16", "best rung of reach 16"].mean) < 1.0
    assert rows["h16", "h0"].mean == pytest.approx(10.0, abs=1.0)


def test_an_arm_that_plays_the_same_games_is_told_apart_nowhere(arms: Any, judging: Any) -> None:
    played = planted(judging, {"h0": 0.0})
    played["h16"] = played["h0"]
    (row,) = rows_of(arms, judging, played)[0].values()
    assert (row.mean, row.error, row.above, row.below) == (0.0, 0.0, 0, 0)


def test_only_contexts_that_all_arms_played_are_compared(arms: Any, judging: Any) -> None:
    played = planted(judging, {"h0": 0.0, "h16": 1.0, "npv": 0.0})
    del played["npv"]["context-000"], played["h16"]["context-001"]
    rows, _ = rows_of(arms, judging, played)
    counts = {against: row.contexts for (_, against), row in rows.items()}
    assert counts == {"h0": CONTEXTS - 1, "npv": CONTEXTS - 2, "best rung of any reach": CONTEXTS - 2}


def test_the_page_shows_small_lists_context_by_context(arms: Any, judging: Any) -> None:
    played = planted(judging, {"h0": 0.0, "h16": 6.0})
    rows, judged = judging.judge_all(arms.pairs_of(played), played)
    assert "| context |" not in judging.markdown(rows, judged, ["planted"])
    few = judged[judged["context"] < "context-010"]
    text = judging.markdown(rows, few, ["planted"])
    assert text.startswith("- planted\n\n| arm | against | contexts | mean ± s.e. |")
    assert len([line for line in text.splitlines() if line.startswith("| context-0")]) == 10
    bold = few[few["t"].abs() > judging.CLEAR]
    assert text.count("**") == 2 * len(bold) > 0
    first = few.iloc[0]
    assert f"{first['difference']:+.2f} ± {first['error']:.2f}".replace("-", "−") in text


def test_what_cannot_be_compared_is_refused(arms: Any, judging: Any) -> None:
    played = planted(judging, {"h0": 0.0, "h16": 6.0})
    with pytest.raises(ResultsError, match="no planner was played beside an arm"):
        judging.judge_all(arms.pairs_of(["h0"]), {"h0": played["h0"]})
    games = played["h0"]["context-003"]
    played["h0"]["context-003"] = games._replace(world_ids=tuple(range(1, WORLDS + 1)))
    with pytest.raises(ResultsError, match="context-003: the arms of h16 against h0 met other worlds"):
        judging.judge_all(arms.pairs_of(played), played)
