"""How far a seat's planner stands below its ceiling, and in which turns the gap opens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from civsim.analysis.panel import Panel
from civsim.analysis.statistics.paired import contrast, paired_differences
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.base.errors import ResultsError

PLANNER, CEILING = "planner", "ceiling"

BLOCK = 5
"""Turns that stand together in a row of :func:`ceiling_turns`."""


def ceiling_gap(
    worlds: pd.DataFrame, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> dict[str, float]:
    """Return what perfect thought about one's orders is worth over the planner, on the same worlds.

    ``worlds`` has the columns ``world_id``, ``planner`` and ``ceiling`` (an objective). Keys: ``worlds``; ``planner``
    and ``ceiling``, each with ``_low`` and ``_high``; ``difference``, ``low``, ``high`` (worlds resampled, see
    :func:`civsim.analysis.statistics.paired.paired_differences`); ``correlation`` of the two over worlds.

    Raises:
        ResultsError: fewer than two worlds.
    """
    ids = worlds["world_id"].to_numpy(np.int64)
    both = worlds[[PLANNER, CEILING]].to_numpy(np.float64)
    panel = Panel(np.stack([np.zeros_like(ids), ids], axis=1), (PLANNER, CEILING), both, 0)
    table = paired_differences(panel, PLANNER, draws=draws, seed=seed, level=level).set_index("arm")
    found: dict[str, float] = {"worlds": len(ids)}
    for arm in (PLANNER, CEILING):
        found |= {f"{arm}{suffix}": float(table.loc[arm, f"mean{suffix}"]) for suffix in ("", "_low", "_high")}
    names = ("difference", "low", "high", "correlation")
    return found | {name: float(table.loc[CEILING, name]) for name in names}


def ceiling_turns(
    worlds: pd.DataFrame,
    decisions: pd.DataFrame,
    turns: int,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return in which turns the gap opens: one row for every :data:`BLOCK` turns of the first ``turns``.

    What a change of orders earns is the seat's objective with all changes up to it, less that with all before it, each
    planned from there on, in the true world; over all turns the earnings add up to the gap. Columns: ``first``,
    ``last`` (turns, from 1); ``decisions`` and ``changed`` a world; ``earned`` a world with ``low`` and ``high``;
    ``worth`` a world: the same on average over luck that chose nothing; ``promised`` a world: what the changes seemed
    to be worth in their trials, too much because they were chosen by it.

    Raises:
        ResultsError: fewer than two worlds, or a decision after the last turn.
    """
    if len(decisions) and int(decisions["turn"].max()) > turns:
        raise ResultsError(f"a decision is of turn {decisions['turn'].max()}, after the last of {turns}; give them all")
    ids = worlds["world_id"].to_numpy(np.int64)
    starts = np.arange(0, turns, BLOCK)
    at = np.searchsorted(starts, decisions["turn"].to_numpy(np.int64) - 1, side="right") - 1
    row = pd.Index(ids).get_indexer(decisions["world_id"].to_numpy(np.int64))
    changed = decisions["changed"].to_numpy(bool)

    def summed(values: Any) -> np.ndarray:
        table = np.zeros((len(ids), len(starts)))
        np.add.at(table, (row, at), values)
        return table

    earned = summed(decisions["earned"].to_numpy(np.float64))
    value, low, high = contrast(earned, np.eye(len(starts)), draws=draws, seed=seed, level=level)
    return pd.DataFrame(
        {
            "first": starts + 1,
            "last": np.minimum(starts + BLOCK, turns),
            "decisions": summed(1.0).mean(axis=0),
            "changed": summed(changed.astype(np.float64)).mean(axis=0),
            "earned": value,
            "low": low,
            "high": high,
            "worth": summed(decisions["worth"].to_numpy(np.float64)).mean(axis=0),
            "promised": summed(np.where(changed, decisions["promised"], 0.0)).mean(axis=0),
        }
    )
