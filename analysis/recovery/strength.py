"""Contests with planted exponents: how often the intervals of the strength model hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.resample import Estimate
from civsim.analysis.statistics.strength import TIE, Strength, estimate_strength

F64 = NDArray[np.float64]

R_COGNITION, R_PHYSICAL = 0.6, 1.4
"""Planted exponents."""

PLACE = (0.05, 0.4)
"""Inputs at which the rate of exchange is taken."""

WORLDS, CONTESTS = 60, 12
"""Worlds, and contests in each."""

SHARED = 0.5
"""Correlation of the contests' luck within a world, where it is planted, and of the inputs' differences."""

TIES = 0.1
"""Part of the contests that end in a tie."""


def planted_contests(seed: int, shared: float = 0.0) -> tuple[F64, F64, F64, F64]:
    """Return (wins, Δ ln cognition, Δ ln physical, world), float64 [n] each, with the planted exponents.

    Wins are logit given the inputs. Luck is logistic in every contest, and correlated within a world through a Gaussian
    copula with correlation ``shared`` in [0, 1): the marginal odds stay exactly those planted. Some contests are ties
    with a chance that keeps the mean of wins (ties of those that would be won are as many as of those lost).
    """
    rng = np.random.default_rng(seed)
    n = WORLDS * CONTESTS
    world = np.repeat(np.arange(WORLDS), CONTESTS)

    def correlated(part: float) -> F64:
        common = rng.normal(size=WORLDS)[world]
        return np.asarray(np.sqrt(part) * common + np.sqrt(1.0 - part) * rng.normal(size=n))

    cognition, physical = 1.2 * correlated(shared), 0.5 * correlated(shared)
    chance = expit(R_COGNITION * cognition + R_PHYSICAL * physical)
    wins = (norm.cdf(correlated(shared)) < chance).astype(np.float64)
    # A tie is half a win: it is drawn where its mean is that of the contest it replaces.
    even = rng.random(n) < TIES * 2.0 * np.where(wins == 1.0, 1.0 - chance, chance)
    return np.where(even, TIE, wins), cognition, physical, world.astype(np.float64)


def _fit(seed: int, shared: float = 0.0) -> Strength:
    wins, cognition, physical, world = planted_contests(seed, shared)
    return estimate_strength(wins, cognition, physical, world, at=PLACE)


def _drawn(planted: float, estimate: Estimate) -> tuple[float, float, float]:
    return planted, float(estimate.low), float(estimate.high)


def recover_cognition(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the cognitive exponent in independent contests."""
    return _drawn(R_COGNITION, _fit(seed).cognition)


def recover_physical(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the physical exponent in independent contests."""
    return _drawn(R_PHYSICAL, _fit(seed).physical)


def recover_clustered_cognition(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the cognitive exponent where luck and inputs are correlated within a world."""
    return _drawn(R_COGNITION, _fit(seed, SHARED).cognition)


def recover_exchange(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the physical spending that replaces a unit of cognitive spending."""
    return _drawn(R_COGNITION / PLACE[0] / (R_PHYSICAL / PLACE[1]), _fit(seed, SHARED).exchange)


def recover_elo(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the Elo points that a doubling of cognition is worth."""
    # Ten to one is 400 points; a doubling multiplies the odds by 2^r.
    return _drawn(400.0 * np.log10(2.0**R_COGNITION), _fit(seed, SHARED).elo_cognition)


_CONTEST = "ratio-form contest (Hirshleifer 1989), logistic luck"
_COPULA = f"{_CONTEST}, correlated within worlds (Gaussian copula)"

CASES: tuple[Case, ...] = (
    Case("contest exponent of cognition", recover_cognition, _CONTEST),
    Case("contest exponent of physical spending", recover_physical, _CONTEST),
    Case("contest exponent of cognition, luck shared within worlds", recover_clustered_cognition, _COPULA),
    Case("physical spending that replaces a unit of cognition", recover_exchange, f"{_COPULA}; Fieller (1954)"),
    Case("Elo points per doubling of cognition", recover_elo, _COPULA),
)
