"""Stylised facts: how the realms of a game grow, last and differ in size, beside what is known of polities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out
from civsim.analysis.kinds.seatwise import has_all_seats, most_seats, turns_of, worlds_of
from civsim.analysis.panel import OK, select
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.statistics import polities
from civsim.analysis.style import (
    COLOURS,
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
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

SIZES = ("output", "cells")
"""What a realm's size is: its output of the turn, or its cells. Growth of cells moves in whole steps."""

STEP = 10
"""Turns of a step of growth."""

LAGS = 8
"""Lags at which persistence is measured, evenly over half the game."""

KNOWN = {
    "rank_size": "1 is Zipf's law, which is about cities, not polities: Gabaix 1999",
    "gibrat": "0 is Gibrat's law",
    "tent": "above 0 is tent-shaped, as for firms, Stanley et al. 1996, and countries' GDP, Lee et al. 1998",
    "growth_by_size": "the same at all sizes under Gibrat's law; for firms it falls with size: Stanley et al. 1996",
    "persistence": "1 where sizes keep their distances, 0 where they are forgotten",
    "hazard": "close to constant for empires: Arbesman 2011",
}
"""What is known, by fact."""

HEAD, PANEL, FOOT = 0.72, 4.6, 0.5
"""Heights in inches: title, the four panels, axis label and margin above the small print."""


def _refuses(results: Results) -> str | None:
    if not has_all_seats(results):
        return "the turns of every seat are needed; run the study with series = 'all'"
    if most_seats(results) < 2:
        return "polities differ in size only beside others; run a scenario of 2 or more civilizations"
    if min(results.length(part)[1] for _, part in results.runs.groupby("point")) < 2 * STEP + 1:
        return f"games of fewer than {2 * STEP + 1} turns hold no two steps of growth; lengthen game.turns"
    return None


Fact = Callable[[], tuple[float, float, float, int]]


def _facts(size: str, table: F64, resampling: Resampling) -> list[dict[str, Any]]:
    """Return the facts about sizes [W, N, T] as rows; a fact that cannot be had says why in ``problem``."""
    growth = polities.growth_table(table, STEP)
    level, options = resampling.level, resampling._asdict()

    def rank_size() -> tuple[float, float, float, int]:
        found = polities.rank_size(table[:, :, -1], level=level)
        return found.value, found.low, found.high, found.n

    def gibrat() -> tuple[float, float, float, int]:
        found = polities.gibrat(growth, level=level)
        return found.value, found.low, found.high, found.rows

    def tent() -> tuple[float, float, float, int]:
        found = polities.laplace_against_normal(growth, **options)
        return float(found.value), float(found.low), float(found.high), len(growth)

    return [_fact(name, size, make) for name, make in (("rank_size", rank_size), ("gibrat", gibrat), ("tent", tent))]


