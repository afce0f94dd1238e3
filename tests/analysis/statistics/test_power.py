"""Power: textbook numbers, the inverse of worlds needed, and the share of effects that are found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from civsim.analysis.recovery.case import SUITE_BOUNDS, coverage
from civsim.analysis.recovery.identification import CASES
from civsim.analysis.statistics.equivalence import equivalence_test
from civsim.analysis.statistics.power import (
    MIN_WORLDS,
    detectable_effect,
    equivalence_power_at,
    equivalence_worlds_needed,
    power_at,
    upper_error,
    worlds_needed,
)
from civsim.analysis.statistics.resample import student_estimate
from civsim.base.errors import ResultsError


def test_an_effect_of_half_a_standard_deviation_needs_thirty_two_worlds() -> None:
    # (1.959964 + 0.841621)² / 0.5² = 31.4 (Cohen 1988, paired differences).
    found = worlds_needed(1.0 / math.sqrt(20), 20, 0.5)
    assert found.worlds == 32
    assert worlds_needed(1.0 / math.sqrt(20), 20, -0.5) == found
    # n = 2 · ... of a pilot of 20: its s.e. may be low by √(19 / χ²₁₉,₀.₀₅) = 1.37.
    assert found.upper == math.ceil(31.395 * 19 / chi2.ppf(0.05, 19))
    assert upper_error(1.0, 20) == pytest.approx(math.sqrt(19 / chi2.ppf(0.05, 19)))


@given(st.floats(0.05, 5.0), st.integers(5, 300), st.floats(0.05, 3.0), st.floats(0.3, 0.95))
def test_power_and_detectable_effect_undo_worlds_needed(error: float, pilot: int, effect: float, power: float) -> None:
    needed = worlds_needed(error, pilot, effect, power=power).worlds
    assert power_at(error, pilot, effect, needed) >= power - 1e-9
    if needed > 3:
        assert power_at(error, pilot, effect, needed - 1) < power + 0.03
    assert detectable_effect(error, pilot, needed, power=power) <= effect * (1.0 + 1e-9)
    four = worlds_needed(error, pilot, effect / 2.0, power=power).worlds
    assert four <= 4 * needed
    if needed > MIN_WORLDS:  # at the least number of worlds more are planned than the effect needs
        assert 4 * needed - four < 4


@pytest.mark.parametrize("difference", [0.0, 0.2])
def test_equivalence_power_undoes_its_worlds_needed(difference: float) -> None:
    needed = equivalence_worlds_needed(0.3, 25, 0.5, difference=difference)
    assert equivalence_power_at(0.3, 25, 0.5, needed.worlds, difference=difference) == pytest.approx(0.8, abs=0.02)
    assert needed.upper > needed.worlds
    assert equivalence_power_at(0.3, 25, 0.5, 2) == 0.0


@pytest.mark.parametrize(("kind", "power"), [("effect", 0.8), ("equivalence", 0.8)])
def test_the_promised_share_is_found(kind: str, power: float) -> None:
    rng = np.random.default_rng(5)
    if kind == "effect":
        planned = worlds_needed(0.1, 100, 0.3, power=power).worlds
        found = sum(student_estimate(rng.normal(0.3, 1.0, planned)).low > 0.0 for _ in range(1000))
    else:
        planned = equivalence_worlds_needed(0.1, 100, 0.3, power=power).worlds
        found = sum(equivalence_test(rng.normal(0.0, 1.0, planned), 0.3).equivalent for _ in range(1000))
    limits = binomtest(found, 1000).proportion_ci(0.999)
    assert limits.low <= power <= limits.high


def test_planted_cases_hold() -> None:
    for case in CASES[-2:]:
        found = coverage(case)
        assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1], case.name


def test_no_spread_needs_no_worlds() -> None:
    assert worlds_needed(0.0, 10, 1.0).worlds == 2
    assert power_at(0.0, 10, 1.0, 5) == 1.0
    assert power_at(0.0, 10, 0.0, 5) == 0.05
    assert equivalence_power_at(0.0, 10, 1.0, 5) == 1.0


def test_bad_input_is_refused_in_one_line() -> None:
    for arguments, words in (
        ((1.0, 1, 0.5), "worlds=1"),
        ((-1.0, 10, 0.5), "error=-1"),
        ((1.0, 10, 0.0), "effect=0"),
    ):
        with pytest.raises(ResultsError, match=words):
            worlds_needed(*arguments)
    with pytest.raises(ResultsError, match="power=0.01"):
        worlds_needed(1.0, 10, 0.5, power=0.01)
    with pytest.raises(ResultsError, match="not inside margin"):
        equivalence_worlds_needed(1.0, 10, 0.5, difference=0.6)
    for call in (power_at, detectable_effect):
        with pytest.raises(ResultsError, match="planned=1"):
            call(1.0, 10, *((0.5, 1) if call is power_at else (1,)))
    with pytest.raises(ResultsError, match="planned=1"):
        equivalence_power_at(1.0, 10, 0.5, 1)
    with pytest.raises(ResultsError, match="alpha=0 "):
        power_at(1.0, 10, 0.5, 5, alpha=0.0)
