"""How much of an advantage in cognition passes through to the outcome, between the civilizations of one world.

The elasticity β in  outcome_i / outcome_j = (cognition_i / cognition_j)^β  for civilizations i, j of the same world:
β = 1 hands inequality on as it is, β > 1 enlarges it, β < 1 evens it out. What a world gives to all its civilizations
cancels (world fixed effects). Two estimators: log on log by least squares, which must leave out an outcome of 0, and
Poisson pseudo-maximum-likelihood (PPML), which keeps it and stays consistent where the scatter depends on cognition
(Santos Silva and Tenreyro, *Review of Economics and Statistics* 88(4), 2006).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from civsim.analysis.statistics.clustered import (
    Clusters,
    centre_within,
    cluster_sums,
    critical,
    find_clusters,
    two_sided_p,
)
from civsim.analysis.statistics.resample import LEVEL
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

ONE_TO_ONE = 1.0
"""Slope at which inequality of cognition is handed on as it is."""

_STEPS = 60
_TOLERANCE = 1e-10
_LARGEST_STEP = 2.0
"""Newton's longest step in the slope: keeps the exponentials finite far from the answer."""


class Slope(NamedTuple):
    """A slope with a cluster-robust interval."""

    value: float
    low: float
    high: float
    error: float  # standard error by the cluster jackknife
    p: float  # two-sided, of slope = the hypothesis tested
    freedom: float  # degrees of freedom of t: effective clusters − 1
    clusters: int  # G
    rows: int  # observations used


class PassThrough(NamedTuple):
    """The elasticity by both estimators, and what each had to leave out."""

    log_log: Slope  # least squares on logs; p of slope = 1
    ppml: Slope  # Poisson pseudo-maximum-likelihood; p of slope = 1
    civilizations: int  # all of them
    no_cognition: int  # left out by both: cognition 0 has no log
    no_outcome: int  # left out by least squares, kept by PPML: outcome 0, such as a civilization that died
    alone: int  # left out by least squares: the only one of its world that is left


def _jackknifed(slope: float, scores: F64, information: F64, clusters: Clusters, null: float, level: float) -> Slope:
    """Return a one-parameter estimate with the interval of the cluster jackknife.

    ``scores`` and ``information`` are float [n], one an observation. Without cluster g the slope is
    β − s_g / (I − I_g), exactly for least squares and to one step of Newton's method for PPML, and the variance is
    (G − 1)/G · Σ (β₍g₎ − β)² (CV3: MacKinnon, Nielsen and Webb, *Journal of Applied Econometrics* 38(5), 2023). Where a
    few worlds weigh much the usual sandwich (CR1) is too narrow: its residuals are pulled to those worlds. For the same
    reason t has G* − 1 degrees of freedom, G* = (Σ I_g)² / Σ I_g² ≤ G being the number of equal worlds that would
    inform as much (Carter, Schnepel and Steigerwald, *Review of Economics and Statistics* 99(4), 2017).
    """
    each, weight = cluster_sums(np.column_stack([scores, information]), clusters).T
    rest = weight.sum() - weight
    if not (rest > 0.0).all():
        raise ResultsError("the cause varies in one world alone; its slope has no interval, play more worlds")
    moves = each / rest
    error = float(np.sqrt((clusters.number - 1.0) / clusters.number * (moves**2).sum()))
    freedom = max(float(weight.sum() ** 2 / (weight**2).sum()) - 1.0, 1.0)
    reach = critical(freedom, level) * error
    p = two_sided_p(slope - null, error, freedom)
    return Slope(slope, slope - reach, slope + reach, error, p, freedom, clusters.number, len(scores))


def within_slope(
    outcome: ArrayLike, cause: ArrayLike, group: ArrayLike, cluster: ArrayLike, *, null: float = 0.0,
    level: float = LEVEL,
) -> Slope:  # fmt: skip
    """Return the least-squares slope of ``outcome`` on ``cause`` within groups, clusters drawn as units.

    Both are demeaned within ``group`` (fixed effects: Wooldridge, *Econometric Analysis of Cross Section and Panel
    Data*, 2010, section 10.5); the interval is that of the cluster jackknife.

    Args:
        outcome: float [n].
        cause: float [n].
        group: labels [n]; each group has its own intercept.
        cluster: labels [n]; observations of one cluster may depend on each other in any way.
        null: slope whose p is wanted.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: the cause does not vary within any group, or there are fewer than two clusters.
    """
    table = np.column_stack([np.asarray(cause, np.float64), np.asarray(outcome, np.float64)])
    x, y = centre_within(table, _codes(group)).T
    bread = float((x**2).sum())
    if not bread > _TOLERANCE:
        raise ResultsError("the cause does not vary within any group; there is no slope to estimate")
    slope = float((x * y).sum()) / bread
    return _jackknifed(slope, x * (y - slope * x), x**2, find_clusters(cluster, len(x)), null, level)


def _codes(labels: ArrayLike) -> Clusters:
    """Return the groups that ``labels`` name; unlike clusters, there may be one alone."""
    distinct, codes = np.unique(np.asarray(labels), return_inverse=True)
    return Clusters(codes.astype(np.int64), len(distinct))


