"""A recovery case: synthetic data with a planted truth, one estimate of it, and how often the interval covers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from civsim.base.errors import ResultsError

SUITE_REPLICATIONS = 200
SUITE_BOUNDS = (0.91, 0.99)
"""Share of 200 replications in which a nominal 95 % interval must cover: 0.95 give or take 2.6 binomial s.d."""

FULL_REPLICATIONS = 1000
FULL_BOUNDS = (0.93, 0.97)
"""The same over 1,000 replications: 0.95 give or take 2.9 binomial s.d."""


class Case(NamedTuple):
    """One estimator on one kind of synthetic data."""

    name: str  # what is estimated, for people
    draw: Callable[[int], tuple[float, float, float]]  # replication number → (planted, low, high)
    source: str  # the formula or paper that the data are drawn from


class Coverage(NamedTuple):
    """How often the interval covered the planted value."""

    case: Case
    replications: int
    covered: int
    low: float  # Clopper–Pearson 95 % interval of the coverage itself
    high: float

    @property
    def share(self) -> float:
        """Share of replications whose interval held the planted value, in [0, 1]."""
        return self.covered / self.replications


def coverage(case: Case, replications: int = SUITE_REPLICATIONS, first: int = 0) -> Coverage:
    """Return how often the case's interval covers, over replications ``first`` … ``first + replications − 1``.

    An interval that is not finite covers nothing.

    Raises:
        ResultsError: fewer than one replication.
    """
    if replications < 1:
        raise ResultsError(f"replications={replications} is below 1; ask for at least one")
    drawn = np.array([case.draw(first + index) for index in range(replications)], np.float64)
    covered = int(((drawn[:, 1] <= drawn[:, 0]) & (drawn[:, 0] <= drawn[:, 2])).sum())
    own = binomtest(covered, replications).proportion_ci(method="exact")
    return Coverage(case, replications, covered, float(own.low), float(own.high))
