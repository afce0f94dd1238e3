"""Shapley values of attention: what attending to each variable of the land is worth, over all sets of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out, log_percent
from civsim.analysis.panel import make_panel
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.shapley import (
    coalitions,
    shapley_interactions,
    shapley_values,
    values_by_position,
)
from civsim.analysis.style import (
    COLOURS,
    FACE,
    MARKERS,
    MUTED,
    NOTE_LINE,
    RULE,
    add_note,
    add_title,
    new_figure,
    wrap_note,
)
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOME = "welfare"
COLUMN = f"{FACTOR}coalition"
"""Column of the factor whose arms are coalitions."""

EMPTY, JOIN = "none", "+"
"""Name of the arm of nobody, and what joins the names of an arm of several."""

HEAD, ROW, GAP, FOOT = 0.9, 0.24, 0.42, 0.52
"""Heights in inches: titles, one row, between strata, axis label and margin above the small print."""


def members(arm: str) -> frozenset[str]:
    """Return the players that an arm's name lists: ``"ore+hazard"``, or ``"none"`` for nobody."""
    return frozenset() if arm == EMPTY else frozenset(arm.split(JOIN))


def players_of(arms: Sequence[str]) -> tuple[str, ...]:
    """Return all players that arms name, in the order in which they first appear."""
    return tuple(dict.fromkeys(name for arm in arms if arm != EMPTY for name in arm.split(JOIN)))


def _arms(results: Results) -> list[str]:
    return [str(arm) for arm in results.study["factors"]["coalition"]["arms"]]


def _refuses(results: Results) -> str | None:
    factor = results.study["factors"].get("coalition")
    if factor is None or not factor.get("arms") or COLUMN not in results.factors:
        return "no factor called coalition has arms such as none, ore, ore+hazard; add one"
    arms = _arms(results)
    players = players_of(arms)
    missing = set(coalitions(players)) - {members(arm) for arm in arms}
    if missing:
        lacking = min((sorted(who) for who in missing), key=lambda names: (len(names), names))
        return f"coalition {JOIN.join(lacking) or EMPTY} is not played; Shapley values need all {2 ** len(players)}"
    return None


