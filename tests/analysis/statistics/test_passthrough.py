"""Pass-through: exact powers, other people's code, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from civsim.analysis.statistics.passthrough import pass_through, ppml_slope, within_slope
from civsim.base.errors import ResultsError


def worlds(seed: int = 0, zeros: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    effect = np.exp(rng.normal(size=(30, 1)))
    cognition = effect**0.3 * np.exp(0.5 * rng.normal(size=(30, 5)))
    outcome = effect * cognition**1.4 * np.exp(0.4 * rng.normal(size=(30, 5)))
    return outcome * (rng.random((30, 5)) >= zeros), cognition


def test_an_exact_power_is_found_exactly_by_both() -> None:
    _, cognition = worlds()
    found = pass_through(np.arange(1.0, 31.0)[:, None] * cognition**1.4, cognition)
    for slope in (found.log_log, found.ppml):
        assert slope.value == pytest.approx(1.4)
        assert slope.error == pytest.approx(0.0, abs=1e-6)
        assert slope.p < 1e-6
    assert (found.civilizations, found.no_cognition, found.no_outcome, found.alone) == (150, 0, 0, 0)


def test_least_squares_is_that_of_dummies_and_its_error_the_jackknife_of_worlds() -> None:
    import statsmodels.api as sm

    y, x = (np.log(table) for table in worlds())
    world = np.repeat(np.arange(30), 5)
    dummies = np.eye(30)[world]
    found = within_slope(y.ravel(), x.ravel(), world, world)
    design = np.column_stack([x.ravel(), dummies])
    assert found.value == pytest.approx(sm.OLS(y.ravel(), design).fit().params[0])
    left_out = []
    for gone in range(30):
        keep = world != gone
        columns = np.column_stack([x.ravel(), np.delete(dummies, gone, axis=1)])[keep]
        left_out.append(sm.OLS(y.ravel()[keep], columns).fit().params[0])
    jackknife = np.sqrt(29 / 30 * ((np.array(left_out) - found.value) ** 2).sum())
    assert found.error == pytest.approx(jackknife)


def test_ppml_is_the_poisson_regression_with_dummies() -> None:
    import statsmodels.api as sm

    y, x = worlds(1, zeros=0.2)
    world = np.repeat(np.arange(30), 5)
    kept = (y.sum(axis=1) > 0)[world]
    design = np.column_stack([np.log(x).ravel(), np.eye(30)[world]])[kept]
    model = sm.GLM(y.ravel()[kept], design[:, design.any(axis=0)], family=sm.families.Poisson())
    assert ppml_slope(y, x).value == pytest.approx(model.fit(tol=1e-10).params[0], rel=1e-6)


def test_neither_units_nor_a_worlds_own_scale_move_the_slopes() -> None:
    y, x = worlds(2)
    plain = pass_through(y, x)
    assert np.allclose(pass_through(5.0 * y, 0.1 * x).ppml[:5], plain.ppml[:5])
    scale = np.random.default_rng(3).random((30, 1)) + 0.5
    assert np.allclose(pass_through(scale * y, scale * x).log_log[:5], plain.log_log[:5])
    assert np.allclose(ppml_slope(y, scale * x)[:5], plain.ppml[:5])
    order = np.random.default_rng(4).permutation(30)
    assert np.allclose(pass_through(y[order][:, ::-1], x[order][:, ::-1]).ppml[:5], plain.ppml[:5])


def test_what_is_left_out_is_counted_and_ppml_keeps_the_dead() -> None:
    y, x = worlds(5)
    y, x = y.copy(), x.copy()
    y[0, 0], x[1, 0] = 0.0, 0.0
    y[2, 1:] = 0.0
    found = pass_through(y, x)
    assert (found.no_cognition, found.no_outcome, found.alone) == (1, 5, 1)
    assert found.log_log.rows == 150 - 1 - 5 - 1
    assert found.ppml.rows == 149


def test_rows_of_one_world_are_drawn_together() -> None:
    y, x = worlds(6)
    alone, twice = pass_through(y, x), pass_through(np.tile(y, (2, 1)), np.tile(x, (2, 1)), np.tile(np.arange(30), 2))
    for one, two in ((alone.log_log, twice.log_log), (alone.ppml, twice.ppml)):
        assert np.allclose(one[:6], two[:6])
        assert (one.clusters, two.clusters) == (30, 30)


def test_bad_input_is_refused() -> None:
    y, x = worlds()
    with pytest.raises(ResultsError, match="do not match"):
        pass_through(y, x[:, :3])
    with pytest.raises(ResultsError, match="negative or not finite"):
        pass_through(-y, x)
    for call in (pass_through, ppml_slope):
        with pytest.raises(ResultsError, match="does not vary within any"):
            call(y, np.ones_like(x))
    with pytest.raises(ResultsError, match="worlds=1"):
        pass_through(y[:1], x[:1])
    best = (x == x.max(axis=1, keepdims=True)).astype(float)
    with pytest.raises(ResultsError, match="without bound"):
        ppml_slope(best, x)
