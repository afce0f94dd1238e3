"""The trade-off curve: outcome against the share of output spent on cognition, one line a context.

:func:`tradeoff_tables` computes, :func:`draw_tradeoff` draws what it is given and computes nothing,
:func:`plot_tradeoff` reads a results folder and writes the figure with its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out, listed
from civsim.analysis.panel import make_panel, require_columns, select
from civsim.analysis.results import COGNITIVE_SPENDING, Resampling, Results, Stratum
from civsim.analysis.statistics.optimum import MIN_DOSES, estimate_optimum
from civsim.analysis.statistics.paired import paired_differences
from civsim.analysis.statistics.resample import DRAWS, LEVEL, SEED
from civsim.analysis.study import StudyFacts, read_facts
from civsim.analysis.style import (
    COLOURS,
    FACE,
    MARKERS,
    MUTED,
    NOTE_LINE,
    NOTE_SIZE,
    add_note,
    add_title,
    new_figure,
    save_figures,
    spread_labels,
    wrap_note,
    zero_line,
)
from civsim.analysis.units import PERCENT, equivalent_percent, welfare_of_percent
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONTEXT = "factor.context"
DOSE = "factor.cognition_share"
OUTCOME = "welfare"
PATH = "focal.policy.params.cognition"
"""Setting that a factor must vary to be a dose: the focal civilization's share of output spent on cognition."""

EPSILON_PERCENT = 1.0
"""Loss that counts as none when the near-optimal range is reported (percent of c₀ + consumption)."""

STEM = "tradeoff"

HEAD, PANEL, ROW_HEIGHT, FOOT = 0.62, 3.2, 0.165, 0.58
"""Heights in inches: title, curves, one row of the strip of optima, axis label and margin above the small print."""

MOST_RIGHT, CHARACTER, NUMBERS = 0.80, 0.0091, 16
"""Right end of the curves at most, width of a character of a label (shares of the width), characters of its numbers."""


class TradeoffTables(NamedTuple):
    """What the figure draws. Gains are in percent of c₀ + consumption in every turn."""

    points: pd.DataFrame  # one row a context and dose: paired difference from the reference dose, with interval
    curves: pd.DataFrame  # one row a context and grid dose: the smooth curve and its pointwise band
    optima: pd.DataFrame  # one row a context: best dose, interval, near-optimal range, flat or not, what it rests on


def _points(table: pd.DataFrame, length: tuple[float, int], differences: pd.DataFrame) -> pd.DataFrame:
    """Return one context's points, with the share that was really spent beside the share that was asked for."""
    spent = [column for column in table.columns if column.startswith("spent_")]
    realised = table[list(COGNITIVE_SPENDING)].sum(axis=1) / table[spent].sum(axis=1)
    points = pd.DataFrame({"share": differences["arm"], "worlds": differences["worlds"]})
    points["share_spent"] = points["share"].map(realised.groupby(table[DOSE]).mean())
    for name, source in (("gain", "difference"), ("low", "low"), ("high", "high")):
        points[name] = equivalent_percent(differences[source], *length)
    points["welfare"] = differences["mean"]
    points["correlation"] = differences["correlation"]
    points["variance_ratio"] = differences["variance_ratio"]
    return points


def _one_context(
    table: pd.DataFrame, length: tuple[float, int], given: float | None, epsilon: float, resampling: Resampling
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, object]]:
    panel = make_panel(table, OUTCOME, DOSE, may_lose_arms=True)
    reference = float(panel.arms[0]) if given is None else given
    points = _points(table, length, paired_differences(panel, reference, **resampling._asdict()))
    best, curve = estimate_optimum(
        panel, reference, epsilon=welfare_of_percent(epsilon, *length), **resampling._asdict()
    )
    smooth = pd.DataFrame({"share": curve.dose})
    for name, values in (("gain", curve.value), ("low", curve.low), ("high", curve.high)):
        smooth[name] = equivalent_percent(values, *length)
    gains = equivalent_percent([best.value, best.value_low, best.value_high], *length)
    row: dict[str, object] = {
        "share": best.dose, "low": best.low, "high": best.high, "gain": gains[0], "gain_low": gains[1],
        "gain_high": gains[2], "near_low": best.near_low, "near_high": best.near_high, "epsilon_percent": epsilon,
        "flat": best.flat, "flat_p": best.flat_p, "edge": best.edge, "freedom": best.freedom,
        "worlds": panel.n_worlds, "dropped": panel.dropped, "lost": listed(panel.lost), "reference": reference,
        "level": resampling.level,
        # All of several shares are worse where each is, at its own level: no correction (Berger, Technometrics 1982).
        "none_pays": bool((points.loc[points["share"] != reference, "high"] < 0.0).all()),
    }  # fmt: skip
    return points.assign(dropped=panel.dropped), smooth, row


