"""Planted break-even prices: gains that fall through 0 at a known price, straight or bent in log price."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.breakeven import break_even

F64 = NDArray[np.float64]

PRICES = 2.0 ** np.arange(-3, 4)
"""Multipliers of a price, an eighth to eight."""

STRAIGHT, BENT = 1.5, 1.25
"""Planted break-even prices."""

DRAWS = 400
WORLDS = 100
_SLOPE, _COMMON_SD, _NOISE_SD, _SHAPE = 0.8, 0.5, 1.0, 2.0


def planted_gains(means: F64, seed: int) -> F64:
    """Return gains, float64 [WORLDS, P], with a common effect a world and skewed noise about ``means`` [P]."""
    rng = np.random.default_rng(seed)
    noise = (rng.gamma(_SHAPE, 1.0 / np.sqrt(_SHAPE), size=(WORLDS, means.size)) - np.sqrt(_SHAPE)) * _NOISE_SD
    return means + rng.normal(size=(WORLDS, 1)) * _COMMON_SD + noise


def recover_straight(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the break-even price of gains that fall evenly in log price."""
    gains = planted_gains(-_SLOPE * np.log(PRICES / STRAIGHT), seed)
    found = break_even(gains, PRICES, draws=DRAWS, seed=seed)
    return STRAIGHT, found.low, found.high


def recover_bent(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the break-even price of gains that level off where it is dear."""
    gains = planted_gains(2.0 * (np.exp(-PRICES / 2.0) - np.exp(-BENT / 2.0)), seed)
    found = break_even(gains, PRICES, draws=DRAWS, seed=seed)
    return BENT, found.low, found.high


CASES: tuple[Case, ...] = (
    Case("break-even price, straight", recover_straight, "gain = −0.8 log(price / 1.5) + world + gamma noise"),
    Case("break-even price, bent", recover_bent, "gain = 2 (exp(−price / 2) − exp(−0.625)) + world + gamma noise"),
)
