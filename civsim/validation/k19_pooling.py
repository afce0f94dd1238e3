"""K19: a dear project is begun when a fund can pay it, and the fund of all grows faster than that of one.

A realm of S provinces, one cell each, of the same output y, puts all of it into the settlement fund; a claim costs C.
The capital commands the share ``pool`` of what is paid in, each province the rest of its own. So after t turns the
capital's pool holds pool · S · y · t and a purse (1 − pool) · y · t, and what is paid into a fund in a turn can be
spent in it: the centre (``pool`` = 1) begins after ⌈C / (S · y)⌉ turns, a province (``pool`` = 0) after ⌈C / y⌉, and in
between who can pay first does, after min(⌈C / (pool · S · y)⌉, ⌈C / ((1 − pool) · y)⌉).

There is a cell to be had beside each province, or beside one only.
"""

from __future__ import annotations

from math import ceil, inf
from typing import Annotated, Any, Literal, NamedTuple, get_args

import numpy as np
from pydantic import BeforeValidator, Field

from civsim.base.constants import OrderKind, OrderStatus
from civsim.base.scenario import Frozen, Probability, Scenario
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Row, Seed, exact, several, words
from civsim.validation.hand_made import flat_land, hold, scenario, split

NEAR = 1e-9
"""Turns within which a fund may hold what a claim costs but for rounding."""

EXACT = (0.0, 0.5, 1.0)
"""Shares of the pool that rounding does not touch."""

PRIZE = 50.0
"""What a cell to be had gives (output)."""

SETTINGS: dict[str, Any] = {
    "map.height": 2, "map.hazard": 0.0, "game.civilizations": 1, "claims.growth": 0.0, "claims.lag": 0,
    # Nobody can pay for the other cells.
    "claims.ruggedness_cost": 1e6, "works.per_turn": 0, "walls.per_turn": 0,
    "seat_default.levels.sight": 32, "seat_default.levels.attention": 6,
}  # fmt: skip

