"""Resampling worlds: weights, means, percentile intervals."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.statistics.resample import (
    bootstrap_means,
    bootstrap_weights,
    interval,
    share_interval,
    student_estimate,
    widened_interval,
)
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


def test_a_widened_interval_of_few_clusters_is_students() -> None:
    for n, quantile in ((5, 2.776), (40, 2.023)):
        values = np.random.default_rng(n).normal(size=n)
        draws = bootstrap_means(values, bootstrap_weights(n, 20_000, 1))
        low, high = widened_interval(values.mean(), draws, n)
        student = quantile * values.std(ddof=1) / np.sqrt(n)
        assert (high - low) / 2 == pytest.approx(student, rel=0.1)
        narrow = interval(draws)
        assert low < narrow[0] < narrow[1] < high


def test_students_interval_of_known_units() -> None:
    """Units 1, 2, 3 and 6: mean 3, s² = 14/3; t₃ at 0.975 is 3.18245, at 0.75 it is 0.7649."""
    reach = np.sqrt(14 / 3 / 4)
    found = [float(end) for end in student_estimate([1.0, 2.0, 3.0, 6.0])]
    assert found == pytest.approx([3.0, 3 - 3.18245 * reach, 3 + 3.18245 * reach], rel=1e-4)
    assert student_estimate([1.0, 2.0, 3.0, 6.0], 0.5).high == pytest.approx(3.0 + 0.7649 * reach, rel=1e-4)
    for units in ([1.0], [], [1.0, np.nan], [[1.0, 2.0]]):
        with pytest.raises(ResultsError, match="give two finite numbers or more"):
            student_estimate(units)


def test_a_share_of_all_or_none_keeps_an_interval() -> None:
    low, high = share_interval([1.0, 0.0, 0.5, 0.9], [1.0, 0.0, 0.5, 0.8], [1.0, 0.0, 0.5, 1.1], 20)
    reach = 1.0 - 0.025 ** (1 / 20)
    assert low.tolist() == pytest.approx([1.0 - reach, 0.0, 0.5, 0.8])
    assert high.tolist() == pytest.approx([1.0, reach, 0.5, 1.0])
    # With that share, 20 clusters all agree with probability 0.025.
    assert (1.0 - reach) ** 20 == pytest.approx(0.025)


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
