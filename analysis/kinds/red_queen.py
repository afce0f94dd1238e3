"""Red queen: what thinking more gains one who thinks more alone, and what of it is left when everybody does."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, Row, draw_rows, each_stratum, log_percent, words
from civsim.analysis.panel import Panel, make_panel, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.leadership import red_queen
from civsim.analysis.statistics.worlds import world_mean
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARMS = ("nobody", "one", "everybody")
"""Names of the arms of the factor that is read, in the order of :func:`red_queen`: who thinks more."""

RIVALS = "rivals"
"""Name of an arm that may stand beside them, in which all but the civilization itself think more."""

OUTPUT = "output"

GAINS = {"private": "private", "universal": "universal", "competed_away": "competed"}
"""Labels of the quantities that every design has, in the order in which they are drawn."""

BESIDE_RIVALS = {"beside_rivals": "answering", "difference": "difference"}
"""Labels of the quantities of a design that has the arm :data:`RIVALS`, in the order in which they are drawn."""

LABELS = GAINS | BESIDE_RIVALS

BETTER = {OUTCOME: ("better off", "worse off"), OUTPUT: ("with more output", "with less output")}
"""How a civilization is left that gains, and that loses."""

SUBJECT = {
    "private": "thinking more alone",
    "universal": "everybody's thinking",
    "competed_away": "the rivals' thinking",
    "beside_rivals": "thinking more when the rivals do too",
    "difference": "to what one's own thinking gains, the rivals'",
}
"""Whose thinking each quantity is the effect of."""

UNITS = {OUTCOME: "log points × 100 a turn", OUTPUT: "log points × 100"}
"""Unit of each outcome: a difference of 1 is about 1 % of c₀ + consumption in every turn, or of output in the game."""

LABEL = 28
"""Characters in a line of a row's label, beside which the figure has room."""


def dose_column(results: Results) -> str | None:
    """Return the column of the first factor whose arms are exactly :data:`ARMS`, in any order; None without one.

    :data:`RIVALS` may be a fourth.
    """
    for column in results.factors:
        arms = results.study["factors"][column.removeprefix(FACTOR)].get("arms") or {}
        if set(arms) - {RIVALS} == set(ARMS):
            return column
    return None


_NO_ARMS = f"no factor has exactly the arms {', '.join(ARMS)} (or {RIVALS} too); add one that sets who thinks more"


def _refuses(results: Results) -> str | None:
    if dose_column(results) is None:
        return _NO_ARMS
    if not results.study["paired"]:
        return "its points play worlds of their own; gains are taken world by world: set paired = true"
    return None


def _scales(results: Results, stratum: Stratum) -> dict[str, pd.Series]:
    """Return each outcome on its log scale × 100, one value a run; an output of 0 has none (nan)."""
    require_columns(stratum.runs, [OUTCOME, OUTPUT])
    output = stratum.runs[OUTPUT].astype(float)
    return {OUTCOME: log_percent(results, stratum), OUTPUT: PERCENT * np.log(output.where(output > 0.0))}


def _one(results: Results, stratum: Stratum, column: str, resampling: Resampling) -> pd.DataFrame:
    parts = []
    for outcome, scaled in _scales(results, stratum).items():
        panel = make_panel(stratum.runs.assign(**{outcome: scaled}), outcome, column)
        found = red_queen(np.column_stack([panel.column(arm) for arm in ARMS]), **resampling._asdict())
        if RIVALS in panel.arms:
            found = pd.concat([found, _beside_rivals(panel, resampling)], ignore_index=True)
        found.insert(0, "outcome", outcome)
        parts.append(found.assign(unit=UNITS[outcome], dropped=panel.dropped))
    everyone = results.study["focal"] == "rotate"
    return pd.concat(parts, ignore_index=True).assign(
        who="each civilization" if everyone else f"the civilization of seat {results.study['focal']}"
    )


def _beside_rivals(panel: Panel, resampling: Resampling) -> pd.DataFrame:
    """Return what one's own thinking gains when the rivals' is there too, and how much more that is than alone.

    They are everybody − rivals and (everybody − rivals) − (one − nobody), world by world, in the same resamples as the
    other quantities. Above 0 the second says that the two complement each other, below 0 that they are substitutes.
    """
    nobody, one, everybody = (panel.column(arm) for arm in ARMS)
    own = everybody - panel.column(RIVALS)
    found = world_mean(np.column_stack([own, own - (one - nobody)]), **resampling._asdict())
    ends = {"value": found.value, "low": found.low, "high": found.high}
    return pd.DataFrame({"quantity": list(BESIDE_RIVALS), **ends, "worlds": panel.n_worlds})


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    column = dose_column(results)
    if column is None:
        raise ResultsError(_NO_ARMS)
    made = each_stratum(results, [column], lambda stratum: {"": _one(results, stratum, column, resampling)})
    return {**made, "": made[""].assign(dose=column.removeprefix(FACTOR))}


