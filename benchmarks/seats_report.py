r"""One mind or many: the tables of docs/seats.md from the study ``seats``, and its figure.

    civsim study seats --out out
    civsim batch seats-controls --out out/seats-controls
    python benchmarks/seats_report.py out/seats --controls out/seats-controls --figures docs/figures

Differences are log points a turn of the focal realm over the same worlds, with 95 % intervals (Student's t). The centre
is four seats of thought whose capital commands all funds; provinces are four that command their own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from civsim.analysis.results import Results, open_results
from civsim.analysis.style import add_note, add_title, new_figure, save_figures, zero_line
from civsim.analysis.units import PERCENT
from civsim.base.errors import CivsimError, ResultsError

INF = float("inf")
LEVEL = 0.95
DEFAULTS = {"lost": 0.0, "span": 0.5, "spending": 0.04, "land": False}
"""What an arm has where it does not say otherwise."""

NEWS = {"empire": 0.5, "crusade": 4.0, "border-marches": 4.0, "peace": 1.0, "solo": 1.0}
"""The pace of messengers in each context (cells a turn)."""

CHANGE = {"empire": 0.02}
"""The volatility of a context whose sites change."""

PACES = (INF, 2.0, 1.0, 0.5)
FLIPS = (0.0, 0.02, 0.08)
POOLS = {"centre": 1.0, "half pooled": 0.5, "provinces": 0.0}
"""What the phase diagram of ``empire`` varies: news, volatility, and who commands the funds of four seats."""

STEM = "seats"

Arm = Mapping[str, Any]


class Gain(NamedTuple):
    """A mean difference over worlds, log points a turn, and half its interval."""

    mean: float
    half: float

    def __str__(self) -> str:
        return f"{self.mean:+.1f} ± {self.half:.1f}"


def mean_gain(differences: pd.Series) -> Gain:
    """Return the mean of differences over worlds, with its interval."""
    values = np.asarray(differences.dropna(), np.float64)
    half = student.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Gain(float(values.mean()), float(half))


class Games:
    """Log points a turn of every arm played, world by world."""

    def __init__(self, results: Results) -> None:
        self._runs = results.runs.assign(points=results.log_points(results.runs))

    def points(self, arm: Arm) -> pd.Series:
        """Return log points a turn by world of one arm."""
        return self.runs_of(arm)["points"].dropna()

    def runs_of(self, arm: Arm) -> pd.DataFrame:
        """Return the games of one arm by world.

        Raises:
            ResultsError: the study has not played it.
        """
        rows, wanted = self._runs, {**DEFAULTS, **arm}
        for name, level in wanted.items():
            rows = rows[rows[f"factor.{name}"] == level]
        if rows.empty:
            raise ResultsError(f"no games of {wanted}; play the study seats whole")
        return rows.drop_duplicates("world_id").set_index("world_id")

    def gain(self, *signed: tuple[float, Arm]) -> Gain:
        """Return the mean of a weighted sum of arms over the worlds that all have played."""
        return mean_gain(pd.Series(sum(weight * self.points(arm) for weight, arm in signed)))

    def over(self, arm: Arm, other: Arm) -> Gain:
        """Return the mean of one arm over another."""
        return self.gain((1.0, arm), (-1.0, other))


def place(context: str, **more: Any) -> dict[str, Any]:
    """Return the settings of a context, its own pace of news and change of sites where none is given."""
    return {"context": context, "messenger": NEWS[context], "volatility": CHANGE.get(context, 0.0), **more}


def one(context: str, **more: Any) -> dict[str, Any]:
    """Return the arm of one seat of thought, to which neither pool nor messengers matter."""
    settings = place(context, **{"pool": 1.0, **more}, house="1")
    if context == "empire" and "spending" not in more and "span" not in more:
        settings["messenger"] = INF
    return settings


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return a Markdown table."""
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]


def four_arms(volatility: float, pace: float) -> dict[str, dict[str, Any]]:
    """Return the arms of four seats in ``empire`` by who commands the funds."""
    at = {"volatility": volatility, "messenger": pace, "house": "4"}
    return {name: place("empire", **at, pool=pool) for name, pool in POOLS.items()}


def phase_table(games: Games) -> list[str]:
    """Return the table of ``empire``: how often sites flip, and how fast news is."""
    rows = []
    for volatility, pace in product(FLIPS, PACES):
        alone, arms = one("empire", volatility=volatility), four_arms(volatility, pace)
        told = [games.over(arm, alone) for arm in arms.values()]
        last = games.over(arms["provinces"], arms["centre"])
        rows.append([f"{volatility:g}", f"{pace:g}", *map(str, told), str(last)])
    head = [
        "flips a turn",
        "news, cells a turn",
        "centre over one seat",
        "half pooled",
        "provinces",
        "provinces over centre",
    ]
    return table(head, rows)


