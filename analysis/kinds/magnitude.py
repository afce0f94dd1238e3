"""Magnitude: how far apart the same worlds drift, turn by turn, when one civilization thinks more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out
from civsim.analysis.kinds.seatwise import (
    arms_in_order,
    has_all_seats,
    most_seats,
    own_factors,
    runs_by_arm,
    turns_of,
    worlds_of,
)
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.divergence import Worlds, divergence, gaps
from civsim.analysis.statistics.worlds import world_mean
from civsim.analysis.study import factor_writes
from civsim.analysis.style import (
    COLOURS,
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THINKING, LEVELS, ITSELF = "thinking", "levels", "itself"
"""Roles of a pair of arms: with the dose against without; two doses against each other; one arm against itself."""

UNSIGNED = ("cells", "world_log_output", "focal_log_output", "rival_log_output")
"""Gaps that chaos alone makes."""

PANELS = {
    "cells": "Cells with\nanother owner (%)",
    "world_log_output": "|Δ log output|\nof the world (log %)",
    "world_log_output_signed": "Δ log output\nof the world (log %)",
    "focal_log_output": "|Δ log output| of\nwho thinks (log %)",
    "rival_log_output": "|Δ log output|\nof a rival (log %)",
}
"""Measures drawn, one row each, with their labels."""

HEAD, PANEL, FOOT = 0.86, 1.25, 0.5
"""Heights in inches: title and key, one row of panels, axis label and margin above the small print."""


def _dose(results: Results) -> str | None:
    """Return the column of the first factor that sets something of the focal civilization alone."""
    for column in own_factors(results):
        paths = factor_writes(results.study["factors"][column.removeprefix(FACTOR)])
        if paths and all(path.startswith("focal.") for path in paths):
            return column
    return None


def _refuses(results: Results) -> str | None:
    if not has_all_seats(results):
        return "the turns of every seat are needed; run the study with series = 'all'"
    most_seats(results)  # raises where no game ended well
    if _dose(results) is None:
        return "no factor sets the focal civilization's thinking alone; vary focal.levels.horizon, say"
    return None


def _owners(results: Results) -> pd.DataFrame | None:
    """Return the maps of a study that recorded them: owner by run id (row) and turn (column)."""
    from civsim.scenarios import read_maps

    if not results.study.get("maps"):
        return None
    return read_maps(results.folder).pivot(index="run_id", columns="turn", values="owner")


def _worlds(results: Results, run_ids: Sequence[str], owners: pd.DataFrame | None) -> Worlds:
    focal = results.runs.set_index("run_id")["focal"].reindex(list(run_ids)).to_numpy(np.int64)
    output, alive = (turns_of(results, run_ids, name) for name in ("output", "alive"))
    if owners is None:
        return Worlds(output, alive, focal, None, ())
    here = owners.reindex(list(run_ids)).dropna(axis=1)  # turns of which every game has a map
    if not len(here.columns):
        return Worlds(output, alive, focal, None, ())
    maps = np.array([[np.asarray(cell, np.int8) for cell in row] for row in here.to_numpy()])
    return Worlds(output, alive, focal, maps, tuple(int(turn) for turn in here.columns))


def _pairs(arms: Sequence[Any]) -> list[tuple[Any, Any, str]]:
    """Return (first, second, role): every arm against the first, the last two against each other, one by itself."""
    pairs = [(arms[0], arm, THINKING) for arm in arms[1:]]
    if len(arms) > 2:
        pairs.append((arms[-2], arms[-1], LEVELS))
    return [*pairs, (arms[0], arms[0], ITSELF)]


def _stratum(
    results: Results, stratum: Stratum, dose: str, owners: pd.DataFrame | None, resampling: Resampling
) -> dict[str, pd.DataFrame]:
    wide = runs_by_arm(stratum.runs, dose)
    order = [arm for arm in arms_in_order(results, dose) if arm in wide.columns]
    if len(order) < 2:
        raise ResultsError(f"{len(order)} arms of {dose.removeprefix(FACTOR)} have no other to be compared with")
    arms = {arm: _worlds(results, wide[arm].tolist(), owners) for arm in order}
    parts = []
    for first, second, role in _pairs(list(arms)):
        part = divergence(arms[first], arms[second], **resampling._asdict())
        parts.append(part.assign(pair=f"{second} against {first}", role=role))
    table = pd.concat(parts, ignore_index=True).assign(
        dropped=worlds_of(stratum.runs) - len(wide), dose=dose.removeprefix(FACTOR)
    )
    excess = _excess(list(arms.values()), resampling) if len(arms) > 2 else []
    return {"": table, "end": _end(table), **({"excess": pd.DataFrame(excess)} if excess else {})}


def _end(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last turn of a stratum's games; of cells, those of the last turn that has a map."""
    cells = table["measure"] == "cells"
    last = table["turn"] == table["turn"].max()
    return table[np.where(cells, table["turn"] == table["turn"][cells].max(), last)]


