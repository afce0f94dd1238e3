"""The figures of the returns study. Each draws a table and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.panel import select
from civsim.analysis.returns import CONSTANT, SWEEPS, ReturnsTables
from civsim.analysis.style import (
    COLOURS,
    FACE,
    MUTED,
    NOTE_LINE,
    RULE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
    zero_line,
)
from civsim.base.constants import CHANNEL_LABELS, CHANNEL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD, ROW, FOOT = 0.95, 1.6, 0.6
"""Heights in inches: titles, one row of panels, margin above the small print."""

KEY_STEP, KEY_LIFT = 92.0, 6.0
"""Where a row's key stands: points from one entry to the next, and above the panel."""

_MAIN, _OTHER, _CONTROL = COLOURS[0], COLOURS[1], COLOURS[2]


def _sweep_line(axes: Axes, rows: pd.DataFrame, colour: str, marker: str, filled: bool) -> None:
    axes.fill_between(rows["level"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0)
    axes.plot(
        rows["level"],
        rows["gain"],
        marker,
        linestyle="-" if filled else "--",
        color=colour,
        markerfacecolor=colour if filled else FACE,
        markersize=3.2,
    )


def _warp(levels: ArrayLike) -> NDArray[np.float64]:
    """Return log(level + ½): horizons double from one to the next and start at 0."""
    return np.log(np.maximum(np.asarray(levels, np.float64), -0.49) + 0.5)


def _unwarp(places: ArrayLike) -> NDArray[np.float64]:
    return np.exp(np.asarray(places, np.float64)) - 0.5


def _scale(axes: Axes, channel: str, levels: Sequence[int]) -> None:
    """Put each level that was played on the axis; a horizon doubles from level to level."""
    if channel == "horizon":
        axes.set_xscale("function", functions=(_warp, _unwarp))
    axes.set_xticks(levels, [str(level) for level in levels])
    axes.minorticks_off()
    axes.margins(x=0.06)


def draw_levels(tables: ReturnsTables, notes: Sequence[str]) -> Figure:
    """Return the gain from each channel by level: a row a channel, a column a context."""
    contexts = list(dict.fromkeys(tables.levels["context"]))
    small_print = wrap_note(notes)
    foot = FOOT + NOTE_LINE * len(small_print)
    height = HEAD + ROW * len(CHANNEL_NAMES) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        len(CHANNEL_NAMES), len(contexts), left=0.075, right=0.985, top=1 - HEAD / height, bottom=foot / height,
        hspace=0.62, wspace=0.16,
    )  # fmt: skip
    for i, channel in enumerate(CHANNEL_NAMES):
        first: Axes | None = None
        for j, context in enumerate(contexts):
            axes = figure.add_subplot(grid[i, j], sharey=first)
            first = first or axes
            _level_panel(axes, tables, channel, context)
            axes.tick_params(labelleft=j == 0)
            if i == 0:
                axes.set_title(context, pad=19)
            if j == 0:
                axes.set_ylabel("gain (%)")
                _level_key(axes, channel)
            if j == len(contexts) // 2:
                axes.set_xlabel(CHANNEL_LABELS[channel])
    add_title(
        figure,
        "What a free level is worth",
        "Welfare gained over the lowest level (consumption-equivalent, %); nothing is spent on cognition",
    )
    add_note(figure, small_print)
    return figure


def _level_panel(axes: Axes, tables: ReturnsTables, channel: str, context: str) -> None:
    zero_line(axes)
    sweeps = [sweep for sweep in SWEEPS if sweep.channel == channel]
    levels: set[int] = set()
    for index, sweep in enumerate(sweeps):
        rows = select(tables.levels, {"context": context, "channel": channel, "held": sweep.held})
        levels |= set(rows["level"].astype(int))
        _sweep_line(axes, rows, (_MAIN, _OTHER)[index], ("o", "s")[index], index == 0)
    if channel == "horizon":
        constant = select(tables.controls, {"context": context, "control": CONSTANT}).iloc[0]
        axes.axhspan(constant["low"], constant["high"], color=_CONTROL, alpha=0.15, linewidth=0)
        axes.axhline(constant["gain"], color=_CONTROL, linewidth=1.0)
    _scale(axes, channel, sorted(levels))


