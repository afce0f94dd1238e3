"""Planted dose–response: marginal returns, elasticity and the change of slope of known curves."""

from __future__ import annotations

import numpy as np

from civsim.analysis.panel import Panel
from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.dose import PER_DOUBLING, PER_LEVEL, diminishing_returns, elasticities
from civsim.analysis.statistics.marginal import marginal_returns

LEVELS = (1, 2, 4, 8, 16)
RATE = 1.2
"""Outcome gained per doubling: equal per doubling, hence diminishing per level."""

ELASTICITY = 0.3
SCALE = 40.0
"""Outcome at dose 1 in the elasticity's case: 40 · dose^0.3."""

DRAWS = 400
WORLDS = 100
_COMMON_SD, _NOISE_SD, _SHAPE = 2.0, 0.8, 2.0


def _panel(means: np.ndarray, seed: int, spread: float = 1.0) -> Panel:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(WORLDS, 1)) * _COMMON_SD
    noise = (rng.gamma(_SHAPE, 1.0 / np.sqrt(_SHAPE), size=(WORLDS, len(LEVELS))) - np.sqrt(_SHAPE)) * _NOISE_SD
    return Panel(np.zeros((WORLDS, 2), np.int64), LEVELS, means + spread * (common + noise), 0)


def doubling_panel(seed: int) -> Panel:
    """Return worlds whose outcome is 1.2 · log₂(level), with common effects and skewed noise."""
    return _panel(RATE * np.log2(LEVELS), seed)


def power_panel(seed: int) -> Panel:
    """Return worlds whose outcome is 40 · level^0.3, with common effects and skewed noise of some 15 %."""
    return _panel(SCALE * np.asarray(LEVELS, np.float64) ** ELASTICITY, seed, spread=3.0)


def recover_marginal_return(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the gain per level between levels 2 and 4."""
    row = marginal_returns(doubling_panel(seed), draws=DRAWS, seed=seed).iloc[1]
    return RATE / 2.0, float(row["low"]), float(row["high"])


def recover_elasticity(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the elasticity between levels 4 and 8."""
    row = elasticities(power_panel(seed), draws=DRAWS, seed=seed).iloc[2]
    return ELASTICITY, float(row["low"]), float(row["high"])


def recover_diminishing(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the late slope less the early one, per level."""
    table = diminishing_returns(doubling_panel(seed)).set_index("scale")
    early, late = RATE * 2.0 / 3.0, RATE * 2.0 / 12.0  # two doublings over 3 levels, and over 12
    return late - early, float(table.loc[PER_LEVEL, "low"]), float(table.loc[PER_LEVEL, "high"])


def recover_even_doublings(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the late slope less the early one, per doubling: none."""
    table = diminishing_returns(doubling_panel(seed)).set_index("scale")
    return 0.0, float(table.loc[PER_DOUBLING, "low"]), float(table.loc[PER_DOUBLING, "high"])


CASES: tuple[Case, ...] = (
    Case("marginal return per level", recover_marginal_return, "y = 1.2 log₂(level) + world + gamma noise"),
    Case("arc elasticity", recover_elasticity, "y = 40 · level^0.3 + world + gamma noise"),
    Case("change of slope per level", recover_diminishing, "y = 1.2 log₂(level) + world + gamma noise"),
    Case("change of slope per doubling", recover_even_doublings, "y = 1.2 log₂(level) + world + gamma noise"),
)