def _excess(arms: Sequence[Worlds], resampling: Resampling) -> list[dict[str, Any]]:
    """Return how much further apart the last and the first dose are at the end than the last two."""
    wide, narrow = gaps(arms[0], arms[-1]), gaps(arms[-2], arms[-1])
    rows = []
    for name in UNSIGNED:
        if name not in wide:
            continue
        difference = wide[name][:, -1] - narrow[name][:, -1]
        known = difference[np.isfinite(difference)]
        if known.size > 1:
            mean = world_mean(known, **resampling._asdict())
            row = {"measure": name, "value": float(mean.value), "low": float(mean.low), "high": float(mean.high)}
            rows.append(row | {"worlds": known.size})
    return rows


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    dose = _dose(results)
    if dose is None:
        raise ResultsError("no factor sets the focal civilization's thinking alone; run another study")
    owners = _owners(results)
    return each_stratum(results, [dose], lambda stratum: _stratum(results, stratum, dose, owners, resampling))


def _draw_panel(axes: Axes, table: pd.DataFrame, pairs: Sequence[str]) -> None:
    zero_line(axes)
    for index, pair in enumerate(pairs):
        part = table[table["pair"] == pair]
        colour = COLOURS[index % len(COLOURS)]
        style = "--" if (part["role"] == LEVELS).any() else ":" if (part["role"] == ITSELF).any() else "-"
        axes.fill_between(
            part["turn"], PERCENT * part["low"], PERCENT * part["high"], color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(part["turn"], PERCENT * part["value"], style, color=colour, linewidth=1.3, label=pair)


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    strata, pairs = list(dict.fromkeys(table["stratum"])), list(dict.fromkeys(table["pair"]))
    shown = [name for name in PANELS if (table["measure"] == name).any()]
    small = wrap_note([*notes, _NOTE])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL * len(shown) + foot
    figure = new_figure(height)
    box = {"left": 0.13, "right": 0.98, "top": 1 - HEAD / height, "bottom": foot / height}
    grid = figure.subplots(
        len(shown), len(strata), sharex=True, sharey="row", squeeze=False,
        gridspec_kw={**box, "wspace": 0.08, "hspace": 0.18},
    )  # fmt: skip
    for row, name in enumerate(shown):
        for column, stratum in enumerate(strata):
            part = table[(table["measure"] == name) & (table["stratum"] == stratum)]
            _draw_panel(grid[row, column], part, pairs)
        grid[row, 0].set_ylabel(PANELS[name], fontsize=7.2)
    for column, stratum in enumerate(strata):
        grid[0, column].set_title(stratum)
        grid[-1, column].set_xlabel("Turn")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, [f"{table['dose'].iloc[0]} {label}" for label in labels], loc="upper right", ncols=len(pairs),
        fontsize=NOTE_SIZE + 0.4, bbox_to_anchor=(0.985, 1 - 0.4 / height), borderaxespad=0.0,
    )  # fmt: skip
    add_title(figure, "How far one civilization's thinking moves the world", "The same worlds, played twice")
    add_note(figure, small)
    return figure


