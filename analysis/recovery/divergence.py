"""Twin worlds, reference policies and polities with planted answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom, foldnorm

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.divergence import Worlds, divergence, no_skill_bits, optimisation_bits
from civsim.analysis.statistics.polities import (
    gibrat,
    growth_by_size,
    growth_table,
    hazard,
    laplace_against_normal,
    rank_size,
    size_persistence,
)

F64 = NDArray[np.float64]

WORLDS, SEATS, DRAWS = 60, 5, 800
"""Worlds, civilizations in each, and bootstrap draws of one replication."""

GAMES, SKILL = 63, 16
"""Reference games a world; the skilled policy takes the best of so many uniform draws."""

STEPS, LAG = 4, 10
"""Steps of growth, and turns in each."""

SLOPE, SCATTER = -0.1, 0.3
"""Planted slope of growth on log size, and its s.d."""

SHIFT, NOISE = 0.2, 0.5
"""Mean and s.d. of the log gap between two arms."""

ZETA = 1.2
HAZARD = 0.02
KEPT = 0.8
"""Autocorrelation of log size over one turn."""


def _bits(seed: int, skill: int) -> tuple[F64, F64]:
    rng = np.random.default_rng(seed)
    return rng.random((WORLDS, skill)).max(axis=1), rng.random((WORLDS, GAMES))


def expected_bits(skill: int, games: int = GAMES) -> float:
    """Return the mean bits of the best of ``skill`` uniform draws: reference games above it are beta-binomial."""
    above = np.arange(games + 1)
    return float(-(betabinom.pmf(above, games, 1, skill) * np.log2((above + 1.0) / (games + 1.0))).sum())


def recover_skilled_bits(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the bits of a policy that takes the best of 16."""
    found = optimisation_bits(*_bits(seed, SKILL), draws=DRAWS, seed=seed).mean
    return expected_bits(SKILL), float(found.low), float(found.high)


def recover_no_skill_bits(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the bits of the reference policy itself."""
    found = optimisation_bits(*_bits(seed, 1), draws=DRAWS, seed=seed).mean
    return no_skill_bits(GAMES), float(found.low), float(found.high)


def _gap(seed: int, measure: str) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    output = np.exp(rng.normal(size=(WORLDS, SEATS, 1)))
    alive = np.ones_like(output)
    focal = np.arange(WORLDS) % SEATS
    moved = output * np.exp(SHIFT + NOISE * rng.normal(size=(WORLDS, 1, 1)))
    one, other = (Worlds(table, alive, focal, None, ()) for table in (output, moved))
    row = divergence(one, other, draws=DRAWS, seed=seed).set_index("measure").loc[measure]
    return float(row["low"]), float(row["high"])


def recover_signed_gap(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the mean log gap between twin worlds."""
    return (SHIFT, *_gap(seed, "world_log_output_signed"))


def recover_unsigned_gap(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the mean |log gap| between twin worlds: a folded normal's."""
    return (float(foldnorm.mean(SHIFT / NOISE, scale=NOISE)), *_gap(seed, "world_log_output"))


def recover_rank_size(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the rank-size exponent of 500 Pareto sizes."""
    found = rank_size(1.0 + np.random.default_rng(seed).pareto(ZETA, size=500))
    return ZETA, found.low, found.high


def planted_growth(seed: int, slope: float = SLOPE, *, laplace: bool = False) -> F64:
    """Return sizes [W, N, T] whose growth over a step has a slope on log size, and luck common to a world."""
    rng = np.random.default_rng(seed)
    logs = [rng.normal(size=(WORLDS, SEATS))]
    for _ in range(STEPS):
        shape = (WORLDS, SEATS)
        own = rng.laplace(scale=SCATTER / np.sqrt(2.0), size=shape) if laplace else SCATTER * rng.normal(size=shape)
        common = 0.0 if laplace else SCATTER * rng.normal(size=(WORLDS, 1))
        logs.append((1.0 + slope) * logs[-1] + 0.5 + own + common)
    return np.repeat(np.exp(np.stack(logs, axis=2)), LAG, axis=2)[:, :, : STEPS * LAG + 1]


def recover_gibrat(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the slope of growth on log size."""
    found = gibrat(growth_table(planted_growth(seed), LAG))
    return SLOPE, found.low, found.high


def recover_no_gibrat_slope(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the slope under Gibrat's law: 0."""
    found = gibrat(growth_table(planted_growth(seed, 0.0), LAG))
    return 0.0, found.low, found.high


def recover_growth_deviation(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the s.d. of growth of the largest, the same in all sizes."""
    table = growth_table(planted_growth(seed, 0.0), LAG)
    row = growth_by_size(table, 2, draws=DRAWS, seed=seed).iloc[-1]
    return SCATTER * 2.0**0.5, float(row["low"]), float(row["high"])


def recover_laplace(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the log-likelihood of Laplace growth over a normal fit: ½ log πe − 1."""
    table = growth_table(planted_growth(seed, 0.0, laplace=True), LAG)
    found = laplace_against_normal(table, draws=DRAWS, seed=seed)
    return float(0.5 * np.log(np.pi * np.e) - 1.0), float(found.low), float(found.high)


def recover_persistence(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the correlation of log size over three turns."""
    rng = np.random.default_rng(seed)
    logs = [rng.normal(size=(WORLDS, SEATS))]
    for _ in range(11):
        logs.append(KEPT * logs[-1] + np.sqrt(1.0 - KEPT**2) * rng.normal(size=(WORLDS, SEATS)))
    row = size_persistence(np.exp(np.stack(logs, axis=2)), [3], draws=DRAWS, seed=seed).iloc[0]
    return KEPT**3, float(row["low"]), float(row["high"])


def recover_hazard(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a constant hazard, lives cut off at turn 60."""
    life = np.random.default_rng(seed).exponential(1.0 / HAZARD, size=(WORLDS, SEATS))
    found = hazard(np.minimum(life, 60.0), life < 60.0, draws=DRAWS, seed=seed)
    return HAZARD, float(found.low), float(found.high)


CASES: tuple[Case, ...] = (
    Case("bits of a skilled policy", recover_skilled_bits, "best of 16 uniforms: beta-binomial counts"),
    Case("bits of the reference policy", recover_no_skill_bits, "exchangeable uniforms: mean −log₂ (j/(R + 1))"),
    Case("signed log gap of twin worlds", recover_signed_gap, "normal gaps"),
    Case("unsigned log gap of twin worlds", recover_unsigned_gap, "normal gaps: folded normal mean"),
    Case("rank-size exponent", recover_rank_size, "Pareto sizes, ζ = 1.2; Gabaix and Ibragimov, 2011"),
    Case("Gibrat slope", recover_gibrat, "growth −0.1 · log size, with luck common to a world"),
    Case("Gibrat slope of 0", recover_no_gibrat_slope, "growth independent of size"),
    Case("s.d. of growth by size", recover_growth_deviation, "normal growth, the same in all sizes"),
    Case("Laplace over normal", recover_laplace, "Laplace growth: ½ log πe − 1"),
    Case("persistence of log size", recover_persistence, "AR(1): 0.8³"),
    Case("hazard of death", recover_hazard, "exponential lives cut off at 60 turns"),
)
"""Every estimator of divergence, bits and stylised facts on data whose answer is known."""
