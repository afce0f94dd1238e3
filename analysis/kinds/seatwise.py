"""From long tables of seats and turns to arrays, world by world, for arms that met the same worlds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.panel import CLUSTER, OK
from civsim.analysis.results import CONTEXT, FACTOR, Results
from civsim.base.errors import ResultsError

F64 = NDArray[np.float64]


def runs_by_arm(runs: pd.DataFrame, arm: str) -> pd.DataFrame:
    """Return the run ids of each world (row, by :data:`~civsim.analysis.panel.CLUSTER`) in each arm (column).

    Worlds that lack an arm, or failed in one, are left out.

    Raises:
        ResultsError: fewer than two worlds have every arm, or a world has an arm twice.
    """
    good = runs[(runs["status"] == OK) & runs[arm].notna()]
    if good.duplicated([*CLUSTER, arm]).any():
        raise ResultsError(f"{arm!r} does not tell a world's runs apart; another factor varies within it")
    wide = good.pivot(index=list(CLUSTER), columns=arm, values="run_id")
    # An arm whose games all failed is still an arm: without it the rest would be compared with another one.
    wide = wide.reindex(columns=sorted(runs[arm].dropna().unique())).dropna().sort_index()
    if len(wide) < 2:
        raise ResultsError(f"{len(wide)} worlds have every arm of {arm!r}; at least 2 are needed")
    return wide


def by_seat(civs: pd.DataFrame, run_ids: Sequence[str], column: str) -> F64:
    """Return a column of the civilizations table as float64 [W, N], in the order of ``run_ids``.

    Raises:
        ResultsError: no run is asked for.
    """
    _require_runs(run_ids)
    # A game that stands at two points of a design has its rows twice, alike.
    part = civs[civs["run_id"].isin(set(run_ids))].drop_duplicates(["run_id", "seat"])
    wide = part.pivot(index="run_id", columns="seat", values=column)
    return wide.reindex(list(run_ids)).to_numpy(np.float64)


def by_turn(series: pd.DataFrame, run_ids: Sequence[str], column: str) -> F64:
    """Return a column of the per-turn table as float64 [W, N, T], in the order of ``run_ids``.

    Raises:
        ResultsError: no run is asked for.
    """
    _require_runs(run_ids)
    part = series[series["run_id"].isin(set(run_ids))].drop_duplicates(["run_id", "seat", "turn"])
    wide = part.pivot(index=["run_id", "seat"], columns="turn", values=column)
    seats = wide.index.get_level_values("seat").unique().sort_values()
    order = pd.MultiIndex.from_product([list(run_ids), seats])
    return wide.reindex(order).to_numpy(np.float64).reshape(len(run_ids), len(seats), -1)


def turns_of(results: Results, run_ids: Sequence[str], column: str) -> F64:
    """Return :func:`by_turn` of some runs of a study; no other column is read, nor the points of other runs.

    Raises:
        ResultsError: no run is asked for, or the study kept no per-turn table.
    """
    _require_runs(run_ids)
    points = results.runs.loc[results.runs["run_id"].isin(run_ids), "point"].unique().tolist()
    return by_turn(results.read_series(["run_id", "seat", "turn", column], points=points), run_ids, column)


def _require_runs(run_ids: Sequence[str]) -> None:
    if not len(run_ids):
        raise ResultsError("0 games ended well; look at the errors of the failed rows in the runs table")


def good_civs(results: Results) -> pd.DataFrame:
    """Return the civilizations table: one row a seat of each game that ended well.

    Raises:
        ResultsError: no game ended well.
    """
    civs = results.civs
    _require_runs(civs["run_id"].tolist())
    return civs


def most_seats(results: Results) -> int:
    """Return the largest number of civilizations in one game, ≥ 1. Raises as :func:`good_civs`."""
    return int(good_civs(results).groupby("run_id").size().max())


def arms_in_order(results: Results, column: str) -> list[Any]:
    """Return the levels of a factor: numbers ascending, names as the design has them (the first is the reference)."""
    found = results.choices(column)
    levels = pd.Series(found)
    numbers = pd.api.types.is_numeric_dtype(levels) and not pd.api.types.is_bool_dtype(levels)
    return sorted(found) if numbers else found


def worlds_of(runs: pd.DataFrame) -> int:
    """Return how many worlds some rows of the runs table are of, failed games counted."""
    return len(runs[list(CLUSTER)].drop_duplicates())


def has_all_seats(results: Results) -> bool:
    """Return whether the study kept the turns of every seat."""
    return bool(results.study["series"] == "all")


def own_factors(results: Results) -> list[str]:
    """Return the columns of the factors that vary and are no contexts, in the study's order."""
    contexts = {f"{FACTOR}{name}" for name, factor in results.study["factors"].items() if factor.get("scenarios")}
    return [name for name in results.factors if name not in contexts and name != CONTEXT]
