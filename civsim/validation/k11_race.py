"""K11: a race for a rich site, against every order in which claims can be made.

Two realms lie on a row of cells with one rich site between. It is solved twice by playing orders of claims in the
simulator itself. *Against a rival that goes by the rule of thumb*: every order of ours; a planner that has its rival in
mind takes the site where the best order takes it for certain, and begins as a best order does where none takes it.
*Over both sides*: every order of ours against every order of the rival's; the site is ours whatever the rival does, the
rival's whatever we do, or a draw between two that arrive in the same turn. Then our planner meets the rival's hardest
order: with rivals in mind it has to take what is ours and not to set out for what is the rival's. A draw is neither won
nor lost: it is reported how often the planner enters into one.
"""

from __future__ import annotations

import functools
from itertools import product
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field

from civsim.base.constants import MAX_MIND
from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.validation.case import How, KnownAnswer, Positives, Row, bound, exact, reported, several, words
from civsim.validation.duels import Duel, Met, met, solved
from civsim.validation.races import INCOME, SAME, Race, exhausted, planned

FLOOR = 0.8
"""Least share of the races to be won, and of right first claims, of a planner with its rival in mind.

It is not all: what comes in the same turn as a rival counts as one's own in a plan, so that a race which another order
would win for sure may be entered as one that a draw decides. And a rival is taken to have as much in its fund as
oneself, so that one that is richer comes sooner than thought.
"""

LEVELS = range(MAX_MIND + 1)
FULL_STEPS = (1, 2, 3, 4, 5)
"""Steps to the site, of either realm, with --full."""

Steps = Annotated[
    tuple[Annotated[int, Field(ge=1, le=6)], ...], BeforeValidator(several), Field(min_length=1, max_length=6)
]
Lags = Annotated[
    tuple[Annotated[int, Field(ge=0, le=8)], ...], BeforeValidator(several), Field(min_length=1, max_length=9)
]


class Settings(Frozen):
    """Parameters of K11."""

    ours: Steps = Field((1, 2, 3, 4), description="steps from our capital to the site; 1 to 5 with --full")
    theirs: Steps = Field((1, 2, 3, 4), description="steps from the rival's capital to it; 1 to 5 with --full")
    income: Positives = Field((1.0, 1.5, 2.0, 4.0), description="output of the rival's capital; ours gives 2")
    lag: Lags = Field((1, 2), description="turns that a party is under way")
    cost: Positives = Field((4.0,), description="cost of a claim (output)")
    rich: float = Field(4.0, gt=0.0, le=1e6, description="output of the site; home cells give 1, the way 0.2")
    turns: int = Field(40, ge=20, le=200, description="turns of a game")
    h: int = Field(40, ge=1, le=512, description="horizon of the planner (turns)")
    draws: int = Field(8, ge=1, le=64, description="games of a race: who comes first of two that arrive together")


class Best(NamedTuple):
    """What the best order of claims does in a race."""

    value: float  # mean over draws
    ceiling: tuple[float, ...]  # [draws] the best of any order in each draw
    won: float  # share of draws in which it has the site
    firsts: frozenset[int]  # first claims of the orders that are as good


class Tried(NamedTuple):
    """A planner in a race, beside the best order."""

    best: float  # share of draws that the best order wins
    won: float  # that the planner wins
    right: float  # share of games that begin with a claim that a best order begins with
    loss: float  # relative to the value of the best order
    beyond: int  # games worth more than any order


@functools.lru_cache(maxsize=4096)
def best_of(race: Race, draws: int) -> Best:
    """Return what the best order of claims does, by playing all of them."""
    orders, games = exhausted(race, draws)
    value, won = games.value.reshape(-1, draws), games.won.reshape(-1, draws)
    mean = value.mean(axis=1)
    best = mean >= mean.max() * (1.0 - SAME)
    firsts = frozenset(order[0] for order, good in zip(orders, best, strict=True) if good)
    return Best(float(mean.max()), tuple(value.max(axis=0).tolist()), float(won.mean(axis=1)[best].max()), firsts)


