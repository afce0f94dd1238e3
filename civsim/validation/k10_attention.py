"""K10: attention to a variable is worth what knowing it before a choice is worth, E[max(X₁, X₂)] − max(E X₁, E X₂).

A civilization that looks no turn ahead borders two free cells of equal cost, sees both and can pay one claim
(:mod:`civsim.validation.two_cells`). Ore, or the rate at which disasters strike, is drawn independently on the two. The
order in which variables come to attention is fixed, so that k alone says whether the one that varies is attended to;
the same land, luck and ties are met at every k. Judged are the difference in output a turn and, for hazard, also what
the two choices give in expectation: a cell lies idle for d turns after a strike, so gives (1 − Z)^d of its fertility.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from civsim.base.constants import TIE
from civsim.base.scenario import Frozen
from civsim.validation.case import (
    FAMILY,
    How,
    KnownAnswer,
    Row,
    Seed,
    Turns,
    bound,
    close,
    exact,
    frequency,
    mean,
    reported,
    several,
    words,
)
from civsim.validation.two_cells import (
    F64,
    FERTILITY,
    HAZARD_ATTENDED,
    I64,
    LAWS,
    ORE_ATTENDED,
    UNATTENDED,
    Cells,
    choose,
    draws,
    enumerated,
    hazard_worth,
    ore_worth,
    outcomes,
    struck,
)

FULL_WORLDS = 100_000
OUTCOMES = 2_000
"""Outcomes of a cell that stand for its law where a closed form is held against enumeration."""

COARSE = 1e-3
"""What those may miss of a closed form: parts of an s.d. of output (ore), or of the worth (hazard)."""

HAIR = 1e-9
"""Relative excess over a limit that is put down to rounding."""

_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Laws = Annotated[tuple[Literal["two-point", "exponential", "normal"], ...], *_SEVERAL]
Amounts = Annotated[tuple[Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)], ...], *_SEVERAL]
Rates = Annotated[tuple[Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K10."""

    law: Laws = Field(("two-point", "exponential", "normal"), description="law of ore and of rates of strikes")
    weight: Amounts = Field((0.0, 0.25, 0.5, 1.0), description="economy.ore_weight, output per unit of ore")
    sd: Amounts = Field((1.0,), description="s.d. of a cell's ore (units)")
    mean: float = Field(6.0, gt=0.0, le=1000.0, description="mean of a cell's ore (units)")
    gap: Amounts = Field((0.0, 0.4), description="what one cell gives beyond the other, whatever the ore (output)")
    spread: Rates = Field((0.0, 0.0125, 0.025, 0.05), description="s.d. of a cell's rate of strikes, −log(1 − Z)")
    rate: float = Field(0.3, gt=0.0, le=1.0, description="mean of that rate (a turn)")
    duration: int = Field(3, ge=0, le=6, description="disasters.duration d, turns that a struck cell lies idle")
    h: Turns = Field((0,), description="horizons (turns); all but 0 are reported only")
    turns: int = Field(60, ge=1, le=1000, description="turns over which output under hazard is taken")
    worlds: int = Field(20_000, ge=1_000, le=10**6, description="worlds at each point; 100,000 at least with --full")
    seed: Seed = Field(0, description="seed of the land, of ties and of strikes")

    @model_validator(mode="after")
    def _check(self) -> Settings:
        for law in self.law:
            for spreads, centre, name in ((self.sd, self.mean, "mean"), (self.spread, self.rate, "rate")):
                limit, asked = centre / -LAWS[law].lowest, "sd" if name == "mean" else "spread"
                if max(spreads) > limit * (1.0 + HAIR):
                    over = f"{asked}={max(spreads):g} exceeds {limit:g}, where draws of law={law} fall below 0"
                    raise ValueError(f"{over}; lower it or raise {name}={centre:g}")
        return self


class Tried(NamedTuple):
    """What n worlds gave at one point, with attention to the variable that varies and without."""

    expected: F64  # [n] what attention gains in expectation of the choices made (output a turn)
    realised: F64  # [n] what it gained (output a turn)
    worlds: int  # n
    worse: int  # worlds in which attention took the cell that is worth less in expectation
    swayed: int  # worlds in which attention to the variable that does not vary changed the choice


