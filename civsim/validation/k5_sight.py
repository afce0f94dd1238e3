"""K5: the value of sight, shown with the volatile-site rule.

A site flips with probability p a turn, so what was seen n turns ago is right about the next turn with probability
½ (1 + λ^(n+1)), λ = 1 − 2p. Acting on a fresh look instead of one n turns stale is worth ½ (λ − λ^(n+1)): for n = 1 it
peaks at p = ¼ with 0.125, an inverted U in volatility.
"""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.analysis.statistics.resample import student_estimate
from civsim.base.scenario import Frozen
from civsim.engine.world import World
from civsim.validation.case import FAMILY, How, KnownAnswer, Row, Seed, mean, several, words
from civsim.validation.hand_made import flat_land, no_orders, scenario, split

F64 = NDArray[np.float64]

SIDE = 8
"""Cells from edge to edge; every cell but the capital has a site."""

INCOME = 40.0
"""Output a turn: pays for scouts who see the whole map."""

LOOKS = 8
"""Least number of looks that are judged in a world."""

FULL_WORLDS = 1000
Volatilities = Annotated[
    tuple[Annotated[float, Field(ge=0.0, le=0.5)], ...], BeforeValidator(several), Field(min_length=1, max_length=64)
]
Stale = Annotated[
    tuple[Annotated[int, Field(ge=1, le=16)], ...], BeforeValidator(several), Field(min_length=1, max_length=16)
]


class Settings(Frozen):
    """Parameters of K5."""

    p: Volatilities = Field((0.05, 0.1, 0.25, 0.4, 0.45), description="volatility: chance of a flip in a turn")
    n: Stale = Field((1, 2, 4), description="turns that the stale look is old")
    worlds: int = Field(150, ge=10, le=20_000, description="worlds of 63 sites each; 1,000 at least with --full")
    seed: Seed = Field(3, description="seed of the worlds")


@functools.lru_cache(maxsize=64)
def correct(volatility: float, age: int, worlds: int = 150, seed: int = 3) -> F64:
    """Return the share of sites whose next state is as last seen, float64 [worlds]; a look every ``age`` + 1 turns."""
    turns = max(24, LOOKS * (age + 1) + 1)
    game = scenario(
        {"map.width": SIDE, "map.height": SIDE, "map.hazard": 0.0, "game.civilizations": 1, "game.turns": turns},
        map__volatility=volatility,
        thinking={"endowment": {"sight": 0}, "price": {"sight": 1.0}, "span": 0.0, "max_sight": 32},
        economy__depreciation={"scouts": 1.0},
    )
    sites = dict.fromkeys(range(1, SIDE * SIDE), 1)
    world = World(game, worlds, seed=seed, land=flat_land(game, (0,), INCOME, site=sites))
    hits, looks = np.zeros(worlds), 0
    for turn in range(turns):
        judged = turn > 0 and (turn - 1) % (age + 1) == age
        believed = world.state.known_site[:, 0, 1:] == 1
        if judged and not (world.state.seen[:, 0, 1:] == turn - 1 - age).all():
            raise RuntimeError(f"the last look is not {age} turns old: the world is not set up as the case says")
        # Scouts last a turn: they are paid in the turns of a look and see the whole map then, else nothing.
        spend = split(world, scouts=1) if turn % (age + 1) == 0 else split(world, consumption=1)
        world.step(spend, no_orders(world))
        if judged:
            hits += (believed == (world.state.site_state[:, 1:] == 1)).mean(axis=1)
            looks += 1
    return hits / looks


def chance_right(volatility: float, age: int) -> float:
    """Return the chance that what was seen ``age`` turns ago is right about the next turn, ½ (1 + λ^(n+1))."""
    return 0.5 * (1.0 + (1.0 - 2.0 * volatility) ** (age + 1))


def worth(volatility: float, stale: int) -> float:
    """Return what a fresh look is worth against one ``stale`` turns old, ½ (λ − λ^(n+1)), in [0, ½]."""
    memory = 1.0 - 2.0 * volatility
    return 0.5 * (memory - memory ** (stale + 1))


def _peak(n: int, gains: dict[float, F64], rows: int) -> Row:
    """The row of where among the volatilities tried the value of sight is highest: an inverted U.

    Its interval holds the volatilities whose worth cannot be told from the best one's, within worlds.
    """
    tried = sorted(gains)
    theory = tried[int(np.argmax([worth(p, n) for p in tried]))]
    seen = max(tried, key=lambda p: float(gains[p].mean()))
    alike = [p for p in tried if p == seen or student_estimate(gains[seen] - gains[p], 1.0 - FAMILY / rows).low <= 0.0]
    note = f"of p={','.join(f'{p:g}' for p in tried)}; interval: those not told apart from the best"
    note += "; over all p it is ¼" if n == 1 else ""
    label = "volatility at which sight is worth most"
    return Row(label, words(n=n), theory, seen, min(alike), max(alike), theory in alike, note)


def run(settings: Settings, how: How) -> list[Row]:
    """Look; see the module."""
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    volatilities, ages = list(dict.fromkeys(settings.p)), list(dict.fromkeys(settings.n))
    count = len(volatilities) * (1 + len(ages)) + len(ages)
    fresh = {p: correct(p, 0, worlds, settings.seed) for p in volatilities}
    rows = [mean("a fresh look is right", words(p=p), chance_right(p, 0), fresh[p], count) for p in volatilities]
    for index, n in enumerate(ages):
        how.report(index, len(ages))
        gains = {p: fresh[p] - correct(p, n, worlds, settings.seed) for p in volatilities}
        rows += [mean("worth of a fresh look", words(p=p, n=n), worth(p, n), gains[p], count) for p in volatilities]
        if len(volatilities) > 2:
            rows.append(_peak(n, gains, count))
    return rows


CASE = KnownAnswer(
    "K5",
    "value of sight",
    "a fresh look against one n turns stale is worth ½(λ − λ^(n+1)), λ = 1 − 2p; for n = 1 it peaks at p = ¼",
    "land made by hand, a site in every cell",
    Settings,
    run,
)
