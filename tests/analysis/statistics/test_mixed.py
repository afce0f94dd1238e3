"""Mixed effects: balanced closed forms, units, fits that fail, planted values covered."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from civsim.analysis.recovery.case import SUITE_BOUNDS, coverage
from civsim.analysis.recovery.identification import CASES, mixed_sample
from civsim.analysis.statistics.mixed import mixed_effect
from civsim.base.errors import ResultsError

SHORT = ("mixed effects: slope", "mixed effects: intraclass correlation", "mixed effects: variance between maps")


def test_a_balanced_table_has_the_analysis_of_variance_as_its_fit() -> None:
    y, x, maps = mixed_sample(3)
    fit = mixed_effect(y, x, maps)
    table, dose = y.reshape(20, 6), x[:6] - x[:6].mean()
    slope = float((table * dose).sum() / (20 * (dose**2).sum()))
    rest = table - table.mean(1, keepdims=True) - slope * dose
    within = float((rest**2).sum() / (120 - 21))
    assert fit.converged
    assert not fit.boundary
    assert fit.slope == pytest.approx(slope, rel=1e-5)
    assert fit.within == pytest.approx(within, rel=1e-3)
    assert fit.between == pytest.approx(table.mean(1).var(ddof=1) - within / 6, rel=1e-3)
    assert fit.error == pytest.approx(np.sqrt(within / (20 * (dose**2).sum())), rel=1e-3)
    assert fit.icc == pytest.approx(fit.between / (fit.between + fit.within))
    assert fit.between_low < fit.between < fit.between_high
    assert fit.within_low < fit.within < fit.within_high
    assert fit.icc_low < fit.icc < fit.icc_high


def test_with_slopes_of_their_own_the_mean_slope_is_judged_by_the_maps_slopes() -> None:
    y, x, maps = mixed_sample(1, slopes=0.8, maps=10)
    fit = mixed_effect(y, x, maps, random_slope=True)
    slopes = np.polyfit(x[:6], y.reshape(10, 6).T, 1)[0]
    assert fit.slope == pytest.approx(slopes.mean(), rel=1e-4)
    assert fit.error == pytest.approx(slopes.std(ddof=1) / np.sqrt(10), rel=0.02)
    assert fit.slope_variance > 0.0
    assert fit.between_low < fit.between < fit.between_high


def test_units_scale_the_fit() -> None:
    y, x, maps = mixed_sample(5)
    one, two = mixed_effect(y, x, maps), mixed_effect(100.0 * y + 7.0, x / 10.0 + 1.0, 50 - maps)
    assert two.slope == pytest.approx(1000.0 * one.slope, rel=1e-3)
    assert two.between == pytest.approx(1e4 * one.between, rel=1e-2)
    assert two.icc_low == pytest.approx(one.icc_low, rel=1e-6)
    assert two.p == pytest.approx(one.p, rel=1e-2, abs=1e-9)


def test_maps_that_do_not_differ_are_on_the_boundary() -> None:
    rng = np.random.default_rng(2)
    maps, x = np.repeat(np.arange(20), 6), np.tile(np.arange(6.0), 20)
    y = rng.normal(0.0, 1.0, 120)
    y -= np.repeat(y.reshape(20, 6).mean(1), 6)
    fit = mixed_effect(y, x, maps)
    assert fit.boundary
    assert fit.icc_low == 0.0
    assert fit.icc == pytest.approx(0.0, abs=1e-3)


def test_a_fit_that_does_not_converge_says_so_and_has_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(MixedLM, "fit", fail)
    fit = mixed_effect(*mixed_sample(0))
    assert not fit.converged
    assert "Singular" in fit.message
    assert np.isnan([fit.low, fit.high, fit.p, fit.icc_low]).all()


def test_planted_values_are_covered_at_the_nominal_rate() -> None:
    for case in CASES:
        if case.name in SHORT:
            found = coverage(case)
            assert SUITE_BOUNDS[0] <= found.share <= SUITE_BOUNDS[1], case.name


def test_bad_input_is_refused_in_one_line() -> None:
    y, x, maps = mixed_sample(0)
    with pytest.raises(ResultsError, match="maps=2"):
        mixed_effect(y, x, maps % 2)
    with pytest.raises(ResultsError, match="must match and be finite"):
        mixed_effect(np.where(maps == 0, np.nan, y), x, maps)
    with pytest.raises(ResultsError, match="does not vary within any map"):
        mixed_effect(y, maps.astype(float), maps)
    with pytest.raises(ResultsError, match="no variance to split"):
        mixed_effect(np.ones_like(y), x, maps)
