"""How many worlds a study needs: from a pilot's standard errors to worlds a point for the smallest effects stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from civsim.analysis.hypotheses.judge import judge_study
from civsim.analysis.hypotheses.verdict import SIGNIFICANCE
from civsim.analysis.results import Resampling, Results
from civsim.analysis.statistics.power import WorldsNeeded, equivalence_worlds_needed, worlds_needed

PILOT_FIRST = 1 << 29
"""Id of a pilot's first world: far from those of the studies, so that no world is used to plan and to judge."""


def plan_worlds(pilot: Results, resampling: Resampling = Resampling()) -> pd.DataFrame:  # noqa: B008  (immutable)
    """Return the worlds a point that every hypothesis of a study needs, from a pilot of it.

    The significance level is divided by the number of hypotheses (Bonferroni, which Holm never exceeds). Columns:
    ``name``, ``unit``, ``effect`` (the smallest effect; the margin where none is expected), ``power``, ``alpha``,
    ``pilot_worlds``, ``error`` (the pilot's standard error),
    ``worlds`` (needed if that error is right), ``upper`` (if it is at its 80 % upper limit), ``games`` (``worlds`` ×
    points) and ``asked`` (worlds that the study file asks for). The three are empty where the pilot's worlds all agree.

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
        effect = row["margin" if row["expected"] == "nothing" else "smallest"]
        need = _needed(row, effect, alpha)
        rows.append(
            {
                "name": row["name"], "unit": row["unit"], "effect": effect, "power": row["power"], "alpha": alpha,
                "pilot_worlds": row["worlds"], "error": row["error"],
                "worlds": None if need is None else need.worlds, "upper": None if need is None else need.upper,
                "games": None if need is None else need.worlds * points, "asked": row["worlds_asked"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype(dict.fromkeys(("worlds", "upper", "games"), "Int64"))


def _needed(row: Mapping[str, Any], effect: float, alpha: float) -> WorldsNeeded | None:
    """Return the worlds one hypothesis needs, each part of a joint claim with its share of the power; None if unknown.

    A pilot whose worlds all agree says nothing of how many are needed, unless its arms play the very same games.
    """
    if row["expected"] == "nothing" and row["error"] == 0.0 and row["value"] == 0.0:
        return WorldsNeeded(2, 2, row["worlds"], row["power"], alpha)
    if not row["error"] > 0.0:
        return None
    needed = equivalence_worlds_needed if row["expected"] == "nothing" else worlds_needed
    power = row["power"] ** (1.0 / row["parts"])
    return needed(row["error"], row["worlds"], effect, power=power, alpha=alpha)