def _tried(worth: F64, taken: Sequence[I64], output: Sequence[F64], swayed: int) -> Tried:
    """Return what was tried; ``worth`` float [n, 2] is what each cell gives, ``taken`` and ``output`` without and with.

    Cells within the planner's tolerance of a tie are as good as each other.
    """
    row = np.arange(worth.shape[0])
    without, attended = worth[row, taken[0]], worth[row, taken[1]]
    worse = int((attended < worth.max(axis=1) * (1.0 - 2.0 * TIE)).sum())
    return Tried(attended - without, output[1] - output[0], row.size, worse, swayed)


def try_ore(settings: Settings, law: str, ore: tuple[float, float], gap: float, horizon: int, how: How) -> Tried:
    """Settle land whose ore varies; ``ore`` is (weight, s.d.)."""
    (weight, sd), worlds = ore, _worlds(settings, how)
    units = np.maximum(settings.mean + sd * draws(law, worlds, settings.seed), 0.0)
    at = [
        choose(
            Cells(ore=units, gap=gap),
            k,
            worlds=worlds,
            weight=weight,
            horizon=horizon,
            seed=settings.seed,
            threads=how.threads,
        )
        for k in (UNATTENDED, ORE_ATTENDED, HAZARD_ATTENDED)
    ]
    worth = FERTILITY + weight * units + np.array([0.0, gap])
    swayed = int((at[1].taken != at[2].taken).sum())
    return _tried(worth, [at[0].taken, at[1].taken], [at[0].output, at[1].output], swayed)


def try_hazard(settings: Settings, law: str, spread: float, horizon: int, how: How) -> Tried:
    """Settle land whose rates of strikes vary with s.d. ``spread``."""
    worlds, duration = _worlds(settings, how), settings.duration
    chances = struck(settings.rate + spread * draws(law, worlds, settings.seed))
    at = [
        choose(
            Cells(hazard=chances),
            k,
            worlds=worlds,
            duration=duration,
            turns=settings.turns,
            horizon=horizon,
            seed=settings.seed,
            threads=how.threads,
        )
        for k in (UNATTENDED, ORE_ATTENDED, HAZARD_ATTENDED)
    ]
    swayed = int((at[0].taken != at[1].taken).sum())
    return _tried(
        FERTILITY * (1.0 - chances) ** duration,
        [at[0].taken, at[2].taken],
        [at[0].output, at[2].output],
        swayed,
    )


def _worlds(settings: Settings, how: How) -> int:
    return max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds


def _worth(label: str, part: str, theory: float, gain: F64, still: bool, horizon: int, rows: int) -> Row:
    """The row of a worth: judged by its interval, by equality where ``still``, or not at all beyond h = 0."""
    if horizon > 0:
        interval = mean("", "", theory, gain, rows)
        note = f"not judged beyond h=0; by theory {theory:.5g}"
        return reported(label, part, interval.simulated, interval.low, interval.high, note)
    if still:
        furthest = float(gain[np.abs(gain).argmax()])
        return exact(label, part, theory, furthest, "nothing varies: equality in every world; the furthest")
    note = f"theory inside the {100.0 * (1.0 - FAMILY / rows):.6g} % interval of {gain.size} worlds"
    return mean(label, part, theory, gain, rows, note)


def _rise(label: str, part: str, theories: dict[float, float], seen: dict[float, float]) -> list[Row]:
    """The row of whether worth rises with the s.d.; no row where theory says of no two of them that it does."""
    steps = [pair for pair in pairwise(sorted(seen)) if theories[pair[1]] > theories[pair[0]] + HAIR]
    if not steps:
        return []
    least = min(seen[high] - seen[low] for low, high in steps)
    note = f"the least rise of {len(steps)}, from one s.d. to the next, on the same draws"
    return [bound(label, part, 0.0, ">", least, note)]


def _same(variable: str, law: str, found: Sequence[Tried]) -> list[Row]:
    """The rows of what is so in every world, over all points of a variable and a law."""
    part, note = f"variable={variable}, law={law}", f"equality; of {sum(t.worlds for t in found)} worlds"
    return [
        exact("worlds where attention takes the worse cell", part, 0.0, sum(t.worse for t in found), note),
        exact("worlds that attention to the other sways", part, 0.0, sum(t.swayed for t in found), note),
    ]


