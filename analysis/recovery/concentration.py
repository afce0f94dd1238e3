"""Worlds with planted inequality, tails, pass-through and lock-in, whose answers have closed forms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, ndtri

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.inequality import MEASURES, gini, log_variance
from civsim.analysis.statistics.leadership import lock_in, rank_correlation, red_queen
from civsim.analysis.statistics.passthrough import pass_through
from civsim.analysis.statistics.resample import Estimate
from civsim.analysis.statistics.tails import hill, hill_worlds, quantile_ratio_worlds
from civsim.analysis.statistics.worlds import world_mean

F64 = NDArray[np.float64]

WORLDS, SEATS, DRAWS = 60, 6, 800
"""Worlds, civilizations in each, and bootstrap draws of one replication."""

MANY, FEW_DRAWS = 90, 400
"""Worlds and draws of the cases that sort every resample."""

SLOPE = 1.4
"""Planted elasticity of the outcome."""

EVEN, UNEVEN = 4.0, 1.0
"""Shapes of the gamma amounts in two arms."""

LIGHT, HEAVY = 2.5, 1.5
"""Planted tail indices."""

BETWEEN, WITHIN = 0.5, 0.9
"""S.d. of log wealth between the worlds and within them."""

LOCKS = (3, 33)
"""Turns among which each lock-in is drawn, evenly; both ends included."""

TURNS = 50

ORDERED = 0.7
"""Planted correlation of two normal scores of a civilization."""


def _limits(planted: float, estimate: Estimate) -> tuple[float, float, float]:
    return planted, float(estimate.low), float(estimate.high)


def _advantages(seed: int) -> tuple[np.random.Generator, F64, F64]:
    """Return (generator, cognition [W, N], the world's effect [W, 1]); rich worlds think more, too."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(size=(WORLDS, 1))
    return rng, np.exp(0.5 * effect + 0.8 * rng.normal(size=(WORLDS, SEATS))), np.exp(effect)


def recover_log_log(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high): outcomes lognormal about effect · cognition^1.4."""
    rng, cognition, effect = _advantages(seed)
    found = pass_through(effect * cognition**SLOPE * np.exp(0.6 * rng.normal(size=cognition.shape)), cognition)
    return SLOPE, found.log_log.low, found.log_log.high


def recover_ppml(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high): a fifth of the outcomes are 0 and scatter falls with cognition."""
    rng, cognition, effect = _advantages(seed)
    spread = 0.6 / (1.0 + cognition)
    noise = np.exp(spread * rng.normal(size=cognition.shape) - 0.5 * spread**2)
    lives = rng.random(cognition.shape) < 0.8
    # The world's effect is taken to a small power: a few worlds would else hold nearly all the weight.
    found = pass_through(effect**0.3 * cognition**SLOPE * noise * lives, cognition)
    return SLOPE, found.ppml.low, found.ppml.high


def _arms(seed: int) -> tuple[F64, F64]:
    """Return the amounts of two arms, [W, N]: gamma of the even and of the uneven shape, alike in rank."""
    rng = np.random.default_rng(seed)
    uneven = rng.gamma(UNEVEN, size=(WORLDS, SEATS))
    return uneven + rng.gamma(EVEN - UNEVEN, size=(WORLDS, SEATS)), uneven


def expected_herfindahl(shape: float, seats: int = SEATS) -> float:
    """Return the mean Σ s² of ``seats`` gamma amounts: their shares are Dirichlet."""
    return (shape + 1.0) / (seats * shape + 1.0)


def expected_gini(shape: float) -> float:
    """Return Gini's coefficient of the gamma law, which the unbiased Gini of a sample of any size has on average."""
    return float(np.exp(gammaln(shape + 0.5) - gammaln(shape + 1.0)) / np.sqrt(np.pi))


def expected_theil(shape: float, seats: int = SEATS) -> float:
    """Return the mean Theil T of ``seats`` gamma amounts: log N + ψ(a + 1) − ψ(N a + 1)."""
    return float(np.log(seats) + digamma(shape + 1.0) - digamma(seats * shape + 1.0))


def recover_herfindahl(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the difference in HHI of two arms."""
    even, uneven = _arms(seed)
    planted = expected_herfindahl(UNEVEN) - expected_herfindahl(EVEN)
    return _limits(planted, world_mean(MEASURES["hhi"](uneven) - MEASURES["hhi"](even), draws=DRAWS, seed=seed))


def recover_gini(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the difference in the unbiased Gini of two arms."""
    even, uneven = _arms(seed)
    gaps = gini(uneven, unbiased=True) - gini(even, unbiased=True)
    return _limits(expected_gini(UNEVEN) - expected_gini(EVEN), world_mean(gaps, draws=DRAWS, seed=seed))


def recover_theil(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the difference in Theil's T of two arms."""
    even, uneven = _arms(seed)
    gaps = MEASURES["theil"](uneven) - MEASURES["theil"](even)
    return _limits(expected_theil(UNEVEN) - expected_theil(EVEN), world_mean(gaps, draws=DRAWS, seed=seed))


def recover_hill(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the tail index of 400 independent Pareto amounts, α = 1.5."""
    found = hill(1.0 + np.random.default_rng(seed).pareto(HEAVY, size=400))
    return HEAVY, found.low, found.high


def recover_hill_worlds(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the tail index of Pareto amounts in worlds, α = 2.5, whole worlds drawn."""
    amounts = 1.0 + np.random.default_rng(seed).pareto(LIGHT, size=(MANY, SEATS))
    return _limits(LIGHT, hill_worlds(amounts, 0.2, draws=FEW_DRAWS, seed=seed))


def _wealth(seed: int) -> F64:
    """Return lognormal amounts [W, N] that share a part of their luck with their world."""
    rng = np.random.default_rng(seed)
    shared = BETWEEN * rng.normal(size=(MANY, 1))
    return np.exp(shared + WITHIN * rng.normal(size=(MANY, SEATS)))


def _ratio(seed: int, upper: float) -> tuple[float, float, float]:
    planted = float(np.exp(ndtri(upper) * np.hypot(BETWEEN, WITHIN)))
    return _limits(planted, quantile_ratio_worlds(_wealth(seed), upper, draws=FEW_DRAWS, seed=seed))


def recover_p90(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of p90/p50 of lognormal wealth with common luck in a world."""
    return _ratio(seed, 0.9)


def recover_p99(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of p99/p50 of lognormal wealth with common luck in a world."""
    return _ratio(seed, 0.99)


def recover_log_variance(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the variance of logs within worlds, a tenth of the amounts being 0."""
    alive = np.random.default_rng([seed, 1]).random((MANY, SEATS)) < 0.9
    each = log_variance(_wealth(seed) * alive)
    return _limits(WITHIN**2, world_mean(each[np.isfinite(each)], draws=DRAWS, seed=seed))


def planted_contest(seed: int) -> tuple[F64, NDArray[np.int64]]:
    """Return (amounts [W, N, T], the lock-in planted in each world [W]): two seats take turns until it."""
    rng = np.random.default_rng(seed)
    locks = rng.integers(LOCKS[0], LOCKS[1] + 1, WORLDS)
    turn = np.arange(1, TURNS + 1)
    amounts = rng.random((WORLDS, SEATS, TURNS))
    ahead = np.where((turn[None, :] >= locks[:, None]) | ((locks[:, None] - turn[None, :]) % 2 == 0), 0, 1)
    np.put_along_axis(amounts, ahead[:, None, :], 2.0, axis=1)
    return amounts, locks


def recover_lock_in(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the mean lock-in turn."""
    amounts, _ = planted_contest(seed)
    return _limits(0.5 * sum(LOCKS), lock_in(amounts, draws=DRAWS, seed=seed).mean)


def recover_rank_persistence(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of Spearman's correlation of N pairs of normal scores, averaged over worlds."""
    rng = np.random.default_rng(seed)
    first, noise = rng.normal(size=(2, WORLDS, SEATS))
    second = ORDERED * first + np.sqrt(1.0 - ORDERED**2) * noise
    arcs = np.arcsin(ORDERED) + (SEATS - 2.0) * np.arcsin(0.5 * ORDERED)
    planted = float(6.0 / (np.pi * (SEATS + 1.0)) * arcs)
    return _limits(planted, world_mean(rank_correlation(first, second), draws=DRAWS, seed=seed))


def recover_red_queen(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the part of a private gain that is competed away."""
    rng = np.random.default_rng(seed)
    arms = rng.normal(size=(WORLDS, 1)) + np.array([0.0, 1.0, 0.3]) + 0.7 * rng.normal(size=(WORLDS, 3))
    found = red_queen(arms, draws=DRAWS, seed=seed).set_index("quantity").loc["competed_away"]
    return 0.7, float(found["low"]), float(found["high"])


CASES: tuple[Case, ...] = (
    Case("pass-through slope, logs", recover_log_log, "lognormal scatter about a power law with world effects"),
    Case("pass-through slope, PPML", recover_ppml, "power law with zeros and uneven scatter; Santos Silva, Tenreyro"),
    Case("HHI, difference of arms", recover_herfindahl, "Dirichlet shares: E Σs² = (a + 1)/(N a + 1)"),
    Case("Gini, difference of arms", recover_gini, "gamma amounts: Γ(a + ½)/(√π Γ(a + 1))"),
    Case("Theil, difference of arms", recover_theil, "Dirichlet shares: log N + ψ(a + 1) − ψ(N a + 1)"),
    Case("Hill tail index", recover_hill, "Pareto amounts, α = 1.5; Hill, 1975"),
    Case("Hill tail index, worlds drawn", recover_hill_worlds, "Pareto amounts, α = 2.5"),
    Case("p90/p50", recover_p90, "lognormal wealth with common luck: exp(z σ)"),
    Case("p99/p50", recover_p99, "lognormal wealth with common luck: exp(z σ)"),
    Case("variance of logs", recover_log_variance, "lognormal wealth, a tenth without"),
    Case("lock-in turn", recover_lock_in, "planted turns, uniform"),
    Case("rank persistence", recover_rank_persistence, "normal scores: E of Spearman's r; Moran, Biometrika 35, 1948"),
    Case("Red Queen, competed away", recover_red_queen, "normal outcomes with world effects"),
)
"""Every estimator of concentration on worlds whose answer is known."""
