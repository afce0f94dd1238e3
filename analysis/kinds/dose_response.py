"""Dose–response: what a free level of each channel is worth, what one more is, and whether returns diminish."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.parts import each_part
from civsim.analysis.kinds.rows import left_out, listed, log_percent
from civsim.analysis.panel import make_panel
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics.dose import (
    MIN_DOSES,
    PER_DOUBLING,
    concavity_test,
    diminishing_returns,
    elasticities,
)
from civsim.analysis.statistics.marginal import marginal_returns
from civsim.analysis.statistics.paired import paired_differences
from civsim.analysis.style import (
    COLOURS,
    MARKERS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    RULE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
    zero_line,
)
from civsim.analysis.units import PERCENT, equivalent_percent
from civsim.base.constants import CHANNEL_LABELS, CHANNEL_NAMES
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOME = "welfare"
ALPHA = 0.05
"""p below which the findings call a slope that rises somewhere told apart from a concave answer."""

HEAD, PANEL, ROW, FOOT, GAP = 0.72, 1.75, 0.3, 0.5, 0.62
"""Heights in inches: titles, a panel, a row of the strip of tests, margin above the small print, between panels."""


_LABEL = 38
"""Characters of a stratum's name on one line."""


def channel_columns(results: Results) -> dict[str, str]:
    """Return channel → column of the factor that gives the focal civilization its level, for those that vary."""
    found = {channel: results.column(f"focal.levels.{channel}") for channel in CHANNEL_NAMES}
    return {channel: column for channel, column in found.items() if column is not None}


def dose_strata(results: Results, column: str) -> list[Stratum]:
    """Return the strata in which ``column`` has three levels or more and nothing else moves."""
    strata = [stratum._replace(runs=stratum.runs[stratum.runs[column].notna()]) for stratum in results.strata([column])]
    return [stratum for stratum in strata if stratum.runs[column].nunique() >= MIN_DOSES]


def _refuses(results: Results) -> str | None:
    columns = channel_columns(results)
    if not columns:
        return f"no factor varies focal.levels.{' or .'.join(CHANNEL_NAMES)}; add one with 3 levels or more"
    if not any(dose_strata(results, column) for column in columns.values()):
        return f"{', '.join(columns.values())} never takes {MIN_DOSES} levels with all else equal; add levels"
    return None


