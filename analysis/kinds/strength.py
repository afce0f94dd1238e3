"""Strength: how the odds of beating a rival rise with cognition and with muscle, and what one is worth in the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.seatwise import most_seats
from civsim.analysis.kinds.writes import no_spending
from civsim.analysis.panel import CLUSTER, OK, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.production import INPUTS, spending_shares
from civsim.analysis.statistics.resample import Estimate
from civsim.analysis.statistics.strength import estimate_strength, pair_contests
from civsim.analysis.study import factor_writes
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
)
from civsim.analysis.units import PERCENT
from civsim.base.constants import FUNDS
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOMES = ("output", "welfare")
"""What a rival is beaten in: output over the game, and welfare. Output is the one stated first."""

DEFINITIONS = ("army", "muscle")
"""What counts as physical input: spending on the army alone, or on settlement, works, army and walls.

What is held constant differs: with muscle held, more cognition comes out of consumption; with the army held, out of
consumption and of the other muscle.
"""

FEWEST_POINTS = 10
"""Distinct pairs of log input ratios below which two exponents are not told apart."""

FEW_WORLDS = 20
"""Worlds below which clustered intervals are called rough (Cameron and Miller 2015). In balanced planted designs they
cover 0.93 to 0.97 of the time even with 8."""

ASSIGNED = 1e-3
"""Largest s.d. of a log share among the worlds of a point at which the share counts as assigned by the design."""

FEWEST_LEVELS = 3
"""Levels of consumption below which muscle does not vary apart from cognition."""

_NOT_APART = "muscle is what cognition leaves in this design; vary consumption too"
_DIGITS, _LEVEL_DIGITS = 6, 3
_SEATS = ("focal.policy", "seat_default.policy")

HEAD, ROW, FOOT = 0.86, 0.34, 0.52
"""Heights in inches: title and key, one row, axis label and margin above the small print."""


def policy_strata(results: Results) -> list[Stratum]:
    """Return the runs split by what the design varies beside the seats' policies.

    Factors that set a policy, and factors of a range, of which no two points share a level, are pooled.
    """
    pooled = []
    for name, factor in results.study["factors"].items():
        if factor.get("low") is not None or any(path.startswith(_SEATS) for path in factor_writes(factor)):
            pooled.append(f"{FACTOR}{name}")
    return results.strata(pooled)


def shares_of(results: Results, runs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the civilizations of ``runs`` (all if left out) with shares of spending and the columns of their world."""
    table = results.runs if runs is None else runs
    good = table.loc[table["status"] == OK, ["run_id", "seed"]]
    civs = results.civs
    require_columns(civs, ["run_id", "is_focal", *OUTCOMES])
    return spending_shares(civs.drop(columns=["seed"], errors="ignore").merge(good, on="run_id"))


def consumption_varies(civs: pd.DataFrame) -> bool:
    """Return whether the focal's consumption takes three levels or more.

    Where it does not, muscle is what cognition leaves, and the two are told apart by the shape of logarithms alone.
    """
    focal = civs[civs["is_focal"]]
    left = (1.0 - focal["cognition"] - focal["muscle"]).round(_LEVEL_DIGITS)
    return int(left.nunique()) >= FEWEST_LEVELS


def are_assigned(civs: pd.DataFrame, inputs: Sequence[str]) -> bool:
    """Return whether each share is one and the same in all worlds of a design point, as a fixed policy makes it."""
    with np.errstate(divide="ignore"):
        logs = np.log(civs[list(inputs)].where(civs[list(inputs)] > 0.0))
    spread = logs.groupby([civs["point"], civs["is_focal"]]).std()
    return bool((spread.fillna(0.0) <= ASSIGNED).to_numpy().all())


def spread_words(low: float, high: float, digits: int) -> str:
    """Return an interval in words; ends that are not finite are ∞."""
    ends = [f"{end:.{digits}f}" if np.isfinite(end) else ("∞" if end > 0 else "−∞") for end in (low, high)]
    return f"[{ends[0]}, {ends[1]}]"


