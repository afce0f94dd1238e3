"""K2: the planner against exhaustive search, on small still lands that it sees whole.

The share of the headroom between the rule of thumb and the optimum that the planner gains, by horizon, beside the
npv rule alone: Σ(planner − greedy) / Σ(optimum − greedy) over lands with headroom of 2 % or more. Without
thinking the planner is the rule of thumb exactly, nothing beats the optimum, and a horizon to the end gains most of it.
"""

from __future__ import annotations

import functools
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen
from civsim.validation.case import How, KnownAnswer, Row, Turns, bound, close, exact, several, words
from civsim.validation.exhaustive import greedy, optimum
from civsim.validation.small_lands import FAMILIES, TURNS, played, small_land, value_of

F64 = NDArray[np.float64]

HEADROOM = 0.02
"""Lands on which the optimum is worth less than this over the rule of thumb tell nothing."""

FLOOR = 0.9
FLOOR_OF_A_FAMILY = 0.5
"""Least share of the headroom at a horizon to the end: of all families together, and where some are left out."""

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
Family = Literal["lines", "barriers", "rich behind poor", "scattered"]


class Settings(Frozen):
    """Parameters of K2."""

    h: Turns = Field((1, 2, 4, 8, 12, 16), description="horizons (turns); 0 and the end of the game are added")
    family: Annotated[tuple[Family, ...], BeforeValidator(several), Field(min_length=1)] = Field(
        ("lines", "barriers", "rich behind poor", "scattered"), description="families of lands, pooled"
    )
    lands: int = Field(24, ge=1, le=2000, description="lands of each family; 72 at least with --full")
    first: int = Field(0, ge=0, le=10**6, description="number of the first land")
    turns: int = Field(TURNS, ge=20, le=60, description="turns of a game")


class Gains(NamedTuple):
    """Values of the lands with headroom."""

    greedy: F64  # [lands] discounted output of the rule of thumb
    optimum: F64  # [lands] of the exhaustive optimum
    planner: F64  # [lands, horizons]
    alone: F64  # [lands] of the npv rule alone: unlimited reach, no rollout

    @property
    def headroom(self) -> F64:
        """Optimum less rule of thumb, [lands]."""
        return self.optimum - self.greedy

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


@functools.cache
def family_gains(family: str, lands: int, horizons: tuple[int, ...], turns: int = TURNS, first: int = 0) -> Found:
    """Play lands ``first`` … of a family: those with headroom that can be solved at every one of ``horizons``."""
    rows, off, others, unsolved = [], 0.0, 0, 0
    for seed in range(first, first + lands):
        small = small_land(family, seed, turns)
        base, claims = greedy(small.problem)
        idle = played(small, 0)
        off = max(off, abs(value_of(idle) / base - 1.0))
        others += int(idle.state.gains[0, 0, 0] != (claims >= 0).sum())
        best = optimum(small.problem)
        unsolved += bool(np.isnan(best))
        if best / base - 1.0 >= HEADROOM:
            planned = [value_of(played(small, h)) for h in horizons]
            rows.append((base, best, planned, value_of(played(small, 0, reach=EVERYTHING, rollout=0))))
    if not rows:
        none = np.zeros(0)
        return Found(Gains(none, none, np.zeros((0, len(horizons))), none), off, others, unsolved)
    columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]
    return Found(Gains._make(columns), off, others, unsolved)


def pooled(parts: list[Gains]) -> Gains:
    """Return several families together."""
    return Gains._make(np.concatenate(values) for values in zip(*parts, strict=True))


def beaten(gains: Gains) -> int:
    """Return on how many lands the planner, at some horizon, or the rule is worth more than the optimum."""
    most = gains.optimum * (1.0 + _ROUNDING)
    return int(((gains.planner > most[:, None]).any(axis=1) | (gains.alone > most)).sum())


