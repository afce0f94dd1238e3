"""The arms a hypothesis compares: runs picked by levels of factors, as one table of worlds × arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.hypotheses.outcomes import outcome
from civsim.analysis.panel import CLUSTER
from civsim.analysis.results import CONTEXT, FACTOR, Results
from civsim.base.errors import ResultsError
from civsim.scenarios.complaints import did_you_mean, show_value

F64 = NDArray[np.float64]

Arm = Mapping[str, Any]
"""Level of each factor that it fixes; over the others it is averaged."""


class Worlds(NamedTuple):
    """An outcome of W worlds under K arms; a world that lacks an arm is left out whole."""

    values: F64  # [W, K]
    dropped: int


def factor_levels(results: Results, factor: str) -> list[Any]:
    """Return the levels of a factor that were played, ascending. Raises :class:`ResultsError` for an unknown one."""
    return sorted(results.runs[_column(results, factor)].dropna().unique().tolist())


def contexts(results: Results) -> list[str]:
    """Return the scenarios of the results, in the design's order."""
    return list(dict.fromkeys(results.runs[CONTEXT]))


def _column(results: Results, factor: str) -> str:
    names = [CONTEXT, *results.study["factors"]]
    if factor not in names:
        raise ResultsError(f"factor={factor!r} is not in the study; {did_you_mean(factor, names)}")
    return CONTEXT if factor == CONTEXT else f"{FACTOR}{factor}"


def _matches(results: Results, arm: Arm) -> NDArray[np.bool_]:
    keep = np.ones(len(results.runs), bool)
    for factor, level in arm.items():
        keep &= (results.runs[_column(results, factor)] == level).to_numpy(bool, na_value=False)
    return keep


def arm_worlds(results: Results, arms: Sequence[Arm], name: str, *, context: str | None = None) -> Worlds:
    """Return the outcome ``name`` of every world under every arm, averaged over what the arm leaves open.

    ``context`` keeps one scenario only. With several, a world's value is the mean over them, so that each counts the
    same; it is left out unless it has them all.

    Raises:
        ResultsError: the study is not paired, an arm has no runs, or no world has every arm.
    """
    if not results.study["paired"]:
        raise ResultsError("a contrast of arms needs common worlds; run the study with paired = true")
    values = outcome(results, name)
    columns = []
    for arm in arms:
        full = dict(arm) if context is None else {**arm, CONTEXT: context}
        keep = _matches(results, full)
        if not keep.any():
            raise ResultsError(f"arm {show_value(full)} has no runs in the results; run the whole study")
        columns.append(_by_world(results.runs.loc[keep, list(CLUSTER)], values[keep]))
    wide = pd.concat(columns, axis=1)
    full_rows = wide.dropna()
    if full_rows.empty:
        raise ResultsError(f"no world has a finite {name!r} in all arms; look at the failed runs")
    return Worlds(full_rows.to_numpy(np.float64), len(wide) - len(full_rows))


def _by_world(worlds: pd.DataFrame, values: F64) -> pd.Series:
    """Return the mean of each world's values, in the order of the worlds; nan where any value is."""
    index = pd.MultiIndex.from_frame(worlds)
    column = pd.Series(values, index, name="value")
    if index.is_unique:  # a world was played once: nothing to average, in the most common design
        return column.sort_index()
    return column.groupby(level=list(CLUSTER), sort=True).agg(_whole_mean)


def _whole_mean(values: pd.Series) -> float:
    """Return the mean, nan where any value is."""
    return float(np.mean(values.to_numpy(np.float64)))