def _one(results: Results, stratum: Stratum, column: str, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the four tables of one stratum and channel; none where the design plays too few levels."""
    runs = stratum.runs[stratum.runs[column].notna()]
    if runs[column].nunique() < MIN_DOSES:
        return {}
    panel = make_panel(runs, OUTCOME, column, may_lose_arms=True)
    length, settings = results.length(runs), resampling._asdict()
    gains = paired_differences(panel, panel.arms[0], **settings).rename(columns={"arm": "level", "difference": "gain"})
    gains = gains[["level", "worlds", "gain", "low", "high", "correlation", "variance_ratio"]].assign(
        dropped=panel.dropped, lost=listed(panel.lost)
    )
    for name in ("gain", "low", "high"):
        gains[name] = equivalent_percent(gains[name], *length)
    # Per turn, welfare is the logarithm of c₀ + consumption: its slopes are log percent, its elasticity is theirs.
    logged = runs.assign(**{OUTCOME: log_percent(results, stratum)})
    percent = make_panel(logged, OUTCOME, column, may_lose_arms=True)
    log_turn = percent._replace(values=percent.values / PERCENT)
    tests = diminishing_returns(percent, level=resampling.level)
    bend = concavity_test(percent, draws=resampling.draws, seed=resampling.seed)
    return {
        "": gains,
        "marginal": marginal_returns(percent, **settings).drop(columns="gain"),
        "elasticity": elasticities(log_turn, logged=True, **settings),
        "tests": tests.assign(convex_at=bend.dose, convex_by=bend.change, concave_p=bend.p),
    }


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = _refuses(results)
    if refused is not None:
        raise ResultsError(refused)
    columns = {channel: column for channel, column in channel_columns(results).items() if dose_strata(results, column)}
    return each_part(
        results,
        "channel",
        {channel: [column] for channel, column in columns.items()},
        lambda channel, stratum: _one(results, stratum, columns[channel], resampling),
    )


def _rows(table: pd.DataFrame, channel: str, stratum: str) -> pd.DataFrame:
    return table[(table["channel"] == channel) & (table["stratum"] == stratum)]


def _strata(table: pd.DataFrame, channel: str) -> list[str]:
    return list(dict.fromkeys(table.loc[table["channel"] == channel, "stratum"]))


def _draw_gains(axes: Axes, table: pd.DataFrame, channel: str) -> None:
    """Draw one line a stratum, with its intervals."""
    zero_line(axes)
    for index, stratum in enumerate(_strata(table, channel)):
        rows = _rows(table, channel, stratum)
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        axes.fill_between(rows["level"], rows["low"], rows["high"], color=colour, alpha=0.13, linewidth=0)
        axes.plot(rows["level"], rows["gain"], marker, linestyle="-", color=colour)
    levels = sorted(table.loc[table["channel"] == channel, "level"].unique())
    axes.set_xscale("symlog", base=2, linthresh=1)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.minorticks_off()
    axes.set_xlabel(CHANNEL_LABELS[channel])
    axes.set_ylabel("gain (%)")


def _draw_tests(axes: Axes, tables: Tables, channel: str) -> None:
    """Draw the change of slope per doubling, one row a stratum; its labels name the lines beside it."""
    axes.axvline(0.0, color=RULE, linewidth=0.8, zorder=0)
    for index, stratum in enumerate(_strata(tables[""], channel)):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        rows = _rows(tables["tests"], channel, stratum)
        doubling = rows[rows["scale"] == PER_DOUBLING]
        text = f"fewer than {MIN_DOSES} levels above 0"
        for _, row in doubling.iterrows():
            axes.plot([row["low"], row["high"]], [-index, -index], color=colour)
            axes.plot(row["contrast"], -index, marker, color=colour)
            text = f"{row['contrast']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"
        name = textwrap.fill(stratum, _LABEL)
        axes.annotate(
            f"{name}\n{text}", (1.03, -index), xycoords=("axes fraction", "data"), color=colour,
            fontsize=7.0, va="center", annotation_clip=False,
        )  # fmt: skip
    axes.annotate(
        "late less early slope [interval]", (1.03, 1), xycoords=("axes fraction", "data"), color=MUTED,
        fontsize=NOTE_SIZE, va="center", annotation_clip=False,
    )  # fmt: skip
    axes.set_ylim(-len(_strata(tables[""], channel)) + 0.4, 1.4)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not (tables["tests"].loc[tables["tests"]["channel"] == channel, "scale"] == PER_DOUBLING).any():
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        return
    axes.set_xlabel("change (log % per doubling)")


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    channels = list(dict.fromkeys(tables[""]["channel"]))
    small = wrap_note([*notes, _NOTE])
    panels = [max(PANEL, ROW * (len(_strata(tables[""], channel)) + 1.8)) for channel in channels]
    foot = FOOT + NOTE_LINE * len(small)
    height = HEAD + sum(panels) + GAP * (len(panels) - 1) + foot
    figure = new_figure(height)
    top = height - HEAD
    for channel, tall in zip(channels, panels, strict=True):
        left = figure.add_axes((0.085, (top - tall) / height, 0.38, tall / height))
        right = figure.add_axes((0.51, (top - tall) / height, 0.2, tall / height))
        _draw_gains(left, tables[""], channel)
        _draw_tests(right, tables, channel)
        top -= tall + GAP
    add_title(
        figure, "What a level of thinking is worth",
        "Welfare gained over the lowest level (consumption-equivalent, %), and how the gain per doubling changes",
    )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Left: mean paired difference from the lowest level, with pointwise intervals. Right: average slope from the "
    "middle level to the highest less that from the lowest level above 0 to the middle; left of 0, returns diminish "
    "even per doubling."
)


def _trend(row: pd.Series) -> str:
    words = f"{row['contrast']:.2f} log % [{row['low']:.2f}, {row['high']:.2f}], p = {row['p']:.2g}"
    unit = f"per {row['scale']}"
    if row["high"] < 0.0:
        return f"returns diminish {unit} (late less early slope {words})"
    if row["low"] > 0.0:
        return f"returns increase {unit} (late less early slope {words})"
    return f"no change of returns {unit} is told apart (late less early slope {words})"


def _finding(tables: Tables, channel: str, stratum: str) -> list[str]:
    gains, tests = _rows(tables[""], channel, stratum), _rows(tables["tests"], channel, stratum)
    last, where = gains.iloc[-1], f"{stratum}, {channel}"
    gain = f"{last['gain']:.1f} % [{last['low']:.1f}, {last['high']:.1f}]"
    reach = f"from level {gains['level'].iloc[0]:g} to {last['level']:g}"
    told = last["low"] > 0.0 or last["high"] < 0.0
    verb = "loses" if last["gain"] < 0.0 else "gains"
    said = [
        f"{where}: {reach} welfare {verb} {gain}" + ("" if told else ", which cannot be told from nothing")
        + f" ({last['worlds']} worlds)."
    ]  # fmt: skip
    said.append(f"{where}: " + "; ".join(_trend(row) for _, row in tests.iterrows()) + ".")
    whole = _rows(tables["elasticity"], channel, stratum)
    whole = whole[whole["whole"].astype(bool) & np.isfinite(whole["elasticity"])]
    for _, row in whole.iterrows():
        said.append(
            f"{where}: the elasticity of c₀ + consumption in the level is {row['elasticity']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}] from {row['dose_from']:g} to {row['dose_to']:g}."
        )
    test = tests.iloc[0]
    if test["concave_p"] < ALPHA:
        said.append(
            f"{where}: the answer is not concave; the gain per level rises by {test['convex_by']:.2f} log % at level "
            f"{test['convex_at']:g} (joint p = {test['concave_p']:.2g})."
        )
    return said


def _read(tables: Tables) -> list[str]:
    pairs = dict.fromkeys(zip(tables[""]["channel"], tables[""]["stratum"], strict=True))
    said = [sentence for channel, stratum in pairs for sentence in _finding(tables, channel, stratum)]
    return said + left_out(tables[""])


KIND = Kind(
    name="dose-response",
    title="What a level of thinking is worth",
    question="What is a level of each channel worth when it is given, and do returns diminish?",
    method=(
        "Paired differences from the lowest level in the same worlds; late less early average slope with Student's t; "
        "concavity by the largest rise of a slope, its null drawn jointly over resampled worlds."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
