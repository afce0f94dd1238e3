"""Tests that need the civilizations or the turns: pass-through against contest strength, and reinvestment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from civsim.analysis.hypotheses.arms import contexts, factor_levels
from civsim.analysis.hypotheses.contrasts import slope_weights
from civsim.analysis.hypotheses.evidence import Evidence, bootstrap_evidence, weakest
from civsim.analysis.hypotheses.protocol import HypothesisTest
from civsim.analysis.panel import CLUSTER, OK
from civsim.analysis.results import CONTEXT, FACTOR, Resampling, Results
from civsim.base.errors import ResultsError
from civsim.base.scenario import Frozen

F64 = NDArray[np.float64]

NEWTON_STEPS = 60
"""Steps after which the contest's one-parameter logit has long converged."""

MOST_STRENGTH = 50.0
"""Bound of a contest coefficient: beyond it every match is won, whatever the exact number."""


class PassThroughParams(Frozen):
    """Pass-through of a level's share into output's share, against the odds it gives between two realms of a world."""

    level: str = Field("level_horizon", description="column of the civilizations table that holds the input")


class ReinvestParams(Frozen):
    """Growth of cognitive spending on its own level, with assigned shares as instruments."""

    share: str = Field(description="factor with the share of output assigned to cognition, above 0")
    start: int = Field(20, ge=1, description="last turn of the early window")
    end: int = Field(80, ge=2, description="last turn of the late window")
    window: int = Field(5, ge=1, description="turns averaged in each window")


