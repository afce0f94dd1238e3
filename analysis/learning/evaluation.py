"""From the games of an evaluation to its tables: what each policy scores, and how it compares on the same worlds.

A games table has one row a policy, run and world: ``policy`` (a kind: runs that differ in their seed alone share it),
``run`` (which of them), ``world_id``, ``seat`` (the focal one), the recorded objectives (``welfare``, …) and spending
over the game (``spent_consumption``, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.panel import require_columns, select
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.statistics.scores import (
    interquartile_mean,
    mean_score,
    paired_difference,
    performance_profile,
    probability_of_improvement,
    spending_shares,
)
from civsim.base.constants import Category, Objective
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

OBJECTIVES = tuple(objective.name.lower() for objective in Objective)
SPENDING = tuple(f"spent_{category.name.lower()}" for category in Category)

THRESHOLDS = 61
"""Points of a performance profile, evenly spaced from the least score of any policy to the largest."""


class EvaluationTables(NamedTuple):
    """What an evaluation reports; scores are in units of the objective, shares of all spending in [0, 1]."""

    summary: pd.DataFrame  # one row a policy: interquartile mean and mean with intervals, spending
    comparisons: pd.DataFrame  # one row a judged policy and another: paired difference, probability of improvement
    profile: pd.DataFrame  # one row a policy and threshold: share of runs × worlds above it, with its band


def games_rows(policy: str, run: str, world_ids: I64, seats: I64, outcomes: F64, spent: F64) -> pd.DataFrame:
    """Return the rows of one run in a games table.

    ``world_ids`` and ``seats`` are int [W], ``outcomes`` float [W, 4] by Objective, ``spent`` float [W, 8] by Category.
    """
    rows = pd.DataFrame({"policy": policy, "run": run, "world_id": world_ids, "seat": seats})
    return rows.assign(**dict(zip(OBJECTIVES, outcomes.T, strict=True)), **dict(zip(SPENDING, spent.T, strict=True)))


def run_world_table(games: pd.DataFrame, policy: str, columns: Sequence[str]) -> F64:
    """Return ``columns`` of one policy's games by run and world, float64 [R, W, len(columns)].

    Runs are in the order they first appear, worlds by id.

    Raises:
        ResultsError: a column is missing, the policy has no games, or a run lacks a world or has it twice.
    """
    require_columns(games, ["policy", "run", "world_id", *columns])
    mine = select(games, {"policy": policy})
    if mine.empty:
        raise ResultsError(f"policy={policy!r} has no games in the table; it has {', '.join(games['policy'].unique())}")
    runs, worlds = mine["run"].unique().tolist(), np.sort(games["world_id"].unique())
    if len(mine) != len(runs) * len(worlds) or mine.duplicated(["run", "world_id"]).any():
        raise ResultsError(f"policy={policy!r}: {len(mine)} games are not {len(runs)} runs × {len(worlds)} worlds")
    order = np.lexsort((mine["world_id"], mine["run"].map(runs.index)))
    return mine[list(columns)].to_numpy(np.float64)[order].reshape(len(runs), len(worlds), len(columns))


def evaluation_tables(
    games: pd.DataFrame,
    objective: str,
    judged: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> EvaluationTables:
    """Return the tables of an evaluation.

    Args:
        games: a games table, every policy on the same worlds.
        objective: the column that counts, one of :data:`OBJECTIVES`.
        judged: the policies to compare with every other, each pair of judged ones once.
        draws: bootstrap draws.
        seed: seed of the resampling.
        level: coverage of the intervals.

    Raises:
        ResultsError: a column or a judged policy is missing, policies met different worlds, or fewer than two worlds.
    """
    names = list(dict.fromkeys(games["policy"]))
    if missing := [name for name in judged if name not in names]:
        raise ResultsError(f"policy={missing[0]!r} has no games in the table; it has {', '.join(names)}")
    options: dict[str, Any] = {"draws": draws, "seed": seed, "level": level}
    scores = {name: run_world_table(games, name, [objective])[:, :, 0] for name in names}
    summary = [
        _summary_row(name, scores[name], run_world_table(games, name, SPENDING), name in judged, options)
        for name in names
    ]
    rest = [name for name in names if name not in judged]
    comparisons = [
        _comparison_row(name, other, scores[name], scores[other], options)
        for place, name in enumerate(judged)
        for other in [*judged[place + 1 :], *rest]
    ]
    every = np.concatenate([table.ravel() for table in scores.values()])
    thresholds = np.linspace(every.min(), every.max(), THRESHOLDS)
    return EvaluationTables(
        pd.DataFrame(summary),
        pd.DataFrame(comparisons),
        pd.concat([_profile(name, scores[name], thresholds, options) for name in names], ignore_index=True),
    )


def _summary_row(name: str, scores: F64, spent: F64, judged: bool, options: dict[str, Any]) -> dict[str, object]:
    row: dict[str, object] = {"policy": name, "judged": judged, "runs": len(scores), "worlds": scores.shape[1]}
    for label, found in (("iqm", interquartile_mean(scores, **options)), ("mean", mean_score(scores, **options))):
        row |= {label: found.value, f"{label}_low": found.low, f"{label}_high": found.high}
    shares = spending_shares(spent, **options)
    for place, label in enumerate([*(category.name.lower() for category in Category), "cognition"]):
        row[f"share_{label}"] = shares.value[place]
    row |= {"share_cognition_low": shares.low[-1], "share_cognition_high": shares.high[-1]}
    return row


def _comparison_row(name: str, other: str, own: F64, theirs: F64, options: dict[str, Any]) -> dict[str, object]:
    gap, better = paired_difference(own, theirs, **options), probability_of_improvement(own, theirs, **options)
    return {
        "policy": name, "other": other, "worlds": own.shape[1], "runs": len(own), "other_runs": len(theirs),
        "difference": gap.value, "low": gap.low, "high": gap.high,
        "improvement": better.value, "improvement_low": better.low, "improvement_high": better.high,
    }  # fmt: skip


def _profile(name: str, scores: F64, thresholds: F64, options: dict[str, Any]) -> pd.DataFrame:
    found = performance_profile(scores, thresholds, **options)
    return pd.DataFrame(
        {"policy": name, "threshold": thresholds, "share": found.value, "low": found.low, "high": found.high}
    )