def tried(race: Race, level: int, horizon: int, draws: int) -> Tried:
    """Return what a planner at a level of mind does in a race."""
    best, games = best_of(race, draws), planned(race, level, horizon, draws)
    beyond = int((games.value > np.array(best.ceiling) * (1.0 + SAME)).sum())
    right = float(np.isin(games.first, list(best.firsts)).mean())
    return Tried(best.won, float(games.won.mean()), right, 1.0 - float(games.value.mean()) / best.value, beyond)


def races(settings: Settings, full: bool = False) -> list[Race]:
    """Return every race of the settings."""
    ours, theirs = (FULL_STEPS, FULL_STEPS) if full else (settings.ours, settings.theirs)
    grid = product(*map(dict.fromkeys, (ours, theirs, settings.lag)))
    prices = list(product(dict.fromkeys(settings.income), dict.fromkeys(settings.cost)))
    rest = settings.rich, settings.turns
    return [Race(a, b, income, cost, lag, *rest) for a, b, lag in grid for income, cost in prices]


def _share(label: str, level: int, shares: list[float], note: str) -> Row:
    """The row of a mean share: judged by a floor where rivals are in mind, reported where they are not."""
    part, share = words(levels_of_mind=level), float(np.mean(shares))
    if level == 0:
        return reported(label, part, share, note=note)
    return bound(label, part, FLOOR, "≥", share, f"{note}; a floor")


def _rows_of_level(level: int, found: list[Tried]) -> list[Row]:
    """The rows of one level of mind."""
    part = words(levels_of_mind=level)
    sure = [t for t in found if t.best == 1.0]
    lost = [t for t in found if t.best == 0.0]
    tossed = [t for t in found if 0.0 < t.best < 1.0]
    rows = []
    if sure:
        note = f"of {len(sure)} races that the best order wins for sure"
        rows.append(_share("share of the races to be won that is won", level, [t.won for t in sure], note))
    if lost:
        note = f"of {len(lost)} races that no order wins"
        rows.append(_share("first claims as good as any where the site is lost", level, [t.right for t in lost], note))
    if tossed:
        share, of = float(np.mean([t.won for t in tossed])), float(np.mean([t.best for t in tossed]))
        note = f"of {len(tossed)} races; the best order wins {of:.2f} of them"
        rows.append(reported("share of the races that a draw decides that is won", part, share, note=note))
    for name, some in (("to be won", sure), ("that are lost", lost), ("that a draw decides", tossed)):
        if some:
            loss = float(np.mean([t.loss for t in some]))
            rows.append(reported(f"loss against the best order, races {name}", part, loss, note="share of its value"))
    beyond = sum(t.beyond for t in found)
    return [*rows, exact("games worth more than any order in their draw", part, 0, beyond, "equality")]


class Meeting(NamedTuple):
    """A race that is solved over both sides, and what a planner did in it."""

    race: Race
    duel: Duel
    met: Met

    @property
    def sets_out(self) -> float:
        """Share of the games in which it claims on the way, while the site is nobody's and home is not all claimed."""
        return float((self.met.way > 0).mean())


def _none(label: str, level: int, number: int, note: str) -> Row:
    """The row of a number that is 0 where rivals are in mind; reported where they are not."""
    part = words(levels_of_mind=level)
    return exact(label, part, 0, number, f"equality; {note}") if level else reported(label, part, number, note=note)


def _rows_of_ours(level: int, some: list[Meeting]) -> list[Row]:
    """The rows of the races that are ours whatever the rival does."""
    label = "share of the races that are ours whatever the rival does that is won"
    rows = [_share(label, level, [float(one.met.won.mean()) for one in some], f"of {len(some)} races")]
    sure = [one for one in some if float(one.duel.ours.min()) == 1.0]
    if sure:
        lost = sum(int((~one.met.won).sum()) for one in sure)
        rows.append(_none("games lost that no order of ours loses", level, lost, f"{len(sure)} races"))
    return rows


