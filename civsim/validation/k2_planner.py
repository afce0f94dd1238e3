"""K2: the planner against exhaustive search, on small still lands that it sees whole.

The share of the headroom between the rule of thumb and the optimum that the planner gains, by horizon, beside the
npv rule alone: Σ(planner − greedy) / Σ(optimum − greedy) over lands with headroom of 2 % or more. Without
thinking the planner is the rule of thumb exactly, nothing beats the optimum, and a horizon to the end gains most of it.

Families of lands come in sets, by what can be done there: land alone is settled; land is settled or taken by force;
bands in view are walled out; the same from one treasury, which pays for claims too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.validation import fronts, small_lands
from civsim.validation.case import How, KnownAnswer, Row, Turns, bound, close, exact, reported, several, words
from civsim.validation.every_order import best_of_every_order
from civsim.validation.exhaustive import greedy, optimum
from civsim.validation.promises import least_kept
from civsim.validation.small_lands import FAMILIES, TURNS, finished, value_of

F64 = NDArray[np.float64]

HEADROOM = 0.02
"""Lands on which the optimum is worth less than this over the rule of thumb tell nothing."""

SETS = {"land": FAMILIES, "war": fronts.WAR, "walls": fronts.WALLS[:1], "treasury": fronts.WALLS[1:]}
"""Families by what can be done there; each set is pooled and judged by itself."""

FLOOR = 0.9
FLOOR_OF_A_FAMILY = 0.5
"""Least share of the headroom at a horizon to the end: of all families of a set, and where some are left out."""

FLOOR_WORST_DECILE = 0.5
NOISE = 0.05
"""A fall of the share by less, from one horizon to the next, is none."""

SETTLED = 4
"""Shorter rollouts may lose to a good rule: they are reported, and not demanded to rise."""

LEAST_LANDS = 5
FULL_LANDS = 72
EVERYTHING = 4096
"""Reach of the rule alone: without limit."""

_ROUNDING = 1e-6
_SAME = 1e-12
_DECILE = 0.1
Family = Literal[
    "lines",
    "barriers",
    "rich behind poor",
    "scattered",
    "open border",
    "round a wall",
    "far border",
    "bands",
    "bands and a treasury",
]


class Settings(Frozen):
    """Parameters of K2."""

    h: Turns = Field((1, 2, 4, 8, 12, 16), description="horizons (turns); 0 and the end of the game are added")
    family: Annotated[tuple[Family, ...], BeforeValidator(several), Field(min_length=1)] = Field(
        get_args(Family),
        description="families of lands, pooled by what can be done there",
    )
    lands: int = Field(24, ge=1, le=2000, description="lands of each family; 72 at least with --full")
    first: int = Field(0, ge=0, le=10**6, description="number of the first land")
    turns: int = Field(TURNS, ge=20, le=60, description="turns of a game")


class Gains(NamedTuple):
    """Values of the lands with headroom."""

    greedy: F64  # [lands] discounted output of the rule of thumb
    optimum: F64  # [lands] of the exhaustive optimum
    planner: F64  # [lands, horizons]
    alone: F64  # [lands] of the npv rule alone: unlimited reach, no rollout; it attacks and heeds bands by rule
    kept: F64  # [lands] least value kept over that told, of any turn, at the longest horizon

    @property
    def headroom(self) -> F64:
        """Optimum less rule of thumb, [lands]."""
        return self.optimum - self.greedy

    @property
    def mean_headroom(self) -> float:
        """Optimum over rule of thumb, less 1, the mean of all lands."""
        return float((self.optimum / self.greedy).mean() - 1.0)

    @property
    def ratios(self) -> F64:
        """Σ(planner − greedy) / Σ(optimum − greedy), [horizons]."""
        total: F64 = (self.planner - self.greedy[:, None]).sum(axis=0)
        return total / self.headroom.sum()

    @property
    def ratio_of_rule(self) -> float:
        """The same of the npv rule alone."""
        return float((self.alone - self.greedy).sum() / self.headroom.sum())


class Found(NamedTuple):
    """What a family of lands showed."""

    gains: Gains
    off: float  # largest relative difference of the planner at h = 0 from the rule of thumb, all lands
    other_claims: int  # lands on which it made another number of claims
    unsolved: int  # lands too large for the search


class Posed(NamedTuple):
    """A land, solved, and how it is played."""

    greedy: float  # discounted output of the rule of thumb
    optimum: float  # nan where the land is too large for the search
    off: float  # relative difference of the planner at h = 0 from the rule of thumb
    other_claims: int  # 1 where it made another number of claims
    ready: Callable[..., fronts.Ready]  # the game, about to begin, for a mind


def _land(family: str, seed: int, turns: int) -> Posed:
    """Pose a land that is settled alone; the rule of thumb and the optimum are written anew, apart from the engine."""
    small = small_lands.small_land(family, seed, turns)
    ready = functools.partial(small_lands.ready, small)
    base, claims = greedy(small.problem)
    idle = finished(*ready(0))
    other = int(idle.state.gains[0, 0, 0] != (claims >= 0).sum())
    return Posed(base, optimum(small.problem), abs(value_of(idle) / base - 1.0), other, ready)


def _front(family: str, seed: int, turns: int) -> Posed:
    """Pose a land with a front; the engine plays every order, and the rule of thumb."""
    made = fronts.front(family, seed, turns)
    ready = functools.partial(fronts.ready, made)
    return Posed(value_of(finished(*ready(0))), best_of_every_order(made).value, 0.0, 0, ready)


@functools.cache
def family_gains(family: str, lands: int, horizons: tuple[int, ...], turns: int = TURNS, first: int = 0) -> Found:
    """Play lands ``first`` … of a family: those with headroom that can be solved at every one of ``horizons``."""
    rows, off, others, unsolved = [], 0.0, 0, 0
    for seed in range(first, first + lands):
        posed = (_land if family in FAMILIES else _front)(family, seed, turns)
        off, others = max(off, posed.off), others + posed.other_claims
        unsolved += bool(np.isnan(posed.optimum))
        if posed.optimum / posed.greedy - 1.0 >= HEADROOM:
            planned = [value_of(finished(*posed.ready(h))) for h in horizons]
            alone = value_of(finished(*posed.ready(0, EVERYTHING, 0)))
            rows.append((posed.greedy, posed.optimum, planned, alone, least_kept(*posed.ready(max(horizons)))))
    if not rows:
        none = np.zeros(0)
        return Found(Gains(none, none, np.zeros((0, len(horizons))), none, none), off, others, unsolved)
    columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]
    return Found(Gains._make(columns), off, others, unsolved)


def pooled(parts: list[Gains]) -> Gains:
    """Return several families together."""
    return Gains._make(np.concatenate(values) for values in zip(*parts, strict=True))


def beaten(gains: Gains) -> int:
    """Return on how many lands the planner, at some horizon, or the rule is worth more than the optimum."""
    most = gains.optimum * (1.0 + _ROUNDING)
    return int(((gains.planner > most[:, None]).any(axis=1) | (gains.alone > most)).sum())


def _shares(name: str, gains: Gains, horizons: tuple[int, ...]) -> list[Row]:
    """Rows of the share of headroom by horizon, with intervals over lands."""
    from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, interval

    weights = bootstrap_weights(gains.greedy.size)
    room = bootstrap_means(gains.headroom, weights)
    own = np.column_stack([gains.planner, gains.alone]) - gains.greedy[:, None]
    own[np.abs(own) < _SAME * gains.greedy[:, None]] = 0.0  # equal but for the order of a sum
    low, high = interval(bootstrap_means(own, weights) / room[:, None])
    worst = np.quantile(own / gains.headroom[:, None], _DECILE, axis=0)
    minds = [words(h=h) for h in horizons] + ["the npv rule, any reach"]
    rows = []
    for place, (mind, share) in enumerate(zip(minds, own.sum(axis=0) / gains.headroom.sum(), strict=True)):
        column = gains.alone if place == len(horizons) else gains.planner[:, place]
        passed = bool((column <= gains.optimum * (1.0 + _ROUNDING)).all())
        note = f"no land above its optimum; worst decile {worst[place]:.2f}; 95 % interval over lands"
        ends = (float(low[place]), float(high[place]))
        rows.append(Row("share of the headroom gained", f"{name}, {mind}", 1.0, float(share), *ends, passed, note, "≤"))
    return rows


def _demands(name: str, gains: Gains, horizons: tuple[int, ...], every: bool) -> list[Row]:
    """Rows of what a horizon to the end must reach, and of how the share may move on the way."""
    ratios, floor = gains.ratios, FLOOR if every else FLOOR_OF_A_FAMILY
    single = (gains.planner[:, -1] - gains.greedy) / gains.headroom
    worst = float(np.quantile(single, _DECILE))
    end, settled = f"{name}, {words(h=horizons[-1])}", [k for k, h in enumerate(horizons) if h >= SETTLED]
    fall = max(0.0, float(ratios.max() - ratios[-1]), *(-np.diff(ratios[settled])))
    share, decile = "share of the headroom, to the end", "the same, worst decile of lands"
    note = "between neighbouring horizons from 4 on, and from the best to the end"
    rows = [bound("largest fall with the horizon", f"{name}, h≥{SETTLED}", NOISE, "≤", fall, note)]
    if every:
        rows.insert(0, bound(decile, end, FLOOR_WORST_DECILE, "≥", worst, "a floor set beforehand"))
    return [bound(share, end, floor, "≥", float(ratios[-1]), "a floor set beforehand"), *rows]


def _promises(name: str, gains: Gains, horizon: int) -> list[Row]:
    """Rows of what holds where what is believed is true, land by land: plans kept, and no rule better."""
    end, last = f"{name}, {words(h=horizon)}", gains.planner[:, -1]
    note = f"plans are made anew with every order; {int((gains.kept < 1.0 - _ROUNDING).sum())} lands keep less"
    rows = [reported("value kept over value told, least", end, float(gains.kept.min()), note=note)]
    for rule, value in (("rule of thumb", gains.greedy), ("npv rule", gains.alone)):
        ratio = last / value
        note = f"{int((ratio < 1.0 - _ROUNDING).sum())} of {last.size} lands below"
        rows.append(reported(f"value over that of the {rule}, least", end, float(ratio.min()), note=note))
    return rows


def run(settings: Settings, how: How) -> list[Row]:
    """Compare; see the module."""
    horizons = tuple(sorted({0, *(min(h, settings.turns) for h in settings.h), settings.turns}))
    lands = max(settings.lands, FULL_LANDS) if how.full else settings.lands
    families, found = tuple(dict.fromkeys(settings.family)), []
    for index, family in enumerate(families):
        how.report(index, len(families))
        found.append(family_gains(family, lands, horizons, settings.turns, settings.first))
    rows = []
    for name, members in SETS.items():
        parts = [part for part, family in zip(found, families, strict=True) if family in members]
        if not parts:
            continue
        gains, unsolved = pooled([part.gains for part in parts]), sum(part.unsolved for part in parts)
        if gains.greedy.size < LEAST_LANDS:
            few = f"{gains.greedy.size} with headroom, fewer than {LEAST_LANDS}, and {unsolved} too large to solve"
            left = f"lands={lands}, turns={settings.turns} leave {few} ({name})"
            raise StudyError(f"K2: {left}; raise lands or lower turns")
        size = f"{name}, {lands * len(parts)} lands"
        note = f"{gains.greedy.size} with headroom, {unsolved} too large to solve"
        if name == "land":
            off = max(part.off for part in parts)
            note = f"within 10⁻⁹ of itself; {note}"
            rows.append(close("value at h=0 over the rule of thumb's", size, 1.0, 1.0 + off, 1e-9, note))
            others = sum(part.other_claims for part in parts)
            rows.append(exact("lands with other claims at h=0", size, 0, others, "equality"))
        else:
            rows.append(
                reported(
                    "headroom over the rule of thumb, mean",
                    size,
                    gains.mean_headroom,
                    note=note,
                )
            )
        rows += _shares(name, gains, horizons)
        rows += _demands(name, gains, horizons, set(members) <= set(families))
        rows += _promises(name, gains, horizons[-1])
    return rows


CASE = KnownAnswer(
    "K2",
    "planner against exhaustive search",
    "greedy ≤ planner ≤ optimum by exhaustion; h = 0 is greedy; a horizon to the end gains most of the headroom",
    "small, still lands made by hand, seen whole; a rival has no force and gives no order, so that an attack on open "
    "land is won for certain; bands stand in view from the start, none comes later, and walls rise by full courses; "
    "where there is a front, one claim, attack and wall a turn",
    Settings,
    run,
)
