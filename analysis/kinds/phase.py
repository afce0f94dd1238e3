"""Phase diagram: the best share of output for cognition over two conditions of the world, and where it is not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.tradeoff import EPSILON_PERCENT, OUTCOME, PATH, share_column
from civsim.analysis.panel import make_panel
from civsim.analysis.results import FACTOR, Resampling, Results
from civsim.analysis.statistics.optimum import MIN_DOSES, estimate_optimum
from civsim.analysis.style import FACE, INK, MUTED, NOTE_LINE, RULE, add_note, add_title, new_figure, wrap_note
from civsim.analysis.units import PERCENT, equivalent_percent, welfare_of_percent
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = 2
"""Conditions of a phase diagram."""

HEAD, CELL, FOOT = 0.78, 0.52, 0.62
"""Heights in inches: titles, one row of cells, axis label and margin above the small print."""

_COLOURS = "YlGnBu"
"""Sequential map, even in lightness: light where little is spent."""

_DARK = 0.55
"""Part of the range from which a cell is dark and its text light."""


_LEAST_RANGE = 1.0
"""Range of the colours where hardly anything is spent anywhere (per cent of output)."""

_APART = 0.01
"""Gap between two intervals below which they are not called apart (share of output)."""


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


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = _refuses(results)
    dose = share_column(results)
    if refused is not None or dose is None:
        raise ResultsError(refused or "no dose")
    across, up = condition_columns(results, dose)
    rows = []
    for x in _ordered(results.runs[across]):
        for y in _ordered(results.runs[up]):
            runs = results.runs[(results.runs[across] == x) & (results.runs[up] == y)]
            if runs.empty:
                continue
            length = results.length(runs)
            panel = make_panel(runs, OUTCOME, dose)
            epsilon = welfare_of_percent(EPSILON_PERCENT, *length)
            best, _ = estimate_optimum(panel, float(panel.arms[0]), epsilon=epsilon, **resampling._asdict())
            gain = equivalent_percent([best.value, best.value_low, best.value_high], *length)
            rows.append(
                {
                    "x_name": across.removeprefix(FACTOR), "x": x, "y_name": up.removeprefix(FACTOR), "y": y,
                    "share": best.dose, "low": best.low, "high": best.high, "gain": gain[0], "gain_low": gain[1],
                    "gain_high": gain[2], "near_low": best.near_low, "near_high": best.near_high,
                    "epsilon_percent": EPSILON_PERCENT, "flat": best.flat, "flat_p": best.flat_p, "edge": best.edge,
                    "most_tried": float(panel.arms[-1]), "worlds": panel.n_worlds, "dropped": panel.dropped,
                }
            )  # fmt: skip
    return {"": pd.DataFrame(rows)}


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
        small = f"within 1 %: {PERCENT * row['near_low']:.0f}–{PERCENT * row['near_high']:.0f}"
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
    xs, ys = list(dict.fromkeys(table["x"])), list(dict.fromkeys(table["y"]))
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
        figure, "Where thinking pays",
        "Best share of output spent on cognition (%) under two conditions of the world, with its interval",
    )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Cells: best share of those tried, per cent of output, with its interval. Hatched: flat, no share can be called "
    "better than another; below it the shares within 1 % of the best."
)


def _where(row: pd.Series) -> str:
    return f"{row['x_name'].replace('_', ' ')} {_name(row['x'])}, {row['y_name'].replace('_', ' ')} {_name(row['y'])}"


def _span(row: pd.Series) -> str:
    return f"{PERCENT * row['share']:.0f} % [{PERCENT * row['low']:.0f}, {PERCENT * row['high']:.0f}]"


def _read(tables: Tables) -> list[str]:
    table = tables[""]
    told, flat = table[~table["flat"].astype(bool)], table[table["flat"].astype(bool)]
    said = []
    if len(told):
        least, most = told.loc[told["share"].idxmin()], told.loc[told["share"].idxmax()]
        said.append(
            f"The best share of output for cognition goes from {_span(least)} ({_where(least)}) to {_span(most)} "
            f"({_where(most)})"
            + ("." if most["low"] - least["high"] > _APART else "; the two intervals overlap.")
        )  # fmt: skip
        paying = told[(told["gain_low"] > 0.0) & (told["low"] > 0.0)]
        said.append(
            f"In {len(paying)} of {len(table)} cells some cognition is told to be better than the least tried: the "
            f"gain at the best share is {_gain_range(paying)}."
            if len(paying)
            else f"In none of {len(table)} cells is some cognition told to be better than the least tried; the largest "
            f"gain is {_gain(told.loc[told['gain'].idxmax()])}."
        )
    for _, row in flat.iterrows():
        said.append(
            f"{_where(row)}: flat (p = {row['flat_p']:.2g}); shares from {PERCENT * row['near_low']:.0f} to "
            f"{PERCENT * row['near_high']:.0f} % are within {row['epsilon_percent']:g} % of the best."
        )  # fmt: skip
    return said


def _gain(row: pd.Series) -> str:
    return f"{row['gain']:.1f} % [{row['gain_low']:.1f}, {row['gain_high']:.1f}] ({_where(row)})"


def _gain_range(rows: pd.DataFrame) -> str:
    least, most = rows.loc[rows["gain"].idxmin()], rows.loc[rows["gain"].idxmax()]
    return _gain(most) if least.equals(most) else f"from {_gain(least)} to {_gain(most)}"


KIND = Kind(
    name="phase",
    title="Where thinking pays",
    question="How does the best share of output for cognition move over two conditions of the world?",
    method=(
        "In each cell the peak of a Gaussian process through paired means (see tradeoff), interval from resampled "
        "worlds; flat where the curve's range is no larger than that of resampled curves."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
