"""Break-even prices: how dear each channel of cognition may be before buying it is worth nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.parts import each_part
from civsim.analysis.kinds.rows import left_out, price_columns
from civsim.analysis.panel import Panel, make_panel
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.breakeven import ABOVE, BELOW, break_even
from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, widened_interval
from civsim.analysis.style import (
    COLOURS,
    FACE,
    MARKERS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
    zero_line,
)
from civsim.analysis.units import equivalent_percent
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOME = "welfare"
BOUGHT = f"{FACTOR}bought"
"""Column of the factor whose arms say what is bought; its arm ``none`` buys nothing."""

NONE = "none"
_ARM = "bought at price"
_MIN_PRICES = 2
_MARGIN = 1.05

HEAD, PANEL, GAP, FOOT = 0.78, 1.7, 0.55, 0.52
"""Heights in inches: titles, a panel, between panels, margin above the small print."""


def price_column(results: Results) -> str | None:
    """Return the column of the first factor that moves the price of cognition alone, or None."""
    return next(iter(price_columns(results)), None)


def _found(results: Results) -> tuple[str, list[str]] | str:
    """Return (column of the price, what may be bought), or what the design lacks."""
    factor = results.study["factors"].get("bought")
    arms = [str(arm) for arm in (factor or {}).get("arms") or {}]
    if BOUGHT not in results.factors or NONE not in arms:
        return "no factor called bought has an arm none and others that buy; add one"
    column = price_column(results)
    if column is None:
        return "no factor moves focal.price or thinking.price alone, at levels that are numbers; add one"
    return column, [arm for arm in arms if arm != NONE]


def _refuses(results: Results) -> str | None:
    found = _found(results)
    return found if isinstance(found, str) else None


def _gains(stratum: Stratum, column: str, what: str) -> tuple[Panel, list[float]]:
    """Return the paired gains [W, P] from buying ``what`` over buying nothing, and the prices they were played at.

    Raises:
        ResultsError: fewer than :data:`_MIN_PRICES` such prices, or no world was played at all of them.
    """
    runs = stratum.runs[stratum.runs[BOUGHT].isin([NONE, what]) & stratum.runs[column].notna()]
    levels = pd.to_numeric(runs[column])
    prices = sorted(set(levels[runs[BOUGHT] == what]) & set(levels[runs[BOUGHT] == NONE]))
    if len(prices) < _MIN_PRICES:
        raise ResultsError(f"bought at {len(prices)} prices beside none; play {_MIN_PRICES} prices or more")
    place = levels.map({price: index for index, price in enumerate(prices)})
    arm = place + len(prices) * (runs[BOUGHT] == what)
    panel = make_panel(runs.assign(**{_ARM: arm})[place.notna()], OUTCOME, _ARM)
    return panel._replace(values=panel.values[:, len(prices) :] - panel.values[:, : len(prices)]), prices


def _one(results: Results, stratum: Stratum, column: str, what: str, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the break-even price of one thing bought in one stratum, and its gain at each price."""
    panel, prices = _gains(stratum, column, what)
    best = break_even(panel.values, prices, **resampling._asdict())
    mean = panel.values.mean(0)
    drawn = bootstrap_means(panel.values, bootstrap_weights(panel.n_worlds, resampling.draws, resampling.seed))
    low, high = widened_interval(mean, drawn, panel.n_worlds, resampling.level)
    length = results.length(stratum.runs)
    gain = {
        name: equivalent_percent(value, *length) for name, value in {"gain": mean, "low": low, "high": high}.items()
    }
    return {
        "": pd.DataFrame([{**best._asdict(), "bounded": best.bounded, "dropped": panel.dropped}]),
        "points": pd.DataFrame({"price": prices, "worlds": panel.n_worlds, **gain}),
    }


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    found = _found(results)
    if isinstance(found, str):
        raise ResultsError(found)
    column, bought = found
    return each_part(
        results,
        "bought",
        {what: [BOUGHT, column] for what in bought},
        lambda what, stratum: _one(results, stratum, column, what, resampling),
    )


def price_words(row: pd.Series) -> str:
    """Return a break-even price with its interval; what lies outside the prices tried is said to."""
    if row["high"] <= row["lowest"]:
        return f"below {row['lowest']:g}, and so is its interval"
    if row["low"] >= row["highest"]:
        return f"above {row['highest']:g}, and so is its interval"
    low = f"below {row['lowest']:g}" if row["low"] <= 0.0 else f"{row['low']:.2f}"
    high = f"above {row['highest']:g}" if not np.isfinite(row["high"]) else f"{row['high']:.2f}"
    value = {ABOVE: f"above {row['highest']:g}", BELOW: f"below {row['lowest']:g}"}.get(row["side"])
    return f"{value or format(row['price'], '.2f')} [{low}, {high}]"


