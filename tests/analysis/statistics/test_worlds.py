"""Statistics of whole worlds and weighted quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from civsim.analysis.statistics.worlds import accelerated_interval, weighted_quantile, world_mean, world_statistic
from civsim.base.errors import ResultsError


def test_a_mean_is_the_mean_and_its_interval_is_scipys_bca_widened() -> None:
    x = np.random.default_rng(0).exponential(size=80)
    found = world_mean(x, draws=20_000)
    plain = bootstrap((x,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)).confidence_interval
    assert found.value == pytest.approx(x.mean())
    # Half-widths are t over z, √(n/(n − 1)) wider.
    assert (found.high - found.low) / (plain.high - plain.low) == pytest.approx(1.022, abs=0.02)
    assert found.high - found.value > found.value - found.low  # as the skewness asks


def test_a_statistic_that_is_a_mean_has_the_interval_of_the_mean() -> None:
    x = np.random.default_rng(1).gamma(2.0, size=(30, 3))
    mean, other = world_mean(x, draws=500), world_statistic(lambda weights: weights @ x, 30, draws=500)
    for one, two in zip(mean, other, strict=True):
        assert np.allclose(one, two)


def test_what_does_not_vary_has_no_width() -> None:
    found = world_mean(np.full((9, 2), 0.1), draws=50)
    assert (found.low == found.high).all()
    assert (found.value == 0.1).all()
    low, high = accelerated_interval(0.0, np.zeros(50), np.zeros(9))
    assert low == high == 0.0


def test_quantiles_without_weights_are_hazens_and_with_them_those_of_the_repeated_values() -> None:
    rng = np.random.default_rng(2)
    wanted = [0.0, 0.01, 0.3, 0.5, 0.9, 0.99, 1.0]
    for n in (1, 2, 5, 40):
        x = np.round(rng.normal(size=n), 1)
        assert np.allclose(weighted_quantile(x, np.ones((1, n)), wanted)[0], np.quantile(x, wanted, method="hazen"))
        counts = rng.integers(0, 3, (300, n)).astype(float)
        counts[counts.sum(axis=1) == 0.0] = 1.0
        order = np.argsort(x, kind="stable")
        for row, found in zip(counts[:, order], weighted_quantile(x, counts, wanted), strict=True):
            middle = (row.cumsum() - 0.5 * row) / row.sum()
            assert np.allclose(found, np.interp(wanted, middle[row > 0], x[order][row > 0]))


def test_too_few_worlds_and_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ResultsError, match="worlds=1"):
        world_mean([1.0])
    with pytest.raises(ResultsError, match="not finite"):
        world_mean([1.0, np.nan])
    with pytest.raises(ResultsError, match="resamples of the worlds have a value"):
        world_statistic(lambda weights: np.full(len(weights), np.nan), 5, draws=20)
    with pytest.raises(ResultsError, match="have no quantile"):
        weighted_quantile([], np.empty((1, 0)), 0.5)
