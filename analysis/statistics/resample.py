"""Resampling whole worlds: the one place where uncertainty comes from.

A world is the unit of independence: every arm of a study meets the same land and weather in it, so its rows are
correlated and are drawn together (cluster bootstrap: Davison and Hinkley, *Bootstrap Methods and their
Application*, 1997, section 3.8). One matrix of resampling weights serves a whole analysis, so that any statistic
of the same worlds (a difference, a slope, an argmax) is resampled jointly. Trained policies add a second unit, the
training run: :func:`crossed_estimate` draws both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

DRAWS = 2000
"""Bootstrap draws unless told otherwise; the Monte Carlo error of a 95 % limit is then about 0.06 s.e."""

LEVEL = 0.95
"""Coverage of every interval unless told otherwise."""

SEED = 20_240_501
"""Seed of the resampling generator unless told otherwise; it has nothing to do with the worlds' seeds."""

_MOST_CELLS = 4_000_000
"""Cells resampled at once; no result depends on it."""


def bootstrap_weights(n_clusters: int, draws: int = DRAWS, seed: int = SEED) -> F64:
    """Return resampling weights, float64 [draws, n_clusters]; each row sums to 1.

    Row b holds how often each cluster was drawn, with replacement, divided by ``n_clusters``: the mean of a
    resample is ``weights[b] @ values``.

    Raises:
        ResultsError: fewer than two clusters, or fewer than one draw.
    """
    if n_clusters < 2:
        raise ResultsError(f"worlds={n_clusters} is too few to resample; at least 2 are needed")
    if draws < 1:
        raise ResultsError(f"draws={draws} is below 1; ask for at least one bootstrap draw")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, n_clusters, size=(draws, n_clusters))
    flat = picks + np.arange(draws)[:, None] * n_clusters
    counts = np.bincount(flat.ravel(), minlength=draws * n_clusters)
    return counts.reshape(draws, n_clusters) / float(n_clusters)


def bootstrap_means(values: ArrayLike, weights: F64) -> F64:
    """Return resampled means over the first axis, float64 [draws, ...], of ``values`` float [clusters, ...]."""
    table = np.asarray(values, np.float64)
    means = weights @ table.reshape(table.shape[0], -1)
    return means.reshape((weights.shape[0], *table.shape[1:]))


def interval(draws: ArrayLike, level: float = LEVEL) -> tuple[F64, F64]:
    """Return the percentile interval (low, high) of ``draws`` [draws, ...] over the first axis.

    ``level`` is the nominal coverage, in (0, 1).
    """
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(np.asarray(draws, np.float64), [tail, 100.0 - tail], axis=0)
    return low, high


def widened_interval(value: ArrayLike, draws: ArrayLike, clusters: int, level: float = LEVEL) -> tuple[F64, F64]:
    """Return the percentile interval of ``draws``, stretched about ``value`` for how few the clusters are.

    The factor √(n/(n − 1)) · t_{n−1} / z makes up for the two ways in which the percentiles of n resampled clusters are
    too narrow: their s.d. is that of n, not n − 1, and they take it for known (Hesterberg, *The American
    Statistician* 69(4), 2015). It is 1.045 at 40 clusters, 1.01 at 200.
    """
    low, high = interval(draws, level)
    factor = np.sqrt(clusters / (clusters - 1.0)) * student_stretch(clusters - 1.0, level)
    centre = np.asarray(value, np.float64)
    return centre + factor * (low - centre), centre + factor * (high - centre)


def stretched_means(values: F64, weights: F64, level: float = LEVEL) -> F64:
    """Return resampled means, float64 [draws, ...], stretched about the mean for how few the worlds are.

    ``values`` is float [W, ...], ``weights`` [draws, W]. What is read off such means, an argmax or a crossing, has the
    percentiles that :func:`widened_interval` gives to a mean itself.
    """
    mean = values.mean(0)
    # A unit stretched about 0 is the factor itself.
    factor = float(widened_interval(0.0, np.ones(2), values.shape[0], level)[1])
    return mean + factor * (bootstrap_means(values, weights) - mean)


