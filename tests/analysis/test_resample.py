"""Resampling worlds: weights, means, percentile intervals."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.resample import bootstrap_means, bootstrap_weights, interval
from civsim.base.errors import ResultsError


def test_weights_are_counts_of_draws_and_sum_to_one() -> None:
    weights = bootstrap_weights(7, 500, seed=3)
    assert weights.shape == (500, 7)
    assert np.allclose(weights.sum(1), 1.0)
    assert np.allclose(weights * 7, np.round(weights * 7))
    # Each cluster is drawn Binomial(7, 1/7) times: mean 1, variance 6/7.
    assert abs((weights * 7).var() - 6 / 7) < 0.06


def test_weights_depend_on_the_seed_alone() -> None:
    assert np.array_equal(bootstrap_weights(9, 20, 1), bootstrap_weights(9, 20, 1))
    assert not np.array_equal(bootstrap_weights(9, 20, 1), bootstrap_weights(9, 20, 2))


def test_weighted_means_equal_means_of_the_drawn_worlds() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 2, 3))
    weights = bootstrap_weights(6, 40, 5)
    means = bootstrap_means(values, weights)
    counts = np.round(weights * 6).astype(int)
    for b in range(40):
        drawn = np.repeat(values, counts[b], axis=0)
        assert np.allclose(means[b], drawn.mean(0))


def test_interval_of_a_normal_sample_is_its_quantiles() -> None:
    draws = np.random.default_rng(1).normal(size=200_000)
    low, high = interval(draws)
    assert abs(low + 1.96) < 0.02
    assert abs(high - 1.96) < 0.02
    narrow = interval(draws, 0.5)
    assert abs(narrow[1] - 0.6745) < 0.02


@pytest.mark.parametrize(("n", "draws", "word"), [(1, 10, "worlds=1"), (0, 10, "worlds=0"), (5, 0, "draws=0")])
def test_too_little_to_resample_is_one_clear_line(n: int, draws: int, word: str) -> None:
    with pytest.raises(ResultsError, match=word) as caught:
        bootstrap_weights(n, draws)
    assert "\n" not in str(caught.value)


def test_interval_of_a_mean_covers_at_its_nominal_rate() -> None:
    """Skewed outcome (gamma, shape 2), 80 worlds: 95 % intervals cover in 0.91–0.99 of 300 replications."""
    hits = 0
    for replication in range(300):
        values = np.random.default_rng(replication).gamma(2.0, 1.0, 80)
        low, high = interval(bootstrap_means(values, bootstrap_weights(80, 600, replication)))
        hits += low <= 2.0 <= high
    assert 0.91 <= hits / 300 <= 0.99