def causes_table(games: Games) -> list[str]:
    """Return the decomposition by context: each cause closed in turn."""
    rows = []
    for context in ("empire", "crusade", "border-marches", "peace", "solo"):
        four = place(context, house="4")
        rows.append([context, *(_told(games, *cause) for cause in causes(context, four))])
    head = [
        "context",
        "four seats, one purse",
        "four purses",
        "slow news to a centre",
        "slow news to provinces",
        "risk",
    ]
    return table(head, rows)


def causes(context: str, four: Arm) -> list[list[tuple[float, Arm]]]:
    """Return the weighted arms of each cause in a context; an empty list where it was not played."""
    pooled, purses = {**four, "pool": 1.0}, {**four, "pool": 0.0}
    at_once = {"messenger": INF} if context == "empire" else {}
    depth = [(1.0, {**pooled, **at_once}), (-1.0, one(context))]
    split = [(1.0, {**purses, **at_once}), (-1.0, {**pooled, **at_once})]
    if context == "empire":
        late = [(1.0, pooled), (-1.0, {**pooled, **at_once})], [(1.0, purses), (-1.0, {**purses, **at_once})]
    else:
        late = [], []
    risk: list[tuple[float, Arm]] = []
    if context == "border-marches":
        risk = [(1.0, {**pooled, "lost": 1.0}), (-1.0, pooled)]
        risk += [(-1.0, {**one(context), "lost": 1.0}), (1.0, one(context))]
    return [depth, split, *late, risk]


def _told(games: Games, *signed: tuple[float, Arm]) -> str:
    return str(games.gain(*signed)) if signed else "—"


def spending_table(games: Games) -> list[str]:
    """Return each house at the spending that is best for it, over one seat at the spending best for that."""
    rows = []
    for context in ("empire", "crusade", "border-marches"):
        alone = _best(games, [one(context, spending=spending) for spending in (0.02, 0.04, 0.08)])
        for house, pool in (("2", 1.0), ("4 (97 %)", 1.0), ("4", 1.0), ("2", 0.0), ("4", 0.0)):
            arms = [place(context, house=house, pool=pool, spending=spending) for spending in (0.02, 0.04, 0.08)]
            best = _best(games, arms)
            equal = [str(games.over(arm, one(context, spending=arm["spending"]))) for arm in arms]
            share = f"{100 * best['spending']:g} %"
            rows.append(
                [context, house, "capital" if pool else "provinces", *equal, share, str(games.over(best, alone))]
            )
    head = ["context", "seats", "funds", "at 2 %", "at 4 %", "at 8 %", "best share", "best over best of one seat"]
    return table(head, rows)


def _best(games: Games, arms: list[dict[str, Any]]) -> dict[str, Any]:
    return max(arms, key=lambda arm: float(games.points(arm).mean()))


def weights_table(games: Games) -> list[str]:
    """Return what concentration does in ``empire``: how the staff is divided, by who commands and how fast news is."""
    rows = []
    for house, hhi in (("2", "1/2"), ("4 (97 %)", ".94"), ("4 (70 %)", ".52"), ("4", "1/4")):
        told = []
        for pool, pace in ((1.0, INF), (1.0, 0.5), (0.0, INF), (0.0, 0.5)):
            told.append(str(games.over(place("empire", house=house, pool=pool, messenger=pace), one("empire"))))
        slow, at_once = (place("empire", house=house, pool=1.0, messenger=pace) for pace in (0.5, INF))
        rows.append([house, hhi, told[0], told[1], str(games.over(slow, at_once)), *told[2:]])
    head = [
        "seats",
        "Σw²",
        "centre, news at once",
        "centre, slow news",
        "slow over at once",
        "provinces, news at once",
        "provinces, slow news",
    ]
    return table(head, rows)


def span_table(games: Games) -> list[str]:
    """Return what it does that one staff serves a realm of any size, or not, in ``empire``."""
    rows = []
    for span in (0.0, 0.5, 1.0):
        alone = one("empire", span=span, spending=0.04)
        arms = [
            place("empire", house=house, pool=pool, span=span) for house in ("4 (97 %)", "4") for pool in (1.0, 0.0)
        ]
        rows.append([f"{span:g}", *(str(games.over(arm, alone)) for arm in arms)])
    return table(["span", "97 %, centre", "97 %, provinces", "equal, centre", "equal, provinces"], rows)


def land_table(games: Games) -> list[str]:
    """Return ordinary and symmetric land."""
    rows = []
    for context, land in (("peace", False), ("peace", True), ("solo", False)):
        arms = [place(context, house="4", pool=pool, land=land) for pool in (1.0, 0.5, 0.0)]
        alone = one(context, land=land)
        where = f"{context}, symmetric" if land else context
        rows.append([where, *(str(games.over(arm, alone)) for arm in arms)])
    return table(["land", "centre over one seat", "half pooled", "provinces"], rows)


