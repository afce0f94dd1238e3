"""Instruments: what a price of cognition does to the levels bought and to output, and the ratio of the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import Row, draw_rows, each_stratum, price_columns, words
from civsim.analysis.panel import CLUSTER, OK, require_columns, select
from civsim.analysis.results import COGNITIVE_SPENDING, FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.clustered import centre_within, find_clusters
from civsim.analysis.statistics.instruments import WEAK_F, instrumented_slope, price_slopes
from civsim.analysis.units import PERCENT
from civsim.base.constants import CHANNEL_NAMES
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DISAGREE = 0.05
"""Hansen's p below which the prices are said to disagree."""

LEVELS = tuple(f"level_{name}" for name in CHANNEL_NAMES)
"""Mean levels over the turns lived: what spending buys at the price, and what a scenario gives for nothing."""

OUTCOME = "output"

BUNDLE = "with all else that the price moves counted in"
"""What the ratio of the two effects of a price is of, in the findings."""


def _refuses(results: Results) -> str | None:
    if not price_columns(results):
        return "no factor sets a price of cognition (focal.price… or thinking.price…) alone; nothing moves the choice"
    return None


class _Games:
    """The games of a stratum: those that are used, in logarithms, and why others are not."""

    def __init__(self, stratum: Stratum, prices: list[str], within: bool) -> None:
        runs = stratum.runs
        output, levels = runs[OUTCOME].to_numpy(np.float64), runs[list(LEVELS)].sum(axis=1, skipna=False)
        logs = np.log(np.column_stack([pd.to_numeric(runs[column]).to_numpy(np.float64) for column in prices]))
        whole = (runs["status"] == OK).to_numpy() & np.isfinite(output) & np.isfinite(levels.to_numpy(np.float64))
        if not whole.any():
            raise ResultsError(f"none of {len(runs)} games has a number for output; look at failed games")
        used = whole & (output > 0.0)
        if not used.any():
            raise ResultsError(f"none of {int(whole.sum())} games has output above 0; there is no elasticity")
        self.failed, self.dead = int((~whole).sum()), int((whole & ~used).sum())
        self.unbought = int((runs[list(COGNITIVE_SPENDING)].sum(axis=1)[used] <= 0.0).sum())
        self.worlds = runs.groupby(list(CLUSTER)).ngroup().to_numpy()
        self.lost, self.prices = (~used).astype(np.float64), logs
        table = np.column_stack([np.log(output[used]), np.log1p(levels.to_numpy(np.float64)[used]), logs[used]])
        self.used_worlds = self.worlds[used]
        self.table = centre_within(table, find_clusters(self.used_worlds, len(table))) if within else table


def _one(results: Results, stratum: Stratum, prices: list[str], level: float) -> dict[str, pd.DataFrame]:
    within = bool(results.study["paired"])
    games = _Games(stratum, prices, within)
    names = tuple(column.removeprefix(FACTOR).replace("_", " ") for column in prices)
    y, x, z = games.table[:, 0], games.table[:, 1], games.table[:, 2:]
    fit = instrumented_slope(y, x, z, games.used_worlds, names=names, level=level)
    lost = price_slopes(games.lost, games.prices, games.worlds, names=names, level=level)
    row: dict[str, Any] = {**fit._asdict(), "failed": games.failed, "dead": games.dead, "unbought": games.unbought}
    row |= {"games_dropped": games.failed + games.dead, "within": within, "lost_by_price": bool(lost["told"].any())}
    row["dropped"] = len(np.unique(games.worlds)) - fit.worlds
    row["instruments"] = len(row.pop("reduced"))
    return {"": pd.DataFrame([row]), "first-stage": fit.reduced, "left-out": lost}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    prices = price_columns(results)
    require_columns(results.runs, [*CLUSTER, "status", OUTCOME, *COGNITIVE_SPENDING, *LEVELS])
    return each_stratum(results, prices, lambda stratum: _one(results, stratum, prices, resampling.level))


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    rows = []
    for _, one in tables[""].iterrows():
        for _, form in select(tables["first-stage"], {"stratum": one["stratum"]}).iterrows():
            label = f"{one['stratum']}: output to {form['instrument']}"
            ends = form["reduced"], form["reduced_low"], form["reduced_high"]
            rows.append(Row(label, *ends, words(*ends), 3))
            ends = form["first"], form["first_low"], form["first_high"]
            rows.append(Row(f"levels to {form['instrument']}", *ends, words(*ends), 4))
        weak = " (weak)" if one["weak"] else ""
        text = f"{words(one['slope'], one['low'], one['high'])}; F {one['first_f']:.0f}{weak}"
        rows.append(Row("output to levels: two-stage", one["slope"], one["low"], one["high"], text, 0,
                        bool(one["weak"])))  # fmt: skip
        rows.append(Row("Anderson–Rubin", float("nan"), one["ar_low"], one["ar_high"], _set_words(one), 2))
        rows.append(Row("least squares", one["ols"], one["ols_low"], one["ols_high"],
                        words(one["ols"], one["ols_low"], one["ols_high"]), 1))  # fmt: skip
    small = (
        "Elasticities over the game. Levels: 1 + the sum of the mean levels of horizon, sight and attention. A price "
        "moves the three together and changes what is left for other spending: the two-stage ratio is of that bundle, "
        f"not of thinking alone. Hollow: first-stage F below {WEAK_F:g}. Anderson–Rubin: what is not ruled out, "
        "however weak the prices are; cut at the frame. Least squares: what goes with higher levels. All intervals "
        "here are Student's t over worlds, not resampled."
    )
    return draw_rows(
        rows,
        title="What a price of thinking moves",
        subtitle="Prices move the levels that are bought; output moves with them",
        axis="Elasticity (to the price, or of output to levels)",
        notes=[*notes, small],
    )


