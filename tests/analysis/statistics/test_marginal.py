"""Marginal returns by level, and the part of a return that one kind of order carries."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.marginal import decompose_by_closing, marginal_returns
from civsim.base.errors import ResultsError

LEVELS = (0, 1, 4, 8)
TRUE = np.array([0.0, 0.3, 1.5, 1.9])


def _panel(replication: int) -> Panel:
    rng = np.random.default_rng(replication)
    values = rng.normal(size=(100, 1)) * 2.0 + TRUE + rng.gamma(2.0, 0.5, size=(100, 4))
    return Panel(np.zeros((100, 2), int), LEVELS, values, 0)


def test_planted_returns_per_level_are_covered_at_the_nominal_rate() -> None:
    per_level = np.diff(TRUE) / np.diff(LEVELS)
    hits = np.zeros(3)
    for replication in range(250):
        table = marginal_returns(_panel(replication), draws=500, seed=replication)
        hits += (table["low"] <= per_level) & (table["high"] >= per_level)
    assert np.all((hits / 250 >= 0.91) & (hits / 250 <= 0.99))


def test_steps_add_up_to_the_whole_gain() -> None:
    panel = _panel(0)
    table = marginal_returns(panel, draws=50)
    assert table["gain"].sum() == pytest.approx((panel.values[:, -1] - panel.values[:, 0]).mean())
    assert (table["per_level"] * (table["level_to"] - table["level_from"])).tolist() == pytest.approx(
        table["gain"].tolist()
    )


def test_one_level_gives_no_step() -> None:
    with pytest.raises(ResultsError, match="at least 2"):
        marginal_returns(Panel(np.zeros((3, 2), int), (1,), np.zeros((3, 1)), 0))


def test_closing_the_kind_that_carries_the_return_removes_it() -> None:
    """Planted: the channel adds 1.0 through claims and 0.5 through walls, nothing through works."""
    covered = np.zeros(3)
    planted = np.array([1.0, 0.0, 0.5])
    for replication in range(200):
        rng = np.random.default_rng(replication)
        base = rng.normal(size=80) * 2.0

        def outcome(gain: float, rng: np.random.Generator = rng, base: np.ndarray = base) -> np.ndarray:
            return base + gain + rng.normal(size=80)

        table = decompose_by_closing(
            outcome(0.0), outcome(1.5), [outcome(0.0)] * 3, [outcome(1.5 - part) for part in planted],
            ["claim", "work", "wall"], draws=400, seed=replication,
        )  # fmt: skip
        covered += (table["carried_low"] <= planted) & (table["carried_high"] >= planted)
    assert table["kind"].tolist() == ["claim", "work", "wall"]
    assert table["carried"].to_numpy() == pytest.approx((table["return_open"] - table["return_closed"]).to_numpy())
    assert np.all((covered / 200 >= 0.91) & (covered / 200 <= 0.99))
