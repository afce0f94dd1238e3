"""Tests about the shape of a response: rating points a doubling, and where a curve is highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import t as student

from civsim.analysis.hypotheses.arms import arm_worlds, contexts, factor_levels
from civsim.analysis.hypotheses.contrasts import slope_weights
from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence, student_evidence
from civsim.analysis.hypotheses.protocol import HypothesisTest
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.optimum import Smoother, fit_smoother, noise_of_means, resolution
from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights
from civsim.base.errors import ResultsError
from civsim.base.scenario import Frozen

F64 = NDArray[np.float64]

ELO = 400.0
"""Rating points that make the odds of winning ten times as good (Elo, *The Rating of Chessplayers*, 1978)."""


class EloParams(Frozen):
    """Matches of a realm against one with half its level, and how the rating gap changes with the level."""

    arms: tuple[dict[str, Any], ...] = Field(min_length=3, description="matches, by level of each factor")
    doubling: tuple[float, ...] = Field(min_length=3, description="log2 of the stronger side's level in each match")


class BestDoseParams(Frozen):
    """Where the outcome is highest over a dose, and how that place moves with a context."""

    outcome: str = Field("welfare", description="what is to be highest")
    dose: str = Field(description="factor whose best level is sought")
    moves: tuple[dict[str, Any], ...] = Field(min_length=2, description="contexts, by level of each factor")
    at: tuple[float, ...] = Field(min_length=2, description="place of each context on the x axis")
    scale: Literal["linear", "log2"] = Field("linear", description="x axis: as given, or its log to base 2")


def elo_gap(wins: F64, games: int) -> F64:
    """Return the rating gap of a win rate, in Elo points: 400 log₁₀(p / (1 − p)).

    A clean sweep of ``games`` games counts half a game less, so that the gap is finite.
    """
    edge = 0.5 / games
    p = np.clip(wins, edge, 1.0 - edge)
    return np.asarray(ELO * np.log10(p / (1.0 - p)), np.float64)


def _elo_slope(results: Results, params: EloParams, resampling: Resampling, context: str | None) -> Evidence:
    if len(params.arms) != len(params.doubling):
        counts = f"{len(params.arms)} matches and {len(params.doubling)} doublings"
        raise ResultsError(f"the test has {counts}; give one doubling a match")
    worlds = arm_worlds(results, list(params.arms), "win", context=context)
    scenarios = 1 if context is not None else len(contexts(results))
    weights, games = slope_weights(np.asarray(params.doubling, np.float64)), len(worlds.values) * scenarios
    return bootstrap_evidence(
        worlds.values, lambda wins: elo_gap(wins, games) @ weights, resampling, dropped=worlds.dropped
    )


def _best_dose(results: Results, params: BestDoseParams, resampling: Resampling, context: str | None) -> Evidence:
    """Return the slope of the best dose on the context, from smooth curves through the arm means.

    A best dose cannot be placed where the curve is flat, or where it lies at the largest dose tried: the slope is then
    shown with a note and not judged. The smallest dose, none, is a corner like any other place.
    """
    if len(params.moves) != len(params.at):
        raise ResultsError(f"the test has {len(params.moves)} contexts at {len(params.at)} places; give each a place")
    levels = factor_levels(results, params.dose)
    doses = np.asarray(levels, np.float64)
    arms = [{**move, params.dose: level} for move in params.moves for level in levels]
    worlds = arm_worlds(results, arms, params.outcome, context=context)
    table = worlds.values.reshape(len(worlds.values), len(params.moves), len(levels))
    smoothers = [
        fit_smoother(doses, table[:, k].mean(0), noise_of_means(table[:, k])) for k in range(len(params.moves))
    ]
    x = np.asarray(params.at, np.float64)
    weights = slope_weights(np.log2(x) if params.scale == "log2" else x)
    found = bootstrap_evidence(
        table, lambda means: _peaks(smoothers, means) @ weights, resampling, dropped=worlds.dropped
    )
    # What lies between two doses is interpolated, and resampling does not see the error of that: the interval of the
    # slope is as much wider as the limits of the best doses move (see :func:`resolution`).
    reach = sum(
        abs(weight) * resolution(float(dose), doses)
        for weight, dose in zip(weights, _peaks(smoothers, table.mean(0)[None])[0], strict=True)
    )
    tail = float(student.isf(0.5 * (1.0 - resampling.level), found.freedom))
    wider = student_evidence(
        found.value, found.error + reach / tail, found.worlds, level=resampling.level, dropped=found.dropped
    )
    return wider._replace(note=_misplaced(smoothers, table, params.moves, resampling))


def _peaks(smoothers: Sequence[Smoother], means: F64) -> F64:
    """Return the best dose of every curve, float64 [draws, K], from arm means [draws, K, D]."""
    best = [smoother.grid[np.argmax(means[:, k] @ smoother.matrix.T, 1)] for k, smoother in enumerate(smoothers)]
    return np.column_stack(best)


def _misplaced(
    smoothers: Sequence[Smoother], table: F64, moves: Sequence[Mapping[str, Any]], resampling: Resampling
) -> str:
    """Return why a best dose cannot be placed, or an empty text; ``table`` is float [W, K, D]."""
    drawn = bootstrap_means(table, bootstrap_weights(len(table), resampling.draws, resampling.seed))
    tail = 0.5 * (1.0 - resampling.level)
    said = []
    for k, (smoother, move) in enumerate(zip(smoothers, moves, strict=True)):
        curve, curves = smoother.matrix @ table[:, k].mean(0), drawn[:, k] @ smoother.matrix.T
        name = ", ".join(str(level) for level in move.values())
        if np.mean(np.ptp(curves - curve, axis=1) >= np.ptp(curve)) > 2.0 * tail:
            said.append(f"at {name} the curve is flat")
        elif np.mean(np.argmax(curves, 1) == smoother.grid.size - 1) > tail:
            said.append(f"at {name} the best dose may lie beyond the largest tried")
    return "; ".join(said)


ELO_SLOPE = HypothesisTest("elo-slope", "change of Elo a doubling from one doubling to the next", EloParams, _elo_slope)
BEST_DOSE = HypothesisTest("best-dose", "slope of the best dose on a context", BestDoseParams, _best_dose)
