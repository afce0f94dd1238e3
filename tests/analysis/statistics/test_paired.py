"""Paired differences recover planted effects, cover at their nominal rate and find nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.paired import (
    contrast,
    paired_differences,
    realised_correlation,
    unpaired_difference,
    variance_ratio,
)
from civsim.base.errors import ResultsError

REPLICATIONS = 250
EFFECTS = (0.0, 0.4, -1.0)


def _panel(replication: int, n_worlds: int = 90) -> Panel:
    """Worlds that differ much (s.d. 3), arms that differ by EFFECTS, skewed noise (gamma, s.d. 1)."""
    rng = np.random.default_rng(replication)
    worlds = rng.normal(size=(n_worlds, 1)) * 3.0
    noise = rng.gamma(2.0, 1.0 / np.sqrt(2.0), size=(n_worlds, len(EFFECTS)))
    ids = np.column_stack([np.zeros(n_worlds, int), np.arange(n_worlds)])
    return Panel(ids, (0, 1, 2), worlds + noise + np.array(EFFECTS), 0)


def test_planted_effects_are_covered_at_the_nominal_rate() -> None:
    hits = np.zeros(len(EFFECTS))
    for replication in range(REPLICATIONS):
        table = paired_differences(_panel(replication), 0, draws=500, seed=replication)
        hits += (table["low"].to_numpy() <= EFFECTS) & (table["high"].to_numpy() >= EFFECTS)
    assert hits[0] == REPLICATIONS  # the reference differs from itself by exactly 0
    assert np.all((hits[1:] / REPLICATIONS >= 0.91) & (hits[1:] / REPLICATIONS <= 0.99))


def test_pairing_removes_what_worlds_share() -> None:
    table = paired_differences(_panel(1, 4000), 0, draws=200)
    # Cov = 9, Var = 10 in each arm: correlation 0.9, Var(difference) / (Var + Var) = 2 / 20.
    assert abs(table["correlation"][1] - 0.9) < 0.02
    assert abs(table["variance_ratio"][1] - 0.1) < 0.01
    assert table.loc[0, ["difference", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
    assert abs(table["difference"][2] + 1.0) < 0.1
    widths = table["high"] - table["low"]
    assert (table["mean_high"] - table["mean_low"])[1] > 1.8 * widths[1]  # √(10 / 2) ≈ 2.2 times as wide


def test_arms_that_agree_in_every_world_differ_by_exactly_nothing() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(30, 1)), 2, axis=1)
    table = paired_differences(Panel(np.zeros((30, 2), int), ("a", "b"), values, 0), "a")
    assert table["low"].tolist() == table["high"].tolist() == [0.0, 0.0]
    assert table["correlation"][1] == pytest.approx(1.0)
    assert table["variance_ratio"][1] == 0.0


def test_identical_arms_on_independent_seeds_are_told_apart_at_the_nominal_rate() -> None:
    """A/A: two arms of one heavy-tailed outcome, each on its own worlds; 5 % of 400 tests reject, within 3 s.e."""
    rejections = 0
    tests = 400
    for replication in range(tests):
        rng = np.random.default_rng(10_000 + replication)
        a, b = np.exp(rng.normal(size=(2, 80)) * 0.6)
        _, low, high = unpaired_difference(a, b, draws=500, seed=replication)
        rejections += not low <= 0.0 <= high
    assert 0.018 <= rejections / tests <= 0.083


def test_unpaired_difference_recovers_a_planted_effect() -> None:
    rng = np.random.default_rng(4)
    estimate, low, high = unpaired_difference(rng.normal(1.5, 1.0, 3000), rng.normal(0.0, 1.0, 2000))
    assert low < 1.5 < high
    assert abs(estimate - 1.5) < 0.1
    # s.e. = √(1/3000 + 1/2000) = 0.0289
    assert abs((high - low) / (2 * 1.96 * 0.0289) - 1.0) < 0.08


def test_contrast_is_linear_in_the_arms() -> None:
    values = np.array([[1.0, 2.0, 4.0], [3.0, 2.0, 0.0], [2.0, 2.0, 2.0]])
    estimate, low, high = contrast(values, np.array([[1.0, 0.0], [-1.0, 1.0], [0.0, -1.0]]))
    assert np.allclose(estimate, [0.0, 0.0])
    assert np.all(low <= estimate)
    assert np.all(estimate <= high)


def test_correlation_of_a_constant_arm_is_not_a_number() -> None:
    assert np.isnan(realised_correlation([1.0, 1.0], [0.0, 2.0]))
    assert np.isnan(variance_ratio([1.0, 1.0], [3.0, 3.0]))
    assert realised_correlation([0.0, 1.0, 2.0], [4.0, 2.0, 0.0]) == pytest.approx(-1.0)


def test_one_world_is_too_few() -> None:
    with pytest.raises(ResultsError, match="worlds=1"):
        paired_differences(Panel(np.zeros((1, 2), int), (0, 1), np.zeros((1, 2)), 0), 0)
