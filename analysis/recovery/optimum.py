"""Planted optima: a symmetric and a steep curve, in worlds that differ by much and with skewed noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.panel import Panel
from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.optimum import Optimum, estimate_optimum

F64 = NDArray[np.float64]

DOSES = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6])
"""Shares of output."""

DRAWS = 400
"""Bootstrap draws a replication."""

HILL_PEAK = 0.22
STEEP_RISE, STEEP_SCALE, STEEP_COST = 0.8, 0.05, 1.5
STEEP_PEAK = STEEP_SCALE * float(np.log(STEEP_RISE / STEEP_SCALE / STEEP_COST))
"""Where the steep curve's slope, rise/scale · exp(−x/scale), equals its cost: 0.118."""

_EPSILON = 0.02
_COMMON_SD, _SHAPE = 2.0, 2.0


def hill(x: F64) -> F64:
    """Return a parabola with its peak at :data:`HILL_PEAK`."""
    return -8.0 * (x - HILL_PEAK) ** 2


def steep(x: F64) -> F64:
    """Return a curve that rises at once and declines slowly, with its peak at :data:`STEEP_PEAK`."""
    return STEEP_RISE * (1.0 - np.exp(-x / STEEP_SCALE)) - STEEP_COST * x


def planted_panel(curve: Callable[[F64], F64], replication: int, n: int = 200, noise: float = 0.6) -> Panel:
    """Return ``n`` worlds that share a normal effect (s.d. 2) over doses, with gamma noise of s.d. ``noise``."""
    rng = np.random.default_rng(replication)
    errors = rng.gamma(_SHAPE, noise / np.sqrt(_SHAPE), size=(n, DOSES.size))
    values = rng.normal(size=(n, 1)) * _COMMON_SD + curve(DOSES) + errors
    return Panel(np.zeros((n, 2), np.int64), tuple(DOSES.tolist()), values, 0)


def _best(curve: Callable[[F64], F64], seed: int) -> Optimum:
    return estimate_optimum(planted_panel(curve, seed), 0.0, epsilon=_EPSILON, draws=DRAWS, seed=seed)[0]


def _rise(curve: Callable[[F64], F64], peak: float) -> float:
    ends = curve(np.array([0.0, peak]))
    return float(ends[1] - ends[0])


def recover_hill(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the place of a parabola's peak."""
    best = _best(hill, seed)
    return HILL_PEAK, best.low, best.high


def recover_steep(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the place of a steep curve's peak."""
    best = _best(steep, seed)
    return STEEP_PEAK, best.low, best.high


def recover_hill_gain(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a parabola's height over the lowest dose, at its peak."""
    best = _best(hill, seed)
    return _rise(hill, HILL_PEAK), best.value_low, best.value_high


def recover_steep_gain(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of a steep curve's height over the lowest dose, at its peak."""
    best = _best(steep, seed)
    return _rise(steep, STEEP_PEAK), best.value_low, best.value_high


CASES: tuple[Case, ...] = (
    Case("best dose, parabola", recover_hill, "y = −8 (x − 0.22)² + world + gamma noise"),
    Case("best dose, steep rise", recover_steep, "y = 0.8 (1 − exp(−x / 0.05)) − 1.5 x + world + gamma noise"),
    Case("gain at the best dose, parabola", recover_hill_gain, "y = −8 (x − 0.22)² + world + gamma noise"),
    Case("gain at the best dose, steep rise", recover_steep_gain, "y = 0.8 (1 − exp(−x / 0.05)) − 1.5 x + …"),
)
