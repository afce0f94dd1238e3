"""How far one civilization's thinking moves the whole world, and how improbable its outcome is under a reference.

The same world is played twice, with everything alike but one civilization's cognition (paired seeds). What differs
afterwards is due to the thinking, but chaos makes any two different games drift apart: a wrong turn of one scout is
enough. So divergence is shown beside two benchmarks: an arm against itself, which is exactly 0 because games are
functions of their seeds, and two other levels against each other. Unsigned gaps tell how different the worlds are;
only the signed gap tells that they are better or worse.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED, Estimate
from civsim.analysis.statistics.worlds import world_mean
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]


def map_divergence(first: ArrayLike, second: ArrayLike) -> F64:
    """Return the share of cells whose owner differs, float64 [W, M] in [0, 1].

    ``first`` and ``second`` are int [W, M, C]: the owner of each of C cells at M turns of W worlds, −1 for none.

    Raises:
        ResultsError: shapes differ, or there are no cells.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.ndim != 3 or 0 in a.shape:
        raise ResultsError(f"maps have shapes {a.shape} and {b.shape}; give worlds × turns × cells, alike in both")
    return np.asarray((a != b).mean(axis=2))


def log_gap(first: ArrayLike, second: ArrayLike) -> F64:
    """Return log(second / first), float64, where both are above 0; nan where either is 0.

    Raises:
        ResultsError: shapes differ, or an amount is negative or not finite.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise ResultsError(f"arms have shapes {a.shape} and {b.shape}; play the same worlds in both")
    if not (np.isfinite(a).all() and np.isfinite(b).all() and (a >= 0.0).all() and (b >= 0.0).all()):
        raise ResultsError("an output is negative or not finite; its log has no value")
    both = (a > 0.0) & (b > 0.0)
    return np.where(both, np.log(np.where(both, b, 1.0)) - np.log(np.where(both, a, 1.0)), np.nan)


MEASURES = {
    "world_log_output": "|Δ log output| of the whole world",
    "world_log_output_signed": "Δ log output of the whole world, with its sign",
    "focal_log_output": "|Δ log output| of the civilization whose thinking differs, where it lives in both",
    "rival_log_output": "mean |Δ log output| of the others, where they live in both",
    "fates": "share of civilizations alive in one arm and dead in the other",
    "survivors_signed": "Δ number of civilizations alive, with its sign",
    "cells": "share of cells whose owner differs",
}
"""What is compared turn by turn, by name, in words."""


class Worlds(NamedTuple):
    """One arm's worlds, turn by turn."""

    output: F64  # [W, N, T] output by seat and turn, >= 0; 0 for the dead
    alive: F64  # [W, N, T] 1 while it holds a cell at the end of the turn
    focal: NDArray[np.int64]  # [W] the seat whose thinking differs
    maps: NDArray[np.int8] | None  # [W, M, C] owner of each cell at the turns below; None if not recorded
    map_turns: tuple[int, ...]  # [M] turns (from 1) of the maps