def _one(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the four tables of one stratum. Raises :class:`ResultsError` where a coalition is missing."""
    arms, settings = _arms(results), resampling._asdict()
    players = players_of(arms)
    place = {who: index for index, who in enumerate(coalitions(players))}
    worth = {arm: place[members(arm)] for arm in arms}
    runs = stratum.runs[stratum.runs[COLUMN].notna()]
    told = {COLUMN: runs[COLUMN].map(worth), OUTCOME: log_percent(results, stratum)}
    panel = make_panel(runs.assign(**told), OUTCOME, COLUMN)
    if len(panel.arms) != len(place):
        raise ResultsError(f"{len(place) - len(panel.arms)} of {len(place)} coalitions are not played; play all")
    values = panel.values
    return {
        "": shapley_values(values, players, **settings).assign(dropped=panel.dropped),
        "interaction": shapley_interactions(values, players, **settings) if len(players) > 1 else pd.DataFrame(),
        "position": values_by_position(values, players, **settings),
        # Everybody against nobody, as a game of one player: what the values add up to.
        "total": shapley_values(values[:, [0, -1]], ["all"], **settings)[["worlds", "value", "low", "high"]],
    }


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    return each_stratum(results, [COLUMN], lambda stratum: _one(results, stratum, resampling))


def _forest(axes: Axes, rows: pd.DataFrame, labels: Sequence[str], colour: str, marker: str) -> None:
    """Draw one row an estimate: interval and marker, named on the left."""
    axes.axvline(0.0, color=RULE, linewidth=0.8, zorder=0)
    for index, (_, row) in enumerate(rows.iterrows()):
        axes.plot([row["low"], row["high"]], [-index, -index], color=colour)
        axes.plot(row["value"], -index, marker, color=colour, markersize=4.6, zorder=4)
    axes.set_yticks([-index for index in range(len(rows))], labels)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    strata = list(dict.fromkeys(tables[""]["stratum"]))
    players = int((tables[""]["stratum"] == strata[0]).sum())
    pairs = players * (players - 1) // 2
    small = wrap_note([*notes, _NOTE])
    tall, foot = ROW * max(players, pairs, 2), FOOT + NOTE_LINE * len(small)
    height = HEAD + tall * len(strata) + GAP * (len(strata) - 1) + foot
    figure = new_figure(height)
    top = height - HEAD
    firsts: list[Axes] = []
    for stratum in strata:
        left = figure.add_axes((0.1, (top - tall) / height, 0.36, tall / height), sharex=firsts[0] if firsts else None)
        firsts.append(left)
        rows = tables[""][tables[""]["stratum"] == stratum]
        _forest(left, rows, list(rows["player"]), COLOURS[0], MARKERS[0])
        for index, (_, row) in enumerate(rows.iterrows()):
            for name, marker in (("first", "<"), ("last", ">")):
                left.plot(row[name], -index, marker, markeredgecolor=MUTED, markerfacecolor=FACE, markersize=4.0)
        left.set_title(stratum, pad=3)
        if pairs:
            right = figure.add_axes((0.66, (top - tall) / height, 0.32, tall / height))
            both = tables["interaction"][tables["interaction"]["stratum"] == stratum]
            _forest(right, both, [f"{a} × {b}" for a, b in zip(both["first"], both["second"], strict=True)],
                    COLOURS[1], MARKERS[1])  # fmt: skip
            if stratum == strata[-1]:
                right.set_xlabel("Interaction index (log %)")
        top -= tall + GAP
    firsts[-1].set_xlabel("Shapley value (log % of c₀ + consumption)")
    add_title(
        figure, "What attending to each variable is worth",
        "Average gain over all orders in which variables may be taken up, and what two add together",
    )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Dots: Shapley values with intervals; ◁ what the variable adds when it is the first to be attended, ▷ when it is "
    "the last. Squares: interaction index, right of 0 for complements, left of 0 for substitutes."
)


def _words(row: pd.Series) -> str:
    return f"{row['value']:.2f} log % [{row['low']:.2f}, {row['high']:.2f}]"


def _told(row: pd.Series) -> bool:
    return bool(row["low"] > 0.0 or row["high"] < 0.0)


def _pair(row: pd.Series) -> str:
    return f"{row['first']} and {row['second']}"


def _relation(row: pd.Series) -> str:
    return "complements" if row["value"] > 0.0 else "substitutes"


def _finding(tables: Tables, stratum: str) -> list[str]:
    rows, total = (table[table["stratum"] == stratum] for table in (tables[""], tables["total"]))
    said = [
        f"{stratum}: attending to all of {', '.join(rows['player'])} is worth {_words(total.iloc[0])}"
        + ("" if _told(total.iloc[0]) else ", which cannot be told from nothing")
        + f" ({total['worlds'].iloc[0]} worlds)."
    ]
    shares = "; ".join(
        f"{row['player']} {_words(row)}" + ("" if _told(row) else " (not told from 0)")
        for _, row in rows.sort_values("value", ascending=False).iterrows()
    )
    said.append(f"{stratum}: of this, by Shapley value: {shares}.")
    if len(tables["interaction"]):
        pairs = tables["interaction"][tables["interaction"]["stratum"] == stratum]
        apart = [f"{_pair(row)} are {_relation(row)} ({_words(row)})" for _, row in pairs.iterrows() if _told(row)]
        largest = pairs.loc[pairs["value"].abs().idxmax()]
        none = f"no pair's interaction is told from 0; the largest is {_pair(largest)}, {_words(largest)}"
        said.append(f"{stratum}: {'; '.join(apart) if apart else none}.")
    return said


def _read(tables: Tables) -> list[str]:
    strata = dict.fromkeys(tables[""]["stratum"])
    return [sentence for stratum in strata for sentence in _finding(tables, stratum)] + left_out(tables[""])


KIND = Kind(
    name="shapley",
    title="What attending to each variable is worth",
    question="Which of the variables that an analyst may attend to is worth most, and which work together?",
    method=(
        "All coalitions of variables in the same worlds; exact Shapley values (1953) and interaction indices (Grabisch "
        "and Roubens 1999) of mean welfare, per cent of c₀ + consumption in log points; worlds resampled whole."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