def tradeoff_tables(
    runs: pd.DataFrame,
    lengths: Mapping[str, tuple[float, int]],
    *,
    reference: float | None = None,
    epsilon_percent: float = EPSILON_PERCENT,
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = LEVEL,
) -> TradeoffTables:
    """Return the trade-off of every context in a runs table.

    ``lengths`` maps a context to its (discount, turns); ``reference`` is the dose at which each curve is 0 (each
    context's own smallest dose if left out). The world is the unit of resampling; the same draws serve every context.

    Raises:
        ResultsError: a column, a context or the reference dose is missing, or a context has too few doses or worlds.
    """
    require_columns(runs, [CONTEXT, DOSE, OUTCOME, *COGNITIVE_SPENDING])
    contexts = list(dict.fromkeys(runs[CONTEXT]))
    if not contexts:
        raise ResultsError("the runs table is empty; run the study before plotting it")
    resampling = Resampling(draws, seed, level)
    points, curves, optima = [], [], []
    for context in contexts:
        if context not in lengths:
            raise ResultsError(f"context={context!r} is not in the manifest; do not mix results of two studies")
        part = _one_context(select(runs, {CONTEXT: context}), lengths[context], reference, epsilon_percent, resampling)
        points.append(part[0].assign(context=context))
        curves.append(part[1].assign(context=context))
        optima.append({"context": context, **part[2]})
    return TradeoffTables(_context_first(points), _context_first(curves), pd.DataFrame(optima))


def _context_first(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True)
    return table[["context", *[column for column in table.columns if column != "context"]]]


def _reference(optima: pd.DataFrame) -> str:
    """Return in words the share that gains are measured against; contexts may have references of their own."""
    shares = optima["reference"].unique()
    if len(shares) > 1:
        return "each line's smallest share tried"
    return _share_words(float(shares[0]))


def _share_words(share: float, bought: str = "cognition") -> str:
    return f"no spending on {bought}" if share == 0.0 else f"a share of {PERCENT * share:.3g} %"


def draw_context(axes: Axes, tables: TradeoffTables, context: str, index: int) -> float:
    """Draw a context's band, curve, dose means and optimum in the ``index``-th colour; return where the curve ends."""
    colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    curve = select(tables.curves, {"context": context})
    points = select(tables.points, {"context": context})
    best = select(tables.optima, {"context": context}).iloc[0]
    x = PERCENT * curve["share"].to_numpy()
    axes.fill_between(x, curve["low"], curve["high"], color=colour, alpha=0.13, linewidth=0, zorder=1)
    axes.plot(x, curve["gain"], color=colour, zorder=3)
    axes.plot(
        PERCENT * points["share"], points["gain"], marker, color=colour, markersize=2.8, markeredgewidth=0, zorder=4
    )
    if not best["flat"]:
        axes.plot(
            PERCENT * best["share"], best["gain"], marker, markerfacecolor=FACE, markeredgecolor=colour,
            markersize=6.5, markeredgewidth=1.3, zorder=5, clip_on=False,
        )  # fmt: skip
    return float(curve["gain"].iloc[-1])


def draw_best(axes: Axes, best: pd.Series, index: int) -> str:
    """Draw a context's near-optimal range (thin), interval of the optimum (thick) and optimum in row ``index``.

    Returns the optimum in words.
    """
    colour, row = COLOURS[index % len(COLOURS)], -index
    axes.plot(
        [PERCENT * best["near_low"], PERCENT * best["near_high"]], [row, row], color=colour, linewidth=5.5,
        alpha=0.22, solid_capstyle="butt",
    )  # fmt: skip
    if best["flat"]:
        return "flat"
    axes.plot([PERCENT * best["low"], PERCENT * best["high"]], [row, row], color=colour, linewidth=1.6)
    axes.plot(
        PERCENT * best["share"], row, MARKERS[index % len(MARKERS)], markerfacecolor=FACE,
        markeredgecolor=colour, markersize=5.5, markeredgewidth=1.2, clip_on=False,
    )  # fmt: skip
    share, low, high = (PERCENT * float(best[name]) for name in ("share", "low", "high"))
    return f"{share:.0f} % [{low:.0f}, {high:.0f}]"


