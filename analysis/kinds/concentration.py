"""Concentration: what happens to all, and to whom, when the same thinking is held by fewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.seatwise import by_seat, by_turn, has_all_seats, own_factors, runs_by_arm
from civsim.analysis.panel import CLUSTER
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.inequality import MEASURES
from civsim.analysis.statistics.leadership import lock_in, rank_persistence
from civsim.analysis.statistics.passthrough import Slope, pass_through
from civsim.analysis.statistics.resample import Estimate
from civsim.analysis.statistics.tails import hill_worlds, quantile_ratio_worlds
from civsim.analysis.statistics.worlds import world_mean
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
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

F64 = NDArray[np.float64]

OUTCOME = "output"
"""What is held unequally: each civilization's output over the game."""

TOTAL = "log_total"
"""Measure that is no inequality: log of the outputs of all, of which differences are log points."""

HORIZON, SPENDING = "level_horizon", "cognitive spending"
_SPENT = ("spent_strategists", "spent_scouts", "spent_analysts")

POOLED = "all arms"

QUANTILES = {"p90/p50": 0.9, "p99/p50": 0.99}
SHOWN = "gini"
"""Measure on the figure's axes."""

DODGE = 0.008
"""How far to the right each further scenario is drawn, so that bars do not hide each other (Gini)."""

HEAD, PANEL, FOOT = 0.72, 4.6, 0.5
"""Heights in inches: title, the four panels, axis label and margin above the small print."""


def cognition_of(civs: pd.DataFrame) -> tuple[str, pd.Series]:
    """Return what stands for a seat's cognition, by name and values.

    It is the mean level of horizon where that differs between the seats of some run, else what the seat spent on
    strategists, scouts and analysts over the game.
    """
    if bool((civs.groupby("run_id")[HORIZON].nunique() > 1).any()):
        return HORIZON, civs[HORIZON]
    return SPENDING, civs[list(_SPENT)].sum(axis=1)


def _spread_factor(results: Results) -> str | None:
    """Return the first factor whose arms differ in how unequal cognition is within runs."""
    _, values = cognition_of(results.civs)
    civs = results.civs.assign(cognition=values)
    spread = civs.groupby("run_id")["cognition"].std(ddof=0)
    each = results.runs.assign(spread=results.runs["run_id"].map(spread))
    for name in own_factors(results):
        means = each.groupby(name)["spread"].mean().dropna()
        if len(means) > 1 and float(np.ptp(means)) > 0.0:
            return name
    return None


def _refuses(results: Results) -> str | None:
    if int(results.civs.groupby("run_id").size().max()) < 2:
        return "concentration needs civilizations to share a world; run a scenario of 2 or more"
    if _spread_factor(results) is None:
        return "no factor makes some arms' cognition more unequal; add arms that set seats.0.levels, seats.1.levels, …"
    return None


def _values(name: str, amounts: F64) -> F64:
    if name != TOTAL:
        return MEASURES[name](amounts)
    total = amounts.sum(axis=1)
    return np.where(total > 0.0, np.log(np.where(total > 0.0, total, 1.0)), np.nan)


def _mean(values: F64) -> float:
    """Return the mean of the values that are finite; nan where none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _inequality(arms: Mapping[str, tuple[F64, F64]], resampling: Resampling) -> list[dict[str, Any]]:
    """Return each arm's measures and their differences from the first arm, the most equal one."""
    base = next(iter(arms.values()))[1]
    options = resampling._asdict()
    rows = []
    for arm, (cognition, outcome) in arms.items():
        for name in (*MEASURES, TOTAL):
            own, reference = _values(name, outcome), _values(name, base)
            known = np.isfinite(own) & np.isfinite(reference)
            if known.sum() < 2:
                continue
            mean = world_mean(own[known], **options)
            gap = world_mean((own - reference)[known], **options)
            rows.append(
                {
                    "arm": arm, "measure": name, "cognition": _mean(_values(name, cognition)),
                    "value": float(mean.value), "low": float(mean.low), "high": float(mean.high),
                    "difference": float(gap.value), "difference_low": float(gap.low),
                    "difference_high": float(gap.high), "worlds": int(known.sum()),
                    "without": int((outcome == 0.0).sum()),
                }
            )  # fmt: skip
    return rows


