"""What several kinds share: a figure of rows, each an estimate with its interval; and estimates in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED
from civsim.analysis.results import FACTOR, Results, Stratum
from civsim.analysis.study import factor_writes
from civsim.analysis.style import (
    COLOURS,
    EDGE,
    FACE,
    MARKERS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    RULE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
)
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD, ROW, FOOT = 0.6, 0.235, 0.62
"""Heights in inches: title, one row, axis label and margin above the small print."""

OUTCOME = "welfare"

PRICES = ("focal.price", "thinking.price", "seat_default.price")
"""How the paths of the settings begin that are prices of cognition."""

LOG_PERCENT = "percent of c₀ + consumption (log points)"
"""Unit of :func:`log_percent`."""


LEFT, MOST_LEFT, RIGHT = 0.24, 0.42, 0.74
"""Edges of the axes (share of the figure's width): the left one gives way to long labels."""

LETTER = 0.0088
"""Width of a letter of a label (share of the figure's width)."""


class Row(NamedTuple):
    """One row of the figure."""

    label: str
    value: float
    low: float
    high: float
    text: str  # at the right end
    colour: int = 0  # number of the colour and of the marker
    hollow: bool = False  # not told apart from nothing
    bound: float = float("nan")  # a tick to compare with: what chance alone gives


def log_percent(results: Results, stratum: Stratum) -> pd.Series:
    """Return welfare a turn in log points × 100; see :meth:`civsim.analysis.results.Results.log_points`."""
    return results.log_points(stratum.runs)


def words(value: float, low: float, high: float, digits: int = 2, unit: str = "") -> str:
    """Return 'value [low, high]unit' with signs as they are."""
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]{unit}"


