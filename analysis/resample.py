"""Resampling whole worlds: the one place where uncertainty comes from.

A world is the unit of independence: every arm of a study meets the same land and weather in it, so its rows are
correlated and are drawn together (cluster bootstrap: Davison and Hinkley, *Bootstrap Methods and their
Application*, 1997, section 3.8). One matrix of resampling weights serves a whole analysis, so that any statistic
of the same worlds (a difference, a slope, an argmax) is resampled jointly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

DRAWS = 2000
"""Bootstrap draws unless told otherwise; the Monte Carlo error of a 95 % limit is then about 0.06 s.e."""

LEVEL = 0.95
"""Coverage of every interval unless told otherwise."""

SEED = 20_240_501
"""Seed of the resampling generator unless told otherwise; it has nothing to do with the worlds' seeds."""


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
