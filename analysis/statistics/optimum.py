"""Where a dose–outcome curve is highest: a smooth curve, its peak, the peak's interval, and how flat the top is.

The curve is the posterior mean of a Gaussian process through the arm means, with the noise taken from the worlds
themselves (:mod:`civsim.analysis.statistics.gaussian_process`). Doses may be warped by a square root first, because
doses near zero are spaced more closely and the curve bends most there. The covariance is tuned once, on the full table;
every bootstrap draw is then one matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.gaussian_process import fit_gaussian_process
from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    bootstrap_weights,
    interval,
    stretched_means,
)
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

GRID = 301
"""Points of the dose range at which the curve is evaluated."""

MIN_DOSES = 4
"""A peak inside a range cannot be told from an edge with fewer doses."""

RESOLUTION = 0.03
"""Part of the gap between two doses within which a peak is not placed, however well the means are known.

Between doses the curve rests on its smoothness alone, which resampled worlds do not question. With means known to a
few thousandths of the curve's range, percentiles alone held a parabola's peak between sparse doses in 0.74 to 0.92 of
cases; moved outward by this much, in 0.93 to 0.96.
"""


class Smoother(NamedTuple):
    """A linear smoother for fixed doses: curve = ``matrix @ arm means``."""

    grid: F64  # [G] doses at which the curve is evaluated
    matrix: F64  # [G, A] from arm means to the curve
    freedom: float  # effective degrees of freedom, 2 … A


class Optimum(NamedTuple):
    """The estimated best dose of one curve. Outcomes are differences from the reference dose."""

    dose: float  # dose with the highest curve
    low: float  # interval of that dose: percentiles over resampled worlds, moved outward by RESOLUTION
    high: float
    value: float  # curve at the best dose, less the curve at the reference dose
    value_low: float  # its interval, at that dose
    value_high: float
    near_low: float  # smallest and largest dose whose curve is within ``epsilon`` of the best
    near_high: float
    epsilon: float  # the loss that is taken as none
    flat: bool  # True where no dose can be called better than another
    flat_p: float  # bootstrap p of 'all doses do equally well'
    edge: str  # 'low' or 'high' where the best dose is the end of the range, otherwise ''
    freedom: float  # effective degrees of freedom of the curve
    worlds: int  # worlds behind it


class Curve(NamedTuple):
    """A smooth dose–outcome curve with a pointwise band."""

    dose: F64  # [G]
    value: F64  # [G] difference from the reference dose
    low: F64  # [G]
    high: F64  # [G]


def fit_smoother(doses: ArrayLike, means: ArrayLike, noise: float, *, warp: bool = True) -> Smoother:
    """Return the smoother for ``doses`` [A] ascending, tuned on ``means`` [A] whose variance is ``noise`` each.

    Raises:
        ResultsError: fewer than :data:`MIN_DOSES` doses, doses not ascending, or a negative dose with ``warp``.
    """
    x = np.asarray(doses, np.float64)
    if x.size < MIN_DOSES:
        raise ResultsError(f"doses={x.size} are too few to place an optimum; at least {MIN_DOSES} are needed")
    if np.any(np.diff(x) <= 0.0) or (warp and x[0] < 0.0):
        raise ResultsError("doses must ascend from 0 or above; sort them and drop repeats")
    grid = np.linspace(x[0], x[-1], GRID)
    fit = fit_gaussian_process(x, means, noise, grid, warp=warp)
    return Smoother(grid, fit.matrix, fit.freedom)


def noise_of_means(values: F64) -> float:
    """Return the variance of an arm's mean once what is common to a world is taken out; ``values`` float [W, A]."""
    n, arms = values.shape
    within = values - values.mean(1, keepdims=True)
    residual = within - within.mean(0, keepdims=True)
    return float((residual**2).sum() / ((n - 1) * (arms - 1)) / n)


def resolution(dose: float, doses: F64) -> float:
    """Return how far a limit of a peak at ``dose`` moves outward: :data:`RESOLUTION` of the gap that it lies in."""
    gaps = np.diff(doses)
    return RESOLUTION * float(gaps[int(np.clip(np.searchsorted(doses, dose) - 1, 0, gaps.size - 1))])


def _resolved(low: float, high: float, doses: F64) -> tuple[float, float]:
    """Return the limits of a peak, each moved outward by its :func:`resolution`, within the range."""
    return (
        max(low - resolution(low, doses), float(doses[0])),
        min(high + resolution(high, doses), float(doses[-1])),
    )


def estimate_optimum(
    panel: Panel,
    reference: float,
    *,
    epsilon: float,
    warp: bool = True,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> tuple[Optimum, Curve]:
    """Return the best dose of a panel whose arms are doses, and the smooth curve it was read from.

    ``reference`` is the dose (one of the arms) at which the curve is 0; ``epsilon`` ≥ 0 is the loss, in units of the
    outcome, that counts as none: all doses within it of the best are reported as its near-optimal range. The curve
    is called flat where that range is the whole range, or where resampling cannot reject that all doses do equally
    well (p > 1 − level, for the curve's range against that of resampled curves about the estimate).

    Raises:
        ResultsError: too few doses or worlds, or no such reference dose.
    """
    panel.column(reference)
    doses = np.asarray(panel.arms, np.float64)
    means = panel.values.mean(0)
    smoother = fit_smoother(doses, means, noise_of_means(panel.values), warp=warp)
    resampled = stretched_means(panel.values, bootstrap_weights(panel.n_worlds, draws, seed), level)
    base = int(np.argmin(np.abs(smoother.grid - reference)))
    curve = smoother.matrix @ means
    curves = resampled @ smoother.matrix.T
    curve, curves = curve - curve[base], curves - curves[:, [base]]
    best = int(np.argmax(curve))
    peaks = smoother.grid[np.argmax(curves, 1)]
    peak_low, peak_high = interval(peaks, level)
    dose_low, dose_high = _resolved(float(peak_low), float(peak_high), doses)
    value_low, value_high = interval(curves[:, best], level)
    near = smoother.grid[curve >= curve[best] - epsilon]
    flat_p = float(np.mean(np.ptp(curves - curve, axis=1) >= np.ptp(curve)))
    spans_all = near[0] == smoother.grid[0] and near[-1] == smoother.grid[-1] and float(np.ptp(curve)) <= epsilon
    edge = "low" if best == 0 else "high" if best == smoother.grid.size - 1 else ""
    low, high = interval(curves, level)
    return (
        Optimum(
            float(smoother.grid[best]),
            dose_low,
            dose_high,
            float(curve[best]),
            float(value_low),
            float(value_high),
            float(near[0]),
            float(near[-1]),
            epsilon,
            bool(spans_all or flat_p > 1.0 - level),
            flat_p,
            edge,
            smoother.freedom,
            panel.n_worlds,
        ),
        Curve(smoother.grid, curve, low, high),
    )