def _shares(gains: Gains, horizons: tuple[int, ...]) -> list[Row]:
    """Rows of the share of headroom by horizon, with intervals over lands."""
    from civsim.analysis.statistics.resample import bootstrap_means, bootstrap_weights, interval

    weights = bootstrap_weights(gains.greedy.size)
    room = bootstrap_means(gains.headroom, weights)
    own = np.column_stack([gains.planner, gains.alone]) - gains.greedy[:, None]
    own[np.abs(own) < _SAME * gains.greedy[:, None]] = 0.0  # equal but for the order of a sum
    low, high = interval(bootstrap_means(own, weights) / room[:, None])
    worst = np.quantile(own / gains.headroom[:, None], _DECILE, axis=0)
    names = [words(h=h) for h in horizons] + ["the npv rule, any reach"]
    rows = []
    for place, (name, share) in enumerate(zip(names, own.sum(axis=0) / gains.headroom.sum(), strict=True)):
        column = gains.alone if place == len(horizons) else gains.planner[:, place]
        passed = bool((column <= gains.optimum * (1.0 + _ROUNDING)).all())
        note = f"no land above its optimum; worst decile {worst[place]:.2f}; 95 % interval over lands"
        ends = (float(low[place]), float(high[place]))
        rows.append(Row("share of the headroom gained", name, 1.0, float(share), *ends, passed, note, "≤"))
    return rows


def _demands(gains: Gains, horizons: tuple[int, ...], every: bool) -> list[Row]:
    """Rows of what a horizon to the end must reach, and of how the share may move on the way."""
    ratios, floor = gains.ratios, FLOOR if every else FLOOR_OF_A_FAMILY
    single = (gains.planner[:, -1] - gains.greedy) / gains.headroom
    end, settled = words(h=horizons[-1]), [k for k, h in enumerate(horizons) if h >= SETTLED]
    fall = max(0.0, float(ratios.max() - ratios[-1]), *(-np.diff(ratios[settled])))
    share = bound("share of the headroom, to the end", end, floor, "≥", float(ratios[-1]), "a floor set beforehand")
    worst = float(np.quantile(single, _DECILE))
    decile = bound("the same, worst decile of lands", end, FLOOR_WORST_DECILE, "≥", worst, "a floor set beforehand")
    note = "between neighbouring horizons from 4 on, and from the best to the end"
    return [
        share,
        *([decile] if every else []),
        bound("largest fall with the horizon", f"h≥{SETTLED}", NOISE, "≤", fall, note),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Compare; see the module."""
    horizons = tuple(sorted({0, *(min(h, settings.turns) for h in settings.h), settings.turns}))
    lands = max(settings.lands, FULL_LANDS) if how.full else settings.lands
    families, found = tuple(dict.fromkeys(settings.family)), []
    for index, family in enumerate(families):
        how.report(index, len(families))
        found.append(family_gains(family, lands, horizons, settings.turns, settings.first))
    gains = pooled([part.gains for part in found])
    unsolved = sum(one.unsolved for one in found)
    if gains.greedy.size < LEAST_LANDS:
        few = f"{gains.greedy.size} with headroom, fewer than {LEAST_LANDS}, and {unsolved} too large to solve"
        raise StudyError(f"K2: lands={lands}, turns={settings.turns} leave {few}; raise lands or lower turns")
    part = f"{lands * len(families)} lands"
    off = max(one.off for one in found)
    note = f"within 10⁻⁹ of itself; {gains.greedy.size} lands with headroom, {unsolved} too large to solve"
    rows = [
        close("value at h=0 over the rule of thumb's", part, 1.0, 1.0 + off, 1e-9, note),
        exact("lands with other claims at h=0", part, 0, sum(one.other_claims for one in found), "equality"),
    ]
    return [*rows, *_shares(gains, horizons), *_demands(gains, horizons, set(families) == set(FAMILIES))]


CASE = KnownAnswer(
    "K2",
    "planner against exhaustive search",
    "greedy ≤ planner ≤ optimum by exhaustion; h = 0 is greedy; a horizon to the end gains most of the headroom",
    "small, still lands made by hand, seen whole",
    Settings,
    run,
)
