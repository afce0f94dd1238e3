"""Break-even prices: the fit is scikit-learn's, crossings are where they were put, censoring is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from civsim.analysis.recovery.breakeven import CASES, PRICES, planted_gains
from civsim.analysis.recovery.case import SUITE_BOUNDS, Case, coverage
from civsim.analysis.statistics.breakeven import ABOVE, BELOW, INSIDE, break_even, crossings, falling_fit
from civsim.base.errors import ResultsError

LINE = -0.8 * np.log(PRICES / 1.5)


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=8).map(np.array))
@settings(max_examples=60, deadline=None)
def test_the_fit_is_isotonic_regression(means: np.ndarray) -> None:
    oracle = IsotonicRegression(increasing=False).fit_transform(np.arange(means.size), means)
    assert falling_fit(means) == pytest.approx(oracle, abs=1e-9)


def test_crossings_by_hand() -> None:
    fits = np.array([[2.0, 1.0, -1.0], [1.0, 0.5, 0.1], [0.0, -1.0, -2.0], [3.0, 0.0, 0.0]])
    assert crossings(fits, np.array([0.0, 1.0, 2.0])).tolist() == [1.5, np.inf, -np.inf, 1.0]


def test_a_gain_known_without_error_is_crossed_exactly() -> None:
    found = break_even(np.tile(LINE, (10, 1)), PRICES, draws=50)
    assert found.price == pytest.approx(1.5)
    assert (found.low, found.high) == pytest.approx((1.5, 1.5))
    assert found.side == INSIDE
    assert found.bounded


@pytest.mark.parametrize(("shift", "side"), [(10.0, ABOVE), (-10.0, BELOW)])
def test_a_crossing_outside_is_reported_and_not_extrapolated(shift: float, side: str) -> None:
    found = break_even(planted_gains(LINE + shift, 0), PRICES, draws=100)
    assert found.side == side
    assert np.isnan(found.price)
    assert not found.bounded
    inner = (found.low, found.high) == (float(PRICES[-1]), np.inf)
    outer = (found.low, found.high) == (0.0, float(PRICES[0]))
    assert inner if side == ABOVE else outer


def test_an_open_limit_counts_draws_outside() -> None:
    found = break_even(planted_gains(LINE + 1.3, 3)[:20], PRICES, draws=400)
    assert found.high == np.inf
    assert 0.0 < found.share_above < 1.0


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_planted_prices_are_covered_at_the_nominal_rate(case: Case) -> None:
    assert SUITE_BOUNDS[0] <= coverage(case).share <= SUITE_BOUNDS[1]


@given(st.floats(0.1, 10.0), st.floats(0.1, 10.0))
@settings(max_examples=20, deadline=None)
def test_units_of_gain_do_not_matter_and_those_of_price_carry_over(gain: float, price: float) -> None:
    values = planted_gains(LINE, 1)
    one, other = break_even(values, PRICES, draws=60), break_even(values * gain, PRICES * price, draws=60)
    assert (other.price, other.low, other.high) == pytest.approx(
        tuple(price * x for x in (one.price, one.low, one.high))
    )


def test_bad_input_is_refused() -> None:
    values = planted_gains(LINE, 0)
    with pytest.raises(ResultsError, match="prices must ascend"):
        break_even(values, PRICES[::-1])
    with pytest.raises(ResultsError, match="prices must ascend"):
        break_even(values, PRICES - 1.0)
    with pytest.raises(ResultsError, match="do not fit"):
        break_even(values[:, :3], PRICES)
    with pytest.raises(ResultsError, match="NaN"):
        break_even(values * np.nan, PRICES)
    with pytest.raises(ResultsError, match="worlds=1"):
        break_even(values[:1], PRICES)