def objectives_table(games: Games) -> list[str]:
    """Return other outcomes of the same games: log output, and how many realms live to the end."""
    rows = []
    for context in ("empire", "crusade", "border-marches", "peace", "solo"):
        at_once = {"messenger": INF} if context == "empire" else {}
        alone, row = games.runs_of(one(context)), [context]
        for pool in (1.0, 0.0):
            played = games.runs_of(place(context, house="4", pool=pool, **at_once))
            told = mean_gain(PERCENT * (np.log1p(played["output"]) - np.log1p(alone["output"])))
            row += [str(told), f"{PERCENT * played['survived'].mean():.0f} %"]
        rows.append([*row, f"{PERCENT * alone['survived'].mean():.0f} %"])
    return table(["context", "centre", "live", "provinces", "live", "one seat: live"], rows)


TABLES = {
    "Empire: how fast sites change and news goes": phase_table,
    "What each cause carries": causes_table,
    "At equal spending, and at the best for each": spending_table,
    "Concentration": weights_table,
    "What one staff serves": span_table,
    "Ordinary and symmetric land": land_table,
    "All output": objectives_table,
}
"""The tables of the page, by heading."""


def controls_table(results: Results) -> list[str]:
    """Return what purses of provinces cost by how dear a claim is, and by what decides on land."""
    runs, rows = results.runs.assign(points=results.log_points(results.runs)), []
    wide = runs.pivot_table("points", ["factor.mind", "factor.cost", "world_id"], "factor.house")
    for mind in results.choices("factor.mind"):
        told = []
        for cost in sorted(runs["factor.cost"].unique()):
            part = wide.loc[(mind, cost)]
            told.append(str(mean_gain(part["provinces"] - part["one seat"])))
            if not (part["centre"] == part["one seat"]).all():
                told[-1] += " (the centre differs from one seat)"
        dear = runs[(runs["factor.mind"] == mind) & (runs["factor.cost"] == runs["factor.cost"].max())]
        left = dear.groupby("factor.house")[["claims", "fund_settlement"]].mean()
        told += [" and ".join(f"{left.loc[who, name]:.0f}" for who in ("provinces", "one seat")) for name in left]
        rows.append([mind, *told])
    costs = [f"claims at {cost:g}" for cost in sorted(runs["factor.cost"].unique())]
    return table(["decides on land", *costs, "claims, at the dearest", "left in the fund"], rows)


def phase_numbers(games: Games) -> pd.DataFrame:
    """Return what the figure shows: each arrangement over one seat, by how fast sites change and news goes."""
    rows = []
    for volatility, pace in product(FLIPS, PACES):
        alone = one("empire", volatility=volatility)
        for name, arm in four_arms(volatility, pace).items():
            told = games.over(arm, alone)
            rows.append((volatility, pace, name, told.mean, told.mean - told.half, told.mean + told.half))
    return pd.DataFrame(rows, columns=["volatility", "messenger", "arm", "gain", "low", "high"])


def draw(numbers: pd.DataFrame, worlds: int) -> Any:
    """Return the figure: a panel for each volatility, an arrangement a line, turns of news a cell along."""
    figure = new_figure(3.6)
    chances = sorted(numbers["volatility"].unique())
    axes = figure.subplots(1, len(chances), sharey=True)
    for panel, volatility in zip(axes, chances, strict=True):
        zero_line(panel)
        for name, part in numbers[numbers["volatility"] == volatility].groupby("arm", sort=False):
            across = 1.0 / part["messenger"]
            panel.errorbar(
                across, part["gain"], [part["gain"] - part["low"], part["high"] - part["gain"]], label=name, capsize=2
            )
        panel.set_title(f"sites flip with {volatility:g} a turn", fontsize=8)
        panel.set_xlabel("turns that news takes a cell")
    axes[0].set_ylabel("over one seat (log points a turn)")
    axes[0].legend(fontsize=7, frameon=False)
    figure.subplots_adjust(left=0.1, right=0.98, top=0.76, bottom=0.24, wspace=0.08)
    add_title(
        figure,
        "One mind or many in an empire",
        "Four seats of thought over one, equal spending, by who commands the funds",
    )
    add_note(figure, [f"Study seats, {worlds} worlds a point, the same for all; 95 % intervals over worlds."])
    return figure


def main() -> int:
    """Print the tables; write the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of the study")
    parser.add_argument("--controls", type=Path, help="folder of the study seats-controls")
    parser.add_argument("--figures", type=Path, help="folder to write the figure into")
    asked = parser.parse_args()
    try:
        results = open_results(asked.results)
        games = Games(results)
        for heading, made in TABLES.items():
            sys.stdout.write("\n".join([f"## {heading}", "", *made(games), "", ""]))
        if asked.controls is not None:
            lines = controls_table(open_results(asked.controls))
            sys.stdout.write("\n".join(["## Purses without thinking", "", *lines, "", ""]))
        if asked.figures is not None:
            numbers, worlds = phase_numbers(games), int(results.study["replicates"])
            command = f"python benchmarks/seats_report.py {asked.results} --figures {asked.figures}"
            save_figures(lambda: draw(numbers, worlds), asked.figures, STEM, {"": numbers}, command)
    except CivsimError as error:
        sys.stderr.write(f"seats_report: error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