def _curves(size: str, table: F64, resampling: Resampling) -> tuple[list[dict[str, Any]], dict[str, pd.DataFrame]]:
    """Return what takes a curve to show, by name, and a fact of each: its last point, or why there is none."""
    options, made = resampling._asdict(), {}

    def growth_by_size() -> tuple[float, float, float, int]:
        made["growth"] = polities.growth_by_size(polities.growth_table(table, STEP), **options).assign(size=size)
        return _last(made["growth"], "deviation", int(made["growth"]["steps"].sum()))

    def persistence() -> tuple[float, float, float, int]:
        lags = np.unique(np.linspace(1, table.shape[2] // 2, LAGS).astype(int))
        with np.errstate(invalid="ignore", divide="ignore"):  # sizes that are all alike: 0/0, which is then refused
            made["persistence"] = polities.size_persistence(table, lags, **options).assign(size=size)
        return _last(made["persistence"], "correlation", len(table))

    return [_fact(name, size, make) for name, make in zip(_CURVES, (growth_by_size, persistence), strict=True)], made


_CURVES = ("growth_by_size", "persistence")
"""Facts that take a curve to show."""


def _last(curve: pd.DataFrame, value: str, n: int) -> tuple[float, float, float, int]:
    end = curve.iloc[-1]
    return float(end[value]), float(end["low"]), float(end["high"]), n


def _fact(name: str, size: str, make: Fact) -> dict[str, Any]:
    row: dict[str, Any] = {"fact": name, "size": size, "known": KNOWN[name], "problem": ""}
    try:
        row |= dict(zip(("value", "low", "high", "n"), make(), strict=True))
    except ResultsError as error:
        row |= {"value": np.nan, "low": np.nan, "high": np.nan, "n": 0, "problem": str(error)}
    return row


def lives(alive: F64) -> tuple[F64, NDArray[np.bool_]]:
    """Return (turns lived, whether it died), [W, N] each, of ``alive`` 0 or 1 at the end of each turn, [W, N, T].

    A realm that dies in turn t has lived t turns. One that comes back to life is taken to have died the first time.
    """
    dead = alive <= 0.0
    died = dead.any(axis=2)
    return np.where(died, dead.argmax(axis=2) + 1.0, float(alive.shape[2])), np.asarray(died, np.bool_)


def _stratum(results: Results, stratum: Stratum, resampling: Resampling) -> dict[str, pd.DataFrame]:
    good = stratum.runs[stratum.runs["status"] == OK].sort_values(["seed", "world_id"])
    if good.duplicated(["seed", "world_id"]).any():
        raise ResultsError(f"{stratum.label!r} holds a world twice; split its arms")
    ids, options = good["run_id"].tolist(), resampling._asdict()
    facts: list[dict[str, Any]] = []
    curves: dict[str, list[pd.DataFrame]] = {}
    for size in SIZES:
        table = turns_of(results, ids, size)
        found, made = _curves(size, table, resampling)
        facts += [*_facts(size, table, resampling), *found]
        for name, curve in made.items():
            curves.setdefault(name, []).append(curve)
    alive = turns_of(results, ids, "alive")
    turns, died = lives(alive)

    def hazard() -> tuple[float, float, float, int]:
        found = polities.hazard(turns, died, **options)
        return float(found.value), float(found.low), float(found.high), int(died.sum())

    facts.append(_fact("hazard", "lives", hazard))
    main = pd.DataFrame(facts).assign(worlds=len(ids), seats=alive.shape[1], dropped=worlds_of(stratum.runs) - len(ids))
    return {
        "": main,
        "survivors": polities.survivors(alive, **options),
        "lives": pd.DataFrame([polities.ageing(turns, died)._asdict()]),
        **{name: pd.concat(parts, ignore_index=True) for name, parts in curves.items()},
    }


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    return each_stratum(results, [], lambda stratum: _stratum(results, stratum, resampling))


def _curve(axes: Axes, table: pd.DataFrame, across: str, value: str, strata: Sequence[str], *, band: bool) -> None:
    for index, label in enumerate(strata):
        part, colour = table[table["stratum"] == label], COLOURS[index % len(COLOURS)]
        if band:
            axes.fill_between(part[across], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)
        else:
            axes.vlines(part[across], part["low"], part["high"], color=colour, linewidth=1.0)
        style = "-" if band else f"-{MARKERS[index % len(MARKERS)]}"
        axes.plot(part[across], part[value], style, color=colour, label=label)


def _draw_facts(axes: Axes, table: pd.DataFrame, strata: Sequence[str]) -> None:
    """Draw the slopes whose norms are 0 or 1, one row a fact and size."""
    shown = [("rank_size", "rank-size exponent"), ("gibrat", "Gibrat slope"), ("tent", "Laplace over normal")]
    rows = [(name, size, f"{words},\n{size}") for name, words in shown for size in SIZES]
    for place, (name, size, _) in enumerate(rows):
        for index, label in enumerate(strata):
            some = table[(table["stratum"] == label) & (table["fact"] == name) & (table["size"] == size)]
            if some.empty or some["problem"].iloc[0]:
                continue
            row, colour = some.iloc[0], COLOURS[index % len(COLOURS)]
            y = -place + 0.16 * (0.5 * (len(strata) - 1) - index)
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.3)
            axes.plot(row["value"], y, MARKERS[index % len(MARKERS)], color=colour)
    axes.axvline(0.0, color=MUTED, linewidth=0.6, zorder=0)
    axes.set_yticks([-float(place) for place in range(len(rows))], [words for *_, words in rows], fontsize=NOTE_SIZE)
    axes.set_xlabel("Estimate")


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    strata = [str(label) for label in dict.fromkeys(tables[""]["stratum"])]
    small = wrap_note([*notes, _NOTE])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL + foot
    figure = new_figure(height)
    box = {"left": 0.17, "right": 0.97, "top": 1 - HEAD / height, "bottom": foot / height}
    axes = figure.subplots(2, 2, gridspec_kw={**box, "wspace": 0.28, "hspace": 0.4})
    _draw_facts(axes[0, 0], tables[""], strata)
    _curve(axes[0, 1], tables["survivors"], "turn", "survivors", strata, band=True)
    axes[0, 1].set_ylim(bottom=0.0)
    axes[0, 1].set_xlabel("Turn")
    axes[0, 1].set_ylabel("Realms alive")
    axes[0, 1].legend(fontsize=NOTE_SIZE + 0.4, loc="lower left")
    if "growth" in tables:
        growth = tables["growth"]
        _curve(axes[1, 0], growth[growth["size"] == SIZES[0]], "log_size", "deviation", strata, band=False)
    axes[1, 0].set_ylim(bottom=0.0)
    axes[1, 0].set_xlabel("Log output")
    axes[1, 0].set_ylabel(f"S.d. of log growth\nover {STEP} turns")
    if "persistence" in tables:
        kept = tables["persistence"]
        _curve(axes[1, 1], kept[kept["size"] == SIZES[0]], "lag", "correlation", strata, band=False)
    zero_line(axes[1, 1])
    axes[1, 1].set_xlabel("Turns later")
    axes[1, 1].set_ylabel("Correlation of log output\nwith itself")
    add_title(
        figure, "How realms grow and last", "Sizes, growth, persistence and lives, beside what is known of polities"
    )
    add_note(figure, small)
    return figure


_NOTE = (
    f"Growth: log size over {STEP} turns of those alive at both ends, about the mean of its turn; where its s.d. "
    "differs with size, the mixture alone looks tent-shaped. Intervals: whole worlds resampled (BCa), Gibrat slope by "
    "the cluster jackknife; the rank-size interval (Gabaix and Ibragimov 2011) takes final sizes as independent, which "
    "those of one world are not. Reference points: empires' lives are close to exponential (Arbesman 2011); Zipf's 1 "
    "is about cities, tents were found for firms and countries' GDP."
)

_WORDS = {
    "rank_size": ("the rank-size exponent", 1.0, "above 1", "below 1", "not told from 1"),
    "gibrat": (
        "growth on log size", 0.0, "larger realms grow faster", "smaller realms grow faster",
        "growth is not told to depend on size",
    ),
    "tent": (
        "log-likelihood of a Laplace law over a normal one, a step", 0.0, "growth is tent-shaped",
        "growth is bell-shaped or flatter", "neither shape is told apart",
    ),
}  # fmt: skip
"""Each fact in words: its name, the norm, and what is said above, below and about it."""


def _one(row: pd.Series) -> str:
    words, norm, above, below, neither = _WORDS[row["fact"]]
    verdict = above if row["low"] > norm else below if row["high"] < norm else neither
    numbers = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['stratum']}, by {row['size']}: {words} is {numbers}, {verdict} ({row['known']})."


