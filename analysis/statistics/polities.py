"""Stylised facts of polities: sizes, growth, persistence, lifetimes.

What is known of real ones, to set beside: the durations of empires are close to exponential, so that an old one is as
likely to fall as a young one (Arbesman, *Historical Methods* 44(3), 2011); the areas of the largest polities over five
millennia were put together by Taagepera (*Social Science Research* 7, 1978; *International Studies Quarterly* 41(3),
1997). Zipf's law, a rank-size slope of 1, is about cities (Gabaix, *Quarterly Journal of Economics* 114(3), 1999), and
tent-shaped (Laplace) growth rates were found for firms (Stanley et al., *Nature* 379, 1996) and for countries' GDP (Lee
et al., *Physical Review Letters* 81, 1998): they are no norm for polities.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import CensoredData, chi2, weibull_min

from civsim.analysis.statistics.passthrough import Slope, within_slope
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, Estimate
from civsim.analysis.statistics.worlds import world_mean, world_statistic
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

MIN_SIZES = 10
"""Fewest sizes in a rank-size fit: its s.e. is √(2/n) of the slope, 45 % of it at 10."""

_RANK_SHIFT = 0.5


class RankSize(NamedTuple):
    """The exponent ζ of P(size > s) ~ s^(−ζ), from ranks."""

    value: float
    low: float
    high: float
    error: float
    n: int


def rank_size(sizes: ArrayLike, *, level: float = LEVEL) -> RankSize:
    """Return the rank-size exponent of independent sizes.

    ζ is minus the slope of log(rank − ½) on log size, rank 1 the largest; its s.e. is √(2/n)·ζ, not the one that least
    squares prints (Gabaix and Ibragimov, *Journal of Business and Economic Statistics* 29(1), 2011).

    Args:
        sizes: float [n]; zeros are left out.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: fewer than :data:`MIN_SIZES` sizes above 0, all equal, or sizes negative or not finite.
    """
    table = np.asarray(sizes, np.float64).ravel()
    if not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise ResultsError("a size is negative or not finite; rank-size is of sizes ≥ 0")
    x = np.log(np.sort(table[table > 0.0])[::-1])
    n = x.size
    if n < MIN_SIZES or np.ptp(x) == 0.0:
        raise ResultsError(f"{n} sizes above 0 give no rank-size slope; at least {MIN_SIZES} that differ are needed")
    y = np.log(np.arange(1, n + 1) - _RANK_SHIFT)
    x = x - x.mean()
    slope = float(-(x @ y) / (x @ x))
    error = slope * (2.0 / n) ** 0.5
    reach = float(ndtri(0.5 * (1.0 + level))) * error
    return RankSize(slope, slope - reach, slope + reach, error, n)


def growth_table(sizes: ArrayLike, lag: int) -> pd.DataFrame:
    """Return the log growth of every civilization over steps of ``lag`` turns that do not overlap.

    ``sizes`` is float [W, N, T], 0 for the dead. Columns: ``world``, ``seat``, ``turn`` (from 1, where the step
    begins), ``log_size`` (then), ``growth`` (log size at the end of the step less that). A step needs a size above 0 at
    both ends: those who die in it are not in the table, so growth is that of survivors.

    Raises:
        ResultsError: not three axes, sizes negative or not finite, or no step that fits.
    """
    table = np.asarray(sizes, np.float64)
    if table.ndim != 3 or not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise ResultsError(f"sizes have shape {table.shape}; give worlds × civilizations × turns, finite and ≥ 0")
    if not 1 <= lag < table.shape[2]:
        raise ResultsError(f"lag={lag} is not in 1 to {table.shape[2] - 1}, the turns less one; choose one of these")
    ends = np.arange(0, table.shape[2], lag)
    picked = table[:, :, ends]
    before, after = picked[:, :, :-1], picked[:, :, 1:]
    world, seat, step = np.nonzero((before > 0.0) & (after > 0.0))
    start = np.log(before[world, seat, step])
    growth = np.log(after[world, seat, step]) - start
    columns = {"world": world, "seat": seat, "turn": ends[step] + 1, "log_size": start, "growth": growth}
    return pd.DataFrame(columns)


def gibrat(growth: pd.DataFrame, *, level: float = LEVEL) -> Slope:
    """Return the slope of growth on log size, 0 under Gibrat's law; p is that of 0.

    ``growth`` is a :func:`growth_table`. Steps that begin in the same turn share an intercept: all civilizations grow
    fast while land is free, which is no matter of size. Worlds are the clusters (Gibrat, *Les inégalités économiques*,
    1931; Sutton, *Journal of Economic Literature* 35(1), 1997). Where sizes are measured with error the slope is
    biased below 0.

    Raises:
        ResultsError: as :func:`~civsim.analysis.statistics.passthrough.within_slope`.
    """
    return within_slope(growth["growth"], growth["log_size"], growth["turn"], growth["world"], level=level)


def growth_by_size(
    growth: pd.DataFrame, bins: int = 4, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return the s.d. of log growth in bins of equal numbers of steps, from the smallest sizes to the largest.

    Growth is taken about its mean in the turn. Columns: ``log_size`` (bin's mean), ``steps``, ``deviation``, ``low``,
    ``high`` (whole worlds resampled). Under Gibrat's law it is the same in all; for firms it falls with size.

    Raises:
        ResultsError: fewer than two worlds, or fewer than two steps a bin.
    """
    if bins < 1 or len(growth) < 2 * bins:
        raise ResultsError(f"{len(growth)} steps are too few for {bins} bins; play more worlds, or take fewer bins")
    gap = (growth["growth"] - growth.groupby("turn")["growth"].transform("mean")).to_numpy()
    rank = growth["log_size"].rank(method="first").to_numpy() - 1.0
    label = np.minimum((rank * bins / len(growth)).astype(int), bins - 1)
    codes, worlds = pd.factorize(growth["world"])
    rows = []
    for index in range(bins):
        inside = label == index
        columns = (np.ones(inside.sum()), gap[inside], gap[inside] ** 2)
        sums = np.asarray(
            np.column_stack([np.bincount(codes[inside], column, len(worlds)) for column in columns]), np.float64
        )

        def statistic(weights: F64, sums: F64 = sums) -> F64:
            count, first, second = (weights @ sums).T
            count = np.where(count > 0.0, count, np.nan)
            return np.sqrt(np.maximum(second / count - (first / count) ** 2, 0.0))

        found = world_statistic(statistic, len(worlds), draws=draws, seed=seed, level=level)
        size = float(growth["log_size"][inside].mean())
        rows.append((size, int(inside.sum()), float(found.value), max(float(found.low), 0.0), float(found.high)))
    return pd.DataFrame(rows, columns=["log_size", "steps", "deviation", "low", "high"])


