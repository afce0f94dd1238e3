"""Castle or thought: outcome against the share of output spent on walls, and beside it on cognition, a line a context.

Each side is a trade-off curve as :mod:`civsim.analysis.kinds.tradeoff` makes it. A context's share of walls is the one
that was spent, since the setting that a study varies is a weight among those of the other muscle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.parts import each_part
from civsim.analysis.kinds.rows import left_out
from civsim.analysis.kinds.tradeoff import (
    CONTEXT,
    DOSE,
    PATH,
    TradeoffTables,
    draw_best,
    draw_context,
    finding,
    tradeoff_tables,
)
from civsim.analysis.panel import select
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics.optimum import MIN_DOSES
from civsim.analysis.style import (
    COLOURS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
    zero_line,
)
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WALLS, COGNITION = "walls", "cognition"
SIDES: Mapping[str, tuple[str, str]] = {
    WALLS: ("Castle", "focal.policy.params.physical.walls"),
    COGNITION: ("Thought", PATH),
}
"""What is bought: its title, and the setting that a factor must vary to buy it."""

ANSWERS = {
    (True, False): "The castle alone is told to pay in",
    (False, True): "Thought alone is told to pay in",
    (True, True): "Castle and thought are both told to pay in",
    (False, False): "Neither is told to pay in",
}
"""By whether walls pay and whether cognition does."""

_SHARE_DIGITS = 4
HEAD, PANEL, ROW_HEIGHT, FOOT = 0.82, 2.6, 0.175, 0.56
"""Heights in inches: titles, curves, one row of the strip of optima, axis label and margin above the small print."""

NUMBERS, LETTER, LEAST_LEFT, MOST_LEFT = 0.135, 0.0088, 0.105, 0.3
"""Shares of the width: the numbers beside a strip, a letter of a context's name, the left edge of the curves."""


def side_columns(results: Results) -> dict[str, str]:
    """Return what is bought → column of the factor that varies it, for those that vary."""
    found = {bought: results.column(path) for bought, (_, path) in SIDES.items()}
    return {bought: column for bought, column in found.items() if column is not None}


def _refuses(results: Results) -> str | None:
    columns = side_columns(results)
    for bought, (_, path) in SIDES.items():
        if bought not in columns:
            return f"no factor varies {path}; add one with {MIN_DOSES} levels or more"
        column = columns[bought]
        if not any(stratum.runs[column].nunique() >= MIN_DOSES for stratum in results.strata([column])):
            return f"{column} has fewer than {MIN_DOSES} levels wherever all else is equal; add levels"
    return None


def spent_shares(runs: pd.DataFrame, column: str, bought: str) -> pd.Series:
    """Return the share of output of each run's level: as stated for cognition, on average as spent for walls.

    Raises:
        ResultsError: two levels come to the same share.
    """
    if bought == COGNITION:
        return runs[column].astype(float)
    spent = runs[[name for name in runs.columns if name.startswith("spent_")]].sum(axis=1)
    shares = (runs["spent_walls"] / spent).groupby(runs[column]).mean().round(_SHARE_DIGITS)
    if shares.nunique() < len(shares):
        raise ResultsError(f"two levels of {column} spend the same on walls; is the category closed?")
    return runs[column].map(shares)


def _one(
    results: Results, stratum: Stratum, bought: str, column: str, resampling: Resampling
) -> dict[str, pd.DataFrame]:
    """Return the tables of one stratum; none where the design plays too few levels."""
    runs = stratum.runs[stratum.runs[column].notna()]
    if runs[column].nunique() < MIN_DOSES:
        return {}
    named = runs.assign(**{CONTEXT: stratum.name, DOSE: spent_shares(runs, column, bought)})
    made = tradeoff_tables(named, {stratum.name: results.length(runs)}, **resampling._asdict())
    told = ~made.optima["flat"] & (made.optima["gain_low"] > 0.0) & (made.optima["edge"] != "low")
    return {
        "": made.points.drop(columns="share_spent"),
        "curve": made.curves,
        "optimum": made.optima.assign(pays=told.astype(bool)),
    }


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = _refuses(results)
    if refused is not None:
        raise ResultsError(refused)
    columns = side_columns(results)
    made = each_part(
        results,
        "bought",
        {bought: [columns[bought]] for bought in SIDES},
        lambda bought, stratum: _one(results, stratum, bought, columns[bought], resampling),
    )
    # The tables name their stratum already: it is their context.
    return {key: table if key == SKIPPED else table.drop(columns="stratum") for key, table in made.items()}


