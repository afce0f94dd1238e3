"""Planted Shapley values: a game of four players with known parts, a pair that works together and an idle player."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from civsim.analysis.recovery.case import Case
from civsim.analysis.statistics.shapley import coalitions, shapley_interactions, shapley_values

F64 = NDArray[np.float64]

PLAYERS = ("ore", "hazard", "rivals", "raiders")
ALONE = {"ore": 0.6, "hazard": 0.2, "rivals": 0.4, "raiders": 0.0}
"""What each player adds whoever else is there."""

TOGETHER = 0.5
"""What rivals and raiders add together: Shapley shares it equally, and it is their interaction index."""

DRAWS = 400
WORLDS = 80
_COMMON_SD, _NOISE_SD, _SHAPE = 2.0, 0.8, 2.0


def planted_worths() -> F64:
    """Return the worth of every coalition, float64 [16], in the order of ``coalitions``."""
    pair = {"rivals", "raiders"}
    return np.array([sum(ALONE[name] for name in who) + TOGETHER * (pair <= who) for who in coalitions(PLAYERS)])


def planted_values(seed: int) -> F64:
    """Return outcomes, float64 [WORLDS, 16]: worths, a common effect a world, and skewed noise."""
    rng = np.random.default_rng(seed)
    worths = planted_worths()
    noise = (rng.gamma(_SHAPE, 1.0 / np.sqrt(_SHAPE), size=(WORLDS, worths.size)) - np.sqrt(_SHAPE)) * _NOISE_SD
    return worths + rng.normal(size=(WORLDS, 1)) * _COMMON_SD + noise


def recover_shapley(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the Shapley value of the rivals: 0.4 alone and half of the pair's 0.5."""
    row = shapley_values(planted_values(seed), PLAYERS, draws=DRAWS, seed=seed).iloc[2]
    return ALONE["rivals"] + 0.5 * TOGETHER, float(row["low"]), float(row["high"])


def recover_interaction(seed: int) -> tuple[float, float, float]:
    """Return (planted, low, high) of the interaction index of rivals and raiders."""
    row = shapley_interactions(planted_values(seed), PLAYERS, draws=DRAWS, seed=seed).iloc[-1]
    return TOGETHER, float(row["low"]), float(row["high"])


CASES: tuple[Case, ...] = (
    Case("Shapley value", recover_shapley, "additive worths and one pair; Shapley 1953"),
    Case("Shapley interaction index", recover_interaction, "additive worths and one pair; Grabisch and Roubens 1999"),
)