def estimate_words(row: pd.Series, name: str, digits: int = 2, scale: float = 1.0) -> str:
    """Return 'estimate [low, high]' of the columns ``name``, ``name_low`` and ``name_high``, times ``scale``."""
    value, low, high = (scale * float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    shown = f"{value:.{digits}f}" if np.isfinite(value) else "∞" if value > 0 else "–"
    return f"{shown} {spread_words(low, high, digits)}"


def flat_columns(name: str, estimate: Estimate) -> dict[str, float]:
    """Return the three columns of a 0-d estimate."""
    return {name: float(estimate.value), f"{name}_low": float(estimate.low), f"{name}_high": float(estimate.high)}


def _centre(pairs: pd.DataFrame, name: str) -> float:
    """Return the geometric mean of an input over both sides of all contests."""
    both = pairs[[f"own_{name}", f"rival_{name}"]].to_numpy(np.float64)
    return float(np.exp(np.log(both).mean())) if both.size else float("nan")


def idle_share(civs: pd.DataFrame) -> float:
    """Return the share of all that was paid into muscle's funds and lies in them at the end, in [0, 1].

    What lies idle bought nothing: it makes muscle look worth less than what was used of it. nan where the results hold
    no funds (they are older) or nothing was paid.
    """
    held = [f"fund_{fund.name.lower()}" for fund in FUNDS]
    paid = civs[[f"spent_{fund.name.lower()}" for fund in FUNDS]].to_numpy().sum()
    return float(civs[held].to_numpy().sum() / paid) if paid > 0.0 and set(held) <= set(civs) else float("nan")


def _same_ratio(pairs: pd.DataFrame) -> bool:
    """Return whether the army is one and the same part of muscle on both sides of every contest."""
    return bool(((pairs["d_army"] - pairs["d_muscle"]).abs() <= ASSIGNED).all())


def _row(pairs: pd.DataFrame, definition: str, level: float, problem: str) -> dict[str, Any]:
    """Return one estimate as columns, or the reason why there is none (a ``problem`` known before, or found)."""
    used = np.isfinite(pairs[["d_cognition", f"d_{definition}"]]).all(axis=1) & pairs["win"].notna()
    kept = pairs[used]
    at = (_centre(kept, "cognition"), _centre(kept, definition))
    row: dict[str, Any] = {
        "cognition_share": at[0], "physical_share": at[1], "contests": len(kept), "dropped": int((~used).sum()),
        "apart": definition == "muscle" or not _same_ratio(kept),
        "problem": "" if len(kept) else f"no contest in which both sides spent on cognition and on {definition}",
    }  # fmt: skip
    if problem or not len(kept):
        return row | ({"problem": problem} if problem else {})
    try:
        found = estimate_strength(
            kept["win"],
            kept["d_cognition"],
            kept[f"d_{definition}"],
            kept[list(CLUSTER)].to_numpy(),
            at=at,
            level=level,
        )
    except ResultsError as error:
        return row | {"problem": str(error)}
    for name in ("cognition", "physical", "total", "elo_cognition", "elo_physical", "exchange"):
        row |= flat_columns(name, getattr(found, name))
    if not row["apart"]:
        # The army's exponent is then all muscle's: a rate of exchange with the army alone would be of its size only.
        row |= dict.fromkeys(("exchange", "exchange_low", "exchange_high"), np.nan)
    return row | {"bounded": found.bounded, "unit_p": found.unit_p, "ties": found.ties, "worlds": found.clusters}


def _refuses(results: Results) -> str | None:
    if most_seats(results) < 2:
        return "a contest needs a rival; run a scenario of 2 or more civilizations"
    if (refused := no_spending(results)) is not None:
        return refused
    pairs = pair_contests(shares_of(results), OUTCOMES[0], tuple(INPUTS))
    gaps = pairs[["d_cognition", "d_muscle"]]
    points = gaps[np.isfinite(gaps).all(axis=1)].round(_DIGITS).drop_duplicates()
    if len(points) < FEWEST_POINTS:
        return (
            f"{len(points)} distinct pairs of input ratios are fewer than {FEWEST_POINTS}; vary cognition and "
            "consumption of the focal and of the other seats apart, above 0"
        )
    return None


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    rows = []
    for stratum in policy_strata(results):
        civs = shares_of(results, stratum.runs)
        assigned, apart = are_assigned(civs, tuple(INPUTS)), consumption_varies(civs)
        idle = idle_share(civs)
        for outcome in OUTCOMES:
            pairs = pair_contests(civs, outcome, tuple(INPUTS))
            for definition in DEFINITIONS:
                row = {"stratum": stratum.label, "outcome": outcome, "definition": definition}
                problem = "" if apart or definition != "muscle" else _NOT_APART
                rows.append(
                    row | _row(pairs, definition, resampling.level, problem) | {"assigned": assigned, "idle": idle}
                )
    table = pd.DataFrame(rows)
    if (table["problem"] != "").all():
        raise ResultsError(f"no exponent can be estimated: {table['problem'].iloc[0]}")
    return {"": table}


def _draw_exponents(axes: Axes, table: pd.DataFrame, name: str, places: dict[tuple[str, str], float]) -> None:
    """Draw one exponent of every row: the definitions of physical input side by side."""
    axes.axvline(0.0, color=RULE, linewidth=0.8, zorder=0)
    axes.axvline(1.0, color=MUTED, linewidth=0.8, linestyle=":", zorder=0)
    for index, definition in enumerate(DEFINITIONS):
        shift = 0.16 * (1 - 2 * index)
        for _, row in table[(table["definition"] == definition) & (table["problem"] == "")].iterrows():
            y = places[row["stratum"], row["outcome"]] + shift
            axes.plot([row[f"{name}_low"], row[f"{name}_high"]], [y, y], color=COLOURS[index], linewidth=1.4)
            axes.plot(row[name], y, MARKERS[index], color=COLOURS[index], markersize=4.2)


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    table = tables[""]
    keys = list(dict.fromkeys(zip(table["stratum"], table["outcome"], strict=True)))
    places = {key: -float(position) for position, key in enumerate(keys)}
    small = wrap_note([*notes, _NOTE])
    foot = NOTE_LINE * len(small) + FOOT
    height = HEAD + ROW * len(keys) + foot
    figure = new_figure(height)
    box = {"left": 0.2, "right": 0.78, "top": 1 - HEAD / height, "bottom": foot / height, "wspace": 0.08}
    left, right = figure.subplots(1, 2, sharey=True, gridspec_kw=box)
    for axes, name, label in ((left, "cognition", "cognition, $r_c$"), (right, "physical", "physical input, $r_p$")):
        _draw_exponents(axes, table, name, places)
        axes.set_xlabel(f"Exponent of {label}")
        axes.tick_params(left=False)
        axes.spines["left"].set_visible(False)
    left.set_yticks(list(places.values()), [f"{stratum}: {outcome}" for stratum, outcome in keys])
    left.set_ylim(-len(keys) + 0.5, 0.5)
    _draw_exchange(right, table, places)
    add_title(
        figure, "What beats a rival",
        "Odds of ending above a rival: ratio of cognition to the power $r_c$, of physical input to the power $r_p$",
    )  # fmt: skip
    for index, definition in enumerate(("● army: the army alone", "■ muscle: settlement, works, army, walls")):
        left.annotate(
            definition, (0.2 + 0.22 * index, 1 - 0.66 / height), xycoords="figure fraction", color=COLOURS[index],
            fontsize=8, fontweight="bold",
        )  # fmt: skip
    add_note(figure, small)
    return figure


_NOTE = (
    "Bars: intervals over worlds (errors clustered), for the design's points as they are. Dotted: r = 1, above which "
    "wins are more concentrated than inputs. Right: physical spending that replaces one unit of cognitive spending "
    "at the geometric means (Fieller). With the army held, more cognition comes out of other muscle too."
)


def _exchange_label(row: pd.Series) -> str:
    if row["problem"]:
        return "not estimated"
    if not row["apart"]:
        return "fixed part of muscle"
    return estimate_words(row, "exchange") if row["physical_low"] > 0.0 else "none: $r_p$ not above 0"


def _draw_exchange(axes: Axes, table: pd.DataFrame, places: dict[tuple[str, str], float]) -> None:
    """Write the rate of exchange beside each row, where there is one."""
    style: dict[str, Any] = {"fontsize": NOTE_SIZE + 0.4, "va": "center", "annotation_clip": False}
    edge = ("axes fraction", "data")
    axes.annotate("physical for one of cognition", (1.03, 0.62), xycoords=edge, **(style | {"color": MUTED}))
    for index, definition in enumerate(DEFINITIONS):
        for _, row in table[table["definition"] == definition].iterrows():
            y = places[row["stratum"], row["outcome"]] + 0.16 * (1 - 2 * index)
            axes.annotate(_exchange_label(row), (1.03, y), xycoords=edge, **(style | {"color": COLOURS[index]}))


def _bearing(row: pd.Series, name: str, what: str) -> str:
    words = estimate_words(row, name)
    if row[f"{name}_low"] > 0.0:
        return f"rise with {what}, to the power {words}"
    if row[f"{name}_high"] < 0.0:
        return f"fall with {what}, to the power {words}"
    return f"cannot be told to depend on {what}, power {words}"


def _threshold(row: pd.Series) -> str:
    """Return where the exponent of cognition lies against 1, where it is above 0 at all."""
    if row["cognition_low"] <= 0.0:
        return ""
    if row["cognition_low"] > 1.0:
        return f"; wins are more concentrated than cognition (r_c above 1, p = {row['unit_p']:.2g})"
    if row["cognition_high"] < 1.0:
        return f"; wins are less concentrated than cognition (r_c below 1, p = {row['unit_p']:.2g})"
    return f"; r_c cannot be told from 1 (p = {row['unit_p']:.2g})"


def _exchange(row: pd.Series) -> str:
    """Return what one unit of cognition is worth in physical spending, as far as the data say."""
    if row["physical_high"] < 0.0:
        return f"more {row['definition']} costs wins here, so there is no rate of exchange to state"
    if row["physical_low"] <= 0.0:
        return f"the exponent of {row['definition']} is not away from 0, so no rate of exchange can be stated"
    shares = f"{PERCENT * row['cognition_share']:.1f} % and {PERCENT * row['physical_share']:.1f} % of spending"
    worth = f"one unit spent on cognition is worth {estimate_words(row, 'exchange')} units of {row['definition']}"
    doubt = ", which cannot be told from none" if row["exchange_low"] <= 0.0 <= row["exchange_high"] else ""
    idle = f" ({PERCENT * row['idle']:.0f} % of what muscle's funds were paid lies idle)" if row["idle"] >= 0.0 else ""
    return f"at the geometric means ({shares}) {worth}{doubt}{idle}"


def _one_finding(rows: pd.DataFrame) -> list[str]:
    """Return the sentences of one stratum and outcome; ``rows`` are its definitions."""
    said = []
    for _, row in rows.iterrows():
        where = f"{row['stratum']}, by {row['outcome']}"
        if row["problem"]:
            said.append(f"{where}, physical input {row['definition']}: not estimated ({row['problem']}).")
            continue
        if not row["apart"]:
            said.append(f"{where}: the army is a fixed part of muscle in this design; it has no exponent of its own.")
            continue
        odds = _bearing(row, "cognition", "relative cognition")
        odds += f", and {_bearing(row, 'physical', 'relative ' + row['definition'])}"
        said.append(
            f"{where}: the odds of beating a rival {odds} ({row['contests']} contests, {row['worlds']:.0f} worlds)."
        )
        said.append(
            f"{where}: a doubling of cognition is worth {estimate_words(row, 'elo_cognition', 0)} Elo points"
            f"{_threshold(row)}; {_exchange(row)}."
        )
    return said


def cautions(table: pd.DataFrame) -> list[str]:
    """Return what a reader must know of ``table``: few worlds, shares not assigned, games left out."""
    said = []
    fewest = table["worlds"].min()
    if fewest < FEW_WORLDS:
        said.append(f"With as few as {fewest:.0f} worlds the clustered intervals are rough; play {FEW_WORLDS} or more.")
    if not table["assigned"].all():
        said.append("Shares are what was spent, not what the design assigned: read these as descriptions, not effects.")
    if table["dropped"].max() > 0:
        said.append(
            f"Up to {table['dropped'].max()} games of a stratum are left out: an input or output was 0 in them."
        )
    return said


def _read(tables: Tables) -> list[str]:
    table = tables[""]
    found = [_one_finding(rows) for _, rows in table.groupby(["stratum", "outcome"], sort=False)]
    return [*(sentence for part in found for sentence in part), *cautions(table)]


KIND = Kind(
    name="strength",
    title="What beats a rival",
    question="How do the odds of ending above a rival rise with cognition and with muscle?",
    method=(
        "Logit of beating a rival on differences of log shares of spending (ratio-form contest: Hirshleifer 1989; Jia "
        "2008), a tie half a win, errors clustered by world; rate of exchange with Fieller's interval (1954)."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
