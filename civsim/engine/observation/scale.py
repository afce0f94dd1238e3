"""The scale of features: logarithms, and which variables attention reaches."""

from __future__ import annotations

import math

from civsim.base.constants import ALWAYS_ATTENDED, N_VARIABLES
from civsim.base.kernels import kernel
from civsim.engine.observation.features import CEILING


def _log(x):
    """Return log(1 + x) of a quantity, 0 below 0, at most the ceiling."""
    x = max(x, 0.0)
    if x == 0.0:
        return x  # a third of all features are 0, and a logarithm is what costs most
    return min(math.log1p(x), CEILING)


log_of = kernel(_log)


def _log_count(logs, n):
    """Return :func:`log_of` of an integer, from the table ``logs`` [K] as far as it goes."""
    if n <= 0:
        return 0.0
    if n < logs.shape[0]:
        return float(logs[n])
    return log_of(float(n))


log_count = kernel(_log_count)


def _attended_to(salience, attention):
    """Return the set of Variables that attention reaches, as bits: the first ``attention`` − 2 in order of salience."""
    found = 0
    for rank in range(min(attention - ALWAYS_ATTENDED, N_VARIABLES)):
        found |= 1 << salience[rank]
    return found


attended_to = kernel(_attended_to)


def _attends(attended, variable):
    """Return whether ``variable`` is in a set made by :func:`attended_to`."""
    return attended >> variable & 1 == 1


attends = kernel(_attends)
