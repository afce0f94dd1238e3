"""Bits: how improbable an arm's welfare is among arms of a reference that played the same world."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import OUTCOME, Row, draw_rows, each_stratum, left_out, words
from civsim.analysis.panel import make_panel
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.divergence import no_skill_bits, optimisation_bits
from civsim.analysis.statistics.resample import share_interval
from civsim.analysis.statistics.worlds import world_mean
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

REFERENCE = "reference"
"""How the name of an arm begins that is one draw of the reference policy."""

FEWEST = 8
"""Reference arms below which bits tell little: 8 of them see no more than log₂ 9 = 3.2."""

LARGE = 0.05
"""Share of worlds at the bound from which on the mean is said to be a lower bound; chance alone gives 1/(R + 1)."""

HELD = 0.05
"""Chance of telling an arm apart from the reference arms that is one of them."""

SLACK = 1e-9
"""Bits by which means may differ through rounding alone, where arms do equally well."""

LABEL = 28
"""Characters in a line of a row's label, beside which the figure has room."""


def bits_arms(results: Results) -> tuple[str, list[str], list[str]] | None:
    """Return (column, reference arms, other arms) of the first factor with :data:`FEWEST` reference arms or more.

    Arms are in the order in which the runs have them: a manifest sorts its keys. None where there is no such factor,
    or it has no other arm.
    """
    for column in results.factors:
        arms = results.study["factors"][column.removeprefix(FACTOR)].get("arms") or {}
        names = [name for name in results.choices(column) if name in arms]
        reference = [name for name in names if name.startswith(REFERENCE)]
        others = [name for name in names if not name.startswith(REFERENCE)]
        if len(reference) >= FEWEST and others:
            return column, reference, others
    return None


def as_good_arms(outcome: ArrayLike, reference: ArrayLike) -> int:
    """Return how many of R reference arms do as well as an arm, by their mean bits among all R + 1; in 0 … R.

    Each arm, the measured one too, is set against the R others. Were it one more independent draw of the reference,
    its rank would be uniform, so that P(count ≤ m) ≤ (m + 1)/(R + 1) exactly, however alike the worlds are: a
    permutation test over arms, not worlds (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997,
    section 4.3). An interval over worlds alone does not know that a mix can be lucky in all of them.

    Args:
        outcome: float [W], of the arm, finite.
        reference: float [W, R], of the reference arms in the same worlds, finite.

    Raises:
        ResultsError: shapes do not match.
    """
    u, other = np.asarray(outcome, np.float64), np.asarray(reference, np.float64)
    if u.ndim != 1 or other.ndim != 2 or len(other) != len(u):
        raise ResultsError(f"outcomes {u.shape} and reference {other.shape} do not match; give [worlds], [worlds, R]")
    pool = np.column_stack([u, other])
    as_good = np.array([(pool >= column[:, None]).sum(axis=1) for column in pool.T])  # [R + 1, W], itself included
    mean = -np.log2(as_good / pool.shape[1]).mean(axis=1)
    return int((mean[1:] >= mean[0] - SLACK).sum())


_NO_ARMS = f"no factor has {FEWEST} or more arms named {REFERENCE}… beside another arm; add them to the study"


def _refuses(results: Results) -> str | None:
    if bits_arms(results) is None:
        return _NO_ARMS
    if not results.study["paired"]:
        return "its points play worlds of their own; bits are counted world by world: set paired = true"
    return None


def _row(outcome: F64, reference: F64, resampling: Resampling) -> dict[str, Any]:
    """Return one arm's bits as columns; ``outcome`` [W], ``reference`` [W, R]."""
    options = resampling._asdict()
    found = optimisation_bits(outcome, reference, **options)
    best = (reference < outcome[:, None]).all(axis=1).astype(np.float64)
    share = world_mean(best, **options)
    low, high = share_interval(share.value, share.low, share.high, len(outcome), resampling.level)
    games = reference.shape[1]
    as_good = as_good_arms(outcome, reference)
    return {
        "value": float(found.mean.value), "low": float(found.mean.low), "high": float(found.mean.high),
        "most": found.most, "chance": no_skill_bits(games), "saturated": found.saturated,
        "saturated_low": float(low), "saturated_high": float(high),
        "references": games, "as_good": as_good, "p": (as_good + 1.0) / (games + 1.0), "worlds": len(outcome),
    }  # fmt: skip