def _tails(arms: Mapping[str, tuple[F64, F64]], resampling: Resampling) -> list[dict[str, Any]]:
    options = resampling._asdict()
    rows = []
    for arm, (_, outcome) in arms.items():
        makers: dict[str, Callable[[], Estimate]] = {
            name: partial(quantile_ratio_worlds, outcome, upper, **options) for name, upper in QUANTILES.items()
        }
        makers["hill_alpha"] = partial(hill_worlds, outcome, **options)
        for name, make in makers.items():
            row: dict[str, Any] = {"arm": arm, "quantity": name, "problem": ""}
            try:
                row |= {key: float(item) for key, item in make()._asdict().items()}
            except ResultsError as error:
                row |= {"value": np.nan, "low": np.nan, "high": np.nan, "problem": str(error)}
            rows.append(row)
    return rows


def _slope_rows(arms: Mapping[str, tuple[F64, F64]], level: float) -> list[dict[str, Any]]:
    """Return the pass-through of each arm in which cognition differs, and of all arms together, worlds as clusters."""
    parts = {arm: both for arm, both in arms.items() if np.ptp(both[0], axis=1).any()}
    labels = {arm: np.arange(len(both[0])) for arm, both in parts.items()}
    if len(parts) > 1:
        joined = tuple(np.concatenate([both[index] for both in parts.values()]) for index in (0, 1))
        labels = {POOLED: np.concatenate(list(labels.values())), **labels}
        parts = {POOLED: (joined[0], joined[1]), **parts}
    rows: list[dict[str, Any]] = []
    for arm, (cognition, outcome) in parts.items():
        try:
            found = pass_through(outcome, cognition, labels[arm], level=level)
        except ResultsError as error:
            rows.append({"arm": arm, "estimator": "", "problem": str(error)})
            continue
        counts = {"no_cognition": found.no_cognition, "no_outcome": found.no_outcome, "alone": found.alone}
        for name, slope in (("least squares on logs", found.log_log), ("PPML", found.ppml)):
            rows.append({"arm": arm, "estimator": name, "problem": "", **_slope(slope), **counts})
    return rows


def _slope(slope: Slope) -> dict[str, Any]:
    return {
        "slope": slope.value, "low": slope.low, "high": slope.high, "p_of_one": slope.p, "worlds": slope.clusters,
        "effective_worlds": slope.freedom + 1.0,
    }  # fmt: skip


def _arms(results: Results, stratum: Stratum, factor: str) -> tuple[dict[str, tuple[F64, F64]], pd.DataFrame]:
    """Return (cognition, outcome) [W, N] of each arm, the most equal cognition first, and the run ids."""
    wide = runs_by_arm(stratum.runs, factor)
    _, values = cognition_of(results.civs)
    civs = results.civs.assign(cognition=values)
    found = {
        str(arm): (by_seat(civs, wide[arm].tolist(), "cognition"), by_seat(civs, wide[arm].tolist(), OUTCOME))
        for arm in wide.columns
    }
    ordered = sorted(found, key=lambda arm: _mean(MEASURES["hhi"](found[arm][0])))
    return {arm: found[arm] for arm in ordered}, wide.rename(columns=str)


