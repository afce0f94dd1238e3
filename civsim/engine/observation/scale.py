"""The scale of features: logarithms, and which variables attention reaches."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.approximate import near_log
from civsim.base.constants import ALWAYS_ATTENDED, N_VARIABLES
from civsim.base.kernels import inlined, kernel
from civsim.engine.observation.features import CEILING, RIVAL_SLOTS, STOCK_NAMES, at


def _log(x):
    """Return log(1 + x) of a quantity, 0 below 0, at most the ceiling."""
    x = max(x, 0.0)
    if x == 0.0:
        return x  # a third of all features are 0, and a logarithm is what costs most
    return min(math.log1p(x), CEILING)


log_of = kernel(_log, forceinline=False)


_LOGGED = (
    *("output", "consumption", "tribute", "muster", "works", "walls", "own_ore", "attack_force"),
    *(f"stock_{name}" for name in STOCK_NAMES),
    *("staleness", "known_fertility", "frontier_best", "frontier_rate", "frontier_cost", "frontier_funds"),
    *("plan_value", "raiders_force", *(f"rival{slot + 1}_force" for slot in range(RIVAL_SLOTS))),
)
"""Features that are logarithms of quantities; those of integers are looked up, and the rest are rarely needed."""

LANES = 32
"""Room for as many quantities: a whole number of vector registers."""

_PLACES = np.array([at(name) for name in _LOGGED], np.int64)
_SLOT = {name: slot for slot, name in enumerate(_LOGGED)}

_MARGIN = 2.0**-40
"""Relative error of the fast logarithm, generously: it is below 2^-43, and that of any C library below 2^-51."""


def slot_of(name: str) -> int:
    """Return where among the quantities on a sheet the one goes whose logarithm is the feature ``name``."""
    return _SLOT[name]


def _log_together(sheet, row):
    """Write :func:`log_of` of the quantities on a sheet, 0 where there is none, into the features they belong to.

    Features are float32, so nearly all are told from near logarithms, taken of all quantities at once
    (:mod:`civsim.base.approximate`). ``row`` is float32 [F].
    """
    raw, lows, highs = sheet.raw, sheet.lows, sheet.highs
    doubtful = 0
    for k in range(LANES):
        x = max(raw[k], 0.0)
        unit = 1.0 + x
        value = near_log(unit) + (x - (unit - 1.0)) * max(1.0 - x, 0.0)  # with what rounding took from 1 + x
        value = math.copysign(value, x)  # of a zero of either sign, the logarithm is that zero
        low = np.float32(min(value * (1.0 - _MARGIN), CEILING))
        high = np.float32(min(value * (1.0 + _MARGIN), CEILING))
        lows[k], highs[k] = low, high
        doubtful += low != high
    for slot in range(_PLACES.shape[0]):
        row[_PLACES[slot]] = lows[slot]
    if doubtful > 0:
        for slot in range(_PLACES.shape[0]):
            if lows[slot] != highs[slot]:
                row[_PLACES[slot]] = log_of(raw[slot])


# A product added in one rounding is within the margin as well.
log_together = kernel(_log_together, fastmath={"contract"}, forceinline=False)


def _log_count(logs, n):
    """Return :func:`log_of` of an integer, from the table ``logs`` [K] as far as it goes."""
    if n <= 0:
        return 0.0
    if n < logs.shape[0]:
        return float(logs[n])
    return log_of(float(n))


log_count = inlined(_log_count)


def _attended_to(salience, attention):
    """Return the set of Variables that attention reaches, as bits: the first ``attention`` − 2 in order of salience."""
    found = 0
    for rank in range(min(attention - ALWAYS_ATTENDED, N_VARIABLES)):
        found |= 1 << salience[rank]
    return found


attended_to = inlined(_attended_to)


def _attends(attended, variable):
    """Return whether ``variable`` is in a set made by :func:`attended_to`."""
    return attended >> variable & 1 == 1


attends = inlined(_attends)