def each_stratum(
    results: Results, varied: Sequence[str], one: Callable[[Stratum], dict[str, pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """Return the tables that ``one`` makes of each stratum, stacked, with the column ``stratum`` first.

    Strata of which no estimate can be made are listed, with the reason, in a table of their own, :data:`SKIPPED`.

    Raises:
        ResultsError: no stratum has tables; the message is the last stratum's.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    skipped: list[dict[str, str]] = []
    for stratum in results.strata(varied):
        try:
            made = one(stratum)
        except ResultsError as error:
            skipped.append({"stratum": stratum.label, "reason": str(error)})
            continue
        for key, table in made.items():
            parts.setdefault(key, []).append(
                pd.concat([pd.Series(stratum.label, table.index, name="stratum"), table], axis=1)
            )
    if not parts:
        last = skipped[-1] if skipped else {"stratum": "the study", "reason": "it has no run; look at failed games"}
        raise ResultsError(f"{last['stratum']}: {last['reason']}")
    stacked = {key: pd.concat(tables, ignore_index=True) for key, tables in parts.items()}
    return stacked | ({SKIPPED: pd.DataFrame(skipped)} if skipped else {})


def stack_tables(parts: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Return the tables of several parts of one kind, stacked by key; of strata skipped, too."""
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: pd.concat([part[key] for part in parts if key in part], ignore_index=True) for key in keys}


def price_columns(results: Results) -> list[str]:
    """Return the columns of the factors that move prices of cognition and nothing else, in the study's order.

    Such a factor sets settings under :data:`PRICES` alone, at levels that are numbers above 0: prices, or arms whose
    names are the multiplier of the scenario's prices (``"0.5"``).
    """
    found = []
    for name, factor in results.study["factors"].items():
        given = factor_writes(factor)
        column = f"{FACTOR}{name}"
        if not given or column not in results.factors or not all(path.startswith(PRICES) for path in given):
            continue
        levels = pd.to_numeric(results.runs[column].dropna(), errors="coerce")
        if (levels > 0.0).all():
            found.append(column)
    return found


def listed(arms: Sequence[Any]) -> str:
    """Return arms that were lost as one entry of a table; "" for none."""
    return ", ".join(str(arm) for arm in arms)


def left_out(table: pd.DataFrame) -> list[str]:
    """Return a sentence on the worlds that were left out, and one on the arms, or nothing where there were none.

    Args:
        table: a kind's main table. ``dropped``, int: worlds left out of a row; ``lost``, str: arms of which no game
            ended, as of :func:`listed`; ``stratum``, if there, names its part. Rows of one stratum may lack the same
            worlds, so that the most of any row counts.
    """
    return _worlds_left_out(table) + _arms_left_out(table)


def _arms_left_out(table: pd.DataFrame) -> list[str]:
    if "lost" not in table:
        return []
    parts = table["stratum"] if "stratum" in table else pd.Series("", table.index)
    found = dict.fromkeys(
        f"{part}: {lost}" if part else lost for part, lost in zip(parts, table["lost"], strict=True) if lost
    )
    return [f"Levels left out, since no game of theirs ended: {'; '.join(found)}."] if found else []


def _worlds_left_out(table: pd.DataFrame) -> list[str]:
    if "dropped" not in table or not len(table):
        return []
    parts = table["stratum"] if "stratum" in table else pd.Series("", table.index)
    most = table["dropped"].fillna(0).astype(int).groupby(parts, sort=False).max()
    most = most[most > 0]
    if most.empty:
        return []
    counts = "; ".join(f"{part}: {count}" if part else str(count) for part, count in most.items())
    return [f"Worlds left out of a row, at most, since a game of theirs failed or gave no number: {counts}."]


def draw_rows(
    rows: Sequence[Row], *, title: str, subtitle: str, axis: str, notes: Sequence[str], line: float | None = 0.0,
    band: tuple[float, float] | None = None,
) -> Figure:  # fmt: skip
    """Return a figure of rows, top to bottom; ``line`` is a value to compare with, ``band`` a range."""
    small = wrap_note(notes)
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + ROW * (len(rows) + 0.6) + foot
    figure = new_figure(height)
    longest = max((len(line) for row in rows for line in row.label.splitlines()), default=0)
    left = min(max(LEFT, LETTER * longest + EDGE), MOST_LEFT)
    axes = figure.add_axes((left, foot / height, RIGHT - left, 1 - (HEAD + foot) / height))
    if band is not None:
        axes.axvspan(*band, color=RULE, alpha=0.35, linewidth=0, zorder=0)
    if line is not None:
        axes.axvline(line, color=RULE, linewidth=0.8, zorder=0)
    finite = [end for row in rows for end in (row.value, row.low, row.high, row.bound, *(band or ()))]
    finite = [end for end in finite if np.isfinite(end)] or [0.0]
    least, most = min(finite), max(finite)
    room = 0.06 * (most - least or 1.0)
    axes.set_xlim(min(least, line or 0.0) - room, max(most, line or 0.0) + room)
    for index, row in enumerate(rows):
        colour, place = COLOURS[row.colour % len(COLOURS)], -index
        ends = np.clip([row.low, row.high], *axes.get_xlim())
        axes.plot(ends, [place, place], color=colour, linewidth=1.6, zorder=2)
        axes.plot(
            row.value, place, MARKERS[row.colour % len(MARKERS)], color=colour, markersize=5.0, zorder=3,
            markerfacecolor=FACE if row.hollow else colour, markeredgecolor=colour, markeredgewidth=1.2,
        )  # fmt: skip
        axes.plot([row.bound, row.bound], [place - 0.3, place + 0.3], color=MUTED, linewidth=1.2, zorder=4)
        axes.annotate(
            row.text, (1.03, place), xycoords=("axes fraction", "data"), color=colour, fontsize=NOTE_SIZE + 0.4,
            va="center", annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks([-index for index in range(len(rows))], [row.label for row in rows])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_xlabel(axis)
    add_title(figure, title, subtitle)
    add_note(figure, small)
    return figure
