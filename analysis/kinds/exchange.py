"""Which context favours what: the worth of a little more castle and of a little more thought, and their exchange.

Both are taken at the mix that a study holds: where walls move, cognition stays, and the other way round. The best
shares beside them are those of :mod:`civsim.analysis.kinds.castle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from civsim.analysis.kinds.castle import COGNITION, SIDES, WALLS, side_columns, spent_shares
from civsim.analysis.kinds.castle import KIND as CASTLE
from civsim.analysis.kinds.exchange_figure import draw_exchange
from civsim.analysis.kinds.kind import SKIPPED, Kind, Tables
from civsim.analysis.kinds.rows import each_stratum, left_out, words
from civsim.analysis.panel import make_panel, select
from civsim.analysis.results import Resampling, Results, Stratum
from civsim.analysis.seats import focal_value
from civsim.analysis.statistics.clustered import ratio
from civsim.analysis.statistics.paired import contrast
from civsim.analysis.units import PERCENT
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LITTLE = 0.05
"""What is 'a little more': the share of output by which the step that is played should exceed the held one."""

ARM, OUTCOME = "arm", "outcome"

FAVOURS = {
    (True, True): "Castle and thought both pay",
    (True, False): "The castle pays, and thought is not told to",
    (False, True): "Thought pays, and the castle is not told to",
    (False, False): "Neither is told to pay",
}
"""By whether a little more castle is told to pay, and a little more thought."""


class Step(NamedTuple):
    """A step of what is bought: two levels of a factor, and the shares of output they come to."""

    low: float
    high: float
    share_low: float
    share_high: float


def held_level(results: Results, path: str) -> float | None:
    """Return the level at which a study holds a setting of the focal seat where no factor moves it; None if unsaid."""
    value = focal_value(results.study.get("set", {}), path)
    return None if value is None else float(value)


def _crossed(results: Results) -> tuple[Results, dict[str, float]]:
    """Return the runs that move one side with the other as it is held, and the held levels (the smallest if unsaid).

    A design that plays both sides together is cut down to such runs; one that plays them apart is left as it is.
    """
    columns, runs = side_columns(results), results.runs
    held, parts = {}, []
    for bought, column in columns.items():
        level = held_level(results, SIDES[bought][1])
        played = runs[column].dropna().astype(float)
        held[bought] = level if level is not None and level in set(played) else float(played.min())
    for bought, column in columns.items():
        other = next(name for name in columns if name != bought)
        still = runs[columns[other]].isna() | (runs[columns[other]] == held[other])
        parts.append(runs[runs[column].notna() & still].assign(**{columns[other]: np.nan}))
    return replace(results, runs=pd.concat(parts, ignore_index=True)), held


def _step(runs: pd.DataFrame, bought: str, column: str, held: float) -> Step:
    """Return the step from the held level to the one a little above it."""
    part = runs[runs[column].notna()]
    shares = spent_shares(part, column, bought).groupby(part[column]).first()
    above = shares[shares.index > held]
    if held not in shares.index or above.empty:
        raise ResultsError(f"no share of {bought} above the held one is played beside it; add levels")
    high = float((above - shares[held] - LITTLE).abs().idxmin())
    return Step(held, high, float(shares[held]), float(shares[high]))


def _arms(runs: pd.DataFrame, columns: Mapping[str, str], steps: Mapping[str, Step]) -> pd.DataFrame:
    """Return the runs of the four arms, each named."""
    parts = [
        runs[runs[column] == getattr(steps[bought], end)].assign(**{ARM: f"{bought} {end}"})
        for bought, column in columns.items()
        for end in ("low", "high")
    ]
    return pd.concat(parts, ignore_index=True)


def _one(
    results: Results, held: Mapping[str, float], stratum: Stratum, resampling: Resampling
) -> dict[str, pd.DataFrame]:
    columns = side_columns(results)
    runs = stratum.runs.assign(**{OUTCOME: results.log_points(stratum.runs)})
    steps = {bought: _step(runs, bought, column, held[bought]) for bought, column in columns.items()}
    panel = make_panel(_arms(runs, columns, steps), OUTCOME, ARM)
    coefficients = np.zeros((len(panel.arms), len(SIDES)))
    for number, bought in enumerate(SIDES):
        points = PERCENT * (steps[bought].share_high - steps[bought].share_low)
        coefficients[panel.arms.index(f"{bought} high"), number] = 1.0 / points
        coefficients[panel.arms.index(f"{bought} low"), number] = -1.0 / points
    value, low, high = contrast(panel.values, coefficients, **resampling._asdict())
    row: dict[str, object] = {
        "context": stratum.name,
        "worlds": panel.n_worlds,
        "dropped": panel.dropped,
        "level": resampling.level,
    }
    for number, bought in enumerate(SIDES):
        row |= {
            bought: value[number], f"{bought}_low": low[number], f"{bought}_high": high[number],
            f"{bought}_from": steps[bought].share_low, f"{bought}_to": steps[bought].share_high,
        }  # fmt: skip
    worths = panel.values @ coefficients[:, ::-1]  # cognition first: it is what is given for walls
    covariance = np.cov(worths.T) / panel.n_worlds
    rate, bounded = ratio(worths.mean(0), covariance, panel.n_worlds - 1.0, resampling.level)
    row |= {"exchange": float(rate.value), "exchange_low": float(rate.low), "exchange_high": float(rate.high)}
    told = bounded and low.min() > 0.0
    return {"": pd.DataFrame([{**row, "exchanged": bool(told)}])}


def _best(optima: pd.DataFrame) -> pd.DataFrame:
    """Return the best share of each side of each context, a row a context."""
    parts = []
    for bought in SIDES:
        side = select(optima, {"bought": bought}).set_index("context")[["share", "low", "high", "flat"]]
        parts.append(side.add_prefix(f"best_{bought}_"))
    return pd.concat(parts, axis=1)


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    refused = CASTLE.refuses(results)
    if refused is not None:
        raise ResultsError(refused)
    crossed, held = _crossed(results)
    columns = list(side_columns(results).values())
    made = each_stratum(crossed, columns, lambda stratum: _one(crossed, held, stratum, resampling))
    castle = CASTLE.tables(crossed, resampling)
    table = made[""].drop(columns="stratum")
    tables = {"": table.join(_best(castle["optimum"]), on="context")}
    return tables | ({SKIPPED: made[SKIPPED]} if SKIPPED in made else {})


def _worth(row: pd.Series, bought: str) -> str:
    worth = words(row[bought], row[f"{bought}_low"], row[f"{bought}_high"], 2, " %")
    if row[f"{bought}_low"] <= 0.0 <= row[f"{bought}_high"]:
        return f"{worth} on {bought} (not told from nothing)"
    return f"{worth} on {bought}"


def _best_words(row: pd.Series, bought: str) -> str:
    share, low, high, flat = (row[f"best_{bought}_{name}"] for name in ("share", "low", "high", "flat"))
    if pd.isna(share):
        return f"that of {bought} has no estimate"
    if flat:
        return f"no share of {bought} can be called better than another"
    return f"{PERCENT * share:.0f} % [{PERCENT * low:.0f}, {PERCENT * high:.0f}] of output on {bought}"


def _said(row: pd.Series) -> str:
    """Return what one context says, in the words that its intervals allow."""
    if row["exchanged"]:
        rate = words(row["exchange"], row["exchange_low"], row["exchange_high"], 2)
        rate = f"one spent on cognition is worth {rate} spent on walls"
    else:
        rate = "they have no rate of exchange, since not both are told to pay"
    return (
        f"{row['context']}: from {PERCENT * row['walls_from']:.0f} % of output on walls and "
        f"{PERCENT * row['cognition_from']:.0f} % on cognition, one more percent is worth {_worth(row, WALLS)}, "
        f"{_worth(row, COGNITION)}; {rate}. The best mix, each with the other held there: {_best_words(row, WALLS)}, "
        f"{_best_words(row, COGNITION)}."
    )


def _read(tables: Tables) -> list[str]:
    """Return which contexts favour what, then each context's numbers."""
    table = tables[""]
    groups: dict[tuple[bool, bool], list[str]] = {}
    for _, row in table.iterrows():
        key = bool(row["walls_low"] > 0.0), bool(row["cognition_low"] > 0.0)
        groups.setdefault(key, []).append(str(row["context"]))
    told = [f"{says}: {', '.join(groups[key])}." for key, says in FAVOURS.items() if key in groups]
    return [
        *told,
        *[_said(row) for _, row in table.iterrows()],
        *left_out(table.rename(columns={"context": "stratum"})),
    ]


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    return draw_exchange(tables[""], notes)


KIND = Kind(
    name="exchange",
    title="Which context favours what",
    question="Where does a little more castle pay, where a little more thought, and what is one worth in the other?",
    method=(
        "Paired differences in the same worlds between the held share and one a little above it, for walls and for "
        "cognition apart, per percent of output; their ratio has Fieller's interval. Best shares: peaks of "
        "Gaussian processes."
    ),
    refuses=CASTLE.refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
