"""The verdict's rule, case by case, and what evidence is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence, student_evidence, weakest
from civsim.analysis.hypotheses.verdict import decide, too_small_p
from civsim.analysis.results import Resampling
from civsim.base.errors import ResultsError

WORLDS = 101


def effect(value: float, error: float, worlds: int = WORLDS) -> Evidence:
    return student_evidence(value, error, worlds, level=0.95)


@pytest.mark.parametrize(
    ("value", "error", "expected", "verdict"),
    [
        (3.0, 1.0, "positive", "supported"),
        (3.0, 1.0, "negative", "refuted"),
        (-3.0, 1.0, "negative", "supported"),
        (-3.0, 1.0, "either", "supported"),
        (0.1, 0.2, "positive", "refuted"),  # shown to be smaller than 1 either way
        (0.1, 0.2, "either", "refuted"),
        (1.0, 1.0, "positive", "undecided"),
        (0.0, 0.3, "nothing", "supported"),
        (0.5, 1.0, "nothing", "undecided"),
        (3.0, 0.5, "nothing", "refuted"),
    ],
)
def test_the_rule(value: float, error: float, expected: str, verdict: str) -> None:
    evidence = effect(value, error)
    p = too_small_p(evidence, 1.0) if expected == "nothing" else evidence.p
    assert decide(evidence, p, expected=expected, smallest=1.0, asked=WORLDS) == verdict


def test_fewer_worlds_than_power_asked_for_judge_nothing() -> None:
    evidence = effect(30.0, 1.0)
    assert decide(evidence, evidence.p, expected="positive", smallest=1.0, asked=WORLDS + 1) == "underpowered"


def test_a_p_that_does_not_survive_the_correction_decides_nothing() -> None:
    evidence = effect(2.2, 1.0)
    assert evidence.p < 0.05
    assert decide(evidence, 0.2, expected="positive", smallest=1.0, asked=2) == "undecided"


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.05, 4))
def test_turning_the_effect_turns_the_verdict(value: float, error: float, smallest: float) -> None:
    one, other = effect(value, error), effect(-value, error)
    up = decide(one, one.p, expected="positive", smallest=smallest, asked=2)
    assert decide(other, other.p, expected="negative", smallest=smallest, asked=2) == up


@given(st.floats(-5, 5), st.floats(0.1, 3))
def test_interval_and_p_never_contradict_each_other(value: float, error: float) -> None:
    evidence = effect(value, error)
    assert (evidence.low > 0.0 or evidence.high < 0.0) == (evidence.p < 0.05)


def test_no_difference_in_any_world_is_certain() -> None:
    same = bootstrap_evidence(np.zeros((20, 2)), lambda means: means @ np.array([1.0, -1.0]), Resampling(draws=50))
    assert (same.value, same.error, same.p) == (0.0, 0.0, 1.0)
    assert too_small_p(same, 0.1) == 0.0
    always = bootstrap_evidence(np.ones((20, 1)), lambda means: means[:, 0], Resampling(draws=50))
    assert (always.value, always.p) == (1.0, 0.0)


def test_a_mean_is_judged_as_by_students_t() -> None:
    values = np.random.default_rng(3).normal(0.3, 1.0, (80, 1))
    found = bootstrap_evidence(values, lambda means: means[:, 0], Resampling(draws=20_000))
    exact = ttest_1samp(values[:, 0], 0.0)
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(80), rel=0.02)
    assert found.p == pytest.approx(exact.pvalue, abs=0.01)


def test_a_joint_claim_is_as_sure_as_its_weakest_part() -> None:
    parts = {"rise": effect(5.0, 1.0), "fall": effect(-0.5, 1.0)}
    name, found = weakest(parts, {"rise": 1.0, "fall": -1.0})
    assert (name, found.value) == ("fall", 0.5)
    name, found = weakest({"rise": effect(5.0, 1.0), "fall": effect(2.0, 1.0)}, {"rise": 1.0, "fall": -1.0})
    assert (name, found.value) == ("fall", -2.0)


@pytest.mark.parametrize(("value", "error", "worlds"), [(np.nan, 1.0, 10), (1.0, np.inf, 10), (1.0, 1.0, 1)])
def test_what_cannot_be_judged_is_refused(value: float, error: float, worlds: int) -> None:
    with pytest.raises(ResultsError, match="cannot be judged"):
        student_evidence(value, error, worlds, level=0.95)