def _draw_curves(axes: Axes, tables: TradeoffTables, contexts: Sequence[str]) -> None:
    """Draw every context; name each line at its right end."""
    zero_line(axes)
    ends = [draw_context(axes, tables, context, index) for index, context in enumerate(contexts)]
    low, high = axes.get_ylim()
    right = PERCENT * float(tables.curves["share"].max())
    for index, (context, place) in enumerate(zip(contexts, spread_labels(ends, 0.052 * (high - low)), strict=True)):
        axes.annotate(
            context, (right, ends[index]), xytext=(right * 1.02, place), color=COLOURS[index % len(COLOURS)],
            fontsize=8, va="center", annotation_clip=False,
        )  # fmt: skip
    axes.set_xlim(-0.01 * right, right * 1.005)
    axes.set_ylim(low, high)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(labelbottom=False, bottom=False)


def _draw_optima(axes: Axes, tables: TradeoffTables, contexts: Sequence[str]) -> None:
    """Draw one row a context: its best share and what is nearly as good."""
    right = PERCENT * float(tables.curves["share"].max())
    for index, context in enumerate(contexts):
        text = draw_best(axes, select(tables.optima, {"context": context}).iloc[0], index)
        axes.text(
            right * 1.02, -index, f"{context}: {text}", color=COLOURS[index % len(COLOURS)], fontsize=7.5, va="center"
        )
    level = f"best share [{PERCENT * tables.optima['level'].iloc[0]:g} % interval]"
    axes.text(right * 1.02, 1, level, color=MUTED, fontsize=NOTE_SIZE, va="center")
    axes.set_ylim(-len(contexts) + 0.4, 1.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Share of output spent on cognition (%)")


def draw_tradeoff(tables: TradeoffTables, notes: Sequence[str]) -> Figure:
    """Return the figure of ``tables``; ``notes`` are the paragraphs of small print at its foot."""
    contexts = list(tables.optima["context"])
    small_print = wrap_note(notes)
    strip = ROW_HEIGHT * (len(contexts) + 1.2)
    foot = NOTE_LINE * len(small_print) + FOOT
    height = HEAD + PANEL + strip + foot
    figure = new_figure(height)
    right = min(MOST_RIGHT, 1.0 - CHARACTER * (max(map(len, contexts)) + NUMBERS))
    grid = figure.add_gridspec(
        2, 1, height_ratios=(PANEL, strip), hspace=0.0, left=0.095, right=right, top=1 - HEAD / height,
        bottom=foot / height,
    )  # fmt: skip
    above = figure.add_subplot(grid[0])
    below = figure.add_subplot(grid[1], sharex=above)
    _draw_curves(above, tables, contexts)
    _draw_optima(below, tables, contexts)
    above.set_ylabel(f"Welfare against {_reference(tables.optima)}\n(consumption-equivalent, %)")
    add_title(
        figure, "What thinking is worth",
        "Output moved from physical investment to cognition; every world is compared with itself",
    )  # fmt: skip
    add_note(figure, small_print)
    return figure


def tradeoff_notes(tables: TradeoffTables, facts: StudyFacts, draws: int) -> list[str]:
    """Return the figure's small print: mixes, seats, rivals, games, seeds, intervals."""
    optima = tables.optima
    return [
        *facts.lines,
        f"Points: mean paired difference from {_reference(optima)}. Curves: Gaussian processes with known noise. "
        f"Bands and bars: {PERCENT * optima['level'].iloc[0]:g}% intervals, {draws:,} resamples of whole worlds.",
        f"Pale bars: shares within {optima['epsilon_percent'].iloc[0]:g} % of the best. "
        "Gain: rise of c₀ + consumption in every turn worth as much as the difference in discounted log welfare.",
    ]


def plot_tradeoff(
    results_dir: str | Path, out_dir: str | Path | None = None, *, draws: int = DRAWS, seed: int = SEED
) -> list[Path]:
    """Read a finished trade-off study and write its figure; return the paths (PNG first).

    Files: ``tradeoff.png``, ``.svg``, ``tradeoff.csv`` (points), ``tradeoff-curve.csv``, ``tradeoff-optimum.csv``,
    ``tradeoff.command.txt``, in ``out_dir`` (the results folder if left out).

    Raises:
        ResultsError: the folder holds no readable results, or results of another kind of study.
    """
    from civsim.scenarios import read_runs

    folder = Path(results_dir)
    out = folder if out_dir is None else Path(out_dir)
    command = f"civsim plot tradeoff {folder}" + ("" if out_dir is None else f" --out {out}")
    facts = read_facts(folder, plot=command)
    tables = tradeoff_tables(read_runs(folder, failed=True), facts.lengths, draws=draws, seed=seed)
    notes = tradeoff_notes(tables, facts, draws)
    csvs = {"": tables.points, "curve": tables.curves, "optimum": tables.optima}
    return save_figures(partial(draw_tradeoff, tables, notes), out, STEM, csvs, facts.command)


def share_column(results: Results) -> str | None:
    """Return the column of the factor that varies the share of output spent on cognition; None if there is none."""
    return results.column(PATH)


def _refuses(results: Results) -> str | None:
    column = share_column(results)
    if column is None:
        return f"no factor varies {PATH}; add one with {MIN_DOSES} levels or more"
    if not any(stratum.runs[column].nunique() >= MIN_DOSES for stratum in results.strata([column])):
        return f"{column} has fewer than {MIN_DOSES} levels wherever all else is equal; add levels"
    return None


def _stratum_tables(results: Results, stratum: Stratum, column: str, resampling: Resampling) -> dict[str, pd.DataFrame]:
    """Return the tables of the runs of a stratum that state a share; none where the design plays too few shares."""
    runs = stratum.runs[stratum.runs[column].notna()]
    if runs[column].nunique() < MIN_DOSES:
        return {}
    named = runs.assign(**{CONTEXT: stratum.label, DOSE: runs[column].astype(float)})
    made = tradeoff_tables(named, {stratum.label: results.length(runs)}, **resampling._asdict())
    return {"": made.points, "curve": made.curves, "optimum": made.optima}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused, column = _refuses(results), share_column(results)
    if refused is not None or column is None:
        raise ResultsError(refused or "no factor varies the share")
    made = each_stratum(results, [column], lambda stratum: _stratum_tables(results, stratum, column, resampling))
    # The tables name their stratum already: it is their context.
    return {key: table if key == SKIPPED else table.drop(columns="stratum") for key, table in made.items()}


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    made = TradeoffTables(tables[""], tables["curve"], tables["optimum"])
    points = f"Points: mean paired difference from {_reference(made.optima)}."
    return draw_tradeoff(made, [*notes, f"{points} {_KEY}"])


def finding(row: pd.Series, bought: str = "cognition") -> str:
    """Return what one context's optimum of spending on ``bought`` says, in the words that its interval allows."""
    near = (
        f"shares from {PERCENT * row['near_low']:.0f} to {PERCENT * row['near_high']:.0f} % of output are within "
        f"{row['epsilon_percent']:g} % of the best"
    )
    gain = f"{row['gain']:.1f} % [{row['gain_low']:.1f}, {row['gain_high']:.1f}]"
    if row["flat"]:
        return (
            f"{row['context']}: flat; no share can be called better than another (p = {row['flat_p']:.2g}), and {near}."
        )
    where = f"{PERCENT * row['share']:.0f} % [{PERCENT * row['low']:.0f}, {PERCENT * row['high']:.0f}] of output"
    base = _share_words(row["reference"], bought)
    end = {"low": ", the smallest tried", "high": ", the largest tried: the best may lie beyond"}.get(row["edge"], "")
    if row["gain_low"] > 0.0:
        worth = f"worth {gain} over {base}"
    elif row["edge"] == "low" and row["none_pays"]:
        worth = f"every other told to be worse than {base}: spending more on {bought} does not pay at any share tried"
    elif row["edge"] == "low":
        worth = f"so that spending more on {bought} cannot be told to pay at any share tried"
    else:
        worth = f"whose gain over {base}, {gain}, cannot be told from none"
    return f"{row['context']}: the best share is {where}{end}, {worth}; {near}."


def _read(tables: Tables) -> list[str]:
    optima = tables["optimum"]
    return [finding(row) for _, row in optima.iterrows()] + left_out(optima.rename(columns={"context": "stratum"}))


_KEY = (
    "Bands: pointwise intervals. Pale bars: near-optimal shares. "
    "Gain: rise of c₀ + consumption in every turn worth as much as the difference in discounted log welfare."
)

KIND = Kind(
    name=STEM,
    title="What thinking is worth",
    question="What share of output is best spent on cognition, and how flat is the top?",
    method=(
        "Paired differences from the smallest share in the same worlds; the best share is the peak of a Gaussian "
        "process (Matérn 5/2 on √share, noise known from the worlds), its interval from resampled worlds."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