def _ppml_parts(slope: float, logs: F64, y: F64, kept: NDArray[np.bool_]) -> tuple[F64, F64]:
    """Return each world's score and information, float64 [W] each; rows are worlds, ``kept`` who is in."""
    expected = softmax(np.where(kept, slope * logs, -np.inf), axis=1)
    mean = (expected * logs).sum(axis=1)
    spread = (expected * (logs - mean[:, None]) ** 2).sum(axis=1)
    return (y * (logs - mean[:, None])).sum(axis=1), y.sum(axis=1) * spread


def ppml_slope(
    outcome: ArrayLike,
    cognition: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    null: float = ONE_TO_ONE,
    level: float = LEVEL,
) -> Slope:
    """Return the elasticity by Poisson pseudo-maximum-likelihood with world fixed effects.

    Given a world's total Y, the Poisson likelihood with a fixed effect a world is the multinomial one,
    Σ_i y_i log(x_i^β / Σ_j x_j^β) (Hausman, Hall and Griliches, *Econometrica* 52(4), 1984); it is concave in β and
    Newton's method finds the top. Nothing need be Poisson: only E[y_i] = effect · x_i^β has to hold, and the interval
    is that of the cluster jackknife. A world counts by its total. (Given shares in place of amounts, each world counts
    alike: the fractional logit of Papke and Wooldridge, *Journal of Applied Econometrics* 11(6), 1996, whose model is
    one of the mean share.) Zero outcomes stay; zero cognition does not. Worlds without outcome, or with fewer than two
    who think, say nothing and are left out.

    Args:
        outcome: float [W, N], ≥ 0.
        cognition: float [W, N], ≥ 0.
        cluster: labels [W]; rows of one label (a world played in several arms) are drawn together. Each its own if
            left out.
        null: slope whose p is wanted.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: cognition does not vary within any world, the likelihood has no top (all outcome with the
            highest or with the lowest cognition), or amounts that are negative or not finite.
    """
    y, x = _tables(outcome, cognition)
    kept = x > 0.0
    y = np.where(kept, y, 0.0)
    good = (kept.sum(axis=1) > 1) & (y.sum(axis=1) > 0.0)
    labels = np.arange(len(y)) if cluster is None else np.asarray(cluster)
    y, x, kept, labels = y[good], x[good], kept[good], labels[good]
    logs = np.where(kept, np.log(np.where(kept, x, 1.0)), 0.0)
    y = y / y.sum(axis=1).mean() if len(y) else y  # of order 1: no result depends on the unit
    if not len(y) or not _ppml_parts(0.0, logs, y, kept)[1].sum() > _TOLERANCE:
        raise ResultsError("cognition does not vary within any world; there is no slope to estimate")
    slope = 0.0
    for _ in range(_STEPS):
        scores, information = _ppml_parts(slope, logs, y, kept)
        step = float(scores.sum()) / max(float(information.sum()), _TOLERANCE)
        slope += float(np.clip(step, -_LARGEST_STEP, _LARGEST_STEP))
        if abs(step) < _TOLERANCE:
            break
    else:
        raise ResultsError("the slope grows without bound: cognition orders the outcomes perfectly; play more worlds")
    scores, information = _ppml_parts(slope, logs, y, kept)
    found = _jackknifed(slope, scores, information, find_clusters(labels, len(scores)), null, level)
    return found._replace(rows=int(kept.sum()))


def _tables(outcome: ArrayLike, cognition: ArrayLike) -> tuple[F64, F64]:
    y, x = np.asarray(outcome, np.float64), np.asarray(cognition, np.float64)
    if y.ndim != 2 or y.shape != x.shape:
        raise ResultsError(f"outcomes {y.shape} and cognition {x.shape} do not match; give worlds × civilizations")
    if not (np.isfinite(y).all() and np.isfinite(x).all() and (y >= 0.0).all() and (x >= 0.0).all()):
        raise ResultsError("an outcome or a cognition is negative or not finite; shares are of amounts ≥ 0")
    return y, x


def pass_through(
    outcome: ArrayLike,
    cognition: ArrayLike,
    cluster: ArrayLike | None = None,
    *,
    level: float = LEVEL,
    null: float = ONE_TO_ONE,
) -> PassThrough:
    """Return the elasticity of the outcome with respect to cognition, within worlds, by both estimators.

    To least squares shares and amounts are one: a world's total is part of its fixed effect. PPML wants amounts.

    Args:
        outcome: float [W, N], ≥ 0, such as each civilization's output.
        cognition: float [W, N], ≥ 0, such as its level.
        cluster: labels [W]; rows of one label (a world played in several arms) have effects of their own and are drawn
            together. Each its own if left out.
        level: coverage, in (0, 1).
        null: slope whose p is wanted; 1 is inequality handed on as it is.

    Raises:
        ResultsError: as :func:`within_slope` and :func:`ppml_slope`.
    """
    y, x = _tables(outcome, cognition)
    thinks = x > 0.0
    kept = thinks & (y > 0.0)
    several = kept & (kept.sum(axis=1, keepdims=True) > 1)
    row = np.nonzero(several)[0]
    labels = row if cluster is None else np.asarray(cluster)[row]
    log_log = within_slope(np.log(y[several]), np.log(x[several]), row, labels, null=null, level=level)
    return PassThrough(
        log_log,
        ppml_slope(y, x, cluster, null=null, level=level),
        y.size,
        int((~thinks).sum()),
        int((thinks & (y == 0.0)).sum()),
        int((kept & ~several).sum()),
    )
