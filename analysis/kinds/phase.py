"""Phase diagram: the best share of output for cognition over two conditions of the world, and where it is not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out
from civsim.analysis.kinds.tradeoff import EPSILON_PERCENT, OUTCOME, PATH, share_column
from civsim.analysis.panel import make_panel
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.optimum import MIN_DOSES, estimate_optimum
from civsim.analysis.style import FACE, INK, MUTED, NOTE_LINE, RULE, add_note, add_title, new_figure, wrap_note
from civsim.analysis.units import PERCENT, equivalent_percent, welfare_of_percent
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = 2
"""Conditions of a phase diagram."""

TITLE = "The best share under two conditions"
HEAD, CELL, FOOT = 0.78, 0.52, 0.62
"""Heights in inches: titles, one row of cells, axis label and margin above the small print."""

_COLOURS = "YlGnBu"
"""Sequential map, even in lightness: light where little is spent."""

_DARK = 0.55
"""Part of the range from which a cell is dark and its text light."""


_LEAST_RANGE = 1.0
"""Range of the colours where hardly anything is spent anywhere (per cent of output)."""


def condition_columns(results: Results, dose: str) -> list[str]:
    """Return the columns of what varies beside the dose: factors, the factor of scenarios among them."""
    return [column for column in results.factors if column != dose]


def _refuses(results: Results) -> str | None:
    dose = share_column(results)
    if dose is None:
        return f"no factor varies {PATH}; add one with {MIN_DOSES} levels or more"
    others = condition_columns(results, dose)
    if len(others) != AXES:
        return f"{len(others)} factors vary beside {dose}; a phase diagram takes {AXES}"
    cells = results.runs.groupby(others, dropna=False)[dose].nunique()
    if (cells < MIN_DOSES).any():
        return f"{dose} has fewer than {MIN_DOSES} levels in a cell; play every share under every condition"
    return None


def _ordered(levels: pd.Series) -> list[Any]:
    """Return the levels of a condition: numbers ascending, names in the design's order."""
    unique = list(dict.fromkeys(levels.dropna()))
    return sorted(unique) if all(isinstance(level, int | float | np.number) for level in unique) else unique


