"""A planted gain over the best of five options, one of which stands out, on few worlds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.crossfit import crossfit

F64 = NDArray[np.float64]

GAIN = 0.3
"""The arm over the best option."""

OPTIONS = np.array([0.0, -1.5, -1.5, -1.5, -2.0])
"""Means of the options: with 12 worlds in a half, the first is chosen nearly always."""

_WORLDS = 24
_COMMON_SD = 2.0


def planted_outcomes(replication: int, options: F64 = OPTIONS, gain: float = GAIN) -> tuple[F64, F64]:
    """Return (arm float64 [24], options float64 [24, K]): means as planted, worlds of s.d. 2, own noise of s.d. 1."""
    rng = np.random.default_rng(replication)
    worlds = _COMMON_SD * rng.normal(size=(_WORLDS, 1))
    arm = worlds[:, 0] + options.max() + gain + rng.normal(size=_WORLDS)
    return arm, worlds + options + rng.normal(size=(_WORLDS, len(options)))


def recover_gain(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the gain over the best option."""
    found = crossfit(*planted_outcomes(seed))
    reach = float(stdtrit(_WORLDS - 2.0, 0.975)) * found.error
    return GAIN, found.mean - reach, found.mean + reach


CASES: tuple[Case, ...] = (
    Case("gain over the best of five, cross-fitted", recover_gain, "best option + 0.3 + normal noise, 24 worlds"),
)