def share_interval(
    value: ArrayLike, low: ArrayLike, high: ArrayLike, clusters: int, level: float = LEVEL
) -> tuple[F64, F64]:
    """Return the interval of a share, within [0, 1], open on the inner side where the share is 0 or 1.

    Where all of n clusters agree, no resample differs and the interval shrinks to a point. The share that would show
    itself in none of n clusters with probability (1 − level)/2 is 1 − ((1 − level)/2)^(1/n) (Clopper and Pearson,
    *Biometrika* 26(4), 1934); the interval reaches at least as far.
    """
    centre = np.asarray(value, np.float64)
    reach = 1.0 - (0.5 * (1.0 - level)) ** (1.0 / clusters)
    least, most = np.clip(np.asarray(low, np.float64), 0.0, 1.0), np.clip(np.asarray(high, np.float64), 0.0, 1.0)
    lows = np.where(centre >= 1.0, np.minimum(least, 1.0 - reach), least)
    return lows, np.where(centre <= 0.0, np.maximum(most, reach), most)


def student_stretch(freedom: F64 | float, level: float) -> F64:
    """Return the quantile of Student's t at an interval's upper end over the normal's."""
    tail = 0.5 * (1.0 + level)
    return np.asarray(stdtrit(freedom, tail) / ndtri(tail), np.float64)


class Estimate(NamedTuple):
    """A statistic with its interval; the three arrays have the statistic's own shape (0-d for a number)."""

    value: F64
    low: F64
    high: F64


