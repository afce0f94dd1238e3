"""Worth of a unit of wall against how strong raiders are: measured, beside what the formula of the rules says.

A study plays shares of walls against bands of several mean strengths, and without any band. What walls save is the
output that they leave beyond what the same spending leaves where nobody raids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out, words
from civsim.analysis.panel import CLUSTER, OK, select
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics.walls import WallGames, estimate_step
from civsim.analysis.style import (
    COLOURS,
    MARKERS,
    NOTE_LINE,
    NOTE_SIZE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
    zero_line,
)
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WALLS, STRENGTH, RATE = "focal.policy.params.physical.walls", "raiders.strength", "raiders.rate"
"""Settings that factors must vary."""

HEAD, PANEL, FOOT = 0.62, 2.5, 0.6
"""Heights in inches: titles, panels, axis label and margin above the small print."""

DODGE = 1.04
"""Factor by which measured and formula stand apart on the axis of strengths."""


def _columns(results: Results) -> tuple[str | None, str | None, str | None]:
    return results.column(WALLS), results.column(STRENGTH), results.column(RATE)


def _refuses(results: Results) -> str | None:
    for path, column in zip((WALLS, STRENGTH, RATE), _columns(results), strict=True):
        if column is None:
            return f"no factor varies {path}; add one with 2 levels or more"
    rates = results.runs[str(results.column(RATE))]
    if not (rates == 0.0).any() or not (rates > 0.0).any():
        return f"{RATE} is not both 0 and above 0; add a level"
    if results.study.get("series", "none") == "none":
        return "the study kept no per-turn table; set series = 'focal'"
    return None


def _setting(results: Results, context: str, path: str) -> float:
    """Return a number that holds all over the study: as the study sets it, else as the scenario has it."""
    value: Any = results.study.get("set", {}).get(path)
    if value is None:
        value = results.manifest["scenarios"][context]
        for step in path.split("."):
            value = value[step]
    return float(value)


def _sums(results: Results, runs: pd.DataFrame, cost: float) -> pd.DataFrame:
    """Return each run's output, wall that stood, and cells held, summed over its turns."""
    spending = [name for name in runs.columns if name.startswith("spent_")]
    share = runs.set_index("run_id")["spent_walls"] / runs.set_index("run_id")[spending].sum(axis=1)
    turns = results.read_series(
        ["run_id", "turn", "is_focal", "output", "cells"], points=runs["point"].unique().tolist()
    )
    turns = turns[turns["is_focal"] & turns["run_id"].isin(share.index)]
    turns = turns.sort_values(["run_id", "turn"])
    built = turns["output"] * turns["run_id"].map(share) / cost
    turns = turns.assign(wall=built.groupby(turns["run_id"]).cumsum())
    return turns.groupby("run_id")[["output", "wall", "cells"]].sum()


def _arms(runs: pd.DataFrame, sums: pd.DataFrame, keys: Sequence[str]) -> tuple[Mapping[Any, WallGames], int]:
    """Return the games of each combination of ``keys`` in the worlds that all of them have, and the worlds dropped."""
    table = runs.loc[runs["status"] == OK, ["run_id", *CLUSTER, *keys]].join(sums, on="run_id")
    wide = table.pivot_table(
        index=list(CLUSTER), columns=list(keys), values=list(sums.columns), aggfunc="mean", observed=True
    )
    full = wide.dropna()
    if full.empty:
        raise ResultsError("no world has games of all strengths and shares of walls; look at failed rows")
    found = {}
    for key in dict.fromkeys(column[1:] for column in full.columns):
        found[key] = WallGames(*(full[(name, *key)].to_numpy() for name in ("output", "wall", "cells")))
    return found, len(runs[list(CLUSTER)].drop_duplicates()) - len(full)