def _draw_stratum(axes: Axes, tables: Tables, stratum: str) -> None:
    """Draw gain against price, one line what is bought, and its break-even price on the line of no gain."""
    zero_line(axes)
    rows = tables[""][tables[""]["stratum"] == stratum]
    axes.annotate(
        "break-even price [interval]", (1.03, 1.0), xycoords="axes fraction", color=MUTED, fontsize=NOTE_SIZE,
        va="top",
    )  # fmt: skip
    for index, (_, row) in enumerate(rows.iterrows()):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        points = tables["points"]
        points = points[(points["stratum"] == stratum) & (points["bought"] == row["bought"])]
        axes.fill_between(points["price"], points["low"], points["high"], color=colour, alpha=0.13, linewidth=0)
        axes.plot(points["price"], points["gain"], marker, linestyle="-", color=colour)
        low, high = max(row["low"], row["lowest"]), min(row["high"], row["highest"])
        axes.plot([low, high], [0.0, 0.0], color=colour, linewidth=3.0, alpha=0.5, solid_capstyle="butt", zorder=4)
        if np.isfinite(row["price"]):
            axes.plot(row["price"], 0.0, marker, markerfacecolor=FACE, markeredgecolor=colour, markersize=6.0, zorder=5)
        axes.annotate(
            f"{row['bought']}: {price_words(row)}", (1.03, 0.86 - 0.13 * index), xycoords="axes fraction", color=colour,
            fontsize=7.5, va="top",
        )  # fmt: skip
    axes.set_xscale("log")
    prices = sorted(tables["points"]["price"].unique())
    axes.set_xticks(prices, [f"{price:g}" for price in prices])
    axes.minorticks_off()
    axes.set_xlim(prices[0] / _MARGIN, prices[-1] * _MARGIN)
    axes.set_title(stratum, pad=3)
    axes.set_ylabel("gain (%)")


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    strata = list(dict.fromkeys(tables[""]["stratum"]))
    small = wrap_note([*notes, _NOTE])
    foot = FOOT + NOTE_LINE * len(small)
    height = HEAD + PANEL * len(strata) + GAP * (len(strata) - 1) + foot
    figure = new_figure(height)
    top = height - HEAD
    for stratum in strata:
        axes = figure.add_axes((0.085, (top - PANEL) / height, 0.55, PANEL / height))
        _draw_stratum(axes, tables, stratum)
        if stratum == strata[-1]:
            axes.set_xlabel("Price of cognition (as the study states it)")
        top -= PANEL + GAP
    add_title(
        figure, "How dear thinking may be",
        "Welfare gained by buying over not buying (consumption-equivalent, %); every world is compared with itself",
    )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Lines: mean paired gain at each price, with pointwise intervals. Open markers: where a falling fit crosses 0; "
    "thick bars: its interval, cut at the prices tried. A crossing outside the prices tried is not extrapolated."
)


def _finding(row: pd.Series) -> str:
    where, words = f"{row['stratum']}, {row['bought']}", price_words(row)
    count = f"({row['worlds']} worlds)"
    if row["low"] >= row["highest"]:
        return f"{where}: buying pays at every price tried; the break-even price is {words} {count}."
    if row["high"] <= row["lowest"]:
        return f"{where}: buying pays at no price tried; the break-even price is {words} {count}."
    if row["side"] == ABOVE:
        reach = "any price tried" if row["low"] <= 0.0 else f"prices from {row['low']:.2f} on"
        return f"{where}: the break-even price is estimated {words}; it is not told from {reach} {count}."
    if row["side"] == BELOW:
        reach = f"prices up to {row['high']:.2f}" if np.isfinite(row["high"]) else "any price tried"
        return f"{where}: the break-even price is estimated {words}; it is not told from {reach} {count}."
    open_ended = "" if row["bounded"] else "; the prices tried do not bound it"
    return f"{where}: buying is worth nothing at the price {words}{open_ended} {count}."


def _read(tables: Tables) -> list[str]:
    return [_finding(row) for _, row in tables[""].iterrows()] + left_out(tables[""])


KIND = Kind(
    name="breakeven",
    title="How dear thinking may be",
    question="At what price is buying a channel of cognition worth nothing?",
    method=(
        "Paired gain from buying over not buying at each price; least-squares falling fit (isotonic regression), its "
        "crossing of 0 in log price, interval from resampled worlds; never extrapolated."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
