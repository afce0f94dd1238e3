"""What became of the hypotheses that a study registered beforehand, as a report shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from civsim.analysis.report.content import Grid, grid
from civsim.analysis.report.words import NONE, column, number
from civsim.analysis.results import Resampling, Results
from civsim.base.errors import CivsimError

EXPECTED: Mapping[str, str] = {
    "positive": "an effect above 0",
    "negative": "an effect below 0",
    "either": "an effect, of either sign",
    "nothing": "no effect worth speaking of",
}
"""How the expected sign of a hypothesis is said."""

_WIDTH = 100.0
_MARGIN = 4.0
"""Free space at either end of a bar (percent of its width)."""
_SMALLEST_P = 0.001


class Bar(NamedTuple):
    """Where an effect and its interval lie beside nothing, in percent of the bar's width."""

    low: float
    high: float
    value: float
    zero: float
    near_low: float  # effects too small to speak of lie between near_low and near_high
    near_high: float


class Ruling(NamedTuple):
    """One pre-registered hypothesis and what became of it."""

    name: str
    claim: str
    verdict: str
    meaning: str  # the rule by which the verdict was given
    estimate: str  # value [low, high] unit
    expected: str
    source: str
    sure: str  # p-values and worlds
    bar: Bar | None  # None where there is no finite interval


class Rulings(NamedTuple):
    """Every hypothesis of a study, and the same effects scenario by scenario."""

    each: tuple[Ruling, ...]
    grids: tuple[Grid, ...]  # the verdict table, and effects by scenario where there are several
    missing: str  # why there are none although the study has some; else empty


def read_rulings(results: Results, resampling: Resampling) -> Rulings:
    """Return the verdicts on a study's hypotheses; none where it has none, with the reason where judging fails."""
    if not results.study.get("hypotheses"):  # absent from folders of older releases
        return Rulings((), (), "")
    from civsim.analysis.hypotheses.judge import judge_by_context, judge_study
    from civsim.analysis.hypotheses.verdict import MEANING

    try:
        table = judge_study(results, resampling)
        apart = judge_by_context(results, resampling)
    except CivsimError as error:
        return Rulings((), (), str(error))
    each = tuple(ruling(row, MEANING) for row in table.to_dict("records"))
    grids = [grid(table, "verdicts", "verdicts.csv")]
    if not apart.empty:
        grids.append(
            grid(apart, "the same effects scenario by scenario; no verdict rests on them", "verdicts-by-scenario.csv")
        )
    return Rulings(each, tuple(grids), "")


def ruling(row: Mapping[Any, Any], meaning: Mapping[Any, str]) -> Ruling:
    """Return one row of the verdict table in words; ``meaning`` says what each verdict stands for."""
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    return Ruling(
        str(row["name"]),
        str(row["claim"]),
        str(row["verdict"]),
        meaning.get(str(row["verdict"]), ""),
        "{} [{}, {}] {}".format(*column([value, low, high]), row["unit"]),
        EXPECTED.get(str(row["expected"]), str(row["expected"])),
        str(row["source"]).rstrip("."),
        _sure(row),
        bar(value, low, high, float(row["margin"])),
    )


def _sure(row: Mapping[Any, Any]) -> str:
    parts = [f"adjusted p {_p(row['p_adjusted'])}", f"p {_p(row['p'])}", f"margin {number(row['margin'])}"]
    if row.get("remark"):
        parts.append(str(row["remark"]))
    if pd.notna(row.get("worlds")) and pd.notna(row.get("worlds_asked")):
        parts.append(f"{int(row['worlds']):,} worlds, {int(row['worlds_asked']):,} asked for by power")
    return "; ".join(parts)


def _p(value: Any) -> str:
    if pd.isna(value):
        return NONE
    return f"< {_SMALLEST_P:g}" if float(value) < _SMALLEST_P else f"= {float(value):.3f}"


def bar(value: float, low: float, high: float, margin: float) -> Bar | None:
    """Return where an effect, its interval and effects within ``margin`` (> 0) lie on a bar that holds them and 0."""
    if not all(math.isfinite(number) for number in (value, low, high, margin)):
        return None
    least, most = min(low, value, -margin), max(high, value, margin)
    scale = (_WIDTH - 2.0 * _MARGIN) / (most - least)

    def place(at: float) -> float:
        return round(_MARGIN + (at - least) * scale, 2)

    return Bar(place(low), place(high), place(value), place(0.0), place(-margin), place(margin))
