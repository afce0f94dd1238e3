"""What trained policies spend on thinking, by context and start, beside the best fixed share of the trade-off curve.

:func:`learned_tables` computes, :func:`draw_learned` draws what it is given and computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from civsim.analysis.kinds.tradeoff import STEM
from civsim.analysis.learning.evaluation import SPENDING, run_world_table
from civsim.analysis.panel import require_columns, select
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.statistics.scores import spending_shares
from civsim.analysis.style import (
    COLOURS,
    FACE,
    INK,
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
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPTIMUM = ("share", "low", "high", "near_low", "near_high")
"""Columns of the trade-off's table of optima that are shown (shares of output)."""

TICKS = (0, 1, 2, 5, 10, 20, 40, 60, 80, 100)
"""Marks of the axis (%), as far as they are needed."""

HEAD, ROW, FOOT = 0.86, 0.46, 0.55
"""Heights in inches: titles and key, one context, axis label and margin above the small print."""

OFFSETS, TINTS, MARKS = (0.17, -0.17), (COLOURS[0], COLOURS[1]), ("o", "s")
"""Where in a context's row each start stands (rows), its colour and its marker."""


class LearnedTables(NamedTuple):
    """What the figure draws; all shares are in [0, 1]."""

    shares: pd.DataFrame  # one row a context and start: learnt share with its interval, beside the optimum
    runs: pd.DataFrame  # one row a context, start and training run


