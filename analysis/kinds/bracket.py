"""The bracket of the trade-off: thinking for nothing, thinking at its price, and the price without the thinking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out, words
from civsim.analysis.panel import make_panel
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics.paired import contrast
from civsim.analysis.style import COLOURS, MARKERS, NOTE_LINE, add_note, add_title, new_figure, wrap_note, zero_line
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE = "none"
ARMS = {
    "free": "levels given, nothing paid",
    "paid": "paid and used",
    "unused": "paid and not used",
}
"""First word of an arm's name, from the top of the bracket to its bottom, and what it stands for."""

_NAME = re.compile(rf"({'|'.join(ARMS)}) ([0-9.]+) %")
_OUTCOME = "log_points"
MIN_SHARES = 2
HEAD, PANEL, FOOT = 0.62, 2.6, 0.55
"""Heights in inches: titles, the panel, margin above the small print."""


def _arms(results: Results) -> tuple[str, dict[str, tuple[str, float]]] | None:
    """Return (column, arm's name → (free, paid or unused; share)) of the factor that brackets; None if none does."""
    for column in results.factors:
        names = [str(name) for name in results.choices(column)]
        found = {name: match for name in names if (match := _NAME.fullmatch(name))}
        arms = {name: (match[1], float(match[2]) / 100.0) for name, match in found.items()}
        shares = {share for _, share in arms.values()}
        if NONE in names and len(shares) >= MIN_SHARES and len(arms) == len(ARMS) * len(shares):
            return column, arms
    return None


def _refuses(results: Results) -> str | None:
    if _arms(results) is None:
        return f"no factor has arms none, free X %, paid X % and unused X % for {MIN_SHARES} shares X or more; add one"
    return None


def _one(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    column, arms = _arms(results) or ("", {})
    runs = stratum.runs[stratum.runs[column].isin([NONE, *arms])]
    panel = make_panel(runs.assign(**{_OUTCOME: results.log_points(runs)}), _OUTCOME, column)
    rows = []
    for name, (kind, share) in arms.items():
        paid = next(other for other, found in arms.items() if found == ("paid", share))
        pairs = np.column_stack([panel.column(name), panel.column(NONE), panel.column(paid)])
        estimate, low, high = contrast(pairs, np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]), **resampling._asdict())
        rows.append(
            {
                "arm": kind, "share": share, "gain": estimate[0], "low": low[0], "high": high[0],
                "over_paid": estimate[1], "over_paid_low": low[1], "over_paid_high": high[1],
                "worlds": panel.n_worlds, "dropped": panel.dropped,
            }
        )  # fmt: skip
    return {"": pd.DataFrame(rows).sort_values(["arm", "share"], ignore_index=True)}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    found = _arms(results)
    if found is None:
        raise ResultsError(_refuses(results) or "no bracket")
    return each_stratum(results, [found[0]], lambda stratum: _one(results, stratum, resampling))


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    strata = list(dict.fromkeys(table["stratum"]))
    small = wrap_note([*notes, "Bands: intervals of the gain over the arm that neither pays nor gets anything."])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL * len(strata) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(len(strata), 1, left=0.1, right=0.76, top=1 - HEAD / height, bottom=foot / height)
    for row, stratum in enumerate(strata):
        axes = figure.add_subplot(grid[row])
        zero_line(axes)
        for index, (kind, meaning) in enumerate(ARMS.items()):
            part = table[(table["stratum"] == stratum) & (table["arm"] == kind)]
            x = 100.0 * part["share"]
            axes.fill_between(x, part["low"], part["high"], color=COLOURS[index], alpha=0.15, linewidth=0)
            axes.plot(x, part["gain"], color=COLOURS[index], marker=MARKERS[index])
            axes.annotate(
                meaning, (x.iloc[-1], part["gain"].iloc[-1]), xytext=(6, 0), textcoords="offset points",
                color=COLOURS[index], fontsize=7.5, va="center", annotation_clip=False,
            )  # fmt: skip
        axes.set_ylabel("Gain in welfare a turn\n(log points × 100)")
        axes.set_xlabel("Share of output spent on cognition (%)")
        if len(strata) > 1:
            axes.set_title(stratum)
    add_title(figure, "The bracket of the trade-off", "Against the same worlds with no cognition bought and none given")
    add_note(figure, small)
    return figure


def _gain(row: pd.Series) -> str:
    return words(float(row["gain"]), float(row["low"]), float(row["high"]), digits=1)


def _read(tables: Tables) -> list[str]:
    said = []
    for stratum, part in tables[""].groupby("stratum", sort=False):
        for share, arms in part.groupby("share"):
            by = arms.set_index("arm")
            gains = ", ".join(f"{kind} {_gain(by.loc[kind])}" for kind in ARMS)
            above, below = by.loc["free"], by.loc["unused"]
            inside = above["over_paid_low"] > 0.0 and below["over_paid_high"] < 0.0
            point = above["over_paid"] >= 0.0 >= below["over_paid"]
            held = "paid lies between the two" if inside else "paid lies between, not beyond the noise" if point else (
                "paid does not lie between the two"
            )  # fmt: skip
            said.append(f"{stratum}, {100.0 * share:g} % of output: {gains} log points × 100 a turn; {held}.")
    return [*said, *left_out(tables[""])]


KIND = Kind(
    name="bracket",
    title="Free, paid and unused cognition",
    question="Does the return to paid thinking lie between what it would be for nothing and what paying alone costs?",
    method=(
        "Differences world by world from the arm without cognition. Free arms are given the levels that the share buys "
        "in the long run, unused arms pay as usual and plan with the endowment."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
