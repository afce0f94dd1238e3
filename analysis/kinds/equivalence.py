"""Equivalence: do arms that should do nothing (shams) differ from their reference by less than matters?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, Row, draw_rows, each_stratum, left_out, words
from civsim.analysis.panel import make_panel
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.equivalence import equivalence_table
from civsim.analysis.statistics.multiplicity import adjust_table
from civsim.analysis.units import PERCENT, discount_sum, log_points, welfare_of_percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHAM = "sham"
"""How the name of an arm begins that should do nothing."""

MARGIN_PERCENT = 1.0
"""Margin of an arm for which the study states none: a rise of c₀ + consumption in every turn, in percent."""

HELD = 0.05
"""Chance of calling a difference small that is not, over all arms (Holm)."""


def sham_arms(results: Results) -> tuple[str, str, list[str]] | None:
    """Return (column, reference, arms) of the first factor with arms named sham…; None if there is none.

    The reference is the first arm of the factor, in the design's order, that is no sham.
    """
    for column in results.factors:
        arms = results.study["factors"][column.removeprefix(FACTOR)].get("arms") or {}
        names = [name for name in results.choices(column) if name in arms]
        shams = [name for name in names if name.startswith(SHAM)]
        others = [name for name in names if not name.startswith(SHAM)]
        if shams and others:
            return column, others[0], shams
    return None


def _refuses(results: Results) -> str | None:
    if sham_arms(results) is None:
        return f"no factor has arms named {SHAM}… beside another arm; add one to the study"
    if not results.study["paired"]:
        return "its points play worlds of their own; equivalence is judged world by world: set paired = true"
    return None


def stated_margin(results: Results, column: str, arm: str, reference: str) -> float | None:
    """Return the margin (log points × 100 a turn) of a hypothesis that this arm does as the reference; else None."""
    factor = column.removeprefix(FACTOR)
    for item in results.study.get("hypotheses", {}).values():
        pair = item["params"].get("plus"), item["params"].get("minus"), item["params"].get("outcome", OUTCOME)
        if item["expected"] == "nothing" and pair == ([{factor: arm}], [{factor: reference}], OUTCOME):
            return float(item["margin"])
    return None


def _one(results: Results, stratum: Stratum, column: str, reference: str, arms: Sequence[str]) -> pd.DataFrame:
    length = results.length(stratum.runs)
    panel = make_panel(stratum.runs, OUTCOME, column)
    usual, rows = welfare_of_percent(MARGIN_PERCENT, *length), []
    for arm in arms:
        stated = stated_margin(results, column, arm, reference)
        margin = usual if stated is None else stated * discount_sum(*length) / PERCENT
        rows.append(equivalence_table(panel, reference, margin, arms=[arm]))
    found = pd.concat(rows, ignore_index=True)
    for name in ("difference", "low", "high", "margin"):
        # Log points × 100: linear, so that ± margin stays symmetric; 1 % is 0.995 of them.
        found[name] = log_points(found[name], *length)
    return found.assign(reference=reference, dropped=panel.dropped)


def _tables(results: Results, _: Resampling) -> dict[str, pd.DataFrame]:
    column, reference, arms = sham_arms(results) or ("", "", [])
    made = each_stratum(results, [column], lambda stratum: {"": _one(results, stratum, column, reference, arms)})
    return made | {"": adjust_table(made[""])}


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    rows = []
    for _, one in table.iterrows():
        ok = bool(one["p_holm"] <= HELD)
        shown = "identical" if one["identical"] else words(one["difference"], one["low"], one["high"])
        rows.append(
            Row(
                f"{one['stratum']}: {one['arm']}",
                one["difference"],
                one["low"],
                one["high"],
                shown,
                0 if ok else 1,
                not ok,
            )
        )
    margin = float(table["margin"].min())
    small = (
        f"Shaded: differences within ± {margin:.2f}, the margin (the least one, where arms have margins of their own). "
        f"The study's hypothesis states it, else it is {MARGIN_PERCENT:g} % of c₀ + consumption a turn. Bars here are "
        "90 % intervals of Student's t over worlds, not resampled ones, whatever is said above of intervals: they lie "
        "inside the margin where two one-sided tests at 5 % reject. Hollow: not shown to be equivalent (Holm over all)."
    )
    return draw_rows(
        rows,
        title="What should do nothing",
        subtitle=f"Sham arms against {table['reference'].iloc[0]}, world by world",
        axis="Difference in welfare a turn (log points × 100)",
        notes=[*notes, small],
        band=(-margin, margin),
    )


def _read(tables: Tables) -> list[str]:
    said = []
    for _, one in tables[""].iterrows():
        about = f"{one['stratum']}: {one['arm']} against {one['reference']}"
        if one["identical"]:
            said.append(f"{about} is identical in every world ({one['worlds']} worlds).")
            continue
        ok = "is equivalent" if one["p_holm"] <= HELD else "is not shown to be equivalent"
        size = words(one["difference"], one["low"], one["high"])
        said.append(
            f"{about} {ok}: difference {size} log points × 100 a turn (90 % interval, Student's t) against a margin of "
            f"{one['margin']:.2f}; p {one['p_holm']:.3f} after Holm, {one['worlds']} worlds."
        )
    return said + left_out(tables[""])


KIND = Kind(
    name="equivalence",
    title="What should do nothing",
    question="Do arms that should do nothing differ from their reference by less than matters?",
    method=(
        "Two one-sided tests at 5 % (Schuirmann 1987) of differences world by world; intervals are 90 % of Student's t "
        "over worlds, not resampled; p-values adjusted for all arms (Holm 1979)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
