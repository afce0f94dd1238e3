"""Where a dose–outcome curve is highest: a smooth curve, its peak, the peak's interval, and how flat the top is.

The curve is a natural cubic smoothing spline through the arm means (Green and Silverman, *Nonparametric Regression
and Generalized Linear Models*, 1994, chapter 2). Doses may be warped by a square root first, because doses near
zero are spaced more closely and the curve bends most there. How smooth the curve is follows from restricted
maximum likelihood (REML) with the noise taken from the worlds themselves, once, on the full table; every
bootstrap draw is then one matrix product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, bootstrap_means, bootstrap_weights, interval
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

GRID = 301
"""Points of the dose range at which the curve is evaluated."""

MIN_DOSES = 4
"""A peak inside a range cannot be told from an edge with fewer doses."""

UNDERSMOOTH = 2.0
"""REML's ratio of signal to noise is raised this much: the bias of a smooth peak is then small beside its interval."""

_SMOOTHNESS = np.logspace(-6, 6, 121)
"""Ratios of signal to noise variance among which REML chooses."""


class Smoother(NamedTuple):
    """A linear smoother for fixed doses: curve = ``matrix @ arm means``."""

    grid: F64  # [G] doses at which the curve is evaluated
    matrix: F64  # [G, A] from arm means to the curve
    freedom: float  # effective degrees of freedom, 2 … A


class Optimum(NamedTuple):
    """The estimated best dose of one curve. Outcomes are differences from the reference dose."""

    dose: float  # dose with the highest curve
    low: float  # percentile interval of that dose over resampled worlds
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


def _roughness(knots: F64) -> F64:
    """Return K [A, A] with f'Kf = ∫ f''² for the natural cubic spline through f at ``knots`` (Q R⁻¹ Q')."""
    gaps = np.diff(knots)
    n = knots.size
    q = np.zeros((n, n - 2))
    r = np.zeros((n - 2, n - 2))
    for j in range(n - 2):
        q[j, j] = 1.0 / gaps[j]
        q[j + 1, j] = -1.0 / gaps[j] - 1.0 / gaps[j + 1]
        q[j + 2, j] = 1.0 / gaps[j + 1]
        r[j, j] = (gaps[j] + gaps[j + 1]) / 3.0
        if j + 1 < n - 2:
            r[j, j + 1] = r[j + 1, j] = gaps[j + 1] / 6.0
    return q @ np.linalg.solve(r, q.T)


def _reml_ratio(rotated: F64, stiffness: F64, noise: float) -> float:
    """Return the signal-to-noise ratio that maximises the restricted likelihood.

    ``rotated`` [A − 2] are the means in the eigenbasis of the roughness, ``stiffness`` [A − 2] its eigenvalues and
    ``noise`` the variance of a mean: rotated_j ~ N(0, noise · (1 + ratio / stiffness_j)).
    """
    variance = noise * (1.0 + _SMOOTHNESS[:, None] / stiffness[None, :])
    likelihood = -0.5 * (np.log(variance) + rotated[None, :] ** 2 / variance).sum(1)
    return float(_SMOOTHNESS[int(np.argmax(likelihood))])


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
    knots, fine = (np.sqrt(x), np.sqrt(grid)) if warp else (x, grid)
    span = knots[-1] - knots[0]
    knots, fine = (knots - knots[0]) / span, (fine - knots[0]) / span
    values, vectors = np.linalg.eigh(_roughness(knots))
    bent, shapes = values[2:], vectors[:, 2:]
    rotated = shapes.T @ np.asarray(means, np.float64)
    ratio = UNDERSMOOTH * _reml_ratio(rotated, bent, noise) if noise > 0.0 else np.inf
    keep = 1.0 / (1.0 + bent / ratio)
    smooth = np.eye(x.size) - (shapes * (1.0 - keep)) @ shapes.T
    matrix = CubicSpline(knots, smooth, bc_type="natural")(fine)
    return Smoother(grid, matrix, float(2.0 + keep.sum()))


def noise_of_means(values: F64) -> float:
    """Return the variance of an arm's mean once what is common to a world is taken out; ``values`` float [W, A]."""
    n, arms = values.shape
    within = values - values.mean(1, keepdims=True)
    residual = within - within.mean(0, keepdims=True)
    return float((residual**2).sum() / ((n - 1) * (arms - 1)) / n)


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
    resampled = bootstrap_means(panel.values, bootstrap_weights(panel.n_worlds, draws, seed))
    base = int(np.argmin(np.abs(smoother.grid - reference)))
    curve = smoother.matrix @ means
    curves = resampled @ smoother.matrix.T
    curve, curves = curve - curve[base], curves - curves[:, [base]]
    best = int(np.argmax(curve))
    peaks = smoother.grid[np.argmax(curves, 1)]
    dose_low, dose_high = interval(peaks, level)
    value_low, value_high = interval(curves[:, best], level)
    near = smoother.grid[curve >= curve[best] - epsilon]
    flat_p = float(np.mean(np.ptp(curves - curve, axis=1) >= np.ptp(curve)))
    spans_all = near[0] == smoother.grid[0] and near[-1] == smoother.grid[-1] and float(np.ptp(curve)) <= epsilon
    edge = "low" if best == 0 else "high" if best == smoother.grid.size - 1 else ""
    low, high = interval(curves, level)
    return (
        Optimum(
            float(smoother.grid[best]),
            float(dose_low),
            float(dose_high),
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
