"""Who earns what a coalition earns: exact Shapley values and interactions of a few players, with intervals.

A *player* is anything that may be there or not (a variable that is attended, a channel that is open), a *coalition* a
set of players, and v(S) the mean outcome with the players of S there. With n players all 2ⁿ coalitions are played, in
the same worlds, so nothing is sampled but worlds. The Shapley value (Shapley, *Contributions to the Theory of Games*
II, 1953) of a player is what it adds on average over all orders in which the players may arrive,

    φ_i = Σ_{S ⊆ N∖i} |S|! (n − |S| − 1)! / n! · [v(S ∪ i) − v(S)],

and the values add up to v(N) − v(∅). The interaction index (Grabisch and Roubens, *International Journal of Game
Theory* 28, 1999) of two players is what they add together beyond what each adds alone, averaged likewise,

    I_ij = Σ_{S ⊆ N∖{i,j}} |S|! (n − |S| − 2)! / (n − 1)! · [v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S)]:

positive for complements, negative for substitutes. All are linear in v, hence plain means over worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, factorial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.resample import (
    DRAWS,
    LEVEL,
    SEED,
    bootstrap_means,
    bootstrap_weights,
    widened_interval,
)
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]

MOST_PLAYERS = 10
"""All 2ⁿ coalitions have to be played; 1,024 arms are as many as a study can bear."""


def coalitions(players: Sequence[str]) -> list[frozenset[str]]:
    """Return all 2ⁿ coalitions; bit i of the position says whether player i is in it (0 is the empty one).

    Raises:
        ResultsError: no players, a player named twice, or more than :data:`MOST_PLAYERS`.
    """
    if not 1 <= len(players) <= MOST_PLAYERS:
        raise ResultsError(f"players={len(players)} is outside 1 to {MOST_PLAYERS}; group some of them")
    if len(set(players)) != len(players):
        raise ResultsError(f"players {', '.join(players)} name one twice; name each once")
    return [frozenset(name for i, name in enumerate(players) if mask >> i & 1) for mask in range(2 ** len(players))]


def shapley_matrix(n: int) -> F64:
    """Return the float64 [n, 2ⁿ] that maps the worths of coalitions (see :func:`coalitions`) to Shapley values."""
    matrix = np.zeros((n, 2**n))
    for player in range(n):
        for mask in range(2**n):
            if mask >> player & 1:
                continue
            size = mask.bit_count()
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            matrix[player, mask | 1 << player] += weight
            matrix[player, mask] -= weight
    return matrix


def interaction_matrix(n: int) -> tuple[list[tuple[int, int]], F64]:
    """Return the pairs of players and the float64 [pairs, 2ⁿ] that maps worths to their interaction indices."""
    pairs = list(combinations(range(n), 2))
    matrix = np.zeros((len(pairs), 2**n))
    for row, (i, j) in enumerate(pairs):
        for mask in range(2**n):
            if mask >> i & 1 or mask >> j & 1:
                continue
            size = mask.bit_count()
            weight = factorial(size) * factorial(n - size - 2) / factorial(n - 1)
            for other, sign in (
                (mask | 1 << i | 1 << j, 1.0),
                (mask | 1 << i, -1.0),
                (mask | 1 << j, -1.0),
                (mask, 1.0),
            ):
                matrix[row, other] += sign * weight
    return pairs, matrix


def position_matrix(n: int) -> F64:
    """Return the float64 [n, n, 2ⁿ] that maps worths to what player i adds when it comes at position p (0 … n − 1).

    The mean over the C(n − 1, p) sets of players that may stand before it; the mean over positions is the Shapley
    value.
    """
    matrix = np.zeros((n, n, 2**n))
    for player in range(n):
        for mask in range(2**n):
            if mask >> player & 1:
                continue
            size = mask.bit_count()
            weight = 1.0 / comb(n - 1, size)
            matrix[player, size, mask | 1 << player] += weight
            matrix[player, size, mask] -= weight
    return matrix


ROUNDING = 1e-12
"""An effect below this share of the largest worth is the rounding of a sum."""


def _estimates(values: ArrayLike, players: Sequence[str], matrix: F64, draws: int, seed: int, level: float) -> F64:
    """Return (estimate, low, high), float64 [3, K], of ``matrix`` [K, 2ⁿ] applied to ``values`` [W, 2ⁿ]."""
    table = np.asarray(values, np.float64)
    worths = len(coalitions(players))
    if table.ndim != 2 or table.shape[1] != worths:
        raise ResultsError(f"worths of shape {table.shape} do not fit; give worlds × {worths} coalitions")
    if not np.isfinite(table).all():
        raise ResultsError("a coalition's worth is NaN or infinite; drop the world or play it again")
    effects = table @ matrix.T
    # Coalitions that play the same games leave the rounding of a sum of large worths, which is no effect.
    effects[np.abs(effects) <= ROUNDING * np.abs(table).max()] = 0.0
    weights = bootstrap_weights(table.shape[0], draws, seed)
    low, high = widened_interval(effects.mean(0), bootstrap_means(effects, weights), table.shape[0], level)
    return np.stack([effects.mean(0), low, high])


def shapley_values(
    values: ArrayLike,
    players: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return each player's Shapley value, with what it adds when it comes first, and last.

    Args:
        values: float [W, 2ⁿ], the outcome of every world under every coalition, in the order of :func:`coalitions`.
        players: n names.
        draws: bootstrap draws of whole worlds.
        seed: seed of the resampling.
        level: coverage, in (0, 1).

    Returns:
        One row a player: ``player``, ``worlds``, ``value``, ``low``, ``high``; ``first`` = v({i}) − v(∅) and
        ``last`` = v(N) − v(N∖i), each with ``_low`` and ``_high``. All in the outcome's unit.

    Raises:
        ResultsError: players and coalitions that do not fit, fewer than two worlds, or values that are not finite.
    """
    n = len(coalitions(players)).bit_length() - 1
    places = position_matrix(n)
    table = pd.DataFrame({"player": list(players), "worlds": len(np.asarray(values))})
    for name, matrix in (("", shapley_matrix(n)), ("first", places[:, 0]), ("last", places[:, n - 1])):
        estimate, low, high = _estimates(values, players, matrix, draws, seed, level)
        table[name or "value"] = estimate
        table[f"{name}_low" if name else "low"] = low
        table[f"{name}_high" if name else "high"] = high
    return table


