"""The upper tail: how heavy it is (Hill) and how far its quantiles lie above the middle.

Civilizations of one world share a total and an end, so they are not independent: intervals that end in ``_worlds``
draw whole worlds. :func:`hill` is the plain estimator, for amounts that are independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import gamma

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, Estimate
from civsim.analysis.statistics.worlds import weighted_quantile, world_statistic
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

TAIL = 0.1
"""Share of the amounts that counts as the tail unless told otherwise."""

MIN_TAIL = 5
"""Fewest amounts in a tail: the s.e. of Hill's ξ is ξ/√k, 45 % of it at 5."""

MIDDLE = 0.5


class Tail(NamedTuple):
    """Hill's estimate of P(X > x) ~ x^(−α) from the k largest of n amounts."""

    alpha: float  # tail index, > 0; smaller is heavier; moments of order α and above are infinite
    low: float  # its interval
    high: float
    xi: float  # 1 / α
    error: float  # s.e. of ξ: ξ / √k
    k: int  # amounts above the threshold
    n: int  # positive amounts
    threshold: float  # the (k + 1)-th largest amount


def _positive(amounts: ArrayLike) -> F64:
    table = np.asarray(amounts, np.float64)
    if not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise ResultsError("an amount is negative or not finite; a tail is of amounts ≥ 0")
    return table


def hill(amounts: ArrayLike, k: int | None = None, *, level: float = LEVEL) -> Tail:
    """Return Hill's estimate of the tail index from the ``k`` largest amounts.

    ξ = (1/k) Σ_{i ≤ k} log(X₍ᵢ₎ / X₍ₖ₊₁₎) and α = 1/ξ (Hill, *Annals of Statistics* 3(5), 1975). Above an exact Pareto
    threshold k·ξ̂/ξ is Gamma(k, 1), from which the interval comes; it nears ±z·ξ/√k as k grows.

    Args:
        amounts: float [n], independent; zeros are left out.
        k: amounts in the tail; :data:`TAIL` of them if left out.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: k below :data:`MIN_TAIL` or not below n, a tail of equal amounts, or bad amounts.
    """
    table = _positive(amounts).ravel()
    ordered = np.sort(table[table > 0.0])[::-1]
    n = ordered.size
    size = int(np.ceil(TAIL * n)) if k is None else k
    if not MIN_TAIL <= size < n:
        raise ResultsError(f"k={size} is not in {MIN_TAIL} to {n - 1}, of {n} amounts; choose another, or play more")
    xi = float(np.log(ordered[:size] / ordered[size]).mean())
    if xi <= 0.0:
        raise ResultsError(f"the {size} largest amounts are all {ordered[0]:g}; they have no tail, choose another k")
    tail = 0.5 * (1.0 - level)
    low, high = np.asarray(gamma.ppf([tail, 1.0 - tail], size)) / (size * xi)
    return Tail(1.0 / xi, float(low), float(high), xi, xi / size**0.5, size, n, float(ordered[size]))


def hill_worlds(
    amounts: ArrayLike, tail: float = TAIL, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> Estimate:
    """Return Hill's α of the amounts of all worlds together, its interval from drawing whole worlds.

    The tail is what lies above the 1 − ``tail`` quantile of the positive amounts, found anew in every resample. Draws
    are taken of log α.

    Args:
        amounts: float [W, N], ≥ 0; zeros are left out.
        tail: share of the amounts in the tail, in (0, 1).
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: fewer than :data:`MIN_TAIL` amounts in the tail, fewer than two worlds, or bad amounts.
    """
    values, world, worlds = _pooled(amounts)
    if tail * values.size < MIN_TAIL:
        raise ResultsError(f"tail={tail:g} of {values.size} amounts is below {MIN_TAIL}; widen it, or play more worlds")
    logs = np.log(values)

    def statistic(weights: F64) -> F64:
        each = weights[:, world]
        threshold = weighted_quantile(logs, each, [1.0 - tail])
        above = np.where(logs[None, :] > threshold, each, 0.0)
        weight, excess = above.sum(axis=1), (above * (logs[None, :] - threshold)).sum(axis=1)
        # A resample may hold nothing above its threshold (ties at the top): it then has no value.
        known = (weight > 0.0) & (excess > 0.0)
        return np.where(known, np.log(np.where(known, weight, 1.0) / np.where(known, excess, 1.0)), np.nan)

    found = world_statistic(statistic, worlds, smooth=False, draws=draws, seed=seed, level=level)
    return Estimate(*map(np.exp, found))


def quantile_ratio_worlds(
    amounts: ArrayLike,
    upper: float,
    lower: float = MIDDLE,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> Estimate:
    """Return the ratio of two quantiles of the positive amounts of all worlds together, with its interval.

    ``upper`` = 0.9 against ``lower`` = 0.5 is p90/p50. Draws are of the log ratio, so the interval is positive.

    Args:
        amounts: float [W, N], ≥ 0; zeros are left out.
        upper: probability of the numerator, in (0, 1).
        lower: probability of the denominator, in (0, 1).
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: probabilities out of order, fewer than two worlds, no positive amount, or bad amounts.
    """
    if not 0.0 < lower < upper < 1.0:
        raise ResultsError(f"lower={lower:g}, upper={upper:g} are no quantiles in order; give 0 < lower < upper < 1")
    values, world, worlds = _pooled(amounts)
    logs = np.log(values)

    def statistic(weights: F64) -> F64:
        found = weighted_quantile(logs, weights[:, world], [lower, upper])
        return found[:, 1] - found[:, 0]

    found = world_statistic(statistic, worlds, smooth=False, draws=draws, seed=seed, level=level)
    return Estimate(*map(np.exp, found))


def _pooled(amounts: ArrayLike) -> tuple[F64, NDArray[np.int64], int]:
    """Return the positive amounts [n], the row of each, and how many rows there are."""
    table = _positive(amounts)
    if table.ndim != 2:
        raise ResultsError(f"amounts have shape {table.shape}; give worlds × civilizations")
    world, seat = np.nonzero(table > 0.0)
    if not world.size:
        raise ResultsError("no amount is above 0; there is no tail to measure")
    return table[world, seat], world.astype(np.int64), table.shape[0]
