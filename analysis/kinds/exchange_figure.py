"""The map of contexts: across, what a little more castle is worth; upward, what a little more thought is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.style import (
    COLOURS,
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
from civsim.analysis.units import PERCENT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

HEAD, PANEL, FOOT = 0.6, 3.7, 0.56
"""Heights in inches: titles, the map, axis label and margin above the small print."""

LEFT, RIGHT = 0.085, 0.60
"""Edges of the map (shares of the width); the table of best shares is to its right."""

QUADRANTS = (
    ("Thought pays", 0.02, 0.98, "left", "top"),
    ("Both pay", 0.98, 0.98, "right", "top"),
    ("Neither pays", 0.02, 0.02, "left", "bottom"),
    ("Castle pays", 0.98, 0.02, "right", "bottom"),
)
"""Name of a quadrant, and where in the map it stands (shares of the axes)."""

PLACES = tuple(
    (side * x, y, "left" if side > 0 else "right") for y in (5, -12, 17, -24) for x in (6, 14) for side in (1, -1)
)
"""Where beside its point a name may stand (points), in the order in which places are tried."""

COLUMNS = ((0.645, "context"), (0.755, "best walls"), (0.865, "best thought"))
"""Left edges and heads of the columns of the table (shares of the width)."""

ROW = 0.3
"""Height of a row of the table (inches)."""

_ROOM, _LEAST = 0.08, 0.34
"""Margin of the map about what it shows, and the least part on either side of 0 (shares of its range)."""

_EQUAL = 0.8
"""Where on the line of equal worth its name ends (share of the shorter axis)."""

_HALO = 2.2
"""Width of the ground about a name, so that lines behind it do not strike it out (points)."""


def draw_exchange(table: pd.DataFrame, notes: Sequence[str]) -> Figure:
    """Return the map of ``table``, one point a context with both intervals, and the best shares beside it."""
    small = wrap_note([*notes, _KEY])
    height = HEAD + PANEL + NOTE_LINE * len(small) + FOOT
    figure = new_figure(height)
    foot = NOTE_LINE * len(small) + FOOT
    axes = figure.add_axes((LEFT, foot / height, RIGHT - LEFT, PANEL / height))
    _draw_ground(axes, table)
    for index, (_, row) in enumerate(table.iterrows()):
        _draw_point(axes, row, index)
    _name_points(axes, table)
    first = table.iloc[0]
    axes.set_xlabel("Castle: welfare for one more percent of output in walls (%)")
    axes.set_ylabel("Thought: welfare for one more percent in cognition (%)")
    _write_table(figure, table, height)
    add_title(
        figure, "Which context favours what",
        f"What a little more is worth to a realm that spends {PERCENT * first['walls_from']:.0f} % of its output on "
        f"walls and {PERCENT * first['cognition_from']:.0f} % on thinking",
    )  # fmt: skip
    add_note(figure, small)
    return figure


def _limits(table: pd.DataFrame, name: str) -> tuple[float, float]:
    """Return the range of an axis: all intervals, and either side of 0 wide enough for the name of a quadrant."""
    low, high = min(table[f"{name}_low"].min(), 0.0), max(table[f"{name}_high"].max(), 0.0)
    room = _ROOM * (high - low or 1.0)
    low, high = low - room, high + room
    share = _LEAST / (1.0 - _LEAST)
    return float(min(low, -share * high)), float(max(high, -share * low))


def _draw_ground(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the lines of no worth, the line of equal worth, and the names of the quadrants."""
    axes.set_xlim(*_limits(table, "walls"))
    axes.set_ylim(*_limits(table, "cognition"))
    axes.axhline(0.0, color=MUTED, linewidth=0.9, zorder=0)
    axes.axvline(0.0, color=MUTED, linewidth=0.9, zorder=0)
    axes.axline((0.0, 0.0), slope=1.0, color=RULE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    far = _EQUAL * min(axes.get_xlim()[1], axes.get_ylim()[1])
    axes.text(
        far, far, "equal worth", rotation=45.0, transform_rotates_text=True, rotation_mode="anchor", ha="right",
        va="bottom", color=MUTED, fontsize=NOTE_SIZE, zorder=1,
    )  # fmt: skip
    for words, x, y, side, end in QUADRANTS:
        axes.text(
            x, y, words, transform=axes.transAxes, ha=side, va=end, color=MUTED, fontsize=9.5, fontweight="bold",
            zorder=1,
        )  # fmt: skip


def _draw_point(axes: Axes, row: pd.Series, index: int) -> None:
    """Draw a context: hollow where neither of its two worths is told from nothing."""
    colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    x, y = row["walls"], row["cognition"]
    axes.hlines(y, row["walls_low"], row["walls_high"], color=colour, linewidth=1.1, zorder=2)
    axes.vlines(x, row["cognition_low"], row["cognition_high"], color=colour, linewidth=1.1, zorder=2)
    told = any(not row[f"{name}_low"] <= 0.0 <= row[f"{name}_high"] for name in ("walls", "cognition"))
    axes.plot(
        x, y, marker, markerfacecolor=colour if told else FACE, markeredgecolor=colour, markersize=6.0,
        markeredgewidth=1.2, zorder=3,
    )  # fmt: skip


def _cross(axes: Axes, row: pd.Series) -> tuple[Bbox, Bbox]:
    """Return where a context's two intervals are drawn, as boxes without width (pixels)."""
    from matplotlib.transforms import Bbox

    x, y = row["walls"], row["cognition"]
    ends = ((row["walls_low"], y), (row["walls_high"], y)), ((x, row["cognition_low"]), (x, row["cognition_high"]))
    across, upward = (Bbox(axes.transData.transform(line)) for line in ends)
    return across, upward


def _name_points(axes: Axes, table: pd.DataFrame) -> None:
    """Write each context's name beside its point, at the first place that is free of names and intervals."""
    from matplotlib.patheffects import withStroke

    taken: list[Bbox] = []
    crosses = [_cross(axes, row) for _, row in table.iterrows()]
    frame = axes.get_window_extent()
    for index, (_, row) in enumerate(table.iterrows()):
        tried: list[tuple[int, Annotation]] = []
        for dx, dy, side in PLACES:
            text = axes.annotate(
                str(row["context"]), (row["walls"], row["cognition"]), (dx, dy), textcoords="offset points", ha=side,
                color=COLOURS[index % len(COLOURS)], fontsize=8, zorder=4,
                path_effects=[withStroke(linewidth=_HALO, foreground=FACE)],
            )  # fmt: skip
            box = text.get_window_extent()
            struck = sum(box.overlaps(line) for lines in crosses for line in lines)
            outside = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
            over = sum(box.overlaps(other) for other in taken) + outside
            tried.append((len(table) * over + struck, text))
            if tried[-1][0] == 0:
                break
        best = min(range(len(tried)), key=lambda number: tried[number][0])
        for number, (_, other) in enumerate(tried):
            if number != best:
                other.remove()
        taken.append(tried[best][1].get_window_extent())


def _share(row: pd.Series, bought: str) -> str:
    share, low, high, flat = (row[f"best_{bought}_{name}"] for name in ("share", "low", "high", "flat"))
    if pd.isna(share):
        return "–"
    if flat:
        return "any"
    return f"{PERCENT * share:.0f} [{PERCENT * low:.0f}, {PERCENT * high:.0f}]"


def _rate(row: pd.Series) -> str:
    if not row["exchanged"]:
        return ""
    low, high = row["exchange_low"], row["exchange_high"]
    return f"1 % on thought is worth {row['exchange']:.1f} [{low:.1f}, {high:.1f}] % on walls"


def _write_table(figure: Figure, table: pd.DataFrame, height: float) -> None:
    """Write the best shares of every context, and where both pay their rate of exchange, to the right of the map."""
    top = height - HEAD - 0.08
    for x, head in COLUMNS:
        figure.text(x, top / height, head, color=MUTED, fontsize=NOTE_SIZE + 0.4, va="top")
    below = top - 0.15
    figure.text(COLUMNS[1][0], below / height, "% of output [interval]", color=MUTED, fontsize=NOTE_SIZE, va="top")
    for index, (_, row) in enumerate(table.iterrows()):
        colour, y = COLOURS[index % len(COLOURS)], (below - 0.26 - ROW * index) / height
        cells = (str(row["context"]), _share(row, "walls"), _share(row, "cognition"))
        for (x, _), words in zip(COLUMNS, cells, strict=True):
            figure.text(x, y, words, color=colour, fontsize=7.5, va="center")
        figure.text(COLUMNS[0][0], y - 0.13 / height, _rate(row), color=MUTED, fontsize=NOTE_SIZE - 0.6, va="center")


_KEY = (
    "Crosses: intervals of both worths. Hollow: neither is told from nothing. Best: the share at which welfare is "
    "highest, the other share held; any: no share is told from another. Welfare: percent of c₀ + consumption in every "
    "turn."
)
