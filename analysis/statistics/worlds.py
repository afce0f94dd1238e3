"""Statistics of whole worlds, and their intervals: worlds are drawn with replacement, all they hold with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit

from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    Estimate,
    bootstrap_means,
    bootstrap_weights,
    widened_interval,
)
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

_TOGETHER = 200
"""Resamples handled at once, to bound memory; no result depends on it."""

_LEAST = 0.05
"""Floor of BCa's denominator: past it the skewness is too large for the correction to mean anything."""


def accelerated_interval(
    value: ArrayLike, draws: ArrayLike, left_out: ArrayLike, level: float = LEVEL
) -> tuple[F64, F64]:
    """Return the BCa interval of a statistic of W worlds, widened for how few they are.

    Percentiles of the draws are shifted by the draws' own bias in the median and by how the spread changes with the
    value, which the skewness of the jackknife tells (bias-corrected and accelerated bootstrap: Efron, *JASA* 82(397),
    1987). In place of the normal quantile z stands √(W/(W − 1)) · t_{W−1} (expanded percentiles: Hesterberg, *The
    American Statistician* 69(4), 2015).

    Args:
        value: float [...], the estimate.
        draws: float [D, ...], the statistic of resampled worlds, finite.
        left_out: float [W, ...], the statistic without each world in turn, finite.
        level: nominal coverage, in (0, 1).

    Where no draw differs from the estimate the interval is the estimate.
    """
    centre, drawn, without = (np.asarray(table, np.float64) for table in (value, draws, left_out))
    n, shape = len(without), centre.shape
    flat, jack, point = drawn.reshape(len(drawn), -1), without.reshape(n, -1), centre.reshape(-1)
    below = (flat < point).mean(0) + 0.5 * (flat == point).mean(0)
    shift = ndtri(np.clip(below, 1.0 / len(flat), 1.0 - 1.0 / len(flat)))
    gaps = jack.mean(0) - jack
    squares = (gaps**2).sum(0)
    curve = np.divide((gaps**3).sum(0), 6.0 * squares**1.5, out=np.zeros_like(squares), where=squares > 0.0)
    reach = np.sqrt(n / (n - 1.0)) * stdtrit(n - 1.0, 0.5 * (1.0 + level))
    ends = []
    for side in (-reach, reach):
        moved = shift + side
        chance = ndtr(shift + moved / np.maximum(1.0 - curve * moved, _LEAST))
        picked = [np.quantile(column, at) for column, at in zip(flat.T, chance, strict=True)]
        ends.append(np.array(picked).reshape(shape))
    return ends[0], ends[1]