def _set_words(one: pd.Series) -> str:
    if one["ar_shape"] == "empty":
        return "nothing fits: prices act otherwise too"
    if one["ar_shape"] != "interval":
        return "nothing is ruled out" if one["ar_shape"] == "line" else "all but a stretch"
    return f"[{one['ar_low']:.2f}, {one['ar_high']:.2f}]"


def _told(low: float, high: float) -> str:
    return "" if low > 0.0 or high < 0.0 else ", not told apart from 0"


def _forms_words(one: pd.Series, form: pd.Series) -> str:
    """Return what a price does to output (reduced form) and to the levels bought (first stage)."""
    reduced = words(form["reduced"], form["reduced_low"], form["reduced_high"], 3)
    first = words(form["first"], form["first_low"], form["first_high"], 3)
    return (
        f"{one['stratum']}: {form['instrument']} 1 % higher moves output by {reduced} %"
        f"{_told(form['reduced_low'], form['reduced_high'])}, and 1 + the levels bought by {first} %"
        f"{_told(form['first_low'], form['first_high'])}."
    )


def _ratio_words(one: pd.Series) -> str:
    weak = (
        f"prices are weak instruments (F {one['first_f']:.1f}, below {WEAK_F:g}: Staiger and Stock 1997), so read "
        "the Anderson–Rubin set"
        if one["weak"]
        else f"first-stage F {one['first_f']:.0f}"
    )
    return (
        f"{one['stratum']}: where prices move 1 + the three levels, together, by 1 %, output moves with them by "
        f"{words(one['slope'], one['low'], one['high'])} %{_told(one['low'], one['high'])}, {BUNDLE}; {weak}; "
        f"Anderson–Rubin: {_set_words(one)}; least squares {words(one['ols'], one['ols_low'], one['ols_high'])} "
        f"({one['worlds']} worlds)."
    )


def _counts_words(one: pd.Series, lost: pd.DataFrame) -> list[str]:
    """Return how many games are left out and why, and a warning where the share left out moves with a price."""
    said = [
        f"{one['stratum']}: {one['failed']} games failed and {one['dead']} have no output, and are left out; in "
        f"{one['unbought']} of {one['rows']} kept no thinking is bought."
    ]
    for _, row in lost[lost["told"].astype(bool)].iterrows():
        share, low, high = (PERCENT * float(row[name]) for name in ("slope", "low", "high"))
        said.append(
            f"{one['stratum']}: warning: the share of games left out differs by {row['instrument']} "
            f"({words(share, low, high, 1)} points more where its logarithm is 1 higher), so that those kept differ by "
            "more than the price."
        )
    return said


def _read(tables: Tables) -> list[str]:
    said = []
    for _, one in tables[""].iterrows():
        mine = {"stratum": one["stratum"]}
        said += [_forms_words(one, form) for _, form in select(tables["first-stage"], mine).iterrows()]
        said.append(_ratio_words(one))
        if np.isfinite(one["overid_p"]):
            fits = "disagree" if one["overid_p"] < DISAGREE else "do not disagree"
            test = f"Hansen's J {one['overid']:.1f}, p {one['overid_p']:.3f}"
            said.append(f"{one['stratum']}: the prices {fits} about it ({test}).")
        said += _counts_words(one, select(tables["left-out"], mine))
    return said


KIND = Kind(
    name="instruments",
    title="What a price of thinking moves",
    question="Where civilizations choose how much to think, what does its price do to the levels bought and to output?",
    method=(
        "Reduced form and first stage in logs, worlds' means taken out where points share worlds, clustered by world; "
        "their ratio by two-stage least squares, with effective first-stage F, Anderson–Rubin set, Hansen's J. The "
        "dose is log(1 + the sum of the three mean levels), not spending: the price sets what spending buys. The three "
        "channels move together, and a price also changes what is left for other things: the ratio is of the bundle."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