_NOTE = (
    "Means over worlds, bands from whole worlds resampled (BCa). Dashed: two doses against each other, which shows how "
    "far chaos alone may drive games apart that differ in a level; dotted: an arm against itself, exactly 0. Only the "
    "signed gap says better or worse."
)


def _is_signed(row: pd.Series, what: str) -> str:
    value, low, high = (PERCENT * float(row[name]) for name in ("value", "low", "high"))
    words = f"{value:+.1f} log % [{low:.1f}, {high:.1f}]"
    if low > 0.0:
        return f"{what} is larger, {words}"
    return f"{what} is smaller, {words}" if high < 0.0 else f"{what} cannot be told to differ, {words}"


def _amount(rows: pd.DataFrame, name: str) -> str:
    row = rows.loc[name]
    return f"{PERCENT * row['value']:.1f} % [{PERCENT * row['low']:.1f}, {PERCENT * row['high']:.1f}]"


def _against_chaos(rows: pd.DataFrame, pair: str) -> str:
    """Return how much of a gap is more than that between two doses; ``rows`` are the excesses of one stratum."""
    words = []
    for name, what in (("cells", "owners of cells"), ("world_log_output", "the world's output")):
        if name not in rows.index:
            continue
        row = rows.loc[name]
        amount = f"{what} are" if name == "cells" else f"{what} is"
        verdict = "further apart" if row["low"] > 0.0 else "closer" if row["high"] < 0.0 else "not told apart in this"
        words.append(f"{amount} {verdict} ({_amount(rows, name)} more)")
    if not words:
        return f"too few worlds have output in all arms to measure it against the gap between {pair}"
    return f"measured against the gap between {pair}, which chaos alone may widen, {'; '.join(words)}"


_WHOSE = {"world_log_output": "the world", "focal_log_output": "the civilization itself", "rival_log_output": "a rival"}
"""Unsigned gaps of output, and whose they are."""


def _read_stratum(label: str, part: pd.DataFrame, dose: str, excess: pd.DataFrame | None) -> list[str]:
    """Return the sentences of one stratum; ``part`` is its end, ``excess`` that over two doses, where there are."""
    pair = part.loc[part["role"] == THINKING, "pair"].iloc[-1]
    rows = part[(part["role"] == THINKING) & (part["pair"] == pair)].set_index("measure")
    about, turn = f"{label}, {dose} {pair}", rows["turn"].max()
    where, said = f"{about}, turn {turn}", []
    if "cells" in rows.index:
        at = rows.loc["cells", "turn"]
        said.append(f"{about}, turn {at}: {_amount(rows, 'cells')} of all cells have another owner.")
    if "world_log_output_signed" in rows.index:
        said.append(f"{where}: {_is_signed(rows.loc['world_log_output_signed'], 'the output of the whole world')}.")
    else:
        said.append(f"{where}: fewer than 2 worlds have output in both arms, so that outputs cannot be compared.")
    unsigned = [f"{_amount(rows, key)} for {who}" for key, who in _WHOSE.items() if key in rows.index]
    if unsigned:
        said.append(f"{where}: outputs differ either way, in logs, by {', '.join(unsigned)}.")
    levels = part.loc[part["role"] == LEVELS, "pair"]
    if excess is not None and len(levels):
        said.append(f"{where}: {_against_chaos(excess, levels.iloc[0])}.")
    return said


def _read(tables: Tables) -> list[str]:
    said, dose = [], tables[""]["dose"].iloc[0]
    for label, part in tables["end"].groupby("stratum", sort=False):
        excess = None
        if "excess" in tables:
            excess = tables["excess"][tables["excess"]["stratum"] == label].set_index("measure")
        said += _read_stratum(str(label), part, dose, excess)
    return [*said, *left_out(tables[""])]


KIND = Kind(
    name="magnitude",
    title="How far one civilization's thinking moves the world",
    question="How different is the world with and without one civilization's thinking, and how fast do they part?",
    method=(
        "The same worlds played with everything alike but one civilization's cognition; gaps turn by turn, averaged "
        "over worlds, worlds resampled (BCa); beside them an arm against itself and two doses against each other."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
