"""Pass-through of cognition to output in a kind: its estimates by arm and estimator, drawn, and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.statistics.passthrough import ONE_TO_ONE, Slope, ppml_slope, within_slope
from civsim.analysis.style import COLOURS, MARKERS, MUTED, NOTE_SIZE, RULE
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

F64 = NDArray[np.float64]

POOLED = "all arms"

LEAST_SQUARES, PPML = "least squares on logs", "PPML"
"""Estimators, in the order in which they are drawn and said."""

APART = 0.13
"""How far above and below its row each estimator is drawn (rows)."""


def slope_rows(arms: Mapping[str, tuple[F64, F64]], level: float) -> list[dict[str, Any]]:
    """Return the pass-through of each arm in which cognition differs, and of all arms together, worlds as clusters.

    Each estimator stands by itself: where one has no estimate, its row says why in ``problem`` and the other's stays.

    Args:
        arms: (cognition, outcome) of each arm, float [W, N] each, the same worlds in the same order in all.
        level: coverage, in (0, 1).
    """
    parts = {arm: both for arm, both in arms.items() if np.ptp(both[0], axis=1).any()}
    labels = {arm: np.arange(len(both[0])) for arm, both in parts.items()}
    if len(parts) > 1:
        joined = tuple(np.concatenate([both[index] for both in parts.values()]) for index in (0, 1))
        labels = {POOLED: np.concatenate(list(labels.values())), **labels}
        parts = {POOLED: (joined[0], joined[1]), **parts}
    return [row for arm, both in parts.items() for row in _both(arm, *both, labels[arm], level)]


def _both(arm: str, cognition: F64, outcome: F64, worlds: NDArray[np.int64], level: float) -> list[dict[str, Any]]:
    """Return the rows of both estimators, with what each leaves out: cognition 0, output 0, alone in its world."""
    thinks = cognition > 0.0
    kept = thinks & (outcome > 0.0)
    several = kept & (kept.sum(axis=1, keepdims=True) > 1)
    row = np.nonzero(several)[0]
    without = {"no_cognition": int((~thinks).sum())}
    counts = {"no_outcome": int((thinks & ~kept).sum()), "alone": int((kept & ~several).sum())}

    def least_squares() -> Slope:
        if not row.size:
            raise ResultsError(
                "no world has two civilizations with cognition and output; there is no slope to estimate"
            )
        logs = np.log(outcome[several]), np.log(cognition[several])
        return within_slope(*logs, row, worlds[row], null=ONE_TO_ONE, level=level)

    def ppml() -> Slope:
        return ppml_slope(outcome, cognition, worlds, level=level)

    return [
        {"arm": arm, "estimator": LEAST_SQUARES, **_estimate(least_squares), **without, **counts},
        {"arm": arm, "estimator": PPML, **_estimate(ppml), **without, "no_outcome": 0, "alone": 0},
    ]


def _estimate(make: Callable[[], Slope]) -> dict[str, Any]:
    try:
        found = make()
    except ResultsError as error:
        return dict.fromkeys(_COLUMNS, np.nan) | {"problem": str(error)}
    values = (found.value, found.low, found.high, found.p, found.clusters, found.freedom + 1.0)
    return dict(zip(_COLUMNS, map(float, values), strict=True)) | {"problem": ""}


_COLUMNS = ("slope", "low", "high", "p_of_one", "worlds", "effective_worlds")


def chosen(table: pd.DataFrame, stratum: str) -> pd.DataFrame:
    """Return the rows that tell of one stratum: all arms together where an estimator has that, else each arm."""
    rows = table[table["stratum"] == stratum]
    pooled = rows[rows["arm"] == POOLED]
    return pooled if (pooled["problem"] == "").any() else rows[rows["arm"] != POOLED]


def draw_slopes(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the chosen rows of each stratum, one line an arm: least squares filled, above; PPML open, below."""
    axes.axvline(1.0, color=RULE, linewidth=0.8, zorder=0)
    axes.axvline(0.0, color=MUTED, linewidth=0.6, linestyle=":", zorder=0)
    names: list[str] = []
    for index, label in enumerate(dict.fromkeys(table["stratum"])):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        for arm, rows in chosen(table, str(label)).groupby("arm", sort=False):
            place = -float(len(names))
            names.append(str(label) if arm == POOLED else f"{label}:\n{arm}")
            for _, row in rows[rows["problem"] == ""].iterrows():
                first = row["estimator"] == LEAST_SQUARES
                y = place + (APART if first else -APART)
                axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.4)
                fill = colour if first else "none"
                axes.plot(row["slope"], y, marker, color=colour, markerfacecolor=fill, markersize=4.5)
            if (rows["problem"] != "").all():
                axes.text(0.0, place, " no estimate", color=MUTED, fontsize=NOTE_SIZE, va="center")
    axes.set_yticks([-float(index) for index in range(len(names))], names)
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_xlabel("Pass-through (filled: logs; open: PPML)")


def _words(row: pd.Series) -> str:
    left = f"left out: {row['no_cognition']:.0f} without cognition"
    if row["estimator"] == LEAST_SQUARES:
        left += f", {row['no_outcome']:.0f} without output, {row['alone']:.0f} then alone in a world"
    if row["problem"]:
        return f"{row['estimator']} has no estimate ({row['problem']}; {left})"
    size = f"{row['slope']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
    if row["low"] > 1.0:
        verdict = "enlarges inequality of cognition"
    elif row["high"] < 0.0:
        verdict = "turns it round: who thinks more has less"
    elif row["low"] <= 0.0:
        verdict = "cannot be told from no pass-through" + ("" if row["high"] < 1.0 else ", nor from one to one")
    elif row["high"] < 1.0:
        verdict = "evens inequality of cognition out"
    else:
        verdict = "cannot be told from one to one"
    return f"{size} by {row['estimator']}, which {verdict} (p of 1: {row['p_of_one']:.2g}; {left})"


def slope_sentences(table: pd.DataFrame, stratum: str) -> list[str]:
    """Return a sentence for each arm that :func:`chosen` gives of a stratum, with what each estimator left out."""
    return [
        f"{stratum}, {arm if arm == POOLED else f'arm {arm}'}: the elasticity of output with respect to cognition: "
        f"{'; '.join(_words(row) for _, row in rows.iterrows())}."
        for arm, rows in chosen(table, stratum).groupby("arm", sort=False)
    ]
