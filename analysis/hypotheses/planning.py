"""How many worlds a study needs: from a pilot's standard errors to worlds a point for the smallest effects stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from civsim.analysis.hypotheses.judge import judge_study
from civsim.analysis.hypotheses.verdict import SIGNIFICANCE
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.power import WorldsNeeded, equivalence_worlds_needed, worlds_needed

PILOT_WORLDS = 32
"""Worlds a point of a pilot unless told otherwise."""

PILOT_FIRST = 1 << 29
"""Id of a pilot's first world: far from those of the studies, so that no world is used to plan and to judge."""


def plan_worlds(pilot: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008  (immutable)
    """Return the worlds a point that every hypothesis of a study needs, from a pilot of it.

    The significance level is divided by the number of hypotheses (Bonferroni, which Holm never exceeds). Columns:
    ``name``, ``unit``, ``smallest``, ``power``, ``alpha``, ``pilot_worlds``, ``error`` (the pilot's standard error),
    ``worlds`` (needed if that error is right), ``upper`` (if it is at its 80 % upper limit), ``games`` (``worlds`` ×
    points) and ``asked`` (worlds that the study file asks for).

    Raises:
        ResultsError, StudyError: a test cannot be made of these results.
    """
    table = judge_study(pilot, resampling)
    if table.empty:
        return table
    alpha = SIGNIFICANCE / len(table)
    points = len(pilot.manifest["points"])
    rows = []
    for row in table.to_dict("records"):
        need = _needed(row, alpha)
        rows.append(
            {
                "name": row["name"], "unit": row["unit"], "smallest": row["smallest"], "power": row["power"],
                "alpha": alpha, "pilot_worlds": row["worlds"], "error": row["error"], "worlds": need.worlds,
                "upper": need.upper, "games": need.worlds * points, "asked": row["worlds_asked"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _needed(row: Mapping[str, Any], alpha: float) -> WorldsNeeded:
    """Return the worlds one hypothesis needs; where no world differs, two are enough."""
    if row["error"] == 0.0:
        return WorldsNeeded(2, 2, row["worlds"], row["power"], alpha)
    needed = equivalence_worlds_needed if row["expected"] == "nothing" else worlds_needed
    return needed(row["error"], row["worlds"], row["smallest"], power=row["power"], alpha=alpha)
