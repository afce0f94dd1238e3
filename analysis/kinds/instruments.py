"""Instruments: what more thinking does to output where civilizations choose how much, and prices move the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from civsim.analysis.kinds.kind import Kind, Tables
from civsim.analysis.kinds.rows import Row, draw_rows, each_stratum, words
from civsim.analysis.panel import CLUSTER, OK, require_columns
from civsim.analysis.results import FACTOR, Resampling, Results, Stratum
from civsim.analysis.statistics.clustered import centre_within, find_clusters
from civsim.analysis.statistics.instruments import WEAK_F, instrumented_slope
from civsim.base.errors import ResultsError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRICES = ("thinking.price.", "focal.price.")
"""How the path of a setting begins that is a price of cognition."""

DISAGREE = 0.05
"""Hansen's p below which the prices are said to disagree."""

COGNITION = ("spent_strategists", "spent_scouts", "spent_analysts")
OUTCOME = "output"


def price_columns(results: Results) -> list[str]:
    """Return the columns of the factors that set prices of cognition, and nothing else, to numbers."""
    found = []
    for column in results.factors:
        factor = results.study["factors"][column.removeprefix(FACTOR)]
        paths = [path for path in (factor.get("path"), *(factor.get("paths") or ())) if path]
        numeric = pd.api.types.is_numeric_dtype(results.runs[column])
        if paths and numeric and all(path.startswith(PRICES) for path in paths):
            found.append(column)
    return found


def _refuses(results: Results) -> str | None:
    if not price_columns(results):
        return "no factor sets a price of cognition (thinking.price.… or focal.price.…) alone; nothing moves the choice"
    return None


def _one(results: Results, stratum: Stratum, prices: list[str], level: float) -> dict[str, pd.DataFrame]:
    runs = stratum.runs[stratum.runs["status"] == OK]
    dose = runs[list(COGNITION)].sum(axis=1).to_numpy(np.float64)
    table = np.column_stack([runs[OUTCOME].to_numpy(np.float64), dose, runs[prices].to_numpy(np.float64)])
    good = (np.isfinite(table) & (table > 0.0)).all(axis=1)
    if not good.any():
        raise ResultsError("no game has output and spending on cognition above 0; there is no elasticity")
    logs = np.log(table[good])
    worlds = runs.loc[good].groupby(list(CLUSTER)).ngroup().to_numpy()
    if results.study["paired"]:
        logs = centre_within(logs, find_clusters(worlds, len(worlds)))
    names = tuple(column.removeprefix(FACTOR).replace("_", " ") for column in prices)
    fit = instrumented_slope(logs[:, 0], logs[:, 1], logs[:, 2:], worlds, names=names, level=level)
    row: dict[str, Any] = {**fit._asdict(), "dropped": int((~good).sum()), "within": bool(results.study["paired"])}
    row["instruments"] = len(row.pop("reduced"))
    return {"": pd.DataFrame([row]), "first-stage": fit.reduced}


def _tables(results: Results, resampling: Resampling) -> dict[str, pd.DataFrame]:
    prices = price_columns(results)
    require_columns(results.runs, [*CLUSTER, "status", OUTCOME, *COGNITION])
    return each_stratum(results, prices, lambda stratum: _one(results, stratum, prices, resampling.level))


def _draw(tables: Tables, notes: Sequence[str]) -> Figure:
    rows = []
    for _, one in tables[""].iterrows():
        weak = " (weak)" if one["weak"] else ""
        rows.append(Row(f"{one['stratum']}: least squares", one["ols"], one["ols_low"], one["ols_high"],
                        words(one["ols"], one["ols_low"], one["ols_high"]), 1))  # fmt: skip
        text = f"{words(one['slope'], one['low'], one['high'])}; F {one['first_f']:.0f}{weak}"
        rows.append(Row("two-stage", one["slope"], one["low"], one["high"], text, 0, bool(one["weak"])))
        rows.append(Row("Anderson–Rubin", float("nan"), one["ar_low"], one["ar_high"], _set_words(one), 2))
    small = (
        "Elasticity of output over the game to spending on cognition. Least squares: what goes with more thinking; "
        f"two-stage: what more thinking does, if prices act through it alone; hollow: first-stage F below {WEAK_F:g}. "
        "Anderson–Rubin: what is not ruled out, however weak the prices are as instruments; cut at the frame."
    )
    return draw_rows(
        rows,
        title="What more thinking does, by its price",
        subtitle="Prices of cognition move spending on it; what follows in output",
        axis="Elasticity of output to spending on cognition",
        notes=[*notes, small],
    )


def _set_words(one: pd.Series) -> str:
    if one["ar_shape"] == "empty":
        return "nothing fits: prices act otherwise too"
    if one["ar_shape"] != "interval":
        return "nothing is ruled out" if one["ar_shape"] == "line" else "all but a stretch"
    return f"[{one['ar_low']:.2f}, {one['ar_high']:.2f}]"


def _read(tables: Tables) -> list[str]:
    said = []
    for _, one in tables[""].iterrows():
        sure = "" if one["low"] > 0.0 or one["high"] < 0.0 else ", not told apart from 0"
        weak = (
            f"prices are weak instruments (F {one['first_f']:.1f}, below {WEAK_F:g}: Staiger and Stock 1997), so read "
            "the Anderson–Rubin set"
            if one["weak"]
            else f"first-stage F {one['first_f']:.0f}"
        )
        said.append(
            f"{one['stratum']}: 1 % more spending on cognition, as prices move it, moves output by "
            f"{words(one['slope'], one['low'], one['high'])} %{sure}; {weak}; Anderson–Rubin: {_set_words(one)}; least "
            f"squares {words(one['ols'], one['ols_low'], one['ols_high'])} ({one['worlds']} worlds, "
            f"{one['dropped']} games without spending left out)."
        )
        if np.isfinite(one["overid_p"]):
            fits = "disagree" if one["overid_p"] < DISAGREE else "do not disagree"
            test = f"Hansen's J {one['overid']:.1f}, p {one['overid_p']:.3f}"
            said.append(f"{one['stratum']}: the prices {fits} about it ({test}).")
    return said


KIND = Kind(
    name="instruments",
    title="What more thinking does, by its price",
    question="What does more spending on cognition do to output where civilizations choose it and prices move it?",
    method=(
        "Two-stage least squares in logs with the prices as instruments, worlds' means taken out where points share "
        "worlds, clustered by world; effective first-stage F, Anderson–Rubin set, Hansen's J."
    ),
    refuses=_refuses,
    tables=_tables,
    draw=_draw,
    read=_read,
)
