"""K18: what a province's fresh look is worth against news that a messenger brings to the centre.

A province d cells from the capital has two volatile sites of one cost beside it, and one claim is made in a turn set
beforehand: by the seat of the province, which sees the sites (``pool`` = 0), or by the capital (``pool`` = 1), which
has only heard of them, n = ⌈d / messenger⌉ turns ago. Both know how volatile sites are and take the one that is
likelier to be high.

A site flips with probability p a turn, λ = 1 − 2p. What is decided in a turn gives output g turns later: a party that
is ``lag`` turns on its way settles before that turn's production, and without a lag the next turn's is the first, so
g = max(lag, 1). What was seen n turns before the decision is n + g turns old by then, and where the two sites were
unlike, the one that was high still is with probability ½ (1 + λ^(n+g)): K5's, at age n + g − 1. Sites are independent,
so they are unlike half the time, and where they are alike nothing is decided; hence the claimed site is high with
probability ½ + ¼ λ^(n+g). With s the difference of output between the states, a fresh look is worth

    s · ¼ (λ^g − λ^(n+g)) = ½ (λ^g − λ^(n+g)) · s / 2,

K5's ½ (λ − λ^(n+1)) at g = 1, in units of what a site gives above or below its mean, s / 2, which is 1 here.
"""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import OrderKind, OrderStatus
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Row, Seed, exact, frequency, mean, reported, several, words
from civsim.validation.hand_made import flat_land, hold, scenario, split
from civsim.validation.k5_sight import Volatilities, chance_right

FULL_WORLDS = 20_000
LOW, HIGH = 2.0, 4.0
"""What a site gives in its two states (output): 1 below or above the mean."""

HOME = 2.0
"""What each of the two cells held gives (output)."""

ROWS = 3
"""Cells from north to south: the realm lies in the middle row, a site on either side of the province."""

REST = 32
"""Turns of the game that are left then: the site pays for its claim many times over."""

FAINT = 1e-6
"""A difference that is believed to be smaller need not decide: the planner counts it as none."""

SETTINGS: dict[str, Any] = {
    "map.height": ROWS, "map.hazard": 0.0, "map.volatile_low": LOW / HIGH, "game.civilizations": 1,
    "claims.cost": 1.0, "claims.growth": 0.0, "claims.per_turn": 1, "works.per_turn": 0, "walls.per_turn": 0,
    # Nobody can pay for land that is no site.
    "claims.ruggedness_cost": 1e6,
    # A cell sees the cells beside it: the capital sees no site.
    "seat_default.levels.sight": 1, "seat_default.levels.attention": 6,
    "thinking.seats.count": 2, "thinking.seats.cells": 1,
}  # fmt: skip

