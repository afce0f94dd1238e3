"""A/A: identical arms of real games on independent seeds are told apart no more often than the nominal rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from civsim.analysis.recovery.false_positives import draw_false_positives, rejection_rates, run_null_tests
from civsim.analysis.statistics.paired import unpaired_difference
from civsim.analysis.style import house_style
from civsim.base.errors import ResultsError
from civsim.validation.k1_null_world import outcomes

TESTS, WORLDS = 160, 40


def test_identical_arms_on_independent_seeds_differ_at_the_nominal_rate() -> None:
    first, second = (outcomes(TESTS * WORLDS, seed).reshape(TESTS, WORLDS) for seed in (1, 2))
    assert not np.array_equal(first, second)
    rejected = 0
    for index in range(TESTS):
        _, low, high = unpaired_difference(first[index], second[index], draws=500, seed=index)
        rejected += not low <= 0.0 <= high
    # Binomial(160, 0.05): mean 8, three s.d. 8.3.
    assert rejected <= 16


POOL = np.exp(np.random.default_rng(11).normal(0.0, 0.4, 150 * 2 * 24))
"""Outcomes of independent worlds of one arm: skewed, as welfare and output are."""

QUICK = (
    "verdict on a hypothesis",
    "equivalence (TOST) at its margin",
    "regression clustered by world",
    "Anderson–Rubin",
)
SLOW = ("contest logit", "two-stage least squares", "mixed effects")


@pytest.mark.parametrize(("names", "most"), [(QUICK, 150), (SLOW, 40)])
def test_no_estimator_finds_more_than_its_share_where_nothing_is(names: tuple[str, ...], most: int) -> None:
    rates = rejection_rates(run_null_tests(POOL, 24, estimators=names, most=most, seed=4), level=0.999)
    assert rates["estimator"].tolist() == list(names)
    assert rates["honest"].all(), rates
    assert (rates["tests"] == most).all()


def test_a_test_that_rejects_too_often_is_called_dishonest_and_the_figure_shows_it() -> None:
    tests = pd.DataFrame(
        {
            "estimator": "always",
            "test": range(50),
            "p": np.linspace(0.0, 0.1, 50),
            "rejected": [True] * 30 + [False] * 20,
        }
    )
    rates = rejection_rates(tests)
    assert not rates["honest"].item()
    assert rates["rate"].item() == 0.6
    with house_style():
        figure = draw_false_positives(tests, rates, ["fifty tests"])
        assert len(figure.axes) == 2


def test_tests_share_no_world_and_are_a_function_of_the_seed() -> None:
    some = {"estimators": ["verdict on a hypothesis"], "most": 5}
    first = run_null_tests(POOL, 24, seed=1, **some)
    pd.testing.assert_frame_equal(first, run_null_tests(POOL, 24, seed=1, **some))
    assert not first["p"].equals(run_null_tests(POOL, 24, seed=2, **some)["p"])
    assert len(run_null_tests(POOL[:100], 24, estimators=some["estimators"])) == 2


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(ResultsError, match="outcomes=40 make no test"):
        run_null_tests(POOL[:40], 24)
    with pytest.raises(ResultsError, match="must be finite and vary"):
        run_null_tests(np.ones(100), 24)
    with pytest.raises(ResultsError, match="'t-test' is not known"):
        run_null_tests(POOL, 24, estimators=["t-test"])