def _untold(row: pd.Series) -> bool:
    """Return whether the interval holds 0."""
    return bool(row["low"] <= 0.0 <= row["high"])


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    several = table["stratum"].nunique() > 1
    rows = []
    for _, one in table.iterrows():
        label = f"{one['outcome']}, {LABELS[one['quantity']]}"
        rows.append(
            Row(
                textwrap.fill(f"{one['stratum']}: {label}" if several else label, LABEL),
                one["value"],
                one["low"],
                one["high"],
                words(one["value"], one["low"], one["high"]),
                list(LABELS).index(one["quantity"]),
                _untold(one),
            )
        )
    beside = bool(table["quantity"].isin(list(BESIDE_RIVALS)).any())
    arms = ", ".join((*ARMS, RIVALS) if beside else ARMS)
    return draw_rows(
        rows,
        title="What is left of thinking when everybody does it",
        subtitle=f"Arms of {table['dose'].iloc[0]}: {arms}; the same worlds in all",
        axis="Gain: welfare a turn, output in the game (log points × 100)",
        notes=[*notes, f"{_NOTE} {_NOTE_RIVALS}" if beside else _NOTE],
    )


_NOTE = (
    "Private gain: one less nobody. Universal gain: everybody less nobody. Competed away: one less everybody, so that "
    "private = universal + competed. Hollow: the interval holds 0. Each interval is by itself; none is adjusted "
    "for how many rows there are."
)
_NOTE_RIVALS = (
    "Answering: everybody less rivals alone. Difference: that less the private gain, above 0 where the rivals' "
    "thinking adds to what one's own is worth."
)


def _said(row: pd.Series) -> str:
    """Return one quantity in words that follow the sign and the interval."""
    untold = _untold(row)
    size = f"{words(row['value'], row['low'], row['high'])} {row['unit']}"
    gains = row["value"] > 0.0
    if not np.any(row[["value", "low", "high"]]):
        return f"{SUBJECT[row['quantity']]} changes nothing in any world ({size})"
    if row["quantity"] in ("private", "beside_rivals"):
        verdict = "cannot be told to pay or to cost" if untold else "pays" if gains else "costs"
        return f"{SUBJECT[row['quantity']]} {verdict} ({size})"
    if row["quantity"] == "difference":
        if untold:
            return f"the gain cannot be told to be higher or lower than alone ({size})"
        return f"the gain is {'higher' if gains else 'lower'} than alone ({size})"
    if row["quantity"] == "universal":
        better, worse = BETTER[row["outcome"]]
        if untold:
            return f"everybody's thinking cannot be told to leave {row['who']} {better} or {worse} ({size})"
        return f"everybody's thinking leaves {row['who']} {better if gains else worse} ({size})"
    if untold:
        return f"the rivals' thinking cannot be told to take from one who thinks more, or to add to it ({size})"
    return f"the rivals' thinking {'takes from' if gains else 'adds to'} one who thinks more ({size})"


def _verdict(rows: pd.DataFrame) -> str:
    """Return what the three quantities say together; ``rows`` are those of one stratum and outcome, by quantity."""
    private, universal, taken = (rows.loc[name] for name in GAINS)
    if private["low"] <= 0.0 or taken["low"] <= 0.0:
        return ""
    if universal["high"] < 0.0:
        return "; more than the private gain is competed away"
    return "; part of the private gain is competed away, part is left" if universal["low"] > 0.0 else (
        "; of the private gain, what is left cannot be told from nothing"
    )  # fmt: skip


def _read(tables: Tables) -> list[str]:
    said = []
    for (stratum, outcome), part in tables[""].groupby(["stratum", "outcome"], sort=False):
        rows = part.set_index("quantity")
        where = f"{stratum}, {outcome} ({part['worlds'].iloc[0]} worlds)"
        said.append(f"{where}: {_said(part[part['quantity'] == 'private'].iloc[0])}.")
        rest = [_said(part[part["quantity"] == name].iloc[0]) for name in ("universal", "competed_away")]
        said.append(f"{where}: {rest[0]}, and {rest[1]}{_verdict(rows)}.")
        if set(BESIDE_RIVALS) <= set(rows.index):
            own, more = (_said(part[part["quantity"] == name].iloc[0]) for name in BESIDE_RIVALS)
            said.append(f"{where}: {own}, and {more}.")
        if part["dropped"].iloc[0] > 0:
            said.append(
                f"{where}: worlds left out, because a game failed or "
                f"{'welfare is not finite' if outcome == OUTCOME else 'output is 0'}: {part['dropped'].iloc[0]}."
            )
    return said


KIND = Kind(
    name="red-queen",
    title="What is left of thinking when everybody does it",
    question="How much of what thinking more gains one civilization is competed away when all think more?",
    method=(
        "Differences world by world between nobody, one and everybody thinking more (the Red Queen: Van Valen 1973), "
        "averaged over worlds, worlds resampled (BCa: Efron 1987); with an arm in which the rivals alone do, also the "
        "own gain beside them."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
