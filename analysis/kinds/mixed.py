"""Mixed effects: how much of welfare is the map, and what a dose does within maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, Row, draw_rows, each_stratum, log_percent, stack_tables, words
from civsim.analysis.panel import CLUSTER, OK, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.mixed import mixed_effect
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEWEST = 3
"""Levels of a dose below which its slope may not differ between maps: it could not be told from chance."""


def doses(results: Results) -> list[str]:
    """Return the columns of the factors that list numbers as levels, in the study's order."""
    found = []
    for column in results.factors:
        levels = results.study["factors"][column.removeprefix(FACTOR)].get("levels") or ()
        if len(levels) > 1 and all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels):
            found.append(column)
    return found


def _refuses(results: Results) -> str | None:
    if not doses(results):
        return "no factor has numbers as levels; a dose is needed"
    if not results.study["paired"]:
        return "its points play worlds of their own; a map must be played at every dose: set paired = true"
    return None


def _one(results: Results, column: str, level: float, stratum: Stratum) -> dict[str, pd.DataFrame]:
    runs = stratum.runs.assign(y=log_percent(results, stratum))
    good = runs[(runs["status"] == OK) & np.isfinite(runs["y"]) & runs[column].notna()]
    if good.empty:
        raise ResultsError(f"none of {len(runs)} games has a number for welfare; look at failed games")
    dose = good[column].to_numpy(np.float64)
    span = float(np.ptp(dose))
    worlds = good.groupby(list(CLUSTER)).ngroup().to_numpy()
    many = good[column].nunique() >= FEWEST
    fit = mixed_effect(good["y"], (dose - dose.min()) / (span or 1.0), worlds, random_slope=many, level=level)
    row = {"dose": column.removeprefix(FACTOR).replace("_", " "), "from": dose.min(), "to": dose.max()}
    row |= fit._asdict() | {"random_slope": many, "games_dropped": len(runs) - len(good)}
    row["dropped"] = runs.groupby(list(CLUSTER)).ngroups - fit.groups
    return {"": pd.DataFrame([row])}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    require_columns(results.runs, [*CLUSTER, "status", OUTCOME])
    parts: list[dict[str, pd.DataFrame]] = []
    errors: list[str] = []
    for column in doses(results):
        try:
            parts.append(each_stratum(results, [column], partial(_one, results, column, resampling.level)))
        except ResultsError as error:
            name = column.removeprefix(FACTOR).replace("_", " ")
            errors.append(str(error))
            parts.append({SKIPPED: pd.DataFrame([{"stratum": f"every stratum of {name}", "reason": str(error)}])})
    made = stack_tables(parts)
    if "" not in made:
        raise ResultsError(errors[-1])
    return made


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    rows = []
    for _, one in tables[""].iterrows():
        value, low, high = (PERCENT * float(one[name]) for name in ("icc", "icc_low", "icc_high"))
        text = words(value, low, high, 0, " %") if one["converged"] else "did not converge"
        rows.append(Row(f"{one['stratum']}: {one['dose']}", value, low, high, text, 0, not one["converged"]))
    small = (
        "Intraclass correlation: of the variance of welfare left after the dose and its slopes, at the dose's mean, "
        "the share that is the map. How maps differ in what the dose does is in neither part. Hollow: no convergence. "
        "Limits are of the analysis of variance and of Student's t, not resampled."
    )
    return draw_rows(
        rows,
        title="How much is the map",
        subtitle="Welfare of the same maps under every dose",
        axis="Variance left after the dose that is the map (%)",
        notes=[*notes, small],
    )


def _read(tables: Tables) -> list[str]:
    said = []
    for _, one in tables[""].iterrows():
        about = f"{one['stratum']}, {one['dose']} {one['from']:g} to {one['to']:g}"
        if not one["converged"]:
            said.append(f"{about}: the mixed model did not converge ({one['message']}); no interval is given.")
            continue
        share, least, most = (PERCENT * float(one[name]) for name in ("icc", "icc_low", "icc_high"))
        icc = words(share, least, most, 0, " %")
        slope = words(one["slope"], one["low"], one["high"])
        sure = "" if one["low"] > 0.0 or one["high"] < 0.0 else ", not told apart from 0"
        left = " and each map's own slope" if one["random_slope"] else ""
        edge = "; a component of variance is on its boundary" if one["boundary"] else ""
        said.append(
            f"{about}: {icc} of the variance of welfare left after the dose{left}, at the dose's mean, is the map; the "
            f"whole range of the dose moves welfare by {slope} log points × 100 a turn{sure} "
            f"({one['groups']} maps{edge}{_lost(one)})."
        )
    return said


def _lost(one: pd.Series) -> str:
    """Return what was left out of a fit, in words; nothing where nothing was."""
    games, maps = int(one["games_dropped"]), int(one["dropped"])
    return f"; games failed and left out: {games}; maps left out whole: {maps}" if games else ""


KIND = Kind(
    name="mixed",
    title="How much is the map",
    question="How much of the variance of welfare is the map, and what does a dose do within maps?",
    method=(
        "Mixed model by restricted maximum likelihood, a random intercept a map (and a random slope from three doses "
        "on); Student's t over maps; limits of the intraclass correlation from the analysis of variance (Searle 1971)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
