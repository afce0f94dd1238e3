"""Tests about the shape of a response: rating points a doubling, and where a curve is highest."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from civsim.analysis.hypotheses.arms import arm_worlds, factor_levels
from civsim.analysis.hypotheses.contrasts import slope_weights
from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence
from civsim.analysis.hypotheses.protocol import HypothesisTest
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.optimum import fit_smoother, noise_of_means
from civsim.base.config import Frozen
from civsim.base.errors import ResultsError

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

    A clean sweep of ``games`` games counts half a game less, so that the gap is finite (Haldane, *Annals of Human
    Genetics* 20(4), 1956).
    """
    edge = 0.5 / games
    p = np.clip(wins, edge, 1.0 - edge)
    return np.asarray(ELO * np.log10(p / (1.0 - p)), np.float64)


def _elo_slope(results: Results, params: EloParams, resampling: Resampling, context: str | None) -> Evidence:
    if len(params.arms) != len(params.doubling):
        counts = f"{len(params.arms)} matches and {len(params.doubling)} doublings"
        raise ResultsError(f"the test has {counts}; give one doubling a match")
    worlds = arm_worlds(results, list(params.arms), "win", context=context)
    weights, games = slope_weights(np.asarray(params.doubling, np.float64)), len(worlds.values)
    return bootstrap_evidence(
        worlds.values, lambda wins: elo_gap(wins, games) @ weights, resampling, dropped=worlds.dropped
    )


def _best_dose(results: Results, params: BestDoseParams, resampling: Resampling, context: str | None) -> Evidence:
    """Return the slope of the best dose on the context, from smooth curves through the arm means."""
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

    def statistic(means: F64) -> F64:
        best = [smoother.grid[np.argmax(means[:, k] @ smoother.matrix.T, 1)] for k, smoother in enumerate(smoothers)]
        return np.asarray(np.column_stack(best) @ weights, np.float64)

    return bootstrap_evidence(table, statistic, resampling, dropped=worlds.dropped)


ELO_SLOPE = HypothesisTest("elo-slope", "change of Elo a doubling from one doubling to the next", EloParams, _elo_slope)
BEST_DOSE = HypothesisTest("best-dose", "slope of the best dose on a context", BestDoseParams, _best_dose)