def world_mean(values: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> Estimate:
    """Return the mean over worlds with its interval; shapes [...].

    Args:
        values: float [W, ...], one row a world, finite.
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator; equal seeds and worlds give the same draws.
        level: nominal coverage, in (0, 1).

    The interval is :func:`accelerated_interval`.

    Raises:
        ResultsError: fewer than two worlds, or a value that is not finite.
    """
    table = np.asarray(values, np.float64)
    if not np.isfinite(table).all():
        raise ResultsError("a world's value is not finite; drop such worlds first, and say how many")
    n = table.shape[0]
    drawn = bootstrap_means(table, bootstrap_weights(n, draws, seed))
    mean = table.mean(0)
    if not np.ptp(table, axis=0).any():
        return Estimate(table[0], table[0], table[0])  # rounding must not make an interval of what does not vary
    low, high = accelerated_interval(mean, drawn, mean + (mean - table) / (n - 1.0), level)
    return Estimate(np.asarray(mean), low, high)


def world_statistic(
    statistic: Callable[[F64], F64],
    worlds: int,
    *,
    smooth: bool = True,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> Estimate:
    """Return a statistic of ``worlds`` worlds that is not a mean, with its interval.

    The interval is :func:`accelerated_interval`; for a quantile (not ``smooth``) it is
    :func:`~civsim.analysis.statistics.resample.widened_interval`, as the jackknife knows nothing of quantiles.

    ``statistic`` takes weights of the worlds, float64 [D, W] whose rows sum to 1, and returns float64 [D, ...]: what
    the statistic is of each weighted sample. The estimate has equal weights. Draws that are not finite (a resample in
    which the statistic has no value) are left out.

    Raises:
        ResultsError: fewer than two worlds, or the statistic has a value in fewer than half of the resamples.
    """
    weights = bootstrap_weights(worlds, draws, seed)
    value = np.asarray(statistic(np.full((1, worlds), 1.0 / worlds)), np.float64)[0]
    drawn = _finite(_in_parts(statistic, weights))
    if len(drawn) < draws / 2 or not np.isfinite(value).all():
        raise ResultsError(f"only {len(drawn)} of {draws} resamples of the worlds have a value; play more worlds")
    if smooth:
        without = _finite(_in_parts(statistic, (1.0 - np.eye(worlds)) / (worlds - 1.0)))
        return Estimate(value, *accelerated_interval(value, drawn, without, level))
    return Estimate(value, *widened_interval(value, drawn, worlds, level))


def _in_parts(statistic: Callable[[F64], F64], weights: F64) -> F64:
    parts = np.array_split(weights, max(1, len(weights) // _TOGETHER))
    return np.concatenate([np.asarray(statistic(part), np.float64) for part in parts])


def _finite(drawn: F64) -> F64:
    """Return the draws in which all of the statistic is finite."""
    return np.asarray(drawn[np.isfinite(drawn).reshape(len(drawn), -1).all(axis=1)])


def weighted_quantile(values: ArrayLike, weights: ArrayLike, probabilities: ArrayLike) -> F64:
    """Return weighted quantiles, float64 [D, Q]: of ``values`` [n] under each row of ``weights`` [D, n], ≥ 0.

    The weighted distribution function is that of the midpoints of the weights (Hazen's rule, which for equal weights
    is the fifth of Hyndman and Fan, *The American Statistician* 50(4), 1996), joined by straight lines.

    Raises:
        ResultsError: no values.
    """
    x = np.asarray(values, np.float64)
    if not x.size:
        raise ResultsError("values=0 have no quantile; at least 1 is needed")
    order = np.argsort(x, kind="stable")
    w = np.asarray(weights, np.float64)[:, order]
    total = w.cumsum(axis=1)
    total, w = total / total[:, -1:], w / total[:, -1:]
    wanted = np.atleast_1d(np.asarray(probabilities, np.float64))
    found = np.empty((len(w), wanted.size))
    for start in range(0, len(w), _TOGETHER):
        rows = slice(start, start + _TOGETHER)
        found[rows] = _interpolated(x[order], w[rows], total[rows], wanted)
    return found


def _interpolated(x: F64, w: F64, total: F64, wanted: F64) -> F64:
    """Return quantiles [D, Q] of the ascending values ``x`` [n]; ``total`` [D, n] is the weights' running sum, to 1."""
    draws, n = w.shape
    # Each row is moved up by 2, so that one search serves all of them. Values without weight are never met: a search
    # finds the first index at which the running sum reaches what is sought.
    row = np.arange(draws)[:, None]
    flat = (total + 2.0 * row).ravel()
    at = np.searchsorted(flat, np.minimum(wanted, 1.0)[None, :] + 2.0 * row) - n * row
    first = np.searchsorted(flat, 2.0 * row, side="right") - n * row
    last = np.searchsorted(flat, 2.0 * row + total[:, -1:]) - n * row
    at = np.clip(at, first, last)
    ends = np.take_along_axis(total, at, 1)
    middle = ends - 0.5 * np.take_along_axis(w, at, 1)
    begins = np.where(at > 0, np.take_along_axis(total, np.maximum(at - 1, 0), 1), 0.0)
    before = np.where(begins > 0.0, np.searchsorted(flat, begins + 2.0 * row) - n * row, at)
    after = np.minimum(np.searchsorted(flat, ends + 2.0 * row, side="right") - n * row, n - 1)
    after = np.where(np.take_along_axis(w, after, 1) > 0.0, after, at)
    other = np.where(wanted[None, :] >= middle, after, before)
    span = np.take_along_axis(total, other, 1) - 0.5 * np.take_along_axis(w, other, 1) - middle
    part = np.divide(wanted[None, :] - middle, span, out=np.zeros_like(middle), where=other != at)
    return x[at] + part * (x[other] - x[at])
