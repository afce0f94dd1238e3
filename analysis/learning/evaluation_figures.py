"""The figures of evaluations, learning curves and tournaments. Each draws a table and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.learning.evaluation import EvaluationTables
from civsim.analysis.learning.learning_curves import CurveTables
from civsim.analysis.panel import select
from civsim.analysis.style import (
    COLOURS,
    INK,
    MARKERS,
    MUTED,
    NOTE_LINE,
    RULE,
    add_note,
    add_title,
    new_figure,
    spread_labels,
    wrap_note,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD, PANEL, FOOT = 0.62, 3.1, 0.62
"""Heights in inches: titles, panel, margin above the small print."""

ROW, KEY_GAP = 0.26, 0.055
"""Height of a row of ratings and payoffs (inches); gap between entries of a key (share of the panel)."""

PERCENT = 100.0
_DASHES = ("--", ":", "-.")


def draw_profile(tables: EvaluationTables, objective: str, title: str, notes: Sequence[str]) -> Figure:
    """Return the performance profiles: judged policies in full lines with bands, the others broken and muted."""
    small_print = wrap_note(notes)
    foot = FOOT + NOTE_LINE * len(small_print)
    height = HEAD + PANEL + foot
    figure = new_figure(height)
    axes = figure.add_axes((0.085, foot / height, 0.66, PANEL / height))
    judged = tables.summary["judged"].to_numpy(bool)
    for place, name in enumerate(tables.summary["policy"]):
        rows = select(tables.profile, {"policy": name})
        number = int(judged[:place].sum()) if judged[place] else int((~judged[:place]).sum())
        colour = COLOURS[number % len(COLOURS)]
        if judged[place]:
            axes.fill_between(rows["threshold"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
            axes.plot(rows["threshold"], rows["share"], color=colour, linewidth=1.8, zorder=4)
        else:
            dashes = _DASHES[number % len(_DASHES)]
            axes.plot(rows["threshold"], rows["share"], dashes, color=colour, linewidth=1.0, alpha=0.8)
        axes.annotate(
            name, (1.0, 1.0), xytext=(1.09, 0.985 - KEY_GAP * place), xycoords="axes fraction",
            textcoords="axes fraction", fontsize=7.5, color=colour, va="center", annotation_clip=False,
            fontweight="bold" if judged[place] else "normal",
        )  # fmt: skip
        axes.plot(
            [1.03, 1.075], [0.985 - KEY_GAP * place] * 2, "-" if judged[place] else _DASHES[number % len(_DASHES)],
            color=colour, transform=axes.transAxes, clip_on=False, linewidth=1.6 if judged[place] else 1.0,
        )  # fmt: skip
    axes.set_ylim(0.0, 1.02)
    axes.margins(x=0.0)
    axes.set_xlabel(f"score τ ({objective})")
    axes.set_ylabel("share of runs × worlds with a score above τ")
    add_title(
        figure, title, "Performance profiles on held-out worlds; where one line lies above another it does better"
    )
    add_note(figure, small_print)
    return figure


def draw_learning(tables: CurveTables, objective: str, notes: Sequence[str]) -> Figure:
    """Return the learning curves: against steps and against CPU-seconds; training episodes thin and pale."""
    from matplotlib.ticker import EngFormatter, MaxNLocator

    small_print = wrap_note(notes)
    foot = FOOT + NOTE_LINE * len(small_print)
    height = HEAD + PANEL + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        1, 2, left=0.085, right=0.83, top=1 - HEAD / height, bottom=foot / height, wspace=0.1
    )  # fmt: skip
    left = figure.add_subplot(grid[0])
    right = figure.add_subplot(grid[1], sharey=left)
    for axes, column, label in ((left, "steps", "steps of experience"), (right, "cpu_seconds", "CPU-seconds")):
        _curves(axes, tables, column)
        axes.set_xlabel(label)
    left.xaxis.set_major_locator(MaxNLocator(5))
    left.xaxis.set_major_formatter(EngFormatter(sep=""))
    left.set_ylabel(f"score ({objective})")
    right.tick_params(labelleft=False)
    _name_ends(right, tables.evaluations)
    add_title(
        figure, "Learning", "Mean score of the policy without exploration on validation worlds; pale: training episodes"
    )
    add_note(figure, small_print)
    return figure


def _curves(axes: Axes, tables: CurveTables, column: str) -> None:
    for place, name in enumerate(dict.fromkeys(tables.evaluations["policy"])):
        colour = COLOURS[place % len(COLOURS)]
        training = select(tables.training, {"policy": name})
        axes.plot(training[column], training["mean"], color=colour, linewidth=0.7, alpha=0.45, zorder=1)
        rows = select(tables.evaluations, {"policy": name})
        axes.fill_between(rows[column], rows["low"], rows["high"], color=colour, alpha=0.16, linewidth=0)
        axes.plot(rows[column], rows["mean"], color=colour, marker=MARKERS[place % len(MARKERS)], zorder=3)
    axes.set_xlim(left=0.0)


def _name_ends(axes: Axes, evaluations: pd.DataFrame) -> None:
    """Name each curve at its right end."""
    names = list(dict.fromkeys(evaluations["policy"]))
    ends = [float(select(evaluations, {"policy": name})["mean"].iloc[-1]) for name in names]
    low, high = axes.get_ylim()
    for place, (name, y) in enumerate(zip(names, spread_labels(ends, 0.055 * (high - low)), strict=True)):
        axes.annotate(
            name, (1.0, y), xytext=(1.03, y), xycoords=axes.get_yaxis_transform(), fontsize=7.5, va="center",
            color=COLOURS[place % len(COLOURS)], annotation_clip=False,
        )  # fmt: skip
    axes.set_ylim(low, high)


def draw_ratings(
    ratings: pd.DataFrame, pairs: pd.DataFrame, cycles: Sequence[tuple[str, str, str]], title: str, notes: Sequence[str]
) -> Figure:
    """Return ratings with their intervals beside the payoff matrix: how often the row's policy beats the column's."""
    names = list(ratings["policy"])
    circles = [f"Cycle: {a} beats {b}, {b} beats {c}, {c} beats {a}." for a, b, c in cycles]
    small_print = wrap_note([*notes, *circles])
    foot = 0.75 + NOTE_LINE * len(small_print)
    panel = ROW * len(names)
    height = HEAD + 0.15 + panel + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(
        1, 2, left=0.2, right=0.985, top=1 - (HEAD + 0.15) / height, bottom=foot / height, wspace=0.06,
        width_ratios=(1.0, 1.25),
    )  # fmt: skip
    axes, matrix = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    axes.axvline(0.0, color=RULE, linewidth=0.8, zorder=0)
    for row in range(len(names)):
        axes.plot(ratings["elo"].iloc[row], row, "o", color=COLOURS[0])
    axes.update_datalim([(end, 0.0) for end in (*ratings["low"], *ratings["high"]) if abs(end) < inf])
    axes.autoscale_view()
    left, right = axes.get_xlim()
    for row in range(len(names)):  # an open interval runs to the edge
        ends = [max(ratings["low"].iloc[row], left), min(ratings["high"].iloc[row], right)]
        axes.plot(ends, [row, row], color=COLOURS[0], linewidth=1.6)
    axes.set_xlim(left, right)
    axes.set_yticks(range(len(names)), [f"{name}  {place}" for place, name in enumerate(names, start=1)])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("rating (Elo over the anchor)")
    _payoff_panel(matrix, names, pairs)
    for panel_axes in (axes, matrix):
        panel_axes.set_ylim(len(names) - 0.5, -0.5)
    add_title(
        figure, title, "Plackett–Luce ratings, and in how many of 100 meetings the row's policy beats the column's"
    )
    add_note(figure, small_print)
    return figure


def _payoff_panel(axes: Axes, names: Sequence[str], pairs: pd.DataFrame) -> None:
    """Write each pair's share of wins; pale where its interval holds a half, coloured where it does not."""
    for pair in pairs.to_dict("records"):
        row, column = names.index(str(pair["policy"])), names.index(str(pair["other"]))
        sure = 1 if pair["low"] > 0.5 else -1 if pair["high"] < 0.5 else 0
        if sure:
            shade = COLOURS[0] if sure > 0 else COLOURS[1]
            strength = 0.12 + 0.5 * abs(float(pair["wins"]) - 0.5)
            axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color=shade, alpha=strength, lw=0)
        text = f"{PERCENT * float(pair['wins']):.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=INK if sure else MUTED)
    for place in range(len(names)):
        axes.text(place, place, "·", ha="center", va="center", color=MUTED)
    axes.set_xticks(range(len(names)), [str(place) for place in range(1, len(names) + 1)])
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(top=False)
    axes.set_xlim(-0.5, len(names) - 0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("blue: interval above a half; orange: below it; grey: not told apart", fontsize=7, color=MUTED)
    axes.xaxis.set_label_position("bottom")