def _set_out_for(some: list[Meeting]) -> tuple[int, int]:
    """Return (races set out for, races) of those that a rival has for sure which is no richer than we are."""
    poorer = [one for one in some if one.race.income <= INCOME]
    return sum(one.sets_out > 0.0 for one in poorer), len(poorer)


def _rows_of_theirs(level: int, some: list[Meeting], mindless: list[Meeting]) -> list[Row]:
    """The rows of the races that are the rival's whatever we do; ``mindless`` are they without a rival in mind."""
    part = words(levels_of_mind=level)
    label = "share of the races that are the rival's whatever we do that is left"
    rows = [_share(label, level, [1.0 - one.sets_out for one in some], f"of {len(some)} races")]
    spent = float(np.mean([one.met.way.mean() for one in some]))
    rows.append(reported("claims on the way to a site that is the rival's", part, spent, note="a race"))
    (number, of), most = _set_out_for(some), _set_out_for(mindless)[0]
    label = "races set out for that a rival no richer has for sure"
    if not of:
        return rows
    if level == 0:
        return [*rows, reported(label, part, number, note=f"of {of}")]
    # Not none: a mind has its rival claim by rule, at home first where that is worth more; the hardest goes straight.
    note = f"of {of}; fewer than without a rival in mind, where there are any"
    return [*rows, bound(label, part, most, "<" if most else "≤", number, note)]


def _rows_of_meetings(level: int, found: list[Meeting], mindless: list[Meeting]) -> list[Row]:
    """The rows of one level of mind, solved over both sides."""
    part = words(levels_of_mind=level)
    ours, theirs, draws = ([one for one in found if one.duel.verdict == name] for name in ("ours", "theirs", "draw"))
    rows = _rows_of_ours(level, ours) if ours else []
    if theirs:
        rows += _rows_of_theirs(level, theirs, [one for one in mindless if one.duel.verdict == "theirs"])
    if draws:
        won, entered = (
            float(np.mean(each)) for each in zip(*((d.met.won.mean(), d.sets_out) for d in draws), strict=True)
        )
        note = f"of {len(draws)} races, neither won nor lost"
        rows.append(reported("share of the even races that is entered", part, entered, note=note))
        rows.append(reported("share of the games of even races that is won", part, won, note=note))
    return rows


def run(settings: Settings, how: How) -> list[Row]:
    """Compare; see the module."""
    grid = races(settings, how.full)
    found: dict[int, list[Tried]] = {level: [] for level in LEVELS}
    meetings: dict[int, list[Meeting]] = {level: [] for level in LEVELS}
    for index, race in enumerate(grid):
        how.report(index, len(grid))
        duel = solved(race, settings.draws)
        for level in LEVELS:
            found[level].append(tried(race, level, settings.h, settings.draws))
            meetings[level].append(Meeting(race, duel, met(race, level, settings.h, settings.draws)))
    if not {t.best for t in found[0]} & {0.0, 1.0}:
        raise StudyError("K11: a draw decides each of these races; give other ours, theirs, income or lag")
    odd = sum(one.duel.verdict != one.duel.alone for one in meetings[0])
    note = "equality; every order of ours against every order of the rival's"
    label = "races not decided as by each side's soonest arrival"
    rows = [exact(label, words(races=len(grid)), 0, odd, note)]
    by_thumb = [row for level in LEVELS for row in _rows_of_level(level, found[level])]
    return [
        *by_thumb,
        *rows,
        *(row for level in LEVELS for row in _rows_of_meetings(level, meetings[level], meetings[0])),
    ]


CASE = KnownAnswer(
    "K11",
    "race for a site",
    "every order of claims, played against a rival that goes by the rule of thumb and against every order of the "
    "rival's: with rivals in mind the site is taken where it is ours for sure, and left where it is the rival's",
    "a row of cells made by hand: two realms, a rich site between",
    Settings,
    run,
)
