"""Errors that may be correlated within a world: covariances, Student intervals and ratios of coefficients.

All rows of a world are one cluster (Cameron and Miller, *Journal of Human Resources* 50(2), 2015): the covariance is
the sandwich of cluster sums with the CR1 factor, and intervals take Student's t with one degree of freedom less than
there are clusters. It is the regression twin of resampling whole worlds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc, stdtr, stdtrit

from civsim.analysis.statistics.resample import LEVEL, Estimate
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Clusters(NamedTuple):
    """Which cluster each row belongs to."""

    codes: I64  # [n] 0 … number − 1
    number: int  # clusters, at least 2

    @property
    def freedom(self) -> float:
        """Degrees of freedom of Student's t: clusters − 1."""
        return float(self.number - 1)


def find_clusters(labels: ArrayLike, rows: int) -> Clusters:
    """Return the clusters that ``labels`` [rows] (or [rows, columns]: one cluster a distinct row) name.

    Raises:
        ResultsError: not one label a row, or fewer than two clusters.
    """
    table = np.asarray(labels)
    if table.ndim not in (1, 2) or len(table) != rows:
        raise ResultsError(f"cluster labels of shape {table.shape} for {rows} rows; give one a row")
    distinct, codes = np.unique(table, axis=0, return_inverse=True)
    if len(distinct) < 2:
        raise ResultsError(f"worlds={len(distinct)} is too few for an interval; at least 2 are needed")
    return Clusters(codes.reshape(-1).astype(np.int64), len(distinct))


def cluster_sums(values: F64, clusters: Clusters) -> F64:
    """Return the sums of ``values`` [n, k] over each cluster, float64 [clusters, k]."""
    sums = np.empty((clusters.number, values.shape[1]))
    for position, column in enumerate(values.T):
        sums[:, position] = np.bincount(clusters.codes, column, clusters.number)
    return sums


def centre_within(values: F64, clusters: Clusters) -> F64:
    """Return ``values`` [n, k] less the mean of their cluster: every world compared with itself alone."""
    sizes = np.bincount(clusters.codes, minlength=clusters.number)[:, None]
    return values - (cluster_sums(values, clusters) / sizes)[clusters.codes]


def cluster_covariance(scores: F64, bread: F64, clusters: Clusters, *, parameters: int | None = None) -> F64:
    """Return the CR1 covariance [k, k] of an estimator with the scores [n, k] and the inverse Hessian ``bread``.

    V = c · B (Σ_g s_g s_g') B with s_g the sum of cluster g's scores, c = G/(G − 1) · (n − 1)/(n − p). ``parameters``
    is p, the coefficients of one equation: k itself, unless controls were taken out or equations are stacked.
    """
    n, k = len(scores), scores.shape[1] if parameters is None else parameters
    sums = cluster_sums(scores, clusters)
    correction = clusters.number / (clusters.number - 1.0) * (n - 1.0) / (n - k)
    return correction * bread @ (sums.T @ sums) @ bread


def critical(freedom: float, level: float = LEVEL) -> float:
    """Return the half-width of an interval in standard errors: Student's t at (1 + level)/2."""
    return float(stdtrit(freedom, 0.5 * (1.0 + level)))


def two_sided_p(value: float, error: float, freedom: float) -> float:
    """Return the two-sided p of 'the true value is 0' for an estimate with standard error ``error`` ≥ 0."""
    if error == 0.0:
        return float(value == 0.0)
    return float(2.0 * stdtr(freedom, -abs(value / error)))


def joint_p(parameters: F64, covariance: F64, freedom: float) -> float:
    """Return the p of 'all ``parameters`` [q] are 0', nan where there are too few clusters for q restrictions.

    The Wald statistic W is taken for Hotelling's T²: (η − q + 1)/(η q) · W ~ F(q, η − q + 1) with η = clusters − 1, as
    the covariance is an estimate of that many degrees of freedom (Pustejovsky and Tipton, *JBES* 36(4), 2018).
    """
    q = len(parameters)
    if freedom - q + 1.0 < 1.0:
        return float("nan")
    wald = float(parameters @ np.linalg.solve(covariance, parameters))
    return float(fdtrc(q, freedom - q + 1.0, (freedom - q + 1.0) / (freedom * q) * wald))


def combination(
    parameters: ArrayLike, covariance: ArrayLike, weights: ArrayLike, freedom: float, level: float = LEVEL
) -> Estimate:
    """Return one or more sums of ``parameters`` [k], weighted by ``weights`` [k] or [m, k], each with its interval."""
    rows = np.asarray(weights, np.float64)
    value = rows @ np.asarray(parameters, np.float64)
    variance = np.einsum("...i,ij,...j->...", rows, np.asarray(covariance, np.float64), rows)
    reach = critical(freedom, level) * np.sqrt(np.maximum(variance, 0.0))
    return Estimate(np.asarray(value), np.asarray(value - reach), np.asarray(value + reach))


def ratio(parameters: ArrayLike, covariance: ArrayLike, freedom: float, level: float = LEVEL) -> tuple[Estimate, bool]:
    """Return the ratio of two coefficients, first over second, with Fieller's interval, and whether it is bounded.

    The interval holds each θ for which 'first − θ · second = 0' is not rejected: (a − θb)² ≤ t²(v_aa − 2θv_ab + θ²v_bb)
    (Fieller, *JRSS B* 16(2), 1954). Where the second is not away from 0 at this level, the set has no end; the interval
    is then (−∞, ∞).
    """
    a, b = np.asarray(parameters, np.float64)
    v = np.asarray(covariance, np.float64)
    squared = critical(freedom, level) ** 2
    lead, middle, tail = b**2 - squared * v[1, 1], a * b - squared * v[0, 1], a**2 - squared * v[0, 0]
    value = np.asarray(a / b if b != 0.0 else np.nan)
    if lead <= 0.0:
        return Estimate(value, np.asarray(-np.inf), np.asarray(np.inf)), False
    root = np.sqrt(max(middle**2 - lead * tail, 0.0))
    return Estimate(value, np.asarray((middle - root) / lead), np.asarray((middle + root) / lead)), True
