"""Concentration: what happens to all, and to whom, when the same thinking is held by fewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out
from civsim.analysis.kinds.seatwise import (
    by_seat,
    good_civs,
    has_all_seats,
    most_seats,
    own_factors,
    runs_by_arm,
    turns_of,
    worlds_of,
)
from civsim.analysis.kinds.slopes import draw_slopes, slope_rows, slope_sentences
from civsim.analysis.kinds.writes import sets_thinking
from civsim.analysis.panel import select
from civsim.analysis.results import COGNITIVE_SPENDING, FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.inequality import MEASURES
from civsim.analysis.statistics.leadership import lock_in, rank_persistence
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
    return SPENDING, civs[list(COGNITIVE_SPENDING)].sum(axis=1)


def _spread_factor(results: Results) -> str | None:
    """Return the factor whose arms differ most in how unequal cognition is within runs; None where none differs.

    It is one that sets single civilizations' thinking: under any other, too, what they come to spend on it differs. The
    most, not any: games that failed leave the arms of every other factor a little apart.
    """
    _, values = cognition_of(good_civs(results))
    civs = results.civs.assign(cognition=values)
    spread = civs.groupby("run_id")["cognition"].std(ddof=0)
    each = results.runs.assign(spread=results.runs["run_id"].map(spread))
    apart: dict[str, float] = {}
    for name in own_factors(results):
        if not sets_thinking(results.study["factors"][name.removeprefix(FACTOR)], apart=True):
            continue
        means = each.groupby(name)["spread"].mean().dropna()
        if len(means) > 1 and float(np.ptp(means)) > 0.0:
            apart[name] = float(np.ptp(means))
    return max(apart, key=apart.__getitem__, default=None)


def _refuses(results: Results) -> str | None:
    if most_seats(results) < 2:
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


def _arms(results: Results, stratum: Stratum, factor: str) -> tuple[dict[str, tuple[F64, F64]], pd.DataFrame]:
    """Return (cognition, outcome) [W, N] of each arm, the most equal cognition first, and the run ids."""
    wide = runs_by_arm(stratum.runs, factor)
    if len(wide.columns) < 2:
        raise ResultsError(f"{len(wide.columns)} arms of {factor.removeprefix(FACTOR)} have no other to compare with")
    _, values = cognition_of(results.civs)
    civs = results.civs.assign(cognition=values)
    found = {
        str(arm): (by_seat(civs, wide[arm].tolist(), "cognition"), by_seat(civs, wide[arm].tolist(), OUTCOME))
        for arm in wide.columns
    }
    # Nothing held by anyone is held equally, but it is a reference only where no arm shares something out equally.
    unequal = {arm: _mean(MEASURES[SHOWN](both[0])) for arm, both in found.items()}
    ordered = sorted(found, key=lambda arm: (np.nan_to_num(unequal[arm]), np.isnan(unequal[arm])))
    return {arm: found[arm] for arm in ordered}, wide.rename(columns=str)


def _leaders(results: Results, wide: pd.DataFrame, arm: str, resampling: Resampling) -> tuple[dict[str, Any], Any]:
    amounts = turns_of(results, wide[arm].tolist(), OUTCOME)
    found = lock_in(amounts, **resampling._asdict())
    row = {"arm": arm, "turn": float(found.mean.value), "low": float(found.mean.low), "high": float(found.mean.high)}
    row |= {"late": found.late, "changes": float(found.changes.mean()), "turns": amounts.shape[2]}
    return row, rank_persistence(amounts, **resampling._asdict()).assign(arm=arm)


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    factor = _spread_factor(results)
    if factor is None:
        raise ResultsError("no factor makes some arms' cognition more unequal; run another study")
    what, _ = cognition_of(results.civs)

    def one(stratum: Stratum) -> dict[str, pd.DataFrame]:
        return _stratum(results, stratum, factor, resampling)

    made = each_stratum(results, [factor], one)
    return {**made, "": made[""].assign(cognition_is=what, factor=factor.removeprefix(FACTOR))}


def _stratum(results: Results, stratum: Stratum, factor: str, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the tables of one stratum; those without a row are left out."""
    arms, wide = _arms(results, stratum, factor)
    main = pd.DataFrame(_inequality(arms, resampling))
    if main.empty:
        raise ResultsError("fewer than 2 worlds have output in every arm; play more worlds")
    tables = {
        "": main.assign(dropped=worlds_of(stratum.runs) - len(wide)),
        "tails": pd.DataFrame(_tails(arms, resampling)),
        "passthrough": pd.DataFrame(slope_rows(arms, resampling.level)),
    }
    if has_all_seats(results):
        found = [_leaders(results, wide, arm, resampling) for arm in arms]
        tables["lockin"] = pd.DataFrame([row for row, _ in found])
        tables["ranks"] = pd.concat([ranks for _, ranks in found], ignore_index=True)
    return {name: table for name, table in tables.items() if len(table)}


