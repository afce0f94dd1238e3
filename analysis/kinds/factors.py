"""Factors: the outcome of a study against each thing that it varies, as plainly as can be; every design has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.rows import LOG_PERCENT, OUTCOME
from civsim.analysis.panel import CLUSTER, OK, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results
from civsim.analysis.statistics.worlds import world_mean
from civsim.analysis.style import COLOURS, INK, NOTE_LINE, NOTE_SIZE, add_note, add_title, new_figure, wrap_note
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

BINS = 5
"""Parts of a range, of about as many points each, where points lie anywhere in it."""

FEWEST = 2
"""Worlds below which a mean has no interval."""

MOST_PANELS = 24
"""Factors that the figure shows; the table has all."""

ACROSS = 3
HEAD, PANEL, FOOT = 0.5, 2.1, 0.4
"""Heights in inches: title, one row of panels, margin above the small print."""

_LONGEST_TICK = 14
_LETTERS_ACROSS = 34
"""Letters of all ticks together that stand beside each other; more are turned."""


def _refuses(results: Results) -> str | None:
    return None if results.factors else "the study varies nothing; add a factor"


def _whole(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the games of the points of which at least one gave a number, the outcome nan where a game gave none."""
    runs = runs.assign(y=runs["y"].where((runs["status"] == OK) & np.isfinite(runs["y"].to_numpy(np.float64))))
    return runs[runs.groupby("point")["y"].transform("count") > 0]


def _groups(results: Results, column: str, runs: pd.DataFrame) -> list[tuple[str, float, pd.DataFrame]]:
    """Return (name, place on an axis or nan, its games) of each level of a factor, or of each part of its range."""
    factor = results.study["factors"][column.removeprefix(FACTOR)]
    numbers = pd.api.types.is_numeric_dtype(runs[column]) and not pd.api.types.is_bool_dtype(runs[column])
    there = runs[runs[column].notna()]
    if factor.get("low") is not None and there[column].nunique() > BINS:
        by_point = there.groupby("point")[column].first()
        part = pd.qcut(by_point.rank(method="first"), BINS, labels=False)
        bins = [there[there["point"].isin(part.index[part == number])] for number in range(BINS)]
        return [(f"{one[column].min():.3g} to {one[column].max():.3g}", float(one[column].mean()), one) for one in bins]
    levels = list(dict.fromkeys(there.sort_values("point", kind="stable")[column]))
    levels = sorted(levels) if numbers else levels
    names = [f"{level:.6g}" if isinstance(level, float) else str(level) for level in levels]
    return [
        (name, float(level) if numbers else math.nan, there[there[column] == level])
        for name, level in zip(names, levels, strict=True)
    ]


def _by_world(games: pd.DataFrame) -> tuple[F64, int]:
    """Return (mean outcome of each world, worlds left out): a world counts where it has a number at every point."""
    by_world = games.groupby(list(CLUSTER))["y"]
    means = by_world.mean()[by_world.count() == by_world.size()]
    return means.to_numpy(np.float64), by_world.ngroups - len(means)


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    require_columns(results.runs, [OUTCOME, *CLUSTER, "point", "status"])
    runs = results.runs.assign(y=results.log_points(results.runs))
    whole = _whole(runs)
    unplayed = runs["point"].nunique() - whole["point"].nunique()
    if whole.empty:
        raise ResultsError(f"none of {len(runs)} games has a number for welfare; look at failed games")
    rows: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    for column in results.factors:
        name = column.removeprefix(FACTOR)
        for number, (label, place, games) in enumerate(_groups(results, column, whole)):
            means, dropped = _by_world(games)
            if len(means) < FEWEST:
                reason = f"{len(means)} worlds have a number at every point; {FEWEST} are the fewest"
                skipped.append({"stratum": f"{name} {label}", "reason": reason})
                continue
            found = world_mean(means, **resampling._asdict())
            rows.append(
                {
                    "factor": name, "number": number, "level": label, "at": place,
                    "value": float(found.value), "low": float(found.low), "high": float(found.high),
                    "points": int(games["point"].nunique()), "worlds": len(means), "dropped": dropped,
                    "unplayed": unplayed,
                    "scale": results.study["factors"][name].get("scale") or "linear",
                }
            )  # fmt: skip
    if not rows:
        raise ResultsError(f"{skipped[0]['stratum']}: {skipped[0]['reason']}; play more worlds")
    return {"": pd.DataFrame(rows)} | ({SKIPPED: pd.DataFrame(skipped)} if skipped else {})