def _one(stratum: Stratum, column: str, reference: list[str], others: list[str], options: Resampling) -> pd.DataFrame:
    runs = stratum.runs[stratum.runs[column].isin([*reference, *others])]
    panel = make_panel(runs, OUTCOME, column)
    present = [arm for arm in reference if arm in panel.arms]
    if len(present) < FEWEST:
        raise ResultsError(f"{len(present)} reference arms are fewer than {FEWEST}; play all of them here too")
    base = np.column_stack([panel.column(arm) for arm in present])
    rows = [{"arm": arm, **_row(panel.column(arm), base, options)} for arm in others if arm in panel.arms]
    if not rows:
        raise ResultsError(f"there are {REFERENCE} arms alone; play another arm beside them")
    return pd.DataFrame(rows).assign(dropped=panel.dropped)


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    arms = bits_arms(results)
    if arms is None:
        raise ResultsError(_NO_ARMS)
    column, reference, others = arms
    made = each_stratum(
        results, [column], lambda stratum: {"": _one(stratum, column, reference, others, resampling)}
    )  # fmt: skip
    return {**made, "": made[""].assign(factor=column.removeprefix(FACTOR))}


def _side(row: pd.Series) -> int:
    """Return 1 where the interval is above the bits of a policy without skill, −1 below it, else 0."""
    return int(row["low"] > row["chance"]) - int(row["high"] < row["chance"])


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    several = table["stratum"].nunique() > 1
    rows = []
    for _, one in table.iterrows():
        label = f"{one['stratum']}: {one['arm']}" if several else str(one["arm"])
        shown = f"{words(one['value'], one['low'], one['high'])}; {PERCENT * one['saturated']:.0f} % at bound"
        rows.append(
            Row(
                textwrap.fill(label, LABEL),
                one["value"],
                one["low"],
                one["high"],
                shown,
                0 if _side(one) >= 0 else 1,
                _side(one) == 0,
                one["most"],
            )
        )
    return draw_rows(
        rows,
        title="How improbable the outcome is by chance",
        subtitle=f"Arms of {table['factor'].iloc[0]} among {_counts(table)} reference arms of the same world",
        axis="Optimisation power in welfare (bits, mean over worlds)",
        notes=[*notes, _NOTE],
        line=float(table["chance"].iloc[0]),
        band=(float(table["chance"].min()), float(table["chance"].max())),  # strata may differ in R
    )


def _counts(table: pd.DataFrame) -> str:
    """Return the number of reference arms, or its range over strata."""
    least, most = int(table["references"].min()), int(table["references"].max())
    return str(most) if least == most else f"{least} to {most}"


_NOTE = (
    "Line: bits that the reference has against itself, on average; they are not 0. Ticks: log₂(R + 1), the most that R "
    "reference arms can show; where worlds lie at it the mean is a lower bound. Hollow: not told from the "
    "line. Intervals are over worlds, for these reference arms; another draw of them would move all rows together."
)


def _against(row: pd.Series) -> str:
    """Return how an arm lies against a draw of the reference: over worlds, then among the reference arms."""
    side = _side(row)
    chance = f"the {row['chance']:.2f} that the reference has by chance"
    verdict = {1: f"above {chance}", -1: f"below {chance}", 0: f"not told from {chance}"}[side]
    rank = f"{row['as_good']} of {row['references']} reference arms do as well (p {row['p']:.3f})"
    if side <= 0:
        return f"{verdict}; {rank}"
    if row["p"] <= HELD:
        return f"{verdict}; {rank}, so a lucky draw of the reference hardly explains it"
    return f"{verdict}; but {rank}, so a lucky draw of the reference may do the same"


def _bound(row: pd.Series) -> str:
    value, low, high = (PERCENT * row[f"saturated{end}"] for end in ("", "_low", "_high"))
    share = f"{value:.0f} % [{low:.0f}, {high:.0f}] of worlds are at the bound of {row['most']:.2f} bits"
    return f"{share}, so its bits are a lower bound" if row["saturated"] > LARGE else share


def _read(tables: Tables) -> list[str]:
    said = []
    for _, row in tables[""].iterrows():
        size = words(row["value"], row["low"], row["high"], unit=" bits")
        about = f"{row['stratum']}: {row['arm']} has {size} of welfare ({row['worlds']} worlds)"
        said.append(f"{about}, {_against(row)}; {_bound(row)}.")
    return [*said, *left_out(tables[""])]


KIND = Kind(
    name="bits",
    title="How improbable the outcome is by chance",
    question="How many bits of optimisation are in an arm's outcome, against random policies in the same world?",
    method=(
        "−log₂ of the share of reference arms at least as good in the same world, (k + 1)/(R + 1) (Yudkowsky 2008; "
        "Davison and Hinkley 1997), averaged over worlds, worlds resampled (BCa); p-values rank arms, not worlds."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