def _cell(results: Results, stratum: Stratum, dose: str, cells: int, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the row of one cell: its best share with an interval, and with one that allows for all ``cells``.

    The wide limits cover with 1 − (1 − level) / cells, so that those of all cells hold at once with ``level``
    (Bonferroni): extremes among cells, which are chosen by the same data, may be compared by them.
    """
    across, up = condition_columns(results, dose)
    runs = stratum.runs
    (x, y), places = (runs[name].iloc[0] for name in (across, up)), []
    for name, level in ((across, x), (up, y)):
        if pd.isna(level):
            raise ResultsError(f"{name} has no level there; a cell needs one of both conditions")
        places.append(_ordered(results.runs[name]).index(level))
    length = results.length(runs)
    panel = make_panel(runs, OUTCOME, dose)
    reference, epsilon = float(panel.arms[0]), welfare_of_percent(EPSILON_PERCENT, *length)
    best, _ = estimate_optimum(panel, reference, epsilon=epsilon, **resampling._asdict())
    strict = resampling._replace(level=1.0 - (1.0 - resampling.level) / cells)
    wide, _ = estimate_optimum(panel, reference, epsilon=epsilon, **strict._asdict())
    ends = [best.value, best.value_low, best.value_high, wide.value_low, wide.value_high]
    gain = equivalent_percent(ends, *length)
    row = {
        "x_name": across.removeprefix(FACTOR), "x": x, "y_name": up.removeprefix(FACTOR), "y": y,
        "share": best.dose, "low": best.low, "high": best.high, "gain": gain[0], "gain_low": gain[1],
        "gain_high": gain[2], "near_low": best.near_low, "near_high": best.near_high,
        "epsilon_percent": EPSILON_PERCENT, "flat": best.flat, "flat_p": best.flat_p, "edge": best.edge,
        "least_tried": reference, "most_tried": float(panel.arms[-1]), "worlds": panel.n_worlds,
        "dropped": panel.dropped, "wide_low": wide.low, "wide_high": wide.high, "wide_gain_low": gain[3],
        "wide_gain_high": gain[4], "level": resampling.level, "wide_level": strict.level, "cells": cells,
        "x_place": places[0], "y_place": places[1],
    }  # fmt: skip
    return {"": pd.DataFrame([row])}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = _refuses(results)
    dose = share_column(results)
    if refused is not None or dose is None:
        raise ResultsError(refused or "no dose")
    # With two conditions beside the dose, strata are the cells.
    cells = len(results.strata([dose]))
    made = each_stratum(results, [dose], lambda stratum: _cell(results, stratum, dose, cells, resampling))
    return made | {"": made[""].sort_values(["x_place", "y_place"], kind="stable", ignore_index=True)}


def _name(level: Any) -> str:
    return f"{level:g}" if isinstance(level, int | float | np.number) else str(level)


def _draw_cells(axes: Axes, table: pd.DataFrame, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """Draw one cell a pair of conditions: colour for the best share, hatching where no share is told apart."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Rectangle

    most = max(PERCENT * float(table["share"].max()), _LEAST_RANGE)
    shades = ScalarMappable(Normalize(0.0, most), colormaps[_COLOURS])
    for _, row in table.iterrows():
        i, j = list(xs).index(row["x"]), list(ys).index(row["y"])
        share, low, high = (PERCENT * float(row[name]) for name in ("share", "low", "high"))
        fill = FACE if row["flat"] else colormaps[_COLOURS](share / most)
        axes.add_patch(
            Rectangle(
                (i - 0.5, j - 0.5),
                1,
                1,
                facecolor=fill,
                edgecolor=RULE if row["flat"] else FACE,
                linewidth=0.8,
                hatch="////" if row["flat"] else None,
            )
        )
        dark = share / most > _DARK
        text = "flat" if row["flat"] else f"{share:.0f}"
        small = f"within {row['epsilon_percent']:g} %: {PERCENT * row['near_low']:.0f}–{PERCENT * row['near_high']:.0f}"
        colour = INK if row["flat"] else "white" if dark else "black"
        box = {"facecolor": FACE, "edgecolor": "none", "pad": 1.0} if row["flat"] else None
        axes.text(i, j + 0.12, text, ha="center", va="center", color=colour, fontsize=9, fontweight="bold", bbox=box)
        axes.text(
            i, j - 0.22, small if row["flat"] else f"[{low:.0f}, {high:.0f}]", ha="center", va="center", color=colour,
            fontsize=6.6, bbox=box,
        )  # fmt: skip
    return shades


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    xs, ys = (list(dict.fromkeys(table.sort_values(f"{name}_place")[name])) for name in ("x", "y"))
    small = wrap_note([*notes, _NOTE])
    foot = FOOT + NOTE_LINE * len(small)
    tall = CELL * max(len(ys), 3)
    height = HEAD + tall + foot
    figure = new_figure(height)
    axes = figure.add_axes((0.15, foot / height, 0.68, tall / height))
    shades = _draw_cells(axes, table, xs, ys)
    axes.set_xlim(-0.5, len(xs) - 0.5)
    axes.set_ylim(-0.5, len(ys) - 0.5)
    axes.set_xticks(range(len(xs)), [_name(level) for level in xs])
    axes.set_yticks(range(len(ys)), [_name(level) for level in ys])
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlabel(str(table["x_name"].iloc[0]).replace("_", " "))
    axes.set_ylabel(str(table["y_name"].iloc[0]).replace("_", " "))
    bar = figure.colorbar(shades, cax=figure.add_axes((0.86, foot / height, 0.02, tall / height)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(color=MUTED)
    bar.set_label("best share of output (%)")
    add_title(
        figure, TITLE,
        "Best share of output spent on cognition (%) under two conditions of the world, with its interval",
    )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Cells: best share of those tried, per cent of output, with its interval. Hatched: flat, no share can be called "
    "better than another; below it the shares as good as the best to within what is named. Intervals in cells are not "
    "adjusted for the number of cells. Blank: no estimate."
)


def _where(row: pd.Series) -> str:
    return f"{row['x_name'].replace('_', ' ')} {_name(row['x'])}, {row['y_name'].replace('_', ' ')} {_name(row['y'])}"


def _share(row: pd.Series) -> str:
    ends = f"[{PERCENT * row['wide_low']:.1f}, {PERCENT * row['wide_high']:.1f}]"
    return f"{PERCENT * row['share']:.1f} % {ends} ({_where(row)})"


def _extremes(told: pd.DataFrame) -> str:
    """Return how far the best share moves over the cells that are not flat, judged by the wide intervals."""
    least, most = told.loc[told["share"].idxmin()], told.loc[told["share"].idxmax()]
    if len(told) == 1:
        return f"One cell alone is not flat: the best share of output for cognition is {_share(least)}."
    apart = bool(most["wide_low"] > least["wide_high"])
    verdict = "the two are told apart" if apart else "the two are not told apart, so that no move of it is told"
    return f"The best share of output for cognition is least, {_share(least)}, and most, {_share(most)}: {verdict}."


def _read(tables: Tables) -> list[str]:
    table = tables[""]
    told, flat = table[~table["flat"].astype(bool)], table[table["flat"].astype(bool)]
    cells, count = int(table["cells"].iloc[0]), len(table)
    said = []
    if len(told):
        said.append(_extremes(told))
        paying = told[(told["wide_gain_low"] > 0.0) & (told["wide_low"] > told["least_tried"])]
        said.append(
            f"In {len(paying)} of {count} cells some cognition is told to be better than the least tried: the "
            f"gain at the best share is {_gain_range(paying)}."
            if len(paying)
            else f"In none of {count} cells is some cognition told to be better than the least tried; the largest "
            f"gain is {_gain(told.loc[told['gain'].idxmax()])}."
        )
        said.append(
            f"Intervals in these comparisons cover {PERCENT * table['wide_level'].iloc[0]:.4g} % in each cell, so that "
            f"those of all {cells} cells hold at once in {PERCENT * table['level'].iloc[0]:g} % of studies."
        )
    for _, row in flat.iterrows():
        said.append(
            f"{_where(row)}: flat (p = {row['flat_p']:.2g}); shares from {PERCENT * row['near_low']:.0f} to "
            f"{PERCENT * row['near_high']:.0f} % are within {row['epsilon_percent']:g} % of the best."
        )  # fmt: skip
    return said + left_out(table)


def _gain(row: pd.Series) -> str:
    return f"{row['gain']:.1f} % [{row['wide_gain_low']:.1f}, {row['wide_gain_high']:.1f}] ({_where(row)})"


def _gain_range(rows: pd.DataFrame) -> str:
    least, most = rows.loc[rows["gain"].idxmin()], rows.loc[rows["gain"].idxmax()]
    return _gain(most) if least.equals(most) else f"from {_gain(least)} to {_gain(most)}"


KIND = Kind(
    name="phase",
    title=TITLE,
    question="How does the best share of output for cognition move over two conditions of the world?",
    method=(
        "In each cell the peak of a Gaussian process through paired means (see tradeoff), interval from resampled "
        "worlds; flat where the curve's range is no larger than that of resampled curves. Findings compare cells by "
        "intervals that allow for their number (Bonferroni)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
