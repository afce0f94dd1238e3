"""The scale of features: logarithms, and which variables attention reaches."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import ALWAYS_ATTENDED, N_VARIABLES
from civsim.base.kernels import inlined, kernel
from civsim.engine.observation.features import CEILING, RIVAL_SLOTS, STOCK_NAMES, at


def _log(x):
    """Return log(1 + x) of a quantity, 0 below 0, at most the ceiling."""
    x = max(x, 0.0)
    if x == 0.0:
        return x  # a third of all features are 0, and a logarithm is what costs most
    return min(math.log1p(x), CEILING)


log_of = kernel(_log)


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

_ROOT_HALF = int(np.array([math.sqrt(0.5)]).view(np.int64)[0])
_MANTISSA = 52
_LN2 = math.log(2.0)
_MARGIN = 2.0**-44
"""Relative error of the fast logarithm, generously: it is below 2^-48, and that of any C library below 2^-51."""


def slot_of(name: str) -> int:
    """Return where among the quantities on a sheet the one goes whose logarithm is the feature ``name``."""
    return _SLOT[name]


def _log_together(sheet):
    """Write :func:`log_of` of the quantities on a sheet, 0 where there is none, into the features they belong to.

    The C library's logarithm branches on every value. One without branches, over all quantities at once, is a few times
    faster but not its equal in the last bits; its features are, wherever a float32 has the same rounding at both ends
    of the margin, and elsewhere the C library is asked after all.
    """
    raw, out, units, bits, powers = sheet.raw, sheet.row, sheet.units, sheet.bits, sheet.powers
    rests, lows, highs = sheet.rests, sheet.lows, sheet.highs
    for k in range(LANES):
        raw[k] = max(raw[k], 0.0)
        units[k] = 1.0 + raw[k]
        rests[k] = (raw[k] - (units[k] - 1.0)) * max(1.0 - raw[k], 0.0)
    for k in range(LANES):
        power = (bits[k] - _ROOT_HALF) >> _MANTISSA
        bits[k] -= power << _MANTISSA
        powers[k] = power
    for k in range(LANES):
        # log m = 2 artanh s with |s| < 0.172: nine terms of the series leave less than 2^-49 of it.
        s = (units[k] - 1.0) / (units[k] + 1.0)
        z = s * s
        series = 1 / 13 + z * (1 / 15 + z * (1 / 17))
        series = 1 / 7 + z * (1 / 9 + z * (1 / 11 + z * series))
        series = 1.0 + z * (1 / 3 + z * (1 / 5 + z * series))
        value = powers[k] * _LN2 + 2.0 * s * series + rests[k]
        value = math.copysign(value, raw[k])  # of a zero of either sign, the logarithm is that zero
        lows[k] = min(value * (1.0 - _MARGIN), CEILING)
        highs[k] = min(value * (1.0 + _MARGIN), CEILING)
    for slot in range(_PLACES.shape[0]):
        out[_PLACES[slot]] = lows[slot]
    doubtful = 0
    for k in range(LANES):
        doubtful += lows[k] != highs[k]
    if doubtful > 0:
        for slot in range(_PLACES.shape[0]):
            if lows[slot] != highs[slot]:
                out[_PLACES[slot]] = log_of(raw[slot])


log_together = kernel(_log_together)


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
