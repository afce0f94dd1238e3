"""The optimum's place and height are recovered where they were planted; a flat curve is called flat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from civsim.analysis.recovery.optimum import CASES, DOSES, HILL_PEAK, STEEP_PEAK, hill, steep
from civsim.analysis.recovery.optimum import planted_panel as panel_of
from civsim.analysis.statistics.optimum import estimate_optimum, fit_smoother, noise_of_means
from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, stretched_means, widened_interval
from civsim.base.errors import ResultsError

REPLICATIONS = 200


@pytest.mark.parametrize(
    ("curve", "peak"), [(hill, 0.22), (steep, 0.05 * np.log(0.8 / 0.05 / 1.5))], ids=["hill", "steep"]
)
def test_planted_optimum_is_covered_at_the_nominal_rate(curve: Callable[[np.ndarray], np.ndarray], peak: float) -> None:
    place, height = 0, 0
    worth = float(curve(np.array([peak]))[0] - curve(np.array([0.0]))[0])
    for replication in range(REPLICATIONS):
        best, _ = estimate_optimum(panel_of(curve, replication), 0.0, epsilon=0.02, draws=400, seed=replication)
        place += best.low - 1e-9 <= peak <= best.high + 1e-9
        height += best.value_low <= worth <= best.value_high
        assert not best.flat
        assert best.edge == ""
    assert 0.91 <= place / REPLICATIONS <= 0.99
    assert 0.91 <= height / REPLICATIONS <= 0.99


def test_a_flat_curve_is_reported_as_flat_at_the_nominal_rate() -> None:
    flat = sum(
        estimate_optimum(panel_of(np.zeros_like, r), 0.0, epsilon=0.0, draws=300, seed=r)[0].flat
        for r in range(REPLICATIONS)
    )
    assert 0.90 <= flat / REPLICATIONS <= 0.99


def test_a_curve_within_epsilon_is_flat_however_well_it_is_known() -> None:
    panel = panel_of(lambda x: 0.01 * hill(x), 0, n=400, noise=0.001)
    assert not estimate_optimum(panel, 0.0, epsilon=0.0, draws=200)[0].flat
    best = estimate_optimum(panel, 0.0, epsilon=0.1, draws=200)[0]
    assert best.flat
    assert (best.near_low, best.near_high) == (0.0, 0.6)


def test_near_optimal_range_is_that_of_the_planted_curve() -> None:
    best, curve = estimate_optimum(panel_of(hill, 1, n=2000, noise=0.05), 0.0, epsilon=0.08, draws=200)
    assert abs(best.near_low - 0.12) < 0.01  # 8 · 0.1² = 0.08
    assert abs(best.near_high - 0.32) < 0.01
    assert abs(best.dose - 0.22) < 0.01
    assert curve.value[0] == 0.0
    assert np.abs(curve.value - (hill(curve.dose) - hill(np.zeros(1)))).max() < 0.02
    assert np.all(curve.low <= curve.value + 1e-9)
    assert np.all(curve.high >= curve.value - 1e-9)


@pytest.mark.parametrize(("slope", "edge", "dose"), [(-1.0, "low", 0.0), (1.0, "high", 0.6)])
def test_an_optimum_at_the_end_of_the_range_says_so(slope: float, edge: str, dose: float) -> None:
    best, _ = estimate_optimum(panel_of(lambda x: slope * x, 0, noise=0.02), 0.0, epsilon=0.01, draws=200)
    assert best.edge == edge
    assert best.dose == dose
    assert best.low <= dose <= best.high


def test_smoother_keeps_straight_lines_and_constants() -> None:
    smoother = fit_smoother(DOSES, np.zeros(DOSES.size), 1.0, warp=False)
    assert np.allclose(smoother.matrix @ (3.0 - 2.0 * DOSES), 3.0 - 2.0 * smoother.grid)
    assert 2.0 <= smoother.freedom < 3.0
    warped = fit_smoother(DOSES, np.zeros(DOSES.size), 1.0)
    assert np.allclose(warped.matrix.sum(1), 1.0)


def test_smoother_without_noise_passes_through_the_means() -> None:
    smoother = fit_smoother(DOSES, hill(DOSES), 0.0)
    curve = smoother.matrix @ hill(DOSES)
    assert np.allclose(np.interp(DOSES, smoother.grid, curve), hill(DOSES), atol=2e-3)
    assert smoother.freedom == DOSES.size


def test_noise_leaves_out_what_worlds_share() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5000, 1)) * 10.0 + rng.normal(size=(5000, 6)) * 0.5
    assert noise_of_means(values) == pytest.approx(0.25 / 5000, rel=0.05)


def test_bad_doses_are_refused() -> None:
    with pytest.raises(ResultsError, match="doses=3"):
        fit_smoother([0.0, 0.1, 0.2], np.zeros(3), 1.0)
    with pytest.raises(ResultsError, match="ascend"):
        fit_smoother([0.0, 0.1, 0.1, 0.2], np.zeros(4), 1.0)
    with pytest.raises(ResultsError, match="ascend"):
        fit_smoother([-0.1, 0.1, 0.2, 0.3], np.zeros(4), 1.0)
    with pytest.raises(ResultsError, match=r"arm=0\.33"):
        estimate_optimum(panel_of(hill, 0), 0.33, epsilon=0.01)


def test_recovery_cases_plant_what_they_say() -> None:
    fine = np.linspace(0.0, 0.6, 60001)
    assert fine[np.argmax(hill(fine))] == pytest.approx(HILL_PEAK, abs=1e-4)
    assert fine[np.argmax(steep(fine))] == pytest.approx(STEEP_PEAK, abs=1e-4)
    planted = [case.draw(0)[0] for case in CASES]
    assert planted[:2] == [HILL_PEAK, STEEP_PEAK]
    assert planted[2:] == pytest.approx([8.0 * 0.22**2, steep(fine).max()], abs=1e-6)


def test_stretched_means_have_the_widened_interval() -> None:
    values = np.random.default_rng(0).normal(size=(12, 3))
    weights = bootstrap_weights(12, 500)
    low, high = widened_interval(values.mean(0), bootstrap_means(values, weights), 12)
    stretched = stretched_means(values, weights)
    assert np.percentile(stretched, 2.5, axis=0) == pytest.approx(low)
    assert np.percentile(stretched, 97.5, axis=0) == pytest.approx(high)


def test_units_of_dose_and_outcome_carry_over() -> None:
    panel = panel_of(hill, 3)
    one = estimate_optimum(panel, 0.0, epsilon=0.02, draws=100)[0]
    scaled = panel._replace(arms=tuple(100.0 * dose for dose in panel.arms), values=7.0 * panel.values + 5.0)
    other = estimate_optimum(scaled, 0.0, epsilon=0.14, draws=100)[0]
    assert (other.dose, other.low, other.high) == pytest.approx((100 * one.dose, 100 * one.low, 100 * one.high))
    assert (other.value, other.value_low) == pytest.approx((7.0 * one.value, 7.0 * one.value_low))
    assert (other.near_low, other.near_high) == pytest.approx((100.0 * one.near_low, 100.0 * one.near_high))
    assert other.flat_p == one.flat_p