def _leaders(results: Results, wide: pd.DataFrame, arm: str, resampling: Resampling) -> tuple[dict[str, Any], Any]:
    amounts = by_turn(results.series, wide[arm].tolist(), OUTCOME)
    found = lock_in(amounts, **resampling._asdict())
    row = {"arm": arm, "turn": float(found.mean.value), "low": float(found.mean.low), "high": float(found.mean.high)}
    row |= {"late": found.late, "changes": float(found.changes.mean()), "turns": amounts.shape[2]}
    return row, rank_persistence(amounts, **resampling._asdict()).assign(arm=arm)


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    factor = _spread_factor(results)
    if factor is None:
        raise ResultsError("no factor makes some arms' cognition more unequal; run another study")
    what, _ = cognition_of(results.civs)
    made: dict[str, list[pd.DataFrame]] = {"": [], "tails": [], "passthrough": [], "lockin": [], "ranks": []}
    for stratum in results.strata([factor]):
        arms, wide = _arms(results, stratum, factor)
        parts = {
            "": pd.DataFrame(_inequality(arms, resampling)).assign(
                cognition_is=what, dropped=len(stratum.runs[list(CLUSTER)].drop_duplicates()) - len(wide)
            ),
            "tails": pd.DataFrame(_tails(arms, resampling)),
            "passthrough": pd.DataFrame(_slope_rows(arms, resampling.level)),
        }
        if has_all_seats(results):
            found = [_leaders(results, wide, arm, resampling) for arm in arms]
            parts["lockin"] = pd.DataFrame([row for row, _ in found])
            parts["ranks"] = pd.concat([ranks for _, ranks in found], ignore_index=True)
        for name, part in parts.items():
            part.insert(0, "stratum", stratum.label)
            made[name].append(part)
    title = factor.removeprefix(FACTOR)
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in made.items() if parts}
    tables[""] = tables[""].assign(factor=title)
    return tables


def _lines(axes: Axes, table: pd.DataFrame, names: tuple[str, str, str], scale: float = 1.0) -> None:
    """Draw one line a stratum over the inequality of cognition; ``names`` are the value's and the limits' columns."""
    for index, (label, part) in enumerate(table.groupby("stratum", sort=False)):
        value, low, high = (scale * part[name] for name in names)
        colour = COLOURS[index % len(COLOURS)]
        places = part["cognition"] + DODGE * index
        axes.vlines(places, low, high, color=colour, linewidth=1.0)
        axes.plot(places, value, f"-{MARKERS[index % len(MARKERS)]}", color=colour, label=str(label))


def _draw_slopes(axes: Axes, table: pd.DataFrame) -> None:
    axes.axvline(1.0, color=RULE, linewidth=0.8, zorder=0)
    axes.axvline(0.0, color=MUTED, linewidth=0.6, linestyle=":", zorder=0)
    good = table[table["problem"] == ""]
    names = list(dict.fromkeys(table["stratum"]))
    pooled = good[good["arm"] == POOLED] if (good["arm"] == POOLED).any() else good
    for index, label in enumerate(names):
        part = pooled[pooled["stratum"] == label]
        for shift, (_, row) in zip((0.13, -0.13), part.iterrows(), strict=False):
            y, colour = -index + shift, COLOURS[index % len(COLOURS)]
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.4)
            fill = colour if shift > 0 else "none"
            axes.plot(
                row["slope"], y, MARKERS[index % len(MARKERS)], color=colour, markerfacecolor=fill, markersize=4.5
            )
    axes.set_yticks([-float(index) for index in range(len(names))], names)
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_xlabel("Pass-through (filled: logs; open: PPML)")


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    main = tables[""]
    small = wrap_note([*notes, _NOTE])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + PANEL + foot
    figure = new_figure(height)
    box = {"left": 0.11, "right": 0.97, "top": 1 - HEAD / height, "bottom": foot / height}
    axes = figure.subplots(2, 2, gridspec_kw={**box, "wspace": 0.3, "hspace": 0.45})
    unequal = main[main["measure"] == SHOWN]
    _lines(axes[0, 0], unequal, ("value", "low", "high"))
    most = float(unequal[["cognition", "high"]].to_numpy().max())
    axes[0, 0].plot([0, most], [0, most], color=RULE, linewidth=0.8, zorder=0)
    axes[0, 0].set_ylabel("Gini of output")
    axes[0, 0].legend(fontsize=NOTE_SIZE + 0.4, loc="best")
    gini = unequal.set_index(["stratum", "arm"])["cognition"]
    total = main[main["measure"] == TOTAL].drop(columns="cognition").join(gini, on=["stratum", "arm"])
    zero_line(axes[0, 1])
    _lines(axes[0, 1], total, ("difference", "difference_low", "difference_high"), PERCENT)
    axes[0, 1].set_ylabel("Output of all, against\nequal thinking (log %)")
    if "lockin" in tables:
        _lines(axes[1, 0], tables["lockin"].join(gini, on=["stratum", "arm"]), ("turn", "low", "high"))
        axes[1, 0].set_ylabel("Turn since which the\nlast leader leads")
        axes[1, 0].set_xlabel("Gini of cognition")
    else:
        axes[1, 0].text(0.5, 0.5, "no per-turn table of all seats", color=MUTED, ha="center", va="center")
        axes[1, 0].set_axis_off()
    for one in (axes[0, 0], axes[0, 1]):
        one.set_xlabel("Gini of cognition")
    _draw_slopes(axes[1, 1], tables["passthrough"])
    add_title(figure, "When thinking is held by fewer", "The same worlds, with cognition in ever less equal parts")
    add_note(figure, small)
    return figure


