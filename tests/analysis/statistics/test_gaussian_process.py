"""The Gaussian process is scikit-learn's, with a trend that has no prior and a likelihood that leaves the trend out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

from civsim.analysis.statistics.gaussian_process import fit_gaussian_process
from civsim.base.errors import ResultsError

X = np.linspace(0.0, 1.0, 12)
FINE = np.linspace(0.0, 1.0, 57)
NOISE = 0.04


def wavy(seed: int) -> np.ndarray:
    return 2.0 * np.sin(5.0 * X) + 3.0 * X + np.sqrt(NOISE) * np.random.default_rng(seed).normal(size=X.size)


def vague(signal: float, length: float) -> GaussianProcessRegressor:
    """The same process by scikit-learn: constant and slope with a prior so wide that it is as good as none."""
    kernel = ConstantKernel(1e5, "fixed") * DotProduct(1.0, "fixed") + ConstantKernel(signal) * Matern(length, nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None)


@pytest.mark.parametrize("seed", range(3))
def test_posterior_mean_is_that_of_scikit_learn(seed: int) -> None:
    means = wavy(seed)
    fit = fit_gaussian_process(X, means, NOISE, FINE, warp=False, undersmooth=1.0)
    oracle = vague(fit.signal, fit.length).fit(X[:, None], means)
    assert fit.matrix @ means == pytest.approx(oracle.predict(FINE[:, None]), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_covariance_chosen_is_as_likely_as_the_best_that_scikit_learn_finds(seed: int) -> None:
    means = wavy(seed)
    fit = fit_gaussian_process(X, means, NOISE, FINE, warp=False)
    mine = vague(fit.signal, fit.length).fit(X[:, None], means).log_marginal_likelihood_value_
    kernel = ConstantKernel(1e5, "fixed") * DotProduct(1.0, "fixed") + ConstantKernel(1.0, (1e-3, 1e3)) * Matern(
        0.5, (0.1, 2.0), nu=2.5
    )
    best = GaussianProcessRegressor(kernel, alpha=NOISE).fit(X[:, None], means)
    assert mine > best.log_marginal_likelihood_value_ - 0.1


@pytest.mark.parametrize("warp", [False, True])
def test_straight_lines_in_the_dose_are_kept(warp: bool) -> None:
    fit = fit_gaussian_process(X, wavy(0), NOISE, FINE, warp=warp)
    assert fit.matrix @ (3.0 - 2.0 * X) == pytest.approx(3.0 - 2.0 * FINE, abs=1e-8)
    assert 2.0 < fit.freedom < X.size


def test_no_signal_leaves_a_straight_line_and_no_noise_every_point() -> None:
    assert fit_gaussian_process(X, np.zeros(12), 1.0, FINE).freedom < 2.1
    exact = fit_gaussian_process(X, wavy(0), 0.0, X)
    assert exact.freedom == X.size
    assert exact.matrix @ wavy(0) == pytest.approx(wavy(0), abs=1e-5)


def test_undersmoothing_bends_more() -> None:
    freedom = [fit_gaussian_process(X, wavy(0), NOISE, FINE, undersmooth=ratio).freedom for ratio in (1.0, 4.0, 16.0)]
    assert freedom == sorted(freedom)
    assert freedom[0] < freedom[2]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ResultsError, match="doses=2"):
        fit_gaussian_process([0.0, 1.0], [0.0, 1.0], 1.0, FINE)
    with pytest.raises(ResultsError, match="ascend"):
        fit_gaussian_process([-1.0, 0.0, 1.0], np.zeros(3), 1.0, FINE)
    with pytest.raises(ResultsError, match="noise -1"):
        fit_gaussian_process(X, np.zeros(12), -1.0, FINE)
    with pytest.raises(ResultsError, match="finite"):
        fit_gaussian_process(X, np.full(12, np.nan), 1.0, FINE)