def shapley_interactions(
    values: ArrayLike,
    players: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return the interaction index of every pair of players; arguments and errors as :func:`shapley_values`.

    Columns: ``first``, ``second``, ``worlds``, ``value``, ``low``, ``high``.
    """
    n = len(coalitions(players)).bit_length() - 1
    if n < 2:
        raise ResultsError(f"players={n} make no pair; at least 2 are needed")
    pairs, matrix = interaction_matrix(n)
    estimate, low, high = _estimates(values, players, matrix, draws, seed, level)
    return pd.DataFrame(
        {
            "first": [players[i] for i, _ in pairs],
            "second": [players[j] for _, j in pairs],
            "worlds": len(np.asarray(values)),
            "value": estimate,
            "low": low,
            "high": high,
        }
    )


def values_by_position(
    values: ArrayLike,
    players: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Return what each player adds by its place in the order (1: first); arguments and errors as above.

    The average over all orders in which it has that place. Columns: ``player``, ``position``, ``worlds``, ``value``,
    ``low``, ``high``; a player's mean over positions is its Shapley value.
    """
    n = len(coalitions(players)).bit_length() - 1
    matrix = position_matrix(n).reshape(n * n, -1)
    estimate, low, high = _estimates(values, players, matrix, draws, seed, level)
    return pd.DataFrame(
        {
            "player": np.repeat(list(players), n),
            "position": np.tile(np.arange(1, n + 1), n),
            "worlds": len(np.asarray(values)),
            "value": estimate,
            "low": low,
            "high": high,
        }
    )