_NOTE = (
    "Gini of a world's civilizations as a population (scenarios drawn side by side); grey diagonal: output as unequal "
    "as cognition. Bars: intervals, whole worlds resampled (BCa). Pass-through: elasticity of output with respect to "
    "cognition within worlds; 1 hands inequality on as it is. Least squares leaves out civilizations with output 0, "
    "PPML keeps them; both leave out those with cognition 0. A lock-in is that of a game of this length."
)


def _moved(row: pd.Series, what: str, scale: float, unit: str, digits: int) -> str:
    value, low, high = (scale * float(row[name]) for name in ("difference", "difference_low", "difference_high"))
    words = f"{value:+.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"
    if low > 0.0:
        return f"{what} is higher, {words}"
    if high < 0.0:
        return f"{what} is lower, {words}"
    return f"{what} cannot be told to differ, {words}"


def _slope_words(row: pd.Series) -> str:
    words = f"{row['slope']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
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
    return f"{words} by {row['estimator']}, which {verdict} (p of 1: {row['p_of_one']:.2g})"


def _read(tables: Tables) -> list[str]:
    said = []
    for label, part in tables[""].groupby("stratum", sort=False):
        first, last = part["arm"].iloc[0], part["arm"].iloc[-1]
        rows = part[part["arm"] == last].set_index("measure")
        said.append(
            f"{label}, arm {last} against {first}: {_moved(rows.loc['gini'], 'the Gini of output', 1.0, '', 3)}; "
            f"{_moved(rows.loc['top_share'], 'the largest share', PERCENT, ' points', 1)}; "
            f"{_moved(rows.loc[TOTAL], 'the output of all', PERCENT, ' log %', 1)} ({rows['worlds'].iloc[0]} worlds)."
        )
        slopes = tables["passthrough"]
        slopes = slopes[(slopes["stratum"] == label) & (slopes["problem"] == "")]
        pooled = slopes[slopes["arm"] == POOLED] if (slopes["arm"] == POOLED).any() else slopes
        if len(pooled):
            row = pooled.iloc[0]
            said.append(
                f"{label}: the elasticity of output with respect to cognition is "
                f"{'; '.join(_slope_words(one) for _, one in pooled.iterrows())}. Left out: {row['no_cognition']:.0f} "
                f"without cognition, and by least squares {row['no_outcome'] + row['alone']:.0f} more."
            )
        if "lockin" in tables:
            locks = tables["lockin"]
            row = locks[(locks["stratum"] == label) & (locks["arm"] == last)].iloc[0]
            said.append(
                f"{label}, arm {last}: the last leader leads since turn {row['turn']:.1f} [{row['low']:.1f}, "
                f"{row['high']:.1f}] of {row['turns']:.0f}; in {PERCENT * row['late']:.0f} % of worlds only since the "
                "last tenth of the game."
            )
    said.append(f"Cognition of a seat is its {tables['']['cognition_is'].iloc[0].replace('_', ' ')}.")
    return said


KIND = Kind(
    name="concentration",
    title="When thinking is held by fewer",
    question="What does concentrating cognition do to the output of all, to inequality, and to who leads?",
    method=(
        "Inequality of output within worlds against that of cognition, paired by world, worlds resampled (BCa); "
        "pass-through by least squares and by PPML (Santos Silva and Tenreyro 2006) with world fixed effects and the "
        "cluster jackknife."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