def _lives_words(row: pd.Series, age: pd.Series) -> str:
    where = f"{row['stratum']}: {age['deaths']:.0f} of {age['lives']:.0f} realms die"
    if row["problem"] or age["deaths"] == 0:
        return f"{where}; nothing can be said of how their hazard changes with age."
    hazard = f"{100.0 * row['value']:.3f} % a turn [{100.0 * row['low']:.3f}, {100.0 * row['high']:.3f}]"
    if not np.isfinite(age["shape"]):
        return f"{where}, a hazard of {hazard}; these are too few to say whether it is constant."
    told = "which is no constant hazard" if age["p"] < _SMALL else "which cannot be told from a constant hazard"
    return (
        f"{where}, a hazard of {hazard}; Weibull's shape is {age['shape']:.2f} (p of 1: {age['p']:.2g}, taking "
        f"deaths as independent), {told} ({row['known']})."
    )


_SMALL = 0.05


def _curve_words(row: pd.Series, curve: pd.DataFrame) -> str:
    """Return a fact of a curve: its first and its last point."""
    value, place = ("deviation", "log_size") if row["fact"] == "growth_by_size" else ("correlation", "lag")
    first, last = curve.iloc[0], curve.iloc[-1]
    ends = [f"{one[value]:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in (first, last)]
    where = f"{row['stratum']}, by {row['size']}"
    if row["fact"] == "persistence":
        turns = [f"{one[place]:.0f} turn{'' if one[place] == 1 else 's'} later" for one in (first, last)]
        return (
            f"{where}: log size is correlated with itself {ends[0]} {turns[0]} and {ends[1]} {turns[1]} "
            f"({row['known']})."
        )
    apart = (
        "smaller" if last["high"] < first["low"] else "larger" if last["low"] > first["high"] else "not told to differ"
    )
    return (
        f"{where}: the s.d. of log growth over {STEP} turns is {ends[0]} among the smallest and {ends[1]} among the "
        f"largest, {apart} there ({row['known']})."
    )


def _read_stratum(label: str, part: pd.DataFrame, tables: Tables) -> list[str]:
    said = []
    for _, row in part[part["fact"] != "hazard"].iterrows():
        if row["problem"]:
            said.append(f"{label}, {row['fact'].replace('_', ' ')} by {row['size']}: {row['problem']}.")
        elif row["fact"] in _CURVES:
            curve = tables["growth" if row["fact"] == "growth_by_size" else "persistence"]
            said.append(_curve_words(row, select(curve, {"stratum": label, "size": row["size"]})))
        else:
            said.append(_one(row))
    age = tables["lives"].set_index("stratum").loc[label]
    said.append(_lives_words(part[part["fact"] == "hazard"].iloc[0], age))
    end = tables["survivors"][tables["survivors"]["stratum"] == label].iloc[-1]
    said.append(
        f"{label}: {end['survivors']:.2f} [{end['low']:.2f}, {end['high']:.2f}] of {part['seats'].iloc[0]} realms "
        f"are alive at turn {end['turn']:.0f} ({part['worlds'].iloc[0]} worlds)."
    )
    return said


def _read(tables: Tables) -> list[str]:
    table = tables[""]
    said = [_read_stratum(str(label), part, tables) for label, part in table.groupby("stratum", sort=False)]
    return [*(sentence for part in said for sentence in part), *left_out(table)]


KIND = Kind(
    name="stylised",
    title="How realms grow and last",
    question="Do the realms of the game grow, last and differ in size as polities are known to?",
    method=(
        "Rank-size exponent (Gabaix and Ibragimov 2011), Gibrat slope with turn fixed effects and the cluster "
        "jackknife, Laplace against normal growth, persistence, hazard of death with censoring; worlds resampled (BCa)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
