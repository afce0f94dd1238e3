"""Tails: Hill by hand, quantiles of a known law, and how scale passes through."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.statistics.tails import hill, hill_worlds, quantile_ratio_worlds
from civsim.base.errors import ResultsError


def test_hill_by_hand() -> None:
    amounts = np.exp([6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    found = hill(amounts, 5)
    assert found.xi == pytest.approx(np.mean([5.0, 4.0, 3.0, 2.0, 1.0]))
    assert found.alpha == pytest.approx(1 / 3)
    assert found.error == pytest.approx(3.0 / np.sqrt(5))
    assert found.threshold == pytest.approx(np.exp(1.0))
    assert found.low < found.alpha < found.high


def test_hills_interval_nears_the_normal_one() -> None:
    found = hill(1.0 + np.random.default_rng(0).pareto(1.5, 50_000), 5_000)
    reach = 1.96 * found.alpha / np.sqrt(5_000)
    assert found.alpha == pytest.approx(1.5, abs=0.08)
    assert found.low == pytest.approx(found.alpha - reach, abs=0.003)
    assert found.high == pytest.approx(found.alpha + reach, abs=0.003)


def test_the_unit_changes_no_tail_and_a_power_divides_its_index() -> None:
    x = 1.0 + np.random.default_rng(1).pareto(2.0, (40, 6))
    plain = hill_worlds(x, draws=100)
    assert np.allclose(hill_worlds(7.0 * x, draws=100), plain)
    assert np.allclose(hill_worlds(x**2, draws=100), np.array(plain) / 2)
    ratio = quantile_ratio_worlds(x, 0.9, draws=100)
    assert np.allclose(quantile_ratio_worlds(7.0 * x, 0.9, draws=100), ratio)
    assert np.allclose(quantile_ratio_worlds(x**2, 0.9, draws=100), np.array(ratio) ** 2)


def test_zeros_are_left_out() -> None:
    x = 1.0 + np.random.default_rng(2).pareto(2.0, (40, 6))
    padded = np.concatenate([x, np.zeros((40, 2))], axis=1)
    assert np.allclose(hill_worlds(padded, draws=50), hill_worlds(x, draws=50))
    assert hill(padded.ravel()).n == x.size


def test_bad_input_is_refused() -> None:
    x = np.arange(1.0, 21.0)
    for k in (4, 20):
        with pytest.raises(ResultsError, match=f"k={k} is not in 5 to 19"):
            hill(x, k)
    with pytest.raises(ResultsError, match="have no tail"):
        hill(np.ones(50))
    with pytest.raises(ResultsError, match="negative or not finite"):
        hill([-1.0] * 20)
    with pytest.raises(ResultsError, match="below 5; widen it"):
        hill_worlds(x.reshape(10, 2), draws=20)
    with pytest.raises(ResultsError, match="give 0 < lower < upper < 1"):
        quantile_ratio_worlds(x.reshape(10, 2), 0.4)
    with pytest.raises(ResultsError, match="worlds × civilizations"):
        quantile_ratio_worlds(x, 0.9)
    with pytest.raises(ResultsError, match="no amount is above 0"):
        quantile_ratio_worlds(np.zeros((5, 2)), 0.9)