def _level_key(axes: Axes, channel: str) -> None:
    """Name a row's lines once, above its first panel, in their colours."""
    held = [sweep.held for sweep in SWEEPS if sweep.channel == channel]
    parts = [(_MAIN, f"●  with {held[0]}"), (_OTHER, f"□  with {held[1]}")]
    if channel == "horizon":
        parts.append((_CONTROL, "―  far-sighted constant (r = 6, k = 6, unlimited reach, no rollout)"))
    for index, (colour, text) in enumerate(parts):
        axes.annotate(
            text, (0, 1), xytext=(KEY_STEP * index, KEY_LIFT), xycoords="axes fraction", textcoords="offset points",
            fontsize=7, color=colour, annotation_clip=False,
        )  # fmt: skip


def _forest(axes: Axes, rows: pd.DataFrame, labels: Sequence[str], columns: tuple[str, str, str], colour: str) -> None:
    """Draw one dot and interval a row, top down."""
    value, low, high = columns
    zero = axes.axvline(0.0, color=RULE, linewidth=0.8)
    zero.set_zorder(0)
    for index in range(len(rows)):
        row = rows.iloc[index]
        axes.plot([row[low], row[high]], [-index, -index], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot(row[value], -index, "o", color=colour, markersize=3.6)
    axes.set_yticks([-index for index in range(len(labels))], labels)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def draw_controls(tables: ReturnsTables, notes: Sequence[str]) -> Figure:
    """Return the planner beside its controls: gain over the rule of thumb, one column a context."""
    contexts = list(dict.fromkeys(tables.controls["context"]))
    labels = [name for name in dict.fromkeys(tables.controls["control"]) if name != "rule of thumb (h = 0)"]
    small_print = wrap_note(notes)
    foot = 0.5 + NOTE_LINE * len(small_print)
    height = HEAD - 0.1 + 0.22 * len(labels) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        1, len(contexts), left=0.225, right=0.985, top=1 - (HEAD - 0.1) / height, bottom=foot / height, wspace=0.12
    )
    first: Axes | None = None
    for j, context in enumerate(contexts):
        axes = figure.add_subplot(grid[0, j], sharex=first, sharey=first)
        first = first or axes
        rows = select(tables.controls, {"context": context}).set_index("control").loc[labels]
        _forest(axes, rows, labels, ("gain", "low", "high"), _MAIN)
        axes.tick_params(labelleft=j == 0)
        axes.set_title(context)
        if j == len(contexts) // 2:
            axes.set_xlabel("welfare gain over the rule of thumb (consumption-equivalent, %)")
    add_title(
        figure,
        "What pays: reach, rollout, or a constant",
        "Sight 6 and attention 6, free, in every arm; only how far plans reach and how far they are simulated differs",
    )
    add_note(figure, small_print)
    return figure


def draw_closing(tables: ReturnsTables, notes: Sequence[str]) -> Figure:
    """Return each channel's return with everything open (line) and with one kind of order closed (dots)."""
    contexts = list(dict.fromkeys(tables.closing["context"]))
    kinds = list(dict.fromkeys(tables.closing["kind"]))
    small_print = wrap_note(notes)
    foot = 0.5 + NOTE_LINE * len(small_print)
    height = HEAD - 0.1 + 1.0 * len(CHANNEL_NAMES) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        len(CHANNEL_NAMES), len(contexts), left=0.155, right=0.985, top=1 - (HEAD - 0.1) / height, bottom=foot / height,
        wspace=0.12, hspace=0.3,
    )  # fmt: skip
    first: Axes | None = None
    for i, channel in enumerate(CHANNEL_NAMES):
        for j, context in enumerate(contexts):
            axes = figure.add_subplot(grid[i, j], sharex=first)
            first = first or axes
            rows = select(tables.closing, {"context": context, "channel": channel})
            whole = rows.iloc[0]
            axes.axvspan(whole["return_open_low"], whole["return_open_high"], color=_MAIN, alpha=0.15, linewidth=0)
            axes.axvline(whole["return_open"], color=_MAIN, linewidth=1.0)
            columns = ("return_closed", "return_closed_low", "return_closed_high")
            _forest(axes, rows, [f"no {kind}" for kind in kinds], columns, _OTHER)
            axes.tick_params(labelleft=j == 0, labelbottom=i == len(CHANNEL_NAMES) - 1)
            if i == 0:
                axes.set_title(context)
            if j == 0:
                axes.text(
                    -0.93, 0.5, channel, rotation=90, transform=axes.transAxes, va="center", ha="center", color=MUTED
                )
            if i == len(CHANNEL_NAMES) - 1 and j == len(contexts) // 2:
                axes.set_xlabel("return of the channel (consumption-equivalent, %)")
    add_title(
        figure,
        "Through which orders thinking pays",
        "Return from the low to the high level with everything open (blue) and with one kind of order closed to all",
    )
    add_note(figure, small_print)
    return figure