def ore_rows(settings: Settings, law: str, rows: int, how: How) -> list[Row]:
    """The rows of ore drawn from one law."""
    made: list[Row] = []
    found: list[Tried] = []
    ores = list(product(dict.fromkeys(settings.sd), dict.fromkeys(settings.weight)))
    for gap in dict.fromkeys(settings.gap):
        theories: dict[float, float] = {}
        seen: dict[float, float] = {}
        for horizon, (sd, weight) in product(dict.fromkeys(settings.h), ores):
            theory = ore_worth(law, weight * sd, gap)
            tried = try_ore(settings, law, (weight, sd), gap, horizon, how)
            part = words(law=law, weight=weight, sd=sd, gap=gap, h=horizon)
            still = weight * sd == 0.0
            made.append(_worth("worth of attention to ore", part, theory, tried.realised, still, horizon, rows))
            if horizon == 0:
                found.append(tried)
                theories[weight * sd], seen[weight * sd] = theory, float(tried.realised.mean())
        made += _rise("rise of the worth with the s.d. of ore", words(law=law, gap=gap), theories, seen)
    most, least = max(settings.weight) * max(settings.sd), min(settings.gap)
    points = most * outcomes(law, OUTCOMES)
    theory, note = ore_worth(law, most, least), f"over {OUTCOMES}² pairs of outcomes; within 0.1 % of an s.d."
    made.append(
        close(
            "worth of ore by enumeration",
            words(law=law, weight=max(settings.weight), sd=max(settings.sd), gap=least),
            theory,
            enumerated(points, points + least),
            COARSE * most + HAIR,
            note,
        )
    )
    return made + (_same("ore", law, found) if found else [])


def hazard_rows(settings: Settings, law: str, rows: int, how: How) -> list[Row]:
    """The rows of rates of strikes drawn from one law."""
    made: list[Row] = []
    found: list[Tried] = []
    theories: dict[float, float] = {}
    seen: dict[float, float] = {}
    rate, duration = settings.rate, settings.duration
    for horizon, spread in product(dict.fromkeys(settings.h), dict.fromkeys(settings.spread)):
        theory = hazard_worth(law, rate, spread, duration)
        tried = try_hazard(settings, law, spread, horizon, how)
        part = words(law=law, spread=spread, rate=rate, duration=duration, h=horizon)
        still = spread * duration == 0.0
        for label, gain in (("expected", tried.expected), ("realised", tried.realised)):
            label = f"worth of attention to hazard, {label}"
            made.append(_worth(label, part, theory, gain, still, horizon, rows))
        if horizon == 0:
            found.append(tried)
            theories[spread], seen[spread] = theory, float(tried.expected.mean())
    made += _rise("rise of the worth with the s.d. of hazard", words(law=law), theories, seen)
    most = max(settings.spread)
    shares = FERTILITY * np.exp(-duration * (rate + most * outcomes(law, OUTCOMES)))
    theory, note = hazard_worth(law, rate, most, duration), f"over {OUTCOMES}² pairs of outcomes; within 0.1 % of it"
    part = words(law=law, spread=most, rate=rate, duration=duration)
    found_by = enumerated(shares, shares)
    made.append(close("worth of hazard by enumeration", part, theory, found_by, COARSE * theory + HAIR, note))
    return made + (_same("hazard", law, found) if found else [])


def tie_row(settings: Settings, rows: int, how: How) -> Row:
    """The row of how two equal cells are told apart: by ranks that favour neither."""
    worlds = _worlds(settings, how)
    taken = choose(Cells(), UNATTENDED, worlds=worlds, seed=settings.seed, threads=how.threads).taken
    return frequency("ties that the first cell wins", "h=0", 0.5, int((taken == 0).sum()), worlds, rows)


def run(settings: Settings, how: How) -> list[Row]:
    """Settle; see the module."""
    laws = list(dict.fromkeys(settings.law))
    points = len(settings.gap) * len(settings.sd) * len(settings.weight) + 2 * len(settings.spread)
    rows = len(laws) * points + 1
    made = [tie_row(settings, rows, how)]
    for index, law in enumerate(laws):
        how.report(2 * index, 2 * len(laws))
        made += ore_rows(settings, law, rows, how)
        how.report(2 * index + 1, 2 * len(laws))
        made += hazard_rows(settings, law, rows, how)
    return made


CASE = KnownAnswer(
    "K10",
    "value of attention",
    "attention to what varies is worth E[max(X₁, X₂)] − max(E X₁, E X₂), in closed form for three laws; to what does "
    "not vary, exactly nothing",
    "land made by hand: two free cells, one claim",
    Settings,
    run,
)
