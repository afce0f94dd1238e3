"""Verdicts: what became of the hypotheses that a study registered before its games were played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.hypotheses.judge import judge_by_context, judge_study
from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import Row, draw_rows
from civsim.analysis.results import Resampling, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOUR = {"supported": 2, "refuted": 1, "undecided": 0, "underpowered": 7}
"""Colour and marker of each verdict."""

LINEAR = 2.0
"""Effects up to this many margins are drawn to scale; larger ones on a logarithmic scale."""


TICKS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)
"""Ticks of that scale; those outside the figure are left out."""


def _refuses(results: Results) -> str | None:
    return None if results.study["hypotheses"] else "the study has no hypotheses; add [hypotheses.NAME] to its file"


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    table = judge_study(results, resampling)
    parts = judge_by_context(results, resampling)
    return {"": table, **({} if parts.empty else {"by-scenario": parts})}


def estimate(row: pd.Series) -> str:
    """Return an effect in words: value, interval and unit."""
    return f"{row['value']:+.3g} [{row['low']:+.3g}, {row['high']:+.3g}] {row['unit']}"


def _label(row: pd.Series) -> str:
    name = str(row["name"]).replace("_", " ")
    return f"{row['study']}: {name}" if "study" in row.index else name


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    rows = []
    for _, row in table.iterrows():
        value, low, high = (row[name] / row["margin"] for name in ("value", "low", "high"))
        hollow = row["verdict"] in ("undecided", "underpowered")
        rows.append(
            Row(
                _label(row),
                value,
                low,
                high,
                f"{row['verdict']} ({row['expected']} expected)",
                COLOUR[row["verdict"]],
                hollow,
            )
        )
    small = (
        f"Shaded: effects within the margin, too small to matter. Linear up to {LINEAR:g}, logarithmic beyond. "
        "Bars: 95 % intervals, not corrected for how many there are; verdicts are (Holm within a study)."
    )
    figure = draw_rows(
        rows,
        title="What became of the hypotheses",
        subtitle="Registered with their signs before the games were played",
        axis="Effect, in units of its equivalence margin",
        notes=[*notes, small],
        band=(-1.0, 1.0),
    )
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.set_xlim(min(low, -LINEAR), max(high, LINEAR))
    ticks = [tick for tick in TICKS if min(low, -LINEAR) <= tick <= max(high, LINEAR)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    return figure


def _read(tables: Tables) -> list[str]:
    return [
        f"{str(row['verdict']).capitalize()}{', ' + row['remark'] if row['remark'] else ''}: {row['claim']} "
        f"Estimate {estimate(row)}; {row['expected']} expected, "
        f"p {row['p_adjusted']:.2g} after Holm, {row['worlds']} worlds of {row['worlds_asked']} asked for."
        for _, row in tables[""].iterrows()
    ]


KIND = Kind(
    name="verdicts",
    title="Verdicts on the registered hypotheses",
    question="What became of the hypotheses that the study stated before its games were played?",
    method=(
        "Each hypothesis by the test that it named; standard errors from resampling whole worlds, Student's t, p "
        "corrected over the study's hypotheses (Holm)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
