"""Scores of policies on held-out worlds: what to report of them, each a pure function with an interval.

After Agarwal, Schwarzer, Castro, Courville and Bellemare, "Deep reinforcement learning at the edge of the statistical
precipice" (NeurIPS 2021): interquartile means, probabilities of improvement and performance profiles, all with
intervals, instead of best runs and bare means. There a task is fixed and its runs are drawn; here the tasks are
worlds, drawn from a population that the results are about, and every run plays the same ones. Runs and worlds are
therefore resampled as crossed units (:func:`civsim.analysis.statistics.resample.crossed_estimate`).

A table of scores is float64 [R, W]: R trained runs (seeds) of one kind, or R = 1 for a policy that is not trained, on W
worlds, in the units of the scenario's objective. Their optimality gap is left out: no score here is optimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import trim_mean

from civsim.analysis.statistics.resample import LEVEL, Estimate, crossed_estimate, share_interval
from civsim.base.constants import COGNITIVE
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

TRIMMED = 0.25
"""Share of the cells that an interquartile mean leaves out at each end."""

HALF = 0.5
"""What a tie counts."""


def _cells(scores: F64) -> F64:
    """Return [draws, R, W] as [draws, R · W]."""
    return scores.reshape(len(scores), -1)


def _mean(scores: F64) -> F64:
    return _cells(scores).mean(1)


def _interquartile(scores: F64) -> F64:
    return np.asarray(trim_mean(_cells(scores), TRIMMED, axis=1), np.float64)


def _difference(own: F64, other: F64) -> F64:
    return _mean(own) - _mean(other)


def _improvement(own: F64, other: F64) -> F64:
    pairs = np.sign(own[:, :, None, :] - other[:, None, :, :])
    return HALF + HALF * pairs.reshape(len(pairs), -1).mean(1)


def _spending(spent: F64) -> F64:
    """Return shares of all spending, [draws, 9]: the eight categories, then cognition."""
    totals = spent.sum(axis=(1, 2))
    every = totals.sum(1, keepdims=True)
    shares = totals / np.where(every > 0.0, every, 1.0)
    return np.concatenate([shares, shares[:, list(COGNITIVE)].sum(1, keepdims=True)], axis=1)


def mean_score(scores: ArrayLike, **options: Any) -> Estimate:
    """Return the mean over runs and worlds of ``scores`` float [R, W], with its interval.

    ``options`` are those of :func:`~civsim.analysis.statistics.resample.crossed_estimate`, here and below: draws,
    seed, level.

    Raises:
        ResultsError: as :func:`~civsim.analysis.statistics.resample.crossed_estimate`, here and below.
    """
    return crossed_estimate(_mean, scores, **options)


def interquartile_mean(scores: ArrayLike, **options: Any) -> Estimate:
    """Return the mean of the middle half of the R · W cells of ``scores`` float [R, W], with its interval.

    Less moved by a few rich worlds than the mean, and steadier than the median (Agarwal et al. 2021, section 4.3).
    """
    return crossed_estimate(_interquartile, scores, **options)


def paired_difference(own: ArrayLike, other: ArrayLike, **options: Any) -> Estimate:
    """Return mean(own) − mean(other) on the same worlds, ``own`` float [R, W] and ``other`` float [S, W].

    A resampled world is taken for both, so that what the worlds differ by drops out of the interval.
    """
    return crossed_estimate(_difference, own, other, **options)


def probability_of_improvement(own: ArrayLike, other: ArrayLike, **options: Any) -> Estimate:
    """Return P(own > other) + ½ P(own = other) in a world drawn at random, with its interval, within [0, 1].

    The Mann–Whitney form of Agarwal et al. 2021 (section 4.3), a world in the place of a task:
    1/W Σ_w 1/(R·S) Σ_rs [own_rw > other_sw], ties ½. ``own`` is float [R, W], ``other`` float [S, W]. Where one is
    better in every world and run the interval is :func:`~civsim.analysis.statistics.resample.share_interval`'s.
    """
    return _share(crossed_estimate(_improvement, own, other, **options), own, options)


def _share(found: Estimate, scores: ArrayLike, options: Mapping[str, Any]) -> Estimate:
    """Return the estimate of a share of worlds with its interval within [0, 1]."""
    worlds = np.shape(scores)[1]
    return Estimate(found.value, *share_interval(*found, worlds, options.get("level", LEVEL)))


def performance_profile(scores: ArrayLike, thresholds: ArrayLike, **options: Any) -> Estimate:
    """Return the share of runs × worlds with a score above each threshold, float64 [K], with pointwise bands.

    ``scores`` is float [R, W], ``thresholds`` float [K] in the same units. The profile of Dolan and Moré (2002) as
    Agarwal et al. 2021 (section 4.2) use it: where one profile lies above another throughout, so do all its quantiles.

    Raises:
        ResultsError: the thresholds are not a list of finite numbers, or as above.
    """
    levels = np.asarray(thresholds, np.float64)
    if levels.ndim != 1 or not levels.size or not np.isfinite(levels).all():
        raise ResultsError(f"thresholds of shape {levels.shape} are not a list of finite numbers; give at least one")

    def above(cells: F64) -> F64:
        flat = np.sort(_cells(cells), axis=1)
        return np.stack([1.0 - np.searchsorted(row, levels, side="right") / len(row) for row in flat])

    return _share(crossed_estimate(above, scores, **options), scores, options)


def spending_shares(spent: ArrayLike, **options: Any) -> Estimate:
    """Return the shares of all spending, over all runs and worlds, float64 [9], with intervals within [0, 1].

    ``spent`` is float [R, W, 8], spending over a game by :class:`~civsim.base.constants.Category` (output). Entry 8 is
    cognition: strategists, scouts and analysts together. All are 0 where nothing was spent.
    """
    found = crossed_estimate(_spending, spent, **options)
    return Estimate(found.value, np.clip(found.low, 0.0, 1.0), np.clip(found.high, 0.0, 1.0))
