"""What one more level of a channel is worth, and through which kind of order it is earned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.paired import contrast
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.base.errors import ResultsError


def marginal_returns(panel: Panel, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return the outcome gained per level between neighbouring doses of one channel.

    The panel's arms are numeric levels. Columns: ``level_from``, ``level_to``, ``worlds``, ``gain`` (the whole step),
    ``per_level`` (gain divided by the levels between), ``low`` and ``high`` (interval of ``per_level``).

    Raises:
        ResultsError: fewer than two levels.
    """
    levels = np.asarray(panel.arms, np.float64)
    if levels.size < 2:
        raise ResultsError(f"levels={levels.size} give no step; a marginal return needs at least 2")
    steps = np.diff(levels)
    coefficients = np.zeros((levels.size, steps.size))
    index = np.arange(steps.size)
    coefficients[index, index] = -1.0 / steps
    coefficients[index + 1, index] = 1.0 / steps
    estimate, low, high = contrast(panel.values, coefficients, draws=draws, seed=seed, level=level)
    return pd.DataFrame(
        {
            "level_from": panel.arms[:-1],
            "level_to": panel.arms[1:],
            "worlds": panel.n_worlds,
            "gain": estimate * steps,
            "per_level": estimate,
            "low": low,
            "high": high,
        }
    )


def decompose_by_closing(
    open_low: np.ndarray,
    open_high: np.ndarray,
    closed_low: Sequence[np.ndarray],
    closed_high: Sequence[np.ndarray],
    kinds: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return how much of a channel's return goes when one kind of order is closed to everybody.

    All arrays are the outcome of the same W worlds, float [W]: at the low and at the high level, with everything
    open, and with each of ``kinds`` closed. Columns: ``kind``, ``return_open``, ``return_closed``, ``carried``
    (open − closed: the part of the return that needs this kind) each with ``_low`` and ``_high``. Parts need not add
    up to the whole: kinds of order work together.
    """
    rows = []
    for kind, low_arm, high_arm in zip(kinds, closed_low, closed_high, strict=True):
        values = np.column_stack([np.asarray(a, np.float64) for a in (open_low, open_high, low_arm, high_arm)])
        coefficients = np.array([[-1.0, 0.0, -1.0], [1.0, 0.0, 1.0], [0.0, -1.0, 1.0], [0.0, 1.0, -1.0]])
        estimate, low, high = contrast(values, coefficients, draws=draws, seed=seed, level=level)
        row: dict[str, object] = {"kind": kind, "worlds": values.shape[0]}
        for position, name in enumerate(("return_open", "return_closed", "carried")):
            row |= {name: estimate[position], f"{name}_low": low[position], f"{name}_high": high[position]}
        rows.append(row)
    return pd.DataFrame(rows)