def read_optima(folder: str | Path) -> pd.DataFrame:
    """Return the optima of the trade-off curve that ``civsim plot tradeoff`` wrote into ``folder``, a row a context.

    Raises:
        ResultsError: the table is missing or damaged, or lacks a column.
    """
    path = Path(folder) / f"{STEM}-optimum.csv"
    try:
        table = pd.read_csv(path, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ResultsError(f"{str(path)!r} is missing or damaged ({reason}); run `make run` and plot again") from None
    require_columns(table, ["context", "flat", "edge", *OPTIMUM])
    return table


def learned_tables(
    games: pd.DataFrame,
    optima: pd.DataFrame,
    begun: Mapping[tuple[str, str], float],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> LearnedTables:
    """Return the shares of all spending that trained policies spend on cognition.

    The share is of what was spent in all games and runs together, so that a rich game counts for more, as in
    :func:`~civsim.analysis.statistics.scores.spending_shares`. Runs and worlds are resampled as crossed units; with one
    run the interval is over worlds alone.

    Args:
        games: a games table (:mod:`civsim.analysis.learning.evaluation`) of trained policies, with the columns
            ``context`` and ``start`` besides; one policy a context and start.
        optima: the trade-off's optima, one row a context (:func:`read_optima`); a context that has none is shown
            without.
        begun: cognition share in [0, 1] with which a (context, start) began.
        draws: bootstrap draws.
        seed: seed of the resampling.
        level: coverage of the intervals.

    Raises:
        ResultsError: no games, a column or where a start began is missing, several policies of one context and start,
            a run that lacks a world, or fewer than two worlds.
    """
    require_columns(games, ["context", "start", "policy", "run", "world_id", *SPENDING])
    require_columns(optima, ["context", "flat", "edge", *OPTIMUM])
    if games.empty:
        raise ResultsError("games=0 show no learnt share; train and evaluate first")
    shares: list[dict[str, object]] = []
    runs: list[dict[str, object]] = []
    for context, start in games[["context", "start"]].drop_duplicates().itertuples(index=False):
        if (context, start) not in begun:
            raise ResultsError(f"context={context!r}, start={start!r}: where it began is not given; give its share")
        part = select(games, {"context": context, "start": start})
        names = part["policy"].unique().tolist()
        if len(names) > 1:
            raise ResultsError(f"context={context!r}, start={start!r} has policies {', '.join(names)}; give one")
        spent = run_world_table(part, names[0], SPENDING)
        found = spending_shares(spent, draws=draws, seed=seed, level=level)
        row = {"context": context, "start": start}
        shares.append(
            {
                **row, "runs": len(spent), "worlds": spent.shape[1], "learned": found.value[-1],
                "learned_low": found.low[-1], "learned_high": found.high[-1], "begun": begun[context, start],
                **_optimum(optima, context),
            }
        )  # fmt: skip
        for run, table in zip(part["run"].unique(), spent, strict=True):
            alone = spending_shares(table[None], draws=1, seed=seed, level=level)
            runs.append({**row, "run": run, "learned": alone.value[-1]})
    return LearnedTables(pd.DataFrame(shares), pd.DataFrame(runs))


def _optimum(optima: pd.DataFrame, context: str) -> dict[str, object]:
    """Return a context's optimum under the names of the table; not a number where there is none."""
    rows = select(optima, {"context": context})
    if len(rows) > 1:
        raise ResultsError(f"context={context!r} has {len(rows)} optima; give one row a context")
    names = ("optimum", "optimum_low", "optimum_high", "near_low", "near_high")
    if rows.empty:
        return {**dict.fromkeys(names, np.nan), "flat": False, "edge": ""}
    first = rows.iloc[0]
    found = {name: float(first[column]) for name, column in zip(names, OPTIMUM, strict=True)}
    return {**found, "flat": bool(first["flat"]), "edge": str(first["edge"])}


def draw_learned(tables: LearnedTables, notes: Sequence[str]) -> Figure:
    """Return the figure of ``tables``, one row a context; ``notes`` are the paragraphs of small print at its foot."""
    contexts = list(dict.fromkeys(tables.shares["context"]))
    starts = list(dict.fromkeys(tables.shares["start"]))
    small_print = wrap_note(notes)
    foot = FOOT + NOTE_LINE * len(small_print)
    height = HEAD + ROW * len(contexts) + foot
    figure = new_figure(height)
    grid = figure.add_gridspec(1, 1, left=0.15, right=0.765, top=1 - HEAD / height, bottom=foot / height)
    axes = figure.add_subplot(grid[0])
    for index, context in enumerate(contexts):
        rows = select(tables.shares, {"context": context})
        _draw_optimum(axes, rows.iloc[0], -index)
        for place, start in enumerate(starts):
            mine = select(rows, {"start": start})
            if not mine.empty:
                dots = select(tables.runs, {"context": context, "start": start})
                _draw_start(axes, mine.iloc[0], dots, -index, place % len(OFFSETS))
    _scale(axes, tables, contexts)
    _key(axes, starts)
    add_title(
        figure, "What trained policies spend on thinking",
        "Share of all spending that goes to cognition, beside the best fixed share of the trade-off curve",
    )  # fmt: skip
    add_note(figure, small_print)
    return figure


def _draw_optimum(axes: Axes, row: pd.Series, at: float) -> None:
    """Draw the near-optimal range (pale), the optimum's interval (line) and the optimum (marker), if there is one."""
    if np.isnan(row["near_low"]):
        return
    axes.fill_between(
        [PERCENT * row["near_low"], PERCENT * row["near_high"]], at - 0.4, at + 0.4, color=COLOURS[2], alpha=0.16, lw=0
    )
    if row["flat"]:
        return
    axes.plot(
        [PERCENT * row["optimum_low"], PERCENT * row["optimum_high"]], [at, at], color=COLOURS[2], linewidth=1.6,
        zorder=2,
    )  # fmt: skip
    axes.plot(
        PERCENT * row["optimum"], at, "D", markerfacecolor=FACE, markeredgecolor=COLOURS[2], markersize=5,
        markeredgewidth=1.2, zorder=3, clip_on=False,
    )  # fmt: skip


def _draw_start(axes: Axes, row: pd.Series, dots: pd.DataFrame, middle: float, place: int) -> None:
    """Draw one start's share and interval, its single runs, and where it began."""
    at, colour = middle + OFFSETS[place], TINTS[place]
    axes.plot(PERCENT * row["begun"], at, "|", color=colour, markersize=8, markeredgewidth=1.4)
    axes.plot(PERCENT * dots["learned"], np.full(len(dots), at), ".", color=colour, markersize=3.4, alpha=0.55)
    axes.plot([PERCENT * row["learned_low"], PERCENT * row["learned_high"]], [at, at], color=colour, linewidth=1.6)
    axes.plot(PERCENT * row["learned"], at, MARKS[place], color=colour, markersize=4.6, zorder=4, clip_on=False)
    percent = [PERCENT * float(row[name]) for name in ("learned", "learned_low", "learned_high")]
    axes.annotate(
        f"{percent[0]:.1f} % [{percent[1]:.1f}, {percent[2]:.1f}], {row['runs']}", xy=(1.02, at),
        xycoords=axes.get_yaxis_transform(), fontsize=7, va="center", color=colour, annotation_clip=False,
    )  # fmt: skip


def _scale(axes: Axes, tables: LearnedTables, contexts: Sequence[str]) -> None:
    """Put shares on a square-root scale, on which small ones can be told apart, and name the rows."""
    columns = ["learned_high", "begun", "optimum_high", "near_high"]
    most = PERCENT * float(
        np.nanmax([*tables.shares[columns].to_numpy(np.float64).ravel(), tables.runs["learned"].max()])
    )
    axes.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0.0)), np.square))
    right = 1.08 * max(most, float(TICKS[1]))
    axes.set_xlim(0.0, right)
    axes.set_xticks([tick for tick in TICKS if tick <= right], [str(tick) for tick in TICKS if tick <= right])
    axes.minorticks_off()
    axes.set_xlabel("share of all spending on cognition (%, square-root scale)")
    axes.set_yticks([-index for index in range(len(contexts))], contexts)
    axes.set_ylim(-len(contexts) + 0.45, 0.55)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)
    for index in range(1, len(contexts)):
        axes.axhline(0.5 - index, color=RULE, linewidth=0.5, zorder=0)


def _key(axes: Axes, starts: Sequence[str]) -> None:
    """Say once what the marks are, above the first row, in their colours."""
    marks = ("●", "■")
    parts = [(TINTS[i % len(TINTS)], f"{marks[i % len(marks)]}  start {start}") for i, start in enumerate(starts)]
    parts += [(INK, "|  where it began"), (COLOURS[2], "◇  best fixed share, pale: nearly as good")]
    places = (-0.19, 0.01, 0.18, 0.41)[-len(parts) :]
    for place, (colour, text) in zip(places, parts, strict=True):
        axes.annotate(
            text, (place, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points", fontsize=7,
            color=colour, annotation_clip=False,
        )  # fmt: skip
    axes.annotate(
        f"learnt [{LEVEL:.0%} interval], seeds", (1.02, 1), xytext=(0, 5), xycoords="axes fraction",
        textcoords="offset points", fontsize=NOTE_SIZE, color=MUTED, annotation_clip=False,
    )  # fmt: skip