def _lines(axes: Axes, table: pd.DataFrame, names: tuple[str, str, str], scale: float = 1.0) -> None:
    """Draw one line a stratum over the inequality of cognition; ``names`` are the value's and the limits' columns."""
    for index, (label, part) in enumerate(table.groupby("stratum", sort=False)):
        value, low, high = (scale * part[name] for name in names)
        colour = COLOURS[index % len(COLOURS)]
        places = part["cognition"].fillna(0.0) + DODGE * index  # nobody has any: held equally
        axes.vlines(places, low, high, color=colour, linewidth=1.0)
        axes.plot(places, value, f"-{MARKERS[index % len(MARKERS)]}", color=colour, label=str(label))


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
    most = float(np.nanmax(unequal[["cognition", "high"]].to_numpy(), initial=0.0))
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
    if "passthrough" in tables:
        draw_slopes(axes[1, 1], tables["passthrough"])
    else:
        axes[1, 1].text(0.5, 0.5, "no arm's cognition differs in a world", color=MUTED, ha="center", va="center")
        axes[1, 1].set_axis_off()
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


def _moves(rows: pd.DataFrame) -> str:
    """Return how the last arm differs from the first; ``rows`` are the last arm's, by measure."""
    told = {
        "gini": ("the Gini of output", 1.0, "", 3),
        "top_share": ("the largest share", PERCENT, " points", 1),
        TOTAL: ("the output of all", PERCENT, " log %", 1),
    }
    known = [_moved(rows.loc[name], *how) for name, how in told.items() if name in rows.index]
    return "; ".join(known) or "fewer than 2 worlds have output in both, so that nothing can be said"


def _lock(row: pd.Series) -> str:
    return (
        f"{row['stratum']}, arm {row['arm']}: the last leader leads since turn {row['turn']:.1f} [{row['low']:.1f}, "
        f"{row['high']:.1f}] of {row['turns']:.0f}; in {PERCENT * row['late']:.0f} % of worlds only since the "
        "last tenth of the game."
    )


def _read(tables: Tables) -> list[str]:
    said = []
    for stratum, part in tables[""].groupby("stratum", sort=False):
        label, first, last = str(stratum), part["arm"].iloc[0], part["arm"].iloc[-1]
        rows = part[part["arm"] == last].set_index("measure")
        said.append(f"{label}, arm {last} against {first}: {_moves(rows)} ({rows['worlds'].max()} worlds).")
        if "passthrough" in tables:
            said += slope_sentences(tables["passthrough"], label)
        if "lockin" in tables:
            locks = select(tables["lockin"], {"stratum": label, "arm": last})
            said += [_lock(row) for _, row in locks.iterrows()]
    said.append(f"Cognition of a seat is its {tables['']['cognition_is'].iloc[0].replace('_', ' ')}.")
    return [*said, *left_out(tables[""])]


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