Where = Literal["each", "one"]
_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Counts = Annotated[tuple[Annotated[int, Field(ge=2, le=8)], ...], *_SEVERAL]
Costs = Annotated[tuple[Annotated[int, Field(ge=1, le=200)], ...], *_SEVERAL]
Yields = Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], *_SEVERAL]
Pools = Annotated[tuple[Probability, ...], *_SEVERAL]
Horizons = Annotated[tuple[Annotated[int, Field(ge=0, le=32)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K19."""

    count: Counts = Field((2, 3, 8), description="S, provinces: seats of thought")
    cost: Costs = Field((7, 12), description="C, what a claim costs (output)")
    output: Yields = Field((1, 2), description="y, what a province earns a turn (output)")
    pool: Pools = Field((0.0, 0.25, 0.5, 1.0), description="share of what is paid in that the capital commands")
    beside: Annotated[tuple[Where, ...], BeforeValidator(several), Field(min_length=1)] = Field(
        get_args(Where), description="a cell to be had beside each province, or beside one"
    )
    h: Horizons = Field((0, 8), description="horizons of every seat (turns)")
    seed: Seed = Field(0, description="seed of the world")


class Realm(NamedTuple):
    """A realm that saves."""

    seats: int
    cost: int
    output: int
    pool: float
    beside: Where
    horizon: int


class Begun(NamedTuple):
    """When a realm first claims."""

    turns: int  # turns paid in by then
    claims: int  # of that turn


def turns_until(cost: float, income: float) -> float:
    """Return the turns after which a fund of this income pays ``cost``; inf where there is none."""
    return ceil(cost / income - NEAR) if income > 0.0 else inf


def begins_after(realm: Realm) -> float:
    """Return the turns after which the realm begins: as soon as the capital's pool or a province's purse can pay."""
    of_all, of_one = realm.pool * realm.seats * realm.output, (1.0 - realm.pool) * realm.output
    return min(turns_until(realm.cost, of_all), turns_until(realm.cost, of_one))


def on_the_edge(realm: Realm) -> bool:
    """Return True where the first fund to pay would then hold the cost exactly but for rounding.

    Halves are binary numbers, and so is all: what is divided so lacks nothing.
    """
    if realm.pool in EXACT:
        return False
    incomes = realm.pool * realm.seats * realm.output, (1.0 - realm.pool) * realm.output
    turns = [realm.cost / income for income in incomes if turns_until(realm.cost, income) == begins_after(realm)]
    return any(abs(one - round(one)) < NEAR for one in turns)


def claims_then(realm: Realm, turns: float) -> int:
    """Return how many claims are made in the turn in which the realm begins: as many cells as can be paid."""
    cells = realm.seats if realm.beside == "each" else 1
    if (1.0 - realm.pool) * realm.output * turns >= realm.cost - NEAR:
        return cells
    return min(cells, int(realm.pool * realm.seats * realm.output * turns / realm.cost + NEAR))


def game_of(realm: Realm) -> Scenario:
    """Return the game, twice as long as the longest saving."""
    return scenario(
        SETTINGS,
        map__width=realm.seats,
        game__turns=2 * ceil(2 * realm.cost / realm.output) + 2,
        claims={"cost": float(realm.cost), "per_turn": realm.seats},
        seat_default__levels__horizon=realm.horizon,
        thinking__seats={"count": realm.seats, "cells": 1, "pool": realm.pool},
    )


def begun(realm: Realm, seed: int = 0) -> Begun:
    """Let the realm save until it claims; no claim is 0 turns and 0 claims."""
    game, width = game_of(realm), realm.seats
    held, outer = range(width), range(width, 2 * width)
    there = outer if realm.beside == "each" else outer[-1:]
    rugged = {cell: 1.0 for cell in outer if cell not in there}
    rich = {**dict.fromkeys(held, float(realm.output)), **dict.fromkeys(there, PRIZE)}
    world = World(game, 1, seed=seed, land=flat_land(game, (0,), 0.0, rich=rich, ruggedness=rugged))
    hold(world, 0, *held[1:])
    for turn in range(game.game.turns):
        world.step(split(world, settlement=1))
        if world.state.office_count[0, 0] != realm.seats:
            raise RuntimeError("a cell is no province: the world is not set up as the case says")
        done = (world.orders.kind[0, 0] == OrderKind.CLAIM) & (world.orders.status[0, 0] == OrderStatus.DONE)
        if done.any():
            return Begun(turn + 1, int(np.count_nonzero(done)))
    return Begun(0, 0)


def _rows(realm: Realm, seed: int) -> list[Row]:
    """Rows of one realm."""
    found, theory = begun(realm, seed), begins_after(realm)
    place = words(**realm._asdict())
    label = "turns until the first claim"
    if on_the_edge(realm):
        note, late = "a fund that lacks what was rounded may be a turn late", found.turns - 1
        return [Row(label, place, theory, found.turns, late, found.turns, late <= theory <= found.turns, note)]
    return [
        exact(label, place, theory, found.turns),
        exact("claims of that turn", place, claims_then(realm, theory), found.claims),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Save; see the module."""
    counts, costs, yields = (
        list(dict.fromkeys(settings.count)),
        list(dict.fromkeys(settings.cost)),
        list(dict.fromkeys(settings.output)),
    )
    pools, beside, horizons = (
        list(dict.fromkeys(settings.pool)),
        list(dict.fromkeys(settings.beside)),
        list(dict.fromkeys(settings.h)),
    )
    realms = [
        Realm(count, cost, output, pool, where, horizon)
        for count in counts
        for cost in costs
        for output in yields
        for pool in pools
        for where in beside
        for horizon in horizons
    ]
    rows = []
    for index, realm in enumerate(realms):
        how.report(index, len(realms))
        rows += _rows(realm, settings.seed)
    return rows


CASE = KnownAnswer(
    "K19",
    "seats of thought: pooling",
    "a claim that costs C where each of S provinces earns y a turn: the centre begins it after ⌈C / (S·y)⌉ turns, a "
    "province after ⌈C / y⌉; with a pool the first of ⌈C / (pool·S·y)⌉ and ⌈C / ((1 − pool)·y)⌉",
    "land made by hand, a realm of S cells in a row, each a province, and dear land beside them",
    Settings,
    run,
)