_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Ways = Annotated[tuple[Annotated[int, Field(ge=1, le=24)], ...], *_SEVERAL]
Paces = Annotated[tuple[Annotated[float, Field(ge=0.5, le=1000.0)], ...], *_SEVERAL]
Lags = Annotated[tuple[Annotated[int, Field(ge=0, le=8)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K18."""

    p: Volatilities = Field((0.05, 0.25, 0.4), description="volatility: chance that a site flips in a turn")
    d: Ways = Field((3, 6), description="cells between the capital and the province's seat")
    messenger: Paces = Field((1.0, 3.0), description="cells a turn")
    lag: Lags = Field((0, 2), description="turns from a claim to its arrival")
    h: int = Field(0, ge=0, le=16, description="horizon of either seat (turns)")
    worlds: int = Field(4000, ge=100, le=100_000, description="worlds of one decision; 20,000 at least with --full")
    seed: Seed = Field(0, description="seed of the worlds")


class Place(NamedTuple):
    """Where and when a decision is made."""

    p: float  # volatility
    d: int  # cells from the capital
    lag: int  # turns of a party
    when: int  # turn of the decision
    horizon: int


class Decided(NamedTuple):
    """One decision in each world."""

    then: NDArray[np.uint8]  # [worlds, 2] states of the sites as who decides last saw them, 1: high
    claimed: NDArray[np.int64]  # [worlds] which of the two was claimed
    gave: NDArray[np.float64]  # [worlds] what it gave in the first turn (output)

    @property
    def unlike(self) -> NDArray[np.bool_]:
        """Bool [worlds]: one site had been seen high and the other low."""
        return self.then[:, 0] != self.then[:, 1]

    @property
    def worse(self) -> int:
        """Worlds in which the site was claimed that had been seen low, the other high."""
        taken = self.then[np.arange(self.claimed.size), self.claimed]
        return int((self.unlike & (taken == 0)).sum())


def news_age(d: int, messenger: float) -> int:
    """Return n, how old what the province saw is at the capital (turns)."""
    return ceil(d / messenger - FAINT)


def matures(lag: int) -> int:
    """Return g, the turns from a decision to the first output that it brings."""
    return max(lag, 1)


def advantage(p: float, age: int, lag: int) -> float:
    """Return the provinces' advantage over a centre whose news is ``age`` turns old, ½ (λ^g − λ^(n+g)), in [0, ½]."""
    memory, first = 1.0 - 2.0 * p, matures(lag)
    return 0.5 * (memory**first - memory ** (age + first))


def _end(place: Place) -> int:
    """Return the turns that are played: to the first in which the claimed site gives."""
    return place.when + matures(place.lag) + 1


def game_of(place: Place, pool: float, messenger: float) -> Scenario:
    """Return the game of one decision."""
    return scenario(
        SETTINGS,
        map__width=place.d + 2,
        map__volatility=place.p,
        claims__lag=place.lag,
        game__turns=_end(place) + REST,
        seat_default__levels__horizon=place.horizon,
        thinking__seats__pool=pool,
        thinking__seats__messenger=messenger,
    )


def decided(place: Place, pool: float, messenger: float, worlds: int, seed: int) -> Decided:
    """Play the game of one decision: of the province where ``pool`` is 0, of the capital where it is 1."""
    game, width = game_of(place, pool, messenger), place.d + 2
    capital, seat = width, width + place.d
    sites = np.array([seat - width, seat + width])
    rich = {capital: HOME, seat: HOME, **dict.fromkeys(sites.tolist(), HIGH)}
    rugged = dict.fromkeys(set(range(game.n_cells)) - set(rich), 1.0)
    land = flat_land(game, (capital,), 0.0, rich=rich, ruggedness=rugged, site=dict.fromkeys(sites.tolist(), 1))
    world = World(game, worlds, seed=seed, land=land)
    hold(world, 0, seat)
    seen, claimed = place.when - (news_age(place.d, messenger) if pool else 0), np.zeros(worlds, np.int64)
    then = np.zeros((worlds, sites.size), np.uint8)
    for turn in range(_end(place)):
        world.step(split(world, settlement=1) if turn == place.when else split(world, consumption=1))
        if turn == seen:
            then = world.state.site_state[:, sites].copy()
        if turn == place.when:
            orders = world.orders
            made = (orders.kind[:, 0, 0] == OrderKind.CLAIM) & (orders.status[:, 0, 0] == OrderStatus.DONE)
            claimed = (orders.cell[:, 0, 0] == sites[1]).astype(np.int64)
            if not (made & np.isin(orders.cell[:, 0, 0], sites)).all():
                raise RuntimeError("a world has no claim of a site: it is not set up as the case says")
    return Decided(then, claimed, world.state.output[:, 0].astype(np.float64) - 2.0 * HOME)


def _rows(place: Place, messenger: float, sides: tuple[Decided, Decided], rows: int) -> list[Row]:
    """Rows of one place and pace: what either side decided upon, how often it was right, and what that was worth."""
    province, centre = sides
    age, first = news_age(place.d, messenger), matures(place.lag)
    at = words(p=place.p, d=place.d, messenger=messenger, lag=place.lag)
    label, worse = "worlds in which the site last seen low was taken", float(province.worse + centre.worse)
    faint = (1.0 - 2.0 * place.p) ** (age + first) < FAINT
    if faint:
        made = [reported(label, at, worse, note="what the centre has heard is too old to tell the sites apart")]
    else:
        made = [exact(label, at, 0.0, worse, "a count, of both sides")]
    high = centre.gave[centre.unlike] == HIGH
    label = "the site last seen high is, where it was taken by the centre"
    right = chance_right(place.p, age + first - 1)
    if high.size and not faint:
        made.append(frequency(label, at, right, int(high.sum()), high.size, rows))
    gain = province.gave - centre.gave
    note = f"n={age}, g={first}; paired worlds"
    found = mean("advantage of the province", at, advantage(place.p, age, place.lag), gain, rows)
    return [*made, found._replace(note=f"{found.note}; {note}")]


def run(settings: Settings, how: How) -> list[Row]:
    """Decide; see the module."""
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    volatilities, ways, lags = dict.fromkeys(settings.p), dict.fromkeys(settings.d), dict.fromkeys(settings.lag)
    paces = tuple(dict.fromkeys(settings.messenger))
    places = [
        Place(p, d, lag, max(news_age(d, pace) for pace in paces), settings.h)
        for p in volatilities
        for d in ways
        for lag in lags
    ]
    made: list[Row] = []
    for index, place in enumerate(places):
        how.report(index, len(places))
        province = decided(place, 0.0, paces[0], worlds, settings.seed)
        for pace in paces:
            centre = decided(place, 1.0, pace, worlds, settings.seed)
            made += _rows(place, pace, (province, centre), 2 * len(places) * len(paces))
    return made


CASE = KnownAnswer(
    "K18",
    "seats of thought: freshness",
    "two volatile sites d cells from the capital, one to be claimed: a province that sees them gains "
    "½(λ^g − λ^(n+g)) over a centre whose news is n = ⌈d / messenger⌉ turns old, in units of a site's gain over its "
    "mean, where the claim first gives g turns later; K5's ½(λ − λ^(n+1)) at g = 1",
    "land made by hand, two cells held far apart, a site on either side of one of them",
    Settings,
    run,
)
