"""Dose–response: closed forms, planted slopes and elasticities, and the size and power of the concavity test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.analysis.panel import Panel
from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.recovery.dose import CASES, LEVELS, doubling_panel, power_panel
from civsim.analysis.statistics.dose import concavity_test, diminishing_returns, elasticities
from civsim.base.errors import ResultsError


def panel(doses: tuple[float, ...], values: np.ndarray) -> Panel:
    return Panel(np.zeros((len(values), 2), int), doses, np.asarray(values, float), 0)


def noisy(means: np.ndarray, seed: int, n: int = 60) -> Panel:
    rng = np.random.default_rng(seed)
    return panel(LEVELS, means + rng.normal(size=(n, 1)) + rng.normal(size=(n, means.size)))


def test_elasticity_of_a_power_law_is_its_exponent() -> None:
    table = elasticities(panel((1, 2, 8), np.tile(3.0 * np.array([1.0, 2.0, 8.0]) ** 0.4, (5, 1))), draws=20)
    assert table["elasticity"].tolist() == pytest.approx([0.4] * 3)
    assert table["whole"].tolist() == [False, False, True]
    assert table["low"].tolist() == pytest.approx([0.4] * 3)
    logs = elasticities(panel((1, 2, 8), np.tile(0.4 * np.log([1.0, 2.0, 8.0]), (5, 1))), logged=True, draws=20)
    assert logs["elasticity"].tolist() == pytest.approx([0.4] * 3)


def test_what_has_no_logarithm_is_nan_and_says_why() -> None:
    table = elasticities(panel((0, 1, 2), np.array([[1.0, -1.0, 2.0], [1.0, -1.0, 2.0]])), draws=20)
    assert table["elasticity"].isna().all()
    assert "dose of 0" in table["why"][0]
    assert "outcome" in table["why"][1]
    near = elasticities(panel((1, 2), np.array([[0.0, 1.0], [4.0, 1.0]])), draws=50)
    assert near["elasticity"].isna().all()
    assert "resampled" in near["why"][0]


@given(st.floats(0.01, 100.0), st.floats(0.1, 10.0))
@settings(max_examples=20, deadline=None)
def test_elasticities_have_no_unit(outcome: float, dose: float) -> None:
    one = power_panel(0)
    other = panel(tuple(dose * level for level in LEVELS), outcome * one.values)
    first, second = elasticities(one, draws=30), elasticities(other, draws=30)
    names = ["elasticity", "low", "high"]
    assert second[names].to_numpy() == pytest.approx(first[names].to_numpy(), rel=1e-6, abs=1e-9)


def test_change_of_slope_by_hand() -> None:
    values = np.tile([0.0, 2.0, 3.0, 3.5, 4.0], (4, 1))
    table = diminishing_returns(panel((0, 1, 2, 4, 8), values)).set_index("scale")
    assert table.loc["level", ["early", "late"]].tolist() == pytest.approx([1.5, 1.0 / 6.0])
    assert table.loc["level", ["contrast", "low", "high", "p"]].tolist() == pytest.approx([1 / 6 - 1.5] * 3 + [0.0])
    # Above 0 there are four doses; the lower of the two in the middle is 2.
    assert table.loc["doubling", ["early", "late"]].tolist() == pytest.approx([1.0, 0.5])
    assert table.loc["doubling", "dose_middle"] == 2
    straight = diminishing_returns(panel((0, 1, 2), np.tile([0.0, 1.0, 2.0], (4, 1))))
    assert straight["scale"].tolist() == ["level"]
    assert straight["p"].tolist() == [1.0]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_planted_answers_are_covered_at_the_nominal_rate(case: Case) -> None:
    assert SUITE_BOUNDS[0] <= coverage(case).share <= SUITE_BOUNDS[1]


def test_a_straight_answer_is_called_convex_at_the_nominal_rate_and_a_concave_one_less() -> None:
    straight = np.asarray(LEVELS, float)
    rejected = sum(concavity_test(noisy(straight, r), draws=300, seed=r).p < 0.05 for r in range(200))
    assert rejected / 200 <= 0.09
    assert rejected / 200 >= 0.015
    bent = sum(concavity_test(noisy(4.0 * np.sqrt(straight), r), draws=300, seed=r).p < 0.05 for r in range(50))
    assert bent / 50 <= 0.05


def test_a_slope_that_rises_is_found_where_it_rises() -> None:
    test = concavity_test(noisy(np.array([0.0, 0.0, 0.0, 8.0, 9.0]), 0, n=200), draws=400)
    assert test.p < 0.01
    assert test.dose == 4
    assert test.change == pytest.approx(2.0, abs=0.4)  # 8 over 4 levels, after none


def test_an_answer_without_noise_is_certain() -> None:
    flat = np.tile(np.sqrt([1.0, 2.0, 4.0, 8.0]), (5, 1))
    assert concavity_test(panel((1, 2, 4, 8), flat), draws=20).p == 1.0
    assert concavity_test(panel((1, 2, 4, 8), flat**4), draws=20).p == 0.0


def test_worlds_effects_and_order_do_not_matter() -> None:
    one = doubling_panel(0)
    other = one._replace(values=(one.values + np.arange(100)[:, None])[::-1])
    assert diminishing_returns(other)["contrast"].tolist() == pytest.approx(
        diminishing_returns(one)["contrast"].tolist()
    )
    shifted = one._replace(values=one.values + np.arange(100)[:, None])
    assert concavity_test(shifted, draws=50).p == concavity_test(one, draws=50).p


def test_bad_doses_are_refused() -> None:
    with pytest.raises(ResultsError, match="doses=2"):
        diminishing_returns(panel((0, 1), np.zeros((3, 2))))
    with pytest.raises(ResultsError, match="ascend"):
        concavity_test(panel((0, 1, 1), np.zeros((3, 3))))
    with pytest.raises(ResultsError, match="at least 2"):
        elasticities(panel((1,), np.zeros((3, 1))))
