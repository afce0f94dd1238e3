"""Scores over runs × worlds: known answers, and intervals that cover where runs and worlds are crossed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bounds import assert_within, mean_bound
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, trim_mean

from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, crossed_estimate, interval
from civsim.analysis.statistics.scores import (
    interquartile_mean,
    mean_score,
    paired_difference,
    performance_profile,
    probability_of_improvement,
    spending_shares,
)
from civsim.base.errors import ResultsError

FEW: dict[str, Any] = {"draws": 200, "seed": 1}


def crossed(seed: int, runs: int, worlds: int, between: float, common: float, rest: float) -> np.ndarray:
    """Scores of mean 0: an effect of each run, one of each world, and the rest, each normal with the s.d. given."""
    rng = np.random.default_rng([seed, 1])  # not the stream of the resampling
    effects = between * rng.normal(size=(runs, 1)) + common * rng.normal(size=(1, worlds))
    return effects + rest * rng.normal(size=(runs, worlds))


def test_known_answers():
    scores = np.array([[1.0, 2.0, 3.0, 100.0], [4.0, 5.0, 6.0, -50.0]])
    assert mean_score(scores, **FEW).value == pytest.approx(scores.mean())
    assert interquartile_mean(scores, **FEW).value == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert paired_difference(scores, scores[:1], **FEW).value == pytest.approx(scores.mean() - scores[0].mean())
    profile = performance_profile(scores, [-100.0, 2.0, 3.5, 100.0], **FEW)
    assert profile.value.tolist() == [1.0, 5 / 8, 0.5, 0.0]
    # Wins of the rows over 3 in four worlds: -, -, 0 (tie), +; +, +, +, -.
    better = probability_of_improvement(scores, np.full((1, 4), 3.0), **FEW)
    assert better.value == pytest.approx((0 + 0 + 0.5 + 1 + 1 + 1 + 1 + 0) / 8)


def test_the_interquartile_mean_is_scipys():
    scores = np.random.default_rng(0).normal(size=(5, 37))
    middle = np.sort(scores.ravel())[46:-46]  # 46 = ⌊185 / 4⌋; partitioning leaves them in any order
    bound = 2 * mean_bound(middle, np.float64)
    assert_within(interquartile_mean(scores, **FEW).value, trim_mean(scores.ravel(), 0.25), bound)


def test_improvement_is_mann_whitneys_statistic_averaged_over_worlds():
    rng = np.random.default_rng(3)
    own, other = rng.integers(0, 5, (4, 6)).astype(float), rng.integers(0, 5, (3, 6)).astype(float)
    expected = np.mean([mannwhitneyu(own[:, w], other[:, w]).statistic / 12 for w in range(6)])
    assert probability_of_improvement(own, other, **FEW).value == pytest.approx(expected)
    back = probability_of_improvement(other, own, **FEW)
    assert back.value == pytest.approx(1.0 - expected)


def test_spending_is_of_all_spending_with_cognition_last():
    spent = np.zeros((1, 2, 8))
    spent[0, 0, 0], spent[0, 1, 5], spent[0, 1, 7] = 3.0, 0.5, 0.5
    shares = spending_shares(spent, **FEW)
    assert shares.value.tolist() == [0.75, 0, 0, 0, 0, 0.125, 0, 0.125, 0.25]
    assert (shares.low >= 0.0).all()
    assert (shares.high <= 1.0).all()
    assert spending_shares(np.zeros((2, 3, 8)), **FEW).value.tolist() == [0.0] * 9


def test_a_policy_against_itself_is_exactly_nothing():
    scores = np.random.default_rng(0).normal(size=(1, 20))
    gap, better = paired_difference(scores, scores, **FEW), probability_of_improvement(scores, scores, **FEW)
    assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)
    assert (better.value, better.low, better.high) == (0.5, 0.5, 0.5)


def test_what_worlds_have_in_common_drops_out_of_a_difference():
    rng = np.random.default_rng(0)
    land, own, other = 100.0 * rng.normal(size=60), rng.normal(size=(3, 60)), rng.normal(size=(1, 60))
    near, far = paired_difference(own, other, **FEW), paired_difference(own + land, other + land, **FEW)
    assert far.low == pytest.approx(near.low, abs=1e-9)
    assert far.high - far.low < 3.0
    assert mean_score(own + land, **FEW).high - mean_score(own + land, **FEW).low > 30.0


def test_one_run_is_the_bootstrap_of_worlds_widened_for_their_number():
    scores = np.random.default_rng(5).gamma(2.0, 1.0, 40)
    found = mean_score(scores[None], draws=4000, seed=7)
    low, high = interval(bootstrap_means(scores, bootstrap_weights(40, 4000, 7)))
    # t quantile of 39 degrees over the normal's, and n / (n − 1): 1.032 · 1.013.
    assert (found.high - found.low) / (high - low) == pytest.approx(1.045, abs=0.03)


def test_copies_of_one_run_tell_no_more_than_the_run():
    scores = np.random.default_rng(6).normal(size=(1, 50))
    one, five = mean_score(scores, draws=2000), mean_score(np.repeat(scores, 5, axis=0), draws=2000)
    assert five.high - five.low == pytest.approx(one.high - one.low, rel=0.05)


def test_a_run_is_a_unit_of_its_own():
    """Runs that differ a lot and worlds that do not: the interval is Student's of the runs' means, not of the cells."""
    scores = crossed(0, 5, 200, 1.0, 0.0, 0.01)
    found = mean_score(scores, draws=4000)
    means = scores.mean(1)
    student = 2.776 * means.std(ddof=1) / np.sqrt(5)
    assert (found.high - found.low) / 2 == pytest.approx(student, rel=0.1)


PLANTED = {
    "all three": (5, 40, 1.0, 1.0, 1.0),
    "runs": (5, 40, 1.0, 0.0, 0.3),
    "worlds": (5, 40, 0.0, 1.0, 1.0),
    "few runs": (3, 60, 1.0, 1.0, 4.0),
    "many runs": (10, 30, 0.5, 1.0, 2.0),
    "one run": (1, 40, 0.0, 1.0, 1.0),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_means_cover_at_their_nominal_rate(planted):
    hits = 0
    for seed in range(200):
        found = mean_score(crossed(seed, *planted), draws=300, seed=seed)
        hits += found.low <= 0.0 <= found.high
    assert 0.91 <= hits / 200 <= 0.99


def test_interquartile_means_cover_at_their_nominal_rate():
    hits = 0
    for seed in range(200):
        found = interquartile_mean(crossed(seed, 5, 24, 1.0, 1.0, 1.0), draws=200, seed=seed)
        hits += found.low <= 0.0 <= found.high
    assert 0.91 <= hits / 200 <= 0.99


def test_differences_and_improvement_cover_at_their_nominal_rate():
    """Two kinds of 5 and 4 runs on shared worlds, told apart by one s.d. of a run."""
    gaps = betters = 0
    truth = 0.6914624612740131  # Φ(1 / 2): a gap of 1 over the s.d. 2 of a difference of two runs in one world
    for seed in range(200):
        land = 3.0 * np.random.default_rng(seed + 10_000).normal(size=30)
        own = crossed(seed, 5, 30, 1.0, 0.0, 1.0) + land + 1.0
        other = crossed(seed + 50_000, 4, 30, 1.0, 0.0, 1.0) + land
        gap = paired_difference(own, other, draws=200, seed=seed)
        gaps += gap.low <= 1.0 <= gap.high
        better = probability_of_improvement(own, other, draws=200, seed=seed)
        betters += better.low <= truth <= better.high
    assert 0.91 <= gaps / 200 <= 0.99
    assert 0.91 <= betters / 200 <= 0.99


def test_profiles_are_pointwise_bands_round_a_falling_line():
    scores = crossed(1, 4, 50, 0.3, 1.0, 1.0)
    levels = np.linspace(-4.0, 4.0, 21)
    found = performance_profile(scores, levels, **FEW)
    assert (np.diff(found.value) <= 0.0).all()
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    one = performance_profile(scores, levels[10:11], **FEW)
    assert one.low[0] == pytest.approx(found.low[10])


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0), st.floats(-100.0, 100.0))
def test_units_do_not_matter(seed, scale, shift):
    scores = np.random.default_rng(seed).normal(size=(3, 8))
    here = interquartile_mean(scores, draws=40, seed=seed)
    there = interquartile_mean(scale * scores + shift, draws=40, seed=seed)
    for one, other in zip(here, there, strict=True):
        assert other == pytest.approx(scale * one + shift, rel=1e-6, abs=1e-6)


def test_intervals_repeat_with_their_seed_and_no_chunk_shows(monkeypatch):
    scores = crossed(2, 4, 30, 1.0, 1.0, 1.0)
    whole = interquartile_mean(scores, draws=64, seed=3)
    monkeypatch.setattr("civsim.analysis.statistics.resample._MOST_CELLS", 500)
    assert interquartile_mean(scores, draws=64, seed=3) == whole
    assert interquartile_mean(scores, draws=64, seed=4) != whole


@pytest.mark.parametrize(
    ("tables", "word"),
    [
        ([np.zeros((2, 1))], "worlds=1 is too few"),
        ([np.zeros(5)], "give runs × worlds"),
        ([np.zeros((0, 5))], "give runs × worlds"),
        ([np.zeros((1, 5)), np.zeros((1, 6))], "5 and 6 worlds"),
        ([np.full((2, 5), np.nan)], "NaN or infinity"),
    ],
)
def test_tables_that_cannot_be_resampled_are_one_line(tables, word):
    with pytest.raises(ResultsError, match=word) as caught:
        crossed_estimate(lambda *drawn: drawn[0].mean((1, 2)), *tables)
    assert "\n" not in str(caught.value)


def test_draws_and_thresholds_are_checked():
    with pytest.raises(ResultsError, match="draws=0 is below 1"):
        mean_score(np.zeros((2, 5)), draws=0)
    for bad in ([], [[1.0]], [np.nan]):
        with pytest.raises(ResultsError, match="not a list of finite numbers"):
            performance_profile(np.zeros((2, 5)), bad)
