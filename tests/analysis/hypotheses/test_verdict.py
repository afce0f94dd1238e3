"""The verdict's rule, case by case, and what evidence is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence, student_evidence, weakest
from civsim.analysis.hypotheses.verdict import beyond_p, decide, refuting_p, remark, within_p
from civsim.analysis.results import Resampling
from civsim.base.errors import ResultsError

WORLDS = 101


def effect(value: float, error: float, worlds: int = WORLDS) -> Evidence:
    return student_evidence(value, error, worlds, level=0.95)


def ruled(evidence: Evidence, expected: str, margin: float = 1.0, asked: int = 2) -> str:
    """Return the verdict where the hypothesis is the study's only one."""
    p = within_p(evidence, margin) if expected == "nothing" else evidence.p
    return decide(evidence, p, refuting_p(evidence, expected, margin), expected=expected, asked=asked)


@pytest.mark.parametrize(
    ("value", "error", "expected", "verdict"),
    [
        (3.0, 1.0, "positive", "supported"),
        (3.0, 1.0, "negative", "refuted"),
        (-3.0, 1.0, "negative", "supported"),
        (-3.0, 1.0, "either", "supported"),
        (0.1, 0.2, "positive", "refuted"),  # shown to be within the margin of 1
        (0.1, 0.2, "either", "refuted"),
        (1.0, 1.0, "positive", "undecided"),
        (0.0, 0.3, "nothing", "supported"),
        (0.5, 1.0, "nothing", "undecided"),
        (1.05, 0.5, "nothing", "undecided"),  # away from 0 and not shown to be beyond the margin
        (3.0, 0.5, "nothing", "refuted"),
    ],
)
def test_the_rule(value: float, error: float, expected: str, verdict: str) -> None:
    assert ruled(effect(value, error), expected) == verdict


def test_fewer_worlds_than_power_asked_for_judge_nothing() -> None:
    assert ruled(effect(30.0, 1.0), "positive", asked=WORLDS + 1) == "underpowered"


def test_what_the_design_cannot_place_is_undecided_and_says_why() -> None:
    evidence = effect(30.0, 1.0)._replace(note="the curve is flat")
    assert ruled(evidence, "positive") == "undecided"
    assert remark(evidence, "undecided", "positive", 1.0) == "the curve is flat"


def test_a_p_that_does_not_survive_the_correction_decides_nothing() -> None:
    evidence = effect(2.2, 1.0)
    assert evidence.p < 0.05
    assert decide(evidence, 0.2, 0.9, expected="positive", asked=2) == "undecided"
    small = effect(0.1, 0.2)
    assert decide(small, small.p, 0.2, expected="positive", asked=2) == "undecided"


def test_an_effect_that_is_there_and_does_not_matter_is_said_to_be_small() -> None:
    evidence = effect(0.4, 0.1)
    assert ruled(evidence, "positive") == "supported"
    assert "too small to matter" in remark(evidence, "supported", "positive", 1.0)
    assert remark(effect(4.0, 0.1), "supported", "positive", 1.0) == ""


def test_a_joint_claim_needs_more_to_be_refuted_and_is_not_refuted_by_its_smallest_part() -> None:
    joint = effect(-2.2, 1.0)._replace(parts=2)
    assert ruled(joint._replace(parts=1), "positive") == "refuted"
    assert ruled(joint, "positive") == "undecided"
    assert ruled(effect(-3.0, 1.0)._replace(parts=2), "positive") == "refuted"
    assert ruled(effect(0.1, 0.2)._replace(parts=2), "positive") == "undecided"


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.05, 4))
def test_turning_the_effect_turns_the_verdict(value: float, error: float, margin: float) -> None:
    assert ruled(effect(-value, error), "negative", margin) == ruled(effect(value, error), "positive", margin)


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.05, 4))
def test_an_effect_is_never_shown_to_be_both_within_and_beyond_the_margin(
    v: float, error: float, margin: float
) -> None:
    assert within_p(effect(v, error), margin) >= 0.5 or beyond_p(effect(v, error), margin) >= 0.5


@given(st.floats(-5, 5), st.floats(0.1, 3))
def test_interval_and_p_never_contradict_each_other(value: float, error: float) -> None:
    evidence = effect(value, error)
    assert (evidence.low > 0.0 or evidence.high < 0.0) == (evidence.p < 0.05)


def test_no_difference_in_any_world_is_certain() -> None:
    same = bootstrap_evidence(np.zeros((20, 2)), lambda means: means @ np.array([1.0, -1.0]), Resampling(draws=50))
    assert (same.value, same.error, same.p) == (0.0, 0.0, 1.0)
    assert within_p(same, 0.1) == 0.0
    always = bootstrap_evidence(np.ones((20, 1)), lambda means: means[:, 0], Resampling(draws=50))
    assert (always.value, always.p) == (1.0, 0.0)


def test_rounding_is_no_effect() -> None:
    """Identical arms under weights that no binary fraction holds: what is left over is rounding, and no evidence."""
    values = np.repeat(np.random.default_rng(0).normal(60.0, 8.0, (40, 1)), 3, axis=1)
    weights = np.array([1.0 / 12.0, -7.0 / 48.0, 1.0 / 16.0])
    same = bootstrap_evidence(values, lambda means: means @ weights, Resampling(draws=200))
    assert (same.value, same.error, same.p) == (0.0, 0.0, 1.0)


def test_a_mean_is_judged_as_by_students_t() -> None:
    values = np.random.default_rng(3).normal(0.3, 1.0, (80, 1))
    found = bootstrap_evidence(values, lambda means: means[:, 0], Resampling(draws=20_000))
    exact = ttest_1samp(values[:, 0], 0.0)
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(80), rel=0.02)
    assert found.p == pytest.approx(exact.pvalue, abs=0.01)


def test_a_joint_claim_is_as_sure_as_its_weakest_part() -> None:
    parts = {"rise": effect(5.0, 1.0), "fall": effect(-0.5, 1.0)}
    name, found = weakest(parts, {"rise": 1.0, "fall": -1.0})
    assert (name, found.value, found.parts) == ("fall", 0.5, 2)
    name, found = weakest({"rise": effect(5.0, 1.0), "fall": effect(2.0, 1.0)}, {"rise": 1.0, "fall": -1.0})
    assert (name, found.value) == ("fall", -2.0)


@pytest.mark.parametrize(("value", "error", "worlds"), [(np.nan, 1.0, 10), (1.0, np.inf, 10), (1.0, 1.0, 1)])
def test_what_cannot_be_judged_is_refused(value: float, error: float, worlds: int) -> None:
    with pytest.raises(ResultsError, match="cannot be judged"):
        student_evidence(value, error, worlds, level=0.95)
