"""Welfare in units a reader can weigh: the share by which every turn's consumption would have to rise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

PERCENT = 100.0


def discount_sum(discount: float, turns: int) -> float:
    """Return Σ γ^t over t = 0 … T − 1, the welfare of one log point a turn (turns).

    Raises:
        ResultsError: a discount outside (0, 1], or fewer than one turn.
    """
    if not 0.0 < discount <= 1.0 or turns < 1:
        raise ResultsError(f"discount={discount}, turns={turns} describe no game; give (0, 1] and at least 1")
    return float(turns) if discount == 1.0 else (1.0 - discount**turns) / (1.0 - discount)


def equivalent_percent(gain: ArrayLike, discount: float, turns: int) -> F64:
    """Return a welfare gain as the rise of c₀ + consumption, in every turn, that is worth as much (percent).

    Welfare is Σ γ^t log(1 + c/c₀), so multiplying c₀ + c by (1 + q) in every turn adds log(1 + q) · Σ γ^t (after
    Lucas, *Models of Business Cycles*, 1987). The map is increasing: limits of an interval may be passed through it.
    """
    return PERCENT * np.expm1(np.asarray(gain, np.float64) / discount_sum(discount, turns))


def log_points(gain: ArrayLike, discount: float, turns: int) -> F64:
    """Return a welfare gain in log points of c₀ + consumption a turn, times 100: 100 · gain / Σ γ^t.

    1 is about 1 % more c₀ + consumption in every turn. It is linear in the gain, unlike :func:`equivalent_percent`.
    """
    return np.asarray(PERCENT * np.asarray(gain, np.float64) / discount_sum(discount, turns))


def welfare_of_percent(percent: float, discount: float, turns: int) -> float:
    """Return the welfare gain worth a rise of c₀ + consumption by ``percent`` (> −100) in every turn."""
    return float(np.log1p(percent / PERCENT) * discount_sum(discount, turns))


def game_length(scenario: dict[str, Any]) -> tuple[float, int]:
    """Return (discount, turns) of a resolved scenario given as nested tables.

    Raises:
        ResultsError: the tables lack ``game.discount`` or ``game.turns``.
    """
    game = scenario.get("game", {})
    if "discount" not in game or "turns" not in game:
        raise ResultsError("the manifest's scenario lacks game.discount or game.turns; run the study with this release")
    return float(game["discount"]), int(game["turns"])