def _seat_sums(civs: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return, for each world, mean sums that both slopes need; seats whose level or output is 0 are left out.

    Columns: ``xy`` and ``xx``, sums over seats of products of log shares less their mean; and for each gap between the
    log levels of two seats ``met_GAP`` and ``won_GAP``: how many pairs have it, and how often the higher had more.
    """
    rows = []
    for (_, world), part in civs.groupby(["run_id", "world_id"], sort=False):
        keep = (part[level].to_numpy() > 0.0) & (part["output"].to_numpy() > 0.0)
        x, y = np.log(part[level].to_numpy()[keep]), np.log(part["output"].to_numpy()[keep])
        if len(x) < 2:
            continue
        dx, dy = x - x.mean(), y - y.mean()
        row: dict[str, float] = {"world_id": float(world), "xy": float(dx @ dy), "xx": float(dx @ dx)}
        upper, lower = np.triu_indices(len(x), 1)
        for gap, edge in zip(x[upper] - x[lower], y[upper] - y[lower], strict=True):
            if gap == 0.0:
                continue
            key = f"{abs(gap):.6f}"
            row[f"met_{key}"] = row.get(f"met_{key}", 0.0) + 1.0
            row[f"won_{key}"] = row.get(f"won_{key}", 0.0) + 0.5 + 0.5 * float(np.sign(edge * gap))
        rows.append(row)
    if not rows:
        raise ResultsError(
            "no run has two realms with a level and an output above 0; give the seats levels of 1 or more"
        )
    return pd.DataFrame(rows).fillna(0.0).groupby("world_id").mean()


def contest_strength(gaps: F64, met: F64, won: F64) -> F64:
    """Return r of P(the higher wins) = 1 / (1 + e^(−r·gap)) by maximum likelihood, float64 [draws].

    The logit has one coefficient and no constant (Tullock's contest in logs: p = a^r / (a^r + b^r)).

    Args:
        gaps: [J] differences of log inputs, > 0.
        met: [draws, J] matches at each gap (any weight).
        won: [draws, J] matches that the higher side won.
    """
    r = np.zeros(len(met))
    for _ in range(NEWTON_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(r[:, None] * gaps, -500.0, 500.0)))
        score = ((won - met * p) * gaps).sum(1)
        curvature = (met * p * (1.0 - p) * gaps**2).sum(1)
        step = np.divide(score, curvature, out=np.zeros_like(score), where=curvature > 0.0)
        r = np.clip(r + np.clip(step, -1.0, 1.0), -MOST_STRENGTH, MOST_STRENGTH)
    return r


def _agreement(results: Results, params: PassThroughParams, resampling: Resampling, context: str | None) -> Evidence:
    """Judge whether pass-through and contest strength lie on the same side of 1, in every scenario.

    The claim holds where both are above 1, or both below, in each scenario; it is as sure as the least clear of them.
    The evidence is that one's distance from 1, positive where it lies on the other's side.
    """
    parts: dict[str, Evidence] = {}
    for name in [context] if context is not None else contexts(results):
        runs = results.runs.loc[results.runs[CONTEXT] == name]
        # A world that lost a game would stand for another mixture of arms than its neighbours.
        whole = runs[~runs["world_id"].isin(runs.loc[runs["status"] != OK, "world_id"])]
        sums = _seat_sums(results.civs[results.civs["run_id"].isin(whole["run_id"])], params.level)
        keys = [column.removeprefix("met_") for column in sums.columns if column.startswith("met_")]
        gaps = np.array([float(key) for key in keys])
        table = sums[["xy", "xx", *(f"met_{key}" for key in keys), *(f"won_{key}" for key in keys)]].to_numpy()
        dropped = runs["world_id"].nunique() - len(table)

        def strength(means: F64, gaps: F64 = gaps) -> F64:
            return contest_strength(gaps, means[:, 2 : 2 + len(gaps)], means[:, 2 + len(gaps) :]) - 1.0

        through = bootstrap_evidence(table, lambda means: means[:, 0] / means[:, 1] - 1.0, resampling, dropped=dropped)
        contest = bootstrap_evidence(table, strength, resampling, dropped=dropped)
        side = 1.0 if through.value + contest.value > 0.0 else -1.0
        _, least = weakest({"through": through, "contest": contest}, {"through": side, "contest": side})
        parts[str(name)] = least
    return weakest(parts, dict.fromkeys(parts, 1.0))[1]


def _log_windows(results: Results, params: ReinvestParams, level: float, context: str | None) -> pd.DataFrame:
    """Return log cognitive spending in the early and in the late window, one row a world."""
    column = f"{FACTOR}{params.share}"
    keep = results.runs[column] == level
    if context is not None:
        keep &= results.runs[CONTEXT] == context
    points = results.runs.loc[keep, "point"].unique().tolist()
    series = results.read_series(["run_id", "world_id", "turn", "is_focal", "output"], points=points)
    series = series[series["is_focal"] & series["run_id"].isin(results.runs.loc[keep, "run_id"])]
    found = {}
    for name, last in (("early", params.start), ("late", params.end)):
        part = series[(series["turn"] > last - params.window) & (series["turn"] <= last)]
        found[name] = np.log(level) + np.log1p(part.groupby(["world_id", "run_id"])["output"].mean())
    windows = pd.DataFrame(found)
    scenarios = results.runs.loc[keep, CONTEXT].nunique()
    # A world that lacks a scenario would stand for another mixture of them than its neighbours.
    return windows.groupby("world_id").mean()[windows.groupby("world_id").size() == scenarios]


def _reinvestment(results: Results, params: ReinvestParams, resampling: Resampling, context: str | None) -> Evidence:
    """Return d Δln cognition / d ln cognition: Wald's estimate, a ratio of two slopes over arms."""
    levels = [float(level) for level in factor_levels(results, params.share)]
    if min(levels) <= 0.0 or len(levels) < 2:
        raise ResultsError(f"factor={params.share!r} has levels {levels}; give two or more, all above 0")
    parts = [_log_windows(results, params, level, context) for level in levels]
    wide = pd.concat(parts, axis=1, keys=range(len(levels))).dropna()
    early = np.column_stack([wide[k]["early"] for k in range(len(levels))])
    late = np.column_stack([wide[k]["late"] for k in range(len(levels))])
    weights = slope_weights(np.log(np.array(levels)))

    def statistic(means: F64) -> F64:
        return np.asarray((means[:, 1] - means[:, 0]) @ weights / (means[:, 0] @ weights), np.float64)

    dropped = results.runs[list(CLUSTER)].drop_duplicates().shape[0] - len(wide)
    return bootstrap_evidence(np.stack([early, late], axis=1), statistic, resampling, dropped=dropped)


AGREEMENT = HypothesisTest(
    "passthrough-agreement",
    "distance from 1 of pass-through or contest strength, the least clear, positive on the other's side",
    PassThroughParams,
    _agreement,
)
REINVESTMENT = HypothesisTest(
    "reinvestment", "growth of log cognitive spending per unit of log cognitive spending", ReinvestParams, _reinvestment
)
