"""Who leads, since when, and whether more thinking by all is competed away.

Shares are of a world's total output in each turn, by seat. A game ends at turn T, so what is said of the time after
which nothing changes is said of the game: a leader may still fall at T + 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, Estimate
from civsim.analysis.statistics.worlds import world_mean
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LATE = 0.1
"""Last part of the game in which a lock-in counts as late: it may well not have lasted."""


TIE = 1e-6
"""Amounts that differ by no more than this, relative to the largest, are level: outputs are single-precision sums."""


class LockIn(NamedTuple):
    """Since when each world has had its last leader."""

    turn: I64  # [W] first turn (from 1) from which the leader at T leads without a break
    leader: I64  # [W] seat that leads at T
    changes: I64  # [W] changes of leader over the game
    late: float  # share of worlds that lock in within the last LATE of the game, in [0, 1]
    mean: Estimate  # mean of ``turn`` over worlds; a lower bound of the time in a game without end


def _series(amounts: ArrayLike) -> F64:
    table = np.asarray(amounts, np.float64)
    if table.ndim != 3 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise ResultsError(f"amounts have shape {table.shape}; give finite worlds × civilizations (2 or more) × turns")
    return table


def leaders(amounts: ArrayLike) -> I64:
    """Return the seat with the largest amount in each turn, int64 [W, T].

    Where several share the largest amount (to :data:`TIE`), the leader of the turn before stays if it is one of them;
    else the lowest seat leads.

    Raises:
        ResultsError: ``amounts`` are not finite float [W, N ≥ 2, T].
    """
    table = _series(amounts)
    largest = table.max(axis=1, keepdims=True)
    most = table >= largest - TIE * np.abs(largest)
    lead = most.argmax(axis=1)
    rows = np.arange(len(table))
    for turn in range(1, table.shape[2]):
        stays = most[rows, lead[:, turn - 1], turn]
        lead[:, turn] = np.where(stays, lead[:, turn - 1], lead[:, turn])
    return lead


def lock_in(amounts: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> LockIn:
    """Return since when the last leader of each world has led without a break.

    Args:
        amounts: float [W, N, T], such as output by seat and turn.
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    The turn is in 1 … T: 1 where one seat leads all along, T where the leader changes in the last turn. It is known
    in every world (the game is seen to its end), but it is that of a game of T turns.

    Raises:
        ResultsError: as :func:`leaders`, or fewer than two worlds.
    """
    lead = leaders(amounts)
    turns = lead.shape[1]
    other = lead != lead[:, -1:]
    last_other = np.where(other.any(axis=1), turns - other[:, ::-1].argmax(axis=1), 0)
    turn = last_other + 1
    return LockIn(
        turn.astype(np.int64),
        lead[:, -1].astype(np.int64),
        (np.diff(lead, axis=1) != 0).sum(axis=1).astype(np.int64),
        float((turn > (1.0 - LATE) * turns).mean()),
        world_mean(turn, draws=draws, seed=seed, level=level),
    )


def rank_correlation(first: ArrayLike, second: ArrayLike) -> F64:
    """Return Spearman's rank correlation over the last axis, in [-1, 1]; nan where all are equal in either.

    Ties take the mean of their ranks (Spearman, *American Journal of Psychology* 15(1), 1904).
    """
    a = rankdata(np.asarray(first, np.float64), axis=-1)
    b = rankdata(np.asarray(second, np.float64), axis=-1)
    a = a - a.mean(axis=-1, keepdims=True)
    b = b - b.mean(axis=-1, keepdims=True)
    scale = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.divide((a * b).sum(axis=-1), scale, out=np.full(scale.shape, np.nan), where=scale > 0.0)


def rank_persistence(amounts: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return how far the order of the civilizations at each turn is already that of the end.

    ``amounts`` is float [W, N, T]. Columns: ``turn`` (from 1), ``correlation`` (mean over worlds of Spearman's between
    the turn and T), ``low``, ``high``, ``worlds`` (those with an order at both; worlds in which all are level are left
    out). Turns with fewer than two such worlds are left out.

    Raises:
        ResultsError: as :func:`leaders`.
    """
    table = np.moveaxis(_series(amounts), 2, 1)
    found = rank_correlation(table, table[:, -1:, :])
    rows = []
    for turn, column in enumerate(found.T, start=1):
        known = column[np.isfinite(column)]
        if known.size > 1:
            mean = world_mean(known, draws=draws, seed=seed, level=level)
            rows.append((turn, float(mean.value), float(mean.low), float(mean.high), known.size))
    return pd.DataFrame(rows, columns=["turn", "correlation", "low", "high", "worlds"])


def red_queen(values: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> pd.DataFrame:
    """Return what more thinking gains one who thinks more alone, and what is left when all do.

    Args:
        values: float [W, 3], the focal civilization's outcome in the same worlds: all low; it alone high; all high.
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    Rows (column ``quantity``, with ``value``, ``low``, ``high``, ``worlds``): ``private`` (alone high − all low),
    ``universal`` (all high − all low), ``competed_away`` (private − universal = alone high − all high: what the
    rivals' thinking takes from it). After the Red Queen, who runs to stay where she is (Van Valen, *Evolutionary
    Theory* 1, 1973).

    Raises:
        ResultsError: not three columns, fewer than two worlds, or values that are not finite.
    """
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or table.shape[1] != len(_ARMS):
        raise ResultsError(f"values have shape {table.shape}; give worlds × 3 arms: {', '.join(_ARMS)}")
    contrasts = np.array([[-1.0, -1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    found = world_mean(table @ contrasts, draws=draws, seed=seed, level=level)
    return pd.DataFrame(
        {
            "quantity": ["private", "universal", "competed_away"],
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "worlds": len(table),
        }
    )


_ARMS = ("all low", "one high", "all high")
