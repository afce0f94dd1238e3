"""Two-stage least squares against its formula; Anderson–Rubin against its own test; planted slopes are covered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civsim.analysis.recovery.case import SUITE_BOUNDS, coverage
from civsim.analysis.recovery.identification import CASES, SLOPE, STRONG, WEAK, instrumented_sample
from civsim.analysis.statistics.instruments import (
    WEAK_F,
    anderson_rubin,
    anderson_rubin_p,
    instrumented_slope,
)
from civsim.base.errors import ResultsError


def test_one_instrument_is_the_ratio_of_reduced_form_to_first_stage() -> None:
    y, x, z, worlds = instrumented_sample(0, STRONG)
    fit = instrumented_slope(y, x, z, worlds, names=("price",))
    zed = z[:, 0] - z.mean()
    assert fit.slope == pytest.approx((zed @ y) / (zed @ x))
    row = fit.reduced.iloc[0]
    assert row["instrument"] == "price"
    assert fit.slope == pytest.approx(row["reduced"] / row["first"])
    assert fit.first_f == pytest.approx(fit.kleibergen_paap, rel=0.05)
    assert not fit.weak
    assert np.isnan(fit.overid)
    assert (fit.rows, fit.worlds) == (len(y), len(np.unique(worlds)))


def test_least_squares_is_misled_and_instruments_are_not() -> None:
    fits = [instrumented_slope(*instrumented_sample(seed, STRONG, 2)) for seed in range(12)]
    assert np.mean([fit.ols for fit in fits]) > SLOPE + 0.3
    assert np.mean([fit.slope for fit in fits]) == pytest.approx(SLOPE, abs=0.06)


def test_an_invalid_instrument_is_found_out_where_there_are_two() -> None:
    good = [instrumented_slope(*instrumented_sample(seed, STRONG, 2)).overid_p for seed in range(8)]
    bad = [instrumented_slope(*instrumented_sample(seed, STRONG, 2, invalid=0.5)).overid_p for seed in range(8)]
    assert np.median(bad) < 0.01
    assert np.median(good) > 0.1


def test_weak_instruments_are_called_weak() -> None:
    fits = [instrumented_slope(*instrumented_sample(seed, WEAK)) for seed in range(10)]
    assert sum(fit.weak for fit in fits) >= 9
    assert all(fit.weak == (fit.first_f < WEAK_F) for fit in fits)


@pytest.mark.parametrize("instruments", [1, 2, 3])
def test_the_ends_of_the_anderson_rubin_set_are_where_its_test_turns(instruments: int) -> None:
    for seed in range(5):
        sample = instrumented_sample(seed, STRONG, instruments)
        low, high, shape = anderson_rubin(*sample)
        assert shape == "interval"
        for end in (low, high):
            assert anderson_rubin_p(*sample, end) == pytest.approx(0.05, abs=1e-6)
        assert anderson_rubin_p(*sample, 0.5 * (low + high)) > 0.05
        assert anderson_rubin_p(*sample, high + 1.0) < 0.05


def test_every_shape_of_the_set_agrees_with_its_test_far_out() -> None:
    seen = set()
    for seed in range(60):
        sample = instrumented_sample(seed, WEAK)
        low, high, shape = anderson_rubin(*sample)
        seen.add(shape)
        kept = min(anderson_rubin_p(*sample, far) for far in (-1e6, 1e6)) >= 0.05
        assert kept == (shape in ("line", "outside"))
        assert kept == (not np.isfinite(low) and not np.isfinite(high))
    assert {"line", "interval"} <= seen


def test_instruments_that_contradict_each_other_leave_the_set_empty() -> None:
    low, high, shape = anderson_rubin(*instrumented_sample(0, STRONG, 2, invalid=3.0))
    assert shape == "empty"
    assert np.isnan([low, high]).all()


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 100.0), st.floats(0.01, 100.0), st.floats(-50.0, 50.0), st.integers(0, 5))
def test_units_scale_the_slope_and_change_nothing_else(a: float, b: float, shift: float, seed: int) -> None:
    y, x, z, worlds = instrumented_sample(seed, STRONG)
    low, high, _ = anderson_rubin(y, x, z, worlds)
    order = np.random.default_rng(seed).permutation(len(y))
    scaled = anderson_rubin(a * y[order] + shift, b * x[order], -3.0 * z[order], 7 - worlds[order])
    assert scaled[:2] == pytest.approx((low * a / b, high * a / b), rel=1e-5)


def test_planted_slopes_are_covered_at_the_nominal_rate() -> None:
    for case in CASES[:2]:
        found = coverage(case)
        assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1], case.name


def test_bad_input_is_refused_in_one_line() -> None:
    y, x, z, worlds = instrumented_sample(0, STRONG)
    with pytest.raises(ResultsError, match="NaN or infinite"):
        instrumented_slope(np.where(y == y[0], -np.inf, y), x, z, worlds)
    with pytest.raises(ResultsError, match="do not match"):
        instrumented_slope(y, x[:-1], z, worlds)
    with pytest.raises(ResultsError, match="worlds=2 are too few"):
        instrumented_slope(y, x, z, worlds % 2)
    with pytest.raises(ResultsError, match="does not vary"):
        anderson_rubin(y, x, np.ones_like(z), worlds)
    with pytest.raises(ResultsError, match="does not vary"):
        anderson_rubin(y, np.full_like(x, 2.0), z, worlds)