def laplace_against_normal(
    growth: pd.DataFrame, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> Estimate:
    """Return the mean log-likelihood of growth under a Laplace law less that under a normal one, in nats a step.

    Each is fitted by maximum likelihood to growth about its mean in the turn, in every resample of worlds anew: the
    normal gives −log σ − ½ log 2πe, the Laplace −log 2b − 1 with b the mean distance from the median. Above 0 growth
    is more tent-shaped than bell-shaped. The median is found once: the likelihood is flat in it at its top.

    Raises:
        ResultsError: fewer than two worlds, or growth that does not vary.
    """
    gap = (growth["growth"] - growth.groupby("turn")["growth"].transform("mean")).to_numpy()
    if gap.size < 2 or np.ptp(gap) == 0.0:
        raise ResultsError("growth does not vary; it has no distribution to fit")
    codes, worlds = pd.factorize(growth["world"])
    columns = (np.ones_like(gap), gap, gap**2, np.abs(gap - np.median(gap)))
    sums = np.column_stack([np.bincount(codes, column, minlength=len(worlds)) for column in columns])

    def statistic(weights: F64) -> F64:
        count, first, second, distance = (weights @ sums).T
        deviation = np.sqrt(second / count - (first / count) ** 2)
        normal = -np.log(deviation) - 0.5 * np.log(2.0 * np.pi * np.e)
        return -np.log(2.0 * distance / count) - 1.0 - normal

    return world_statistic(statistic, len(worlds), draws=draws, seed=seed, level=level)


def size_persistence(
    sizes: ArrayLike, lags: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return the correlation of log size with itself some turns later, over all civilizations alive at both ends.

    ``sizes`` is float [W, N, T]. Log sizes are taken about the mean of their turn, so that common growth is not
    mistaken for persistence. Columns: ``lag`` (turns), ``correlation``, ``low``, ``high`` (whole worlds resampled).

    Raises:
        ResultsError: bad sizes, a lag outside 1 … T − 1, or fewer than two worlds.
    """
    table = np.asarray(sizes, np.float64)
    if table.ndim != 3 or not (np.isfinite(table).all() and (table >= 0.0).all()):
        raise ResultsError(f"sizes have shape {table.shape}; give worlds × civilizations × turns, finite and ≥ 0")
    rows = []
    for lag in np.atleast_1d(np.asarray(lags, np.int64)):
        if not 1 <= lag < table.shape[2]:
            raise ResultsError(f"lag={lag} is not in 1 to {table.shape[2] - 1}, the turns less one; choose another")
        sums = _products(table[:, :, :-lag], table[:, :, lag:])

        def statistic(weights: F64, sums: F64 = sums) -> F64:
            both, first, second = (weights @ sums).T
            return both / np.sqrt(first * second)

        found = world_statistic(statistic, len(table), draws=draws, seed=seed, level=level)
        low, high = np.clip([found.low, found.high], -1.0, 1.0)
        rows.append((int(lag), float(found.value), float(low), float(high)))
    return pd.DataFrame(rows, columns=["lag", "correlation", "low", "high"])


def _products(before: F64, after: F64) -> F64:
    """Return each world's Σ xy, Σ x², Σ y² of log sizes about their turn's mean, float64 [W, 3]."""
    alive = (before > 0.0) & (after > 0.0)
    count = np.maximum(alive.sum(axis=(0, 1)), 1)
    centred = []
    for table in (before, after):
        logs = np.where(alive, np.log(np.where(alive, table, 1.0)), 0.0)
        centred.append(np.where(alive, logs - logs.sum(axis=(0, 1)) / count, 0.0))
    x, y = centred
    return np.column_stack([(a * b).sum(axis=(1, 2)) for a, b in ((x, y), (x, x), (y, y))])


def _lives(turns: ArrayLike, died: ArrayLike) -> tuple[F64, NDArray[np.bool_]]:
    lived, dead = np.asarray(turns, np.float64), np.asarray(died, bool)
    if lived.shape != dead.shape or lived.ndim != 2 or not (np.isfinite(lived).all() and (lived > 0.0).all()):
        raise ResultsError(f"lives {lived.shape} and deaths {dead.shape} do not match; give turns > 0, [worlds, seats]")
    return lived, dead


def hazard(
    turns: ArrayLike, died: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> Estimate:
    """Return the hazard of death, per civilization and turn, if it is the same at every age.

    Lives are then exponential, and the maximum-likelihood estimate is deaths over turns lived, which counts the lives
    that the game's end cut off (Kalbfleisch and Prentice, *The Statistical Analysis of Failure Time Data*, 2002,
    section 3.2). Whole worlds are resampled.

    Args:
        turns: float [W, N], > 0: turns lived, to death or to the end of the game.
        died: bool [W, N]; the others are censored at the end.
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: shapes differ, a life that is not above 0, or fewer than two worlds.
    """
    lived, dead = _lives(turns, died)
    sums = np.column_stack([dead.sum(axis=1), lived.sum(axis=1)]).astype(np.float64)

    def statistic(weights: F64) -> F64:
        deaths, exposure = (weights @ sums).T
        return deaths / exposure

    found = world_statistic(statistic, len(lived), draws=draws, seed=seed, level=level)
    return Estimate(found.value, np.maximum(found.low, 0.0), found.high)


class Ageing(NamedTuple):
    """Whether the hazard of death changes with age."""

    deaths: int
    lives: int  # civilizations; those that did not die are censored at the end of the game
    shape: float  # Weibull's shape: 1 is a constant hazard, above 1 it rises with age; nan with too few deaths
    p: float  # likelihood ratio against 1, taking civilizations as independent; nan with too few deaths


MIN_DEATHS = 10
"""Fewest deaths for a shape of the hazard to be fitted."""


def ageing(turns: ArrayLike, died: ArrayLike) -> Ageing:
    """Return Weibull's shape, fitted by maximum likelihood to censored lives, and its test against a constant hazard.

    Arguments as for :func:`hazard`. The p takes deaths as independent, which those of one world are not (one dies by
    another's hand), so a small p claims too much.

    Raises:
        ResultsError: as :func:`hazard`.
    """
    lived, dead = _lives(turns, died)
    ends, censored = lived[dead], lived[~dead]
    if ends.size < MIN_DEATHS or np.ptp(ends) == 0.0:
        return Ageing(ends.size, dead.size, float("nan"), float("nan"))
    data = CensoredData(uncensored=ends, right=censored)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the search steps where the likelihood overflows, and back
        shape, _, scale = weibull_min.fit(data, floc=0.0)
    rate = ends.size / lived.sum()
    full = weibull_min.logpdf(ends, shape, scale=scale).sum() + weibull_min.logsf(censored, shape, scale=scale).sum()
    plain = ends.size * np.log(rate) - rate * lived.sum()
    return Ageing(ends.size, dead.size, float(shape), float(chi2.sf(max(2.0 * (full - plain), 0.0), 1)))


def survivors(alive: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return how many civilizations live at the end of each turn: mean over worlds with its interval.

    ``alive`` is 0 or 1, [W, N, T]. Columns: ``turn`` (from 1), ``survivors``, ``low``, ``high``.

    Raises:
        ResultsError: fewer than two worlds.
    """
    found = world_mean(np.asarray(alive, np.float64).sum(axis=1), draws=draws, seed=seed, level=level)
    turn = np.arange(1, found.value.size + 1)
    return pd.DataFrame({"turn": turn, "survivors": found.value, "low": found.low, "high": found.high})
