"""What a hypothesis may be about: an outcome of each run, by name, from the tables of a results folder.

``welfare`` is in log points of c₀ + consumption a turn (100 · welfare / Σ γ^t), so that effects in games of different
length compare. Any other column of the runs table is taken as it is. Beside them stand outcomes of a whole world,
made from the civilizations table, whether the focal realm beat its rivals (``win``), and that less one half (``edge``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.panel import OK
from civsim.analysis.results import Results
from civsim.analysis.statistics.inequality import gini, herfindahl, top_share
from civsim.base.errors import ResultsError
from civsim.scenarios.complaints import did_you_mean

F64 = NDArray[np.float64]

SIZE = "output"
"""Size of a realm in the outcomes of a whole world: its output over the game."""


def _by_run(results: Results, measure: Callable[[F64], F64]) -> F64:
    """Return a measure of the realms' sizes [runs, N] for every row of the runs table; nan where a run failed."""
    civs = results.civs.sort_values(["run_id", "seat"], kind="stable")
    found = pd.Series(np.nan, index=pd.Index(results.runs["run_id"]))
    for _, part in civs.groupby(civs.groupby("run_id")["seat"].transform("size"), sort=False):
        seats = part["seat"].nunique()
        sizes = part[SIZE].to_numpy(np.float64).reshape(-1, seats)
        found.loc[part["run_id"].to_numpy()[::seats]] = measure(sizes)
    return found.to_numpy(np.float64)


def _log_variance(sizes: F64) -> F64:
    """Return the variance of log(1 + size) over realms [runs]: a realm that came to nothing counts."""
    return np.log1p(sizes).var(axis=1)


_WORLD: Mapping[str, tuple[str, Callable[[F64], F64]]] = {
    "world_output": ("log of the output of all realms together", lambda sizes: np.log(sizes.sum(axis=1))),
    "world_hhi": ("Herfindahl–Hirschman index of the realms' output", herfindahl),
    "world_gini": ("Gini coefficient of the realms' output", gini),
    "world_top_share": ("share of the largest realm in all output", top_share),
    "world_log_variance": ("variance over realms of log(1 + output)", _log_variance),
}


def _win(results: Results) -> F64:
    """Return 1 where the focal realm put out more than its rivals on average, ½ where as much, else 0."""
    gap = results.runs[SIZE].to_numpy(np.float64) - results.runs[f"rival_{SIZE}"].to_numpy(np.float64)
    return np.where(np.isfinite(gap), 0.5 + 0.5 * np.sign(gap), np.nan)


def outcome(results: Results, name: str) -> F64:
    """Return an outcome of every row of the runs table, float64 [rows]; nan where the run failed.

    Raises:
        ResultsError: no outcome has that name, or the folder lacks the table it is made from.
    """
    good = (results.runs["status"] == OK).to_numpy()
    if name == "welfare":
        values = results.log_points(results.runs).to_numpy(np.float64)
    elif name == "win":
        values = _win(results)
    elif name == "edge":
        values = _win(results) - 0.5
    elif name == "log_output":
        values = np.log1p(results.runs[SIZE].to_numpy(np.float64))
    elif name in _WORLD:
        values = _by_run(results, _WORLD[name][1])
    elif name in results.runs.columns and pd.api.types.is_numeric_dtype(results.runs[name]):
        values = results.runs[name].to_numpy(np.float64)
    else:
        known = ["welfare", "win", "edge", "log_output", *_WORLD, *results.runs.columns]
        raise ResultsError(f"outcome={name!r} is not in the results; {did_you_mean(name, known)}")
    return np.where(good, values, np.nan)