def divergence(
    first: Worlds, second: Worlds, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> pd.DataFrame:
    """Return how far two arms of the same worlds are apart, turn by turn.

    Columns: ``measure`` (a key of :data:`MEASURES`), ``turn`` (from 1), ``value`` (mean over worlds, second less
    first where signed), ``low``, ``high``, ``worlds`` (those with a value). A measure has no row in turns in which
    fewer than two worlds have a value; ``cells`` has rows at the turns with maps alone.

    Raises:
        ResultsError: the arms are of different worlds, focal seats or shapes, or outputs are no amounts.
    """
    found = gaps(first, second)
    cells = found.pop("cells", None)
    rows = [
        _row(name, turn, column, draws, seed, level)
        for name, values in found.items()
        for turn, column in enumerate(values.T, start=1)
    ]
    if cells is not None:
        pairs = zip(first.map_turns, cells.T, strict=True)
        rows += [_row("cells", turn, column, draws, seed, level) for turn, column in pairs]
    known = [row for row in rows if row is not None]
    return pd.DataFrame(known, columns=["measure", "turn", "value", "low", "high", "worlds"])


def gaps(first: Worlds, second: Worlds) -> dict[str, F64]:
    """Return each of :data:`MEASURES` world by world, float64 [W, T] (``cells``, where there are maps, [W, M]).

    A measure without a value in a world and turn (nobody lives in both arms) is nan there.

    Raises:
        ResultsError: the arms are of different worlds, focal seats or shapes, or outputs are no amounts.
    """
    if first.output.shape != second.output.shape or not np.array_equal(first.focal, second.focal):
        raise ResultsError("the arms have other worlds, seats or turns; compare arms that played the same worlds")
    total = log_gap(first.output.sum(axis=1), second.output.sum(axis=1))
    each = np.abs(log_gap(first.output, second.output))
    rows = np.arange(len(first.focal))
    others = np.ones(each.shape[:2], bool)
    others[rows, first.focal] = False
    known = np.isfinite(each) & others[:, :, None]
    count = known.sum(axis=1)
    rivals = np.where(known, each, 0.0).sum(axis=1) / np.maximum(count, 1)
    found = {
        "world_log_output": np.abs(total),
        "world_log_output_signed": total,
        "focal_log_output": each[rows, first.focal],
        "rival_log_output": np.where(count > 0, rivals, np.nan),
        "fates": (first.alive != second.alive).mean(axis=1),
        "survivors_signed": (second.alive - first.alive).sum(axis=1),
    }
    if first.maps is not None and second.maps is not None and first.map_turns == second.map_turns:
        found["cells"] = map_divergence(first.maps, second.maps)
    return found


def _row(
    name: str, turn: int, column: F64, draws: int, seed: int, level: float
) -> tuple[str, int, float, float, float, int] | None:
    known = column[np.isfinite(column)]
    if known.size < 2:
        return None
    mean = world_mean(known, draws=draws, seed=seed, level=level)
    return name, turn, float(mean.value), float(mean.low), float(mean.high), known.size


class Bits(NamedTuple):
    """Optimisation power in bits, world by world and on average."""

    each: F64  # [W] bits, in [0, most]
    mean: Estimate  # mean over worlds
    most: float  # log₂(R + 1): more cannot be seen with R reference games
    saturated: float  # share of worlds at that bound; where it is not small the mean is a lower bound


def optimisation_bits(
    outcome: ArrayLike, reference: ArrayLike, *, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL
) -> Bits:
    """Return how improbable an outcome at least as good is under a reference policy, in bits.

    A world's bits are −log₂ P(U ≥ u), U the outcome of the reference policy in the same world (Yudkowsky, "Measuring
    optimization power", 2008). P is estimated by (k + 1)/(R + 1), k of the R reference games being at least as good
    (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 4.2), so that it is never 0 and the
    bits are at most log₂(R + 1). A policy no better than the reference has not 0 bits but about 1/ln 2 = 1.44, as −log₂
    of a uniform number; with R games it is the mean of −log₂(j/(R + 1)) over j = 1 … R + 1, if outcomes are distinct.

    Args:
        outcome: float [W], of the policy measured.
        reference: float [W, R], of R games of the reference policy in each of these worlds.
        draws: bootstrap draws of whole worlds.
        seed: of the resampling generator.
        level: coverage, in (0, 1).

    Raises:
        ResultsError: shapes do not match, no reference game, fewer than two worlds, or values that are not finite.
    """
    u, other = np.asarray(outcome, np.float64), np.asarray(reference, np.float64)
    if u.ndim != 1 or other.ndim != 2 or len(other) != len(u) or other.shape[1] < 1:
        raise ResultsError(f"outcomes {u.shape} and reference {other.shape} do not match; give [worlds], [worlds, R]")
    if not (np.isfinite(u).all() and np.isfinite(other).all()):
        raise ResultsError("an outcome is not finite; drop its world first, and say how many")
    games = other.shape[1]
    as_good = (other >= u[:, None]).sum(axis=1)
    each = -np.log2((as_good + 1.0) / (games + 1.0)) + 0.0
    most = float(np.log2(games + 1.0))
    mean = world_mean(each, draws=draws, seed=seed, level=level)
    bounded = Estimate(mean.value, np.clip(mean.low, 0.0, most), np.clip(mean.high, 0.0, most))
    return Bits(each, bounded, most, float((as_good == 0).mean()))


def no_skill_bits(games: int) -> float:
    """Return the expected bits of the reference policy measured against ``games`` games of itself.

    Raises:
        ResultsError: fewer than one game.
    """
    if games < 1:
        raise ResultsError(f"games={games} is below 1; bits need at least one reference game")
    return float(-np.log2(np.arange(1, games + 2) / (games + 1.0)).mean())
