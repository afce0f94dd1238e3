"""Judging arms over contexts: differences in log points a turn, their t by context, and the means over contexts.

A log point a turn is 100 · Δ(discounted log welfare)/Σγ^t. Within a context a world is the unit; over contexts a
context is. An arm is compared with the best of several by cross-fitting (:mod:`civsim.analysis.statistics.crossfit`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from contexts_arms import Pair
from scipy.special import stdtr

from civsim.analysis.statistics.crossfit import crossfit
from civsim.analysis.units import PERCENT, discount_sum
from civsim.base.errors import ResultsError
from civsim.engine.state import F64

CLEAR = 2.0
"""|t| from which a difference counts as told apart from 0."""

MOST_SHOWN = 40
"""Contexts of which a table with a row each is shown."""

_NONE = "—"


class Games(NamedTuple):
    """One arm in one context."""

    world_ids: tuple[int, ...]  # [W]
    welfare: F64  # [W] discounted log welfare of the focal seat
    discount: float
    turns: int

    @property
    def points(self) -> F64:
        """Return welfare in log points a turn, float64 [W]."""
        return PERCENT * self.welfare / discount_sum(self.discount, self.turns)


Played = Mapping[str, Mapping[str, Games]]
"""Games by arm and context."""


class Judged(NamedTuple):
    """A comparison in one context, in log points a turn."""

    context: str
    arm: str
    against: str
    chosen: str  # the option compared with, or the two that the halves of the worlds chose
    worlds: int
    difference: float
    error: float  # standard error over worlds
    t: float  # difference over error; 0 where both are 0
    freedom: int  # degrees of freedom of the error


def judge(pair: Pair, played: Played) -> list[Judged]:
    """Return a comparison in every context in which all its arms were played.

    Raises:
        ResultsError: arms that met different worlds, too few worlds, or welfare that is not finite.
    """
    names = (pair.arm, *pair.options)
    contexts = [context for context in played[pair.arm] if all(context in played[name] for name in names)]
    return [_judge(pair, context, [played[name][context] for name in names]) for context in contexts]


def _judge(pair: Pair, context: str, games: Sequence[Games]) -> Judged:
    first = games[0]
    if any(other.world_ids != first.world_ids for other in games):
        raise ResultsError(
            f"{context}: the arms of {pair.arm} against {pair.against} met other worlds; play them again"
        )
    # One option is chosen by either half whatever the worlds say; its error then is that of all worlds together.
    options = np.column_stack([other.points for other in games[1:]])
    fitted = crossfit(first.points, options)
    if len(pair.options) == 1:
        gaps, lost = fitted.differences, 1
        difference, error = float(gaps.mean()), float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    else:
        difference, error, lost = fitted.mean, fitted.error, 2
    chosen = " / ".join(dict.fromkeys(pair.options[index] for index in fitted.chosen))
    t = difference / error if error > 0.0 else math.copysign(math.inf, difference) if difference != 0.0 else 0.0
    worlds = len(first.world_ids)
    return Judged(context, pair.arm, pair.against, chosen, worlds, difference, error, t, worlds - lost)


class Row(NamedTuple):
    """A comparison over all contexts."""

    arm: str
    against: str
    contexts: int
    mean: float  # of the contexts' differences
    error: float  # its standard error over contexts; nan for one context
    above: int  # contexts with t > CLEAR
    below: int  # contexts with t < −CLEAR
    by_chance: float  # contexts expected in each of the two if nothing differed
    lowest: float  # the smallest difference
    lowest_in: str  # and its context


def over_contexts(judged: Sequence[Judged]) -> Row:
    """Return one comparison summed up over the contexts it was made in (at least one)."""
    gaps = np.array([one.difference for one in judged])
    t = np.array([one.t for one in judged])
    error = float(gaps.std(ddof=1) / np.sqrt(len(gaps))) if len(gaps) > 1 else math.nan
    chance = float(sum(stdtr(one.freedom, -CLEAR) for one in judged))
    least = judged[int(gaps.argmin())]
    return Row(
        least.arm, least.against, len(gaps), float(gaps.mean()), error, int((t > CLEAR).sum()),
        int((t < -CLEAR).sum()), chance, least.difference, least.context,
    )  # fmt: skip


def judge_all(pairs: Sequence[Pair], played: Played) -> tuple[list[Row], pd.DataFrame]:
    """Return the rows of a report, and a table of every comparison in every context, its columns those of Judged.

    Raises:
        ResultsError: there is nothing to compare, or as :func:`judge`.
    """
    found = [judged for judged in (judge(pair, played) for pair in pairs) if judged]
    if not found:
        raise ResultsError("no planner was played beside an arm to judge it by; play one, such as h16, and rungs")
    return [over_contexts(judged) for judged in found], pd.DataFrame([one for each in found for one in each])


def markdown(rows: Sequence[Row], judged: pd.DataFrame, facts: Sequence[str]) -> str:
    """Return the report as Markdown: ``facts`` as a list, the table of rows, and small contexts one by one."""
    head = ("arm", "against", "contexts", "mean ± s.e.", "t > 2", "t < −2", "by chance", "lowest")
    body = [
        (
            row.arm, row.against, str(row.contexts), _with_error(row.mean, row.error), str(row.above), str(row.below),
            f"{row.by_chance:.1f}", f"{_signed(row.lowest)} ({row.lowest_in})",
        )
        for row in rows
    ]  # fmt: skip
    parts = ["\n".join(f"- {fact}" for fact in facts), _table(head, body)]
    if judged["context"].nunique() <= MOST_SHOWN:
        parts.append(_by_context(judged))
    return "\n\n".join(parts) + "\n"


def _by_context(judged: pd.DataFrame) -> str:
    """Return a table with a row a context and a column a comparison; bold where |t| > CLEAR."""
    pairs = list(judged[["arm", "against"]].drop_duplicates().itertuples(index=False, name=None))
    cells = {(one.context, one.arm, one.against): _cell(one) for one in judged.itertuples()}
    body = [
        (context, *(cells.get((context, *pair), _NONE) for pair in pairs))
        for context in dict.fromkeys(judged["context"])
    ]
    return _table(("context", *(f"{arm} − {against}" for arm, against in pairs)), body)


def _cell(one: Judged) -> str:
    text = _with_error(one.difference, one.error)
    return f"**{text}**" if abs(one.t) > CLEAR else text


def _with_error(value: float, error: float) -> str:
    return _signed(value) if math.isnan(error) else f"{_signed(value)} ± {error:.2f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", "---", *["---:"] * (len(head) - 2)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