def _side(tables: Tables, bought: str) -> TradeoffTables:
    return TradeoffTables(*(select(tables[key], {"bought": bought}) for key in ("", "curve", "optimum")))


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    """Return the figure: castle on the left, thought on the right, best shares below, contexts named once."""
    contexts = list(dict.fromkeys(tables["optimum"]["context"]))
    small_print = wrap_note([*notes, _KEY])
    strip, foot = ROW_HEIGHT * (len(contexts) + 1.2), NOTE_LINE * len(small_print) + FOOT
    height = HEAD + PANEL + strip + foot
    figure = new_figure(height)
    left = min(max(LEAST_LEFT, LETTER * (max(map(len, contexts)) + 2)), MOST_LEFT)
    width = 0.5 * (0.99 - left) - NUMBERS
    grid = figure.add_gridspec(
        2, 2, height_ratios=(PANEL, strip), hspace=0.0, wspace=NUMBERS / width, left=left, right=0.99 - NUMBERS,
        top=1 - HEAD / height, bottom=foot / height,
    )  # fmt: skip
    first: Axes | None = None
    for number, bought in enumerate(SIDES):
        above = figure.add_subplot(grid[0, number], sharey=first)
        below = figure.add_subplot(grid[1, number], sharex=above)
        _draw_side(above, below, _side(tables, bought), contexts, bought)
        if first is None:
            above.set_ylabel("Welfare against the smallest share\n(consumption-equivalent, %)")
        else:
            above.tick_params(labelleft=False)
            below.set_yticks([])
        first = above if first is None else first
    add_title(
        figure, "Castle or thought",
        "Output moved to walls from other muscle, or to cognition from all muscle; every world is compared with itself",
    )  # fmt: skip
    add_note(figure, small_print)
    return figure


def _draw_side(above: Axes, below: Axes, tables: TradeoffTables, contexts: Sequence[str], bought: str) -> None:
    """Draw the curves of what is bought, and below them one row a context: its best share."""
    zero_line(above)
    right = PERCENT * float(tables.curves["share"].max())
    for index, context in enumerate(contexts):
        best = select(tables.optima, {"context": context})
        if not best.empty:
            draw_context(above, tables, context, index)
            text = draw_best(below, best.iloc[0], index)
            below.text(right * 1.03, -index, text, color=COLOURS[index % len(COLOURS)], fontsize=7.5, va="center")
    above.set_title(SIDES[bought][0])
    above.set_xlim(-0.015 * right, right * 1.005)
    above.spines["bottom"].set_visible(False)
    above.tick_params(labelbottom=False, bottom=False)
    below.text(right * 1.03, 1, f"best [{PERCENT * tables.optima['level'].iloc[0]:g} %]", color=MUTED,
               fontsize=NOTE_SIZE, va="center")  # fmt: skip
    below.set_yticks([-index for index in range(len(contexts))], contexts)
    for index, label in enumerate(below.get_yticklabels()):
        label.set_color(COLOURS[index % len(COLOURS)])
    below.tick_params(left=False)
    below.set_ylim(-len(contexts) + 0.4, 1.6)
    below.spines["left"].set_visible(False)
    below.set_xlabel(f"Share of output spent on {bought} (%)")


def _read(tables: Tables) -> list[str]:
    """Return which of the two pays where, then each best share."""
    optima = tables["optimum"]
    pays = {bought: set(select(optima, {"bought": bought, "pays": True})["context"]) for bought in SIDES}
    seen = [set(select(optima, {"bought": bought})["context"]) for bought in SIDES]
    groups: dict[tuple[bool, bool], list[str]] = {}
    for context in dict.fromkeys(optima["context"]):
        if all(context in one for one in seen):  # one side alone says nothing of the other
            groups.setdefault((context in pays[WALLS], context in pays[COGNITION]), []).append(context)
    told = [f"{words} {', '.join(groups[key])}." for key, words in ANSWERS.items() if key in groups]
    bought_rows = [(str(row["bought"]), row) for _, row in optima.iterrows()]
    each = [f"On {bought}, {finding(row, bought)}" for bought, row in bought_rows]
    return [*told, *each, *left_out(optima.rename(columns={"context": "stratum"}))]


_KEY = (
    "Points: mean paired difference from each line's smallest share. Bands and bars: intervals over worlds; pale bars: "
    "shares nearly as good as the best. Gain: rise of c₀ + consumption in every turn worth as much."
)

KIND = Kind(
    name="castle",
    title="Castle or thought",
    question="Where does output pay better in walls, where in cognition, where in both or neither?",
    method=(
        "Paired differences from the smallest share in the same worlds, for walls and for cognition apart; the best "
        "share is the peak of a Gaussian process, and pays where its gain's interval lies above 0."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