def _panel(axes: Axes, part: pd.DataFrame) -> None:
    numbers = bool(part["at"].notna().all())
    at = part["at"].to_numpy(np.float64) if numbers else np.arange(len(part), dtype=np.float64)
    value, low, high = (part[name].to_numpy(np.float64) for name in ("value", "low", "high"))
    axes.errorbar(
        at, value, yerr=[value - low, high - value], color=COLOURS[0], marker="o", markersize=4.0, linewidth=1.0,
        elinewidth=1.3, linestyle="-" if numbers else "none",
    )  # fmt: skip
    if not numbers:
        names = [_short(name) for name in part["level"]]
        turned = sum(map(len, names)) > _LETTERS_ACROSS
        axes.set_xticks(at, names, rotation=30 if turned else 0, ha="right" if turned else "center")
        axes.set_xlim(-0.5, len(part) - 0.5)
    elif part["scale"].iloc[0] == "log" and (at > 0.0).all():
        axes.set_xscale("log")
    axes.set_title(str(part["factor"].iloc[0]).replace("_", " "), loc="left", fontsize=NOTE_SIZE + 1.0, color=INK)


def _short(name: str) -> str:
    """Return a level's name for a tick: names that begin alike differ at their ends."""
    return name if len(name) <= _LONGEST_TICK else f"{name[: _LONGEST_TICK // 2]}…{name[1 - _LONGEST_TICK // 2 :]}"


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    factors = list(dict.fromkeys(table["factor"]))
    shown = factors[:MOST_PANELS]
    rest = (
        [f"{len(shown)} of {len(factors)} factors are shown; the table has all."] if len(factors) > len(shown) else []
    )
    small = wrap_note(
        [
            *notes,
            "Dot: mean over worlds of the outcome at a level, over everything else that the study plays with it; of a "
            f"range, in {BINS} parts of as many points. Bar: its interval. One scale for all.",
            *rest,
        ]
    )
    rows, across = -(-len(shown) // ACROSS), min(ACROSS, len(shown))
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL * rows + foot
    figure = new_figure(height)
    width, left = 0.9 / across, 0.085
    low, high = float(table["low"].min()), float(table["high"].max())
    room = 0.06 * (high - low or 1.0)
    for place, name in enumerate(shown):
        row, column = divmod(place, across)
        bottom = (foot + PANEL * (rows - 1 - row) + 0.42) / height
        axes = figure.add_axes((left + column * width, bottom, width - 0.055, (PANEL - 0.86) / height))
        _panel(axes, table[table["factor"] == name])
        axes.set_ylim(low - room, high + room)
        if column == 0:
            axes.set_ylabel("welfare")
    add_title(figure, "The outcome against what was varied", f"Welfare a turn, {LOG_PERCENT}")
    add_note(figure, small)
    return figure


def _read(tables: Tables) -> list[str]:
    said = []
    for name, part in tables[""].groupby("factor", sort=False):
        first, last = part.loc[part["value"].idxmin()], part.loc[part["value"].idxmax()]
        ends = [f"{row['value']:.1f} [{row['low']:.1f}, {row['high']:.1f}] at {row['level']}" for row in (first, last)]
        shown = str(name).replace("_", " ")
        said.append(f"{shown}: mean welfare from {ends[0]} to {ends[1]} ({LOG_PERCENT}, {len(part)} levels).")
    return said + _left_out(tables[""])


def _left_out(table: pd.DataFrame) -> list[str]:
    """Return sentences on what failed games cost, or none where there were none."""
    lost = table[table["dropped"] > 0]
    said = []
    if len(lost):
        most = lost.loc[lost["dropped"].idxmax()]
        said.append(
            f"Worlds left out of a level, at most, since a game of theirs failed or gave no number: {most['dropped']} "
            f"(of {most['factor']} {most['level']})."
        )
    unplayed = int(table["unplayed"].max())
    if unplayed:
        said.append(f"Points of which no game gave a number, left out: {unplayed}.")
    return said


KIND = Kind(
    name="factors",
    title="The outcome against what was varied",
    question="What is the outcome at each level of each thing that the study varies?",
    method=(
        "Means over worlds of each world's mean outcome at a level, over all that the study plays with it; they are no "
        "comparison within worlds, which other kinds make. A world counts at a level where all its games there ended."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