def _one(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    walls, strength, rate = (str(column) for column in _columns(results))
    runs = stratum.runs.copy()
    # Without bands their strength is nothing; a key has to be a number.
    runs.loc[runs[rate] == 0.0, strength] = 0.0
    sums = _sums(results, runs[runs["status"] == OK], _setting(results, stratum.context, "walls.cost"))
    arms, dropped = _arms(runs, sums, [rate, strength, walls])
    spending = [name for name in runs.columns if name.startswith("spent_")]
    shares = (runs["spent_walls"] / runs[spending].sum(axis=1)).groupby(runs[walls]).mean()
    rows = []
    for (often, strong), (low, high) in _steps(arms):
        step = estimate_step(
            arms[often, strong, low], arms[often, strong, high], arms[0.0, 0.0, low], arms[0.0, 0.0, high],
            strength=strong, rate=often, turns=results.length(runs)[1],
            disruption=_setting(results, stratum.context, "raiders.disruption"), **resampling._asdict(),
        )  # fmt: skip
        row: dict[str, object] = {
            "rate": often, "strength": strong, "share_from": shares[low], "share_to": shares[high],
            "wall_from": step.defence[0], "wall_to": step.defence[1],
        }  # fmt: skip
        for name, estimate in (("worth", step.measured), ("formula", step.formula)):
            row |= {
                name: float(estimate.value),
                f"{name}_low": float(estimate.low),
                f"{name}_high": float(estimate.high),
            }
        rows.append({**row, "worlds": len(arms[often, strong, low].output), "dropped": dropped})
    return {"": pd.DataFrame(rows)}


def _steps(arms: Mapping[Any, WallGames]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield ((rate, strength), (share, next share)) where walls move between shares that were played without bands."""
    for often, strong in dict.fromkeys(key[:2] for key in sorted(arms) if key[0] > 0.0):
        played = [key[2] for key in sorted(arms) if key[:2] == (often, strong) and (0.0, 0.0, key[2]) in arms]
        for step in pairwise(played):
            yield (often, strong), step


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = _refuses(results)
    if refused is not None:
        raise ResultsError(refused)
    columns = [str(column) for column in _columns(results)]
    made = each_stratum(results, columns, lambda stratum: _one(results, stratum, resampling))
    if made[""].empty:
        raise ResultsError("no two shares of walls were played both with and without raids; add points")
    return made


def _step_words(row: pd.Series) -> str:
    return f"{PERCENT * row['share_from']:.0f} to {PERCENT * row['share_to']:.0f} % of output on walls"


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    """Return the figure: a panel for each step of walls, measured and formula against the strength of bands."""
    table = tables[""].assign(step=[_step_words(row) for _, row in tables[""].iterrows()])
    steps = list(dict.fromkeys(table["step"]))
    lines = [(stratum, rate) for stratum, rate in table[["stratum", "rate"]].drop_duplicates().itertuples(index=False)]
    small = wrap_note([*notes, _KEY])
    height = HEAD + PANEL + NOTE_LINE * len(small) + FOOT
    figure = new_figure(height)
    grid = figure.add_gridspec(
        1, len(steps), left=0.1, right=0.985, top=1 - (HEAD + 0.2) / height,
        bottom=(NOTE_LINE * len(small) + FOOT) / height, wspace=0.12,
    )  # fmt: skip
    first = None
    for number, step in enumerate(steps):
        axes = figure.add_subplot(grid[0, number], sharey=first, sharex=first)
        zero_line(axes)
        for index, (stratum, rate) in enumerate(lines):
            part = select(table, {"step": step, "stratum": stratum, "rate": rate})
            _draw_line(axes, part, 2 * index)
        axes.set_xscale("log")
        axes.set_xticks(sorted(table["strength"].unique()), [f"{s:g}" for s in sorted(table["strength"].unique())])
        axes.minorticks_off()
        axes.set_title(f"From {step}", fontsize=NOTE_SIZE + 0.8)
        if first is None:
            axes.set_ylabel("Output saved by a unit of wall, a turn")
            axes.annotate("in games", (0.97, 0.93), xycoords="axes fraction", color=COLOURS[0], ha="right")
            axes.annotate("by the formula", (0.97, 0.85), xycoords="axes fraction", color=COLOURS[1], ha="right")
            first = axes
        else:
            axes.tick_params(labelleft=False)
    foot = NOTE_LINE * len(small) + 0.5 * FOOT
    figure.text(0.54, foot / height, "Mean strength of a band of raiders (units of force)", ha="center", va="top")
    add_title(
        figure, "Worth of a unit of wall",
        "What a unit of wall saves against weak and strong raiders: in games, and by rate · loss · e^(−d/s)/s",
    )  # fmt: skip
    add_note(figure, small)
    return figure


def _draw_line(axes: Any, part: pd.DataFrame, colour: int) -> None:
    for shift, (name, style) in enumerate((("worth", "-"), ("formula", "--"))):
        ink, x = COLOURS[(colour + shift) % len(COLOURS)], part["strength"] * DODGE ** (1 - 2 * shift)
        axes.vlines(x, part[f"{name}_low"], part[f"{name}_high"], color=ink, linewidth=1.4)
        axes.plot(x, part[name], style, color=ink, marker=MARKERS[shift], markersize=3.6, linewidth=1.0)


def _said(row: pd.Series) -> str:
    """Return what one step says, in the words that its intervals allow."""
    measured = words(row["worth"], row["worth_low"], row["worth_high"], 3)
    formula = words(row["formula"], row["formula_low"], row["formula_high"], 3)
    if row["worth_low"] > row["formula_high"]:
        beside = f"more than the formula's {formula}"
    elif row["worth_high"] < row["formula_low"]:
        beside = f"less than the formula's {formula}"
    else:
        beside = f"which is not told from the formula's {formula}"
    none = "" if row["worth_low"] > 0.0 else " and is not told above 0"
    return (
        f"{row['stratum']}, {row['rate']:g} bands a turn of mean strength {row['strength']:g}, from {_step_words(row)} "
        f"({row['wall_from']:.1f} to {row['wall_to']:.1f} units on a cell): a unit of wall saves {measured} "
        f"of output a turn{none}, {beside}."
    )


def _read(tables: Tables) -> list[str]:
    return [_said(row) for _, row in tables[""].iterrows()] + left_out(tables[""])


_KEY = (
    "d: wall on a cell on average, s: mean strength. The formula takes raids as spread evenly over the cells, walls "
    "as equal on all of them, and a sack as the turns' output of a mean cell. In games bands go to rich cells, walls "
    "stand there too, and what is saved is invested again: measured worth may lie above it."
)

KIND = Kind(
    name="walls",
    title="Worth of walls against the strength of raiders",
    question="What is a unit of wall worth against raiders of one strength or another, beside what the formula says?",
    method=(
        "Output under a larger share of walls, less what the same step of spending leaves in proportion where nobody "
        "raids, per unit of wall that stood; the same worlds in all arms."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
