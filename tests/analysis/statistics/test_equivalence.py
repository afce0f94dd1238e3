"""Two one-sided tests: against scipy, at the margin, and where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from civsim.analysis.panel import Panel
from civsim.analysis.recovery.case import SUITE_BOUNDS, coverage
from civsim.analysis.recovery.identification import CASES
from civsim.analysis.statistics.equivalence import ALPHA, equivalence_table, equivalence_test
from civsim.base.errors import ResultsError

GAPS = np.random.default_rng(1).normal(0.1, 1.0, 40)


@pytest.mark.parametrize("margin", [0.05, 0.3, 0.5, 2.0])
def test_it_is_the_worse_of_two_one_sided_tests_and_agrees_with_its_interval(margin: float) -> None:
    found = equivalence_test(GAPS, margin)
    below = ttest_1samp(GAPS, margin, alternative="less").pvalue
    above = ttest_1samp(GAPS, -margin, alternative="greater").pvalue
    assert found.p == pytest.approx(max(below, above))
    assert found.equivalent == (-margin <= found.low and found.high <= margin)


def test_arms_that_are_identical_are_said_to_be_so() -> None:
    found = equivalence_test(np.zeros(5), 0.1)
    assert (found.p, found.equivalent, found.identical, found.low, found.high) == (0.0, True, True, 0.0, 0.0)
    same = equivalence_test(np.full(5, 0.05), 0.1)
    assert (same.p, same.equivalent, same.identical) == (0.0, True, False)
    assert equivalence_test(np.full(5, 0.2), 0.1).p == 1.0


@given(st.floats(0.001, 1000.0), st.floats(0.05, 3.0))
def test_units_and_sign_do_not_matter(scale: float, margin: float) -> None:
    p = equivalence_test(GAPS, margin).p
    assert equivalence_test(-scale * GAPS, scale * margin).p == pytest.approx(p, rel=1e-6, abs=1e-12)
    assert equivalence_test(GAPS[::-1], 2.0 * margin).p <= p


def test_the_table_holds_every_arm_but_the_reference() -> None:
    worlds = np.column_stack([np.zeros(40, np.int64), np.arange(40)])
    base = np.random.default_rng(2).normal(0.0, 5.0, 40)
    panel = Panel(worlds, ("inert", "real", "shuffled"), np.column_stack([base, base, base + GAPS]), 0)
    table = equivalence_table(panel, "real", 0.5)
    assert table["arm"].tolist() == ["inert", "shuffled"]
    assert table["identical"].tolist() == [True, False]
    assert table.loc[1, "difference"] == pytest.approx(GAPS.mean())
    assert equivalence_table(panel, "real", 0.5, arms=["shuffled"])["arm"].tolist() == ["shuffled"]


def test_its_size_at_the_margin_is_nominal() -> None:
    (case,) = [case for case in CASES if "TOST" in case.name]
    found = coverage(case, 1000)
    assert found.low <= 1.0 - ALPHA <= found.high
    assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1]


def test_bad_input_is_refused_in_one_line() -> None:
    for bad in ([1.0], [1.0, np.nan], [[1.0, 2.0]]):
        with pytest.raises(ResultsError, match="cannot be tested"):
            equivalence_test(bad, 1.0)
    for margin in (0.0, -1.0, np.nan):
        with pytest.raises(ResultsError, match="not above 0"):
            equivalence_test(GAPS, margin)
    with pytest.raises(ResultsError, match="alpha=0.7"):
        equivalence_test(GAPS, 1.0, alpha=0.7)