def student_estimate(units: ArrayLike, level: float = LEVEL) -> Estimate:
    """Return the mean of independent units with Student's t interval: mean ± t_{n−1} · s / √n.

    For units too few to resample, each of which sums up what is nested in it: runs that played worlds of their own.

    Args:
        units: float [n], n ≥ 2.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: fewer than two units, or values that are not finite.
    """
    values = np.asarray(units, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ResultsError(f"units of shape {values.shape} have no interval; give two finite numbers or more")
    mean = np.asarray(values.mean())
    reach = stdtrit(len(values) - 1.0, 0.5 * (1.0 + level)) * values.std(ddof=1) / np.sqrt(len(values))
    return Estimate(mean, mean - reach, mean + reach)


Statistic = Callable[..., NDArray[np.float64]]
"""Takes score tables, float64 [draws, runs, worlds, ...] each, and returns float64 [draws, ...]: each draw by itself.

The number of runs may differ between tables; the worlds are the same and in the same order.
"""


def _picked(table: F64, runs: I64 | None, worlds: I64 | None, draws: int) -> F64:
    """Return resampled tables, [draws, R, W, ...]; an axis without picks stays as it is."""
    if runs is None and worlds is None:
        return np.broadcast_to(table, (draws, *table.shape))
    if runs is None:
        return np.moveaxis(table[:, worlds], 1, 0)
    if worlds is None:
        return table[runs]
    return table[runs[:, :, None], worlds[:, None, :]]


def _resampled(statistic: Statistic, tables: Sequence[F64], runs: Sequence[I64 | None], worlds: I64 | None) -> F64:
    """Return the statistic of every draw, a bounded number of cells at a time."""
    draws = next(len(picks) for picks in (worlds, *runs) if picks is not None)
    step = max(1, _MOST_CELLS // sum(table.size for table in tables))
    parts = []
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        some_worlds = None if worlds is None else worlds[start:stop]
        some_runs = [None if picks is None else picks[start:stop] for picks in runs]
        pairs = zip(tables, some_runs, strict=True)
        parts.append(statistic(*(_picked(table, picks, some_worlds, stop - start) for table, picks in pairs)))
    return np.concatenate(parts)


def _checked_tables(tables: Sequence[ArrayLike]) -> list[F64]:
    checked = [np.asarray(table, np.float64) for table in tables]
    for table in checked:
        if table.ndim < 2 or 0 in table.shape:
            raise ResultsError(f"a table of scores has shape {table.shape}; give runs × worlds, none of them 0")
        if table.shape[1] != checked[0].shape[1]:
            counts = f"{checked[0].shape[1]} and {table.shape[1]}"
            raise ResultsError(f"tables of scores have {counts} worlds; play the same worlds with every policy")
        if not np.isfinite(table).all():
            raise ResultsError("a table of scores holds NaN or infinity; play the games again")
    if checked[0].shape[1] < 2:
        raise ResultsError(f"worlds={checked[0].shape[1]} is too few to resample; at least 2 are needed")
    return checked


def crossed_estimate(
    statistic: Statistic, *tables: ArrayLike, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> Estimate:
    """Return a statistic of runs × worlds with an interval that counts both as drawn from populations.

    Each of ``tables`` is float [R, W, ...]: R trained runs (seeds) of one kind, or R = 1 for a policy that is not
    trained, on the same W worlds. Runs and worlds are *crossed*: every run plays every world. Resampling runs, and
    then worlds within each run, would take them for R · W different worlds and make the worlds' share of the variance
    R times too small. So worlds are drawn once for all runs and all tables (differences stay within worlds), and the
    runs of each table apart: the pigeonhole bootstrap (Owen, *Annals of Applied Statistics* 1(2), 2007).

    Its draws count the interaction of runs and worlds three times, and know nothing of how few the runs are. Their
    percentiles are therefore stretched about the estimate by (s / s*) · t_df / z, where s* is the draws' s.d. and

        s² = V_worlds · W/(W − 1) + Σ_tables [ V_runs · R/(R − 1) − V_both · R·W/((R − 1)(W − 1)) ],

    V_worlds and V_runs are variances of draws of worlds alone and of one table's runs alone, V_both what their joint
    draws have beyond the sum (two-way clustering: Cameron, Gelbach and Miller, *JBES* 29(2), 2011), and df is
    Satterthwaite's (*Biometrics Bulletin* 2(6), 1946). With one run in every table the interval is over worlds alone:
    it says nothing of another training seed. Where no draw differs from the estimate the interval is the estimate.

    Raises:
        ResultsError: fewer than two worlds, tables of different worlds, no cells, values that are not finite, or
            fewer than one draw.
    """
    checked = _checked_tables(tables)
    if draws < 1:
        raise ResultsError(f"draws={draws} is below 1; ask for at least one bootstrap draw")
    n_worlds, rng = checked[0].shape[1], np.random.default_rng(seed)
    worlds = rng.integers(0, n_worlds, (draws, n_worlds))
    runs = [rng.integers(0, len(table), (draws, len(table))) if len(table) > 1 else None for table in checked]
    value = statistic(*(table[None] for table in checked))[0]
    every = _resampled(statistic, checked, runs, worlds)
    stretch = _stretch(statistic, checked, runs, worlds, every, level)
    low, high = interval(every, level)
    return Estimate(value, value + stretch * (low - value), value + stretch * (high - value))


def _stretch(
    statistic: Statistic, tables: Sequence[F64], runs: Sequence[I64 | None], worlds: I64, every: F64, level: float
) -> F64:
    """Return how far to stretch the percentiles of the draws ``every``; see :func:`crossed_estimate`."""
    n = worlds.shape[1]
    none: list[I64 | None] = [None] * len(tables)
    one = _resampled(statistic, tables, none, worlds).var(0)
    total = one * n / (n - 1)
    largest, squares = total, total**2 / (n - 1)
    for k, picks in enumerate(runs):
        if picks is None:
            continue
        r = picks.shape[1]
        alone: list[I64 | None] = [picks if j == k else None for j in range(len(tables))]
        joint = every if sum(p is not None for p in runs) == 1 else _resampled(statistic, tables, alone, worlds)
        mine = _resampled(statistic, tables, alone, None).var(0)
        between = mine * r / (r - 1)
        crossed = np.maximum(joint.var(0) - mine - one, 0.0) * r * n / ((r - 1) * (n - 1))
        total = total + between - crossed
        largest = np.maximum(largest, between)
        squares = squares + between**2 / (r - 1) + crossed**2 / ((r - 1) * (n - 1))
    total = np.maximum(total, largest)  # neither part alone can exceed the whole
    drawn = every.var(0)
    moves = drawn > 0.0
    freedom = np.where(moves, total**2 / np.where(moves, squares, 1.0), 1.0)
    widths = np.sqrt(total / np.where(moves, drawn, 1.0)) * student_stretch(np.maximum(freedom, 1.0), level)
    return np.where(moves, widths, 1.0)
