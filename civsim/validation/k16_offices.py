"""K16: where thought is housed in one seat, or in several that lack nothing, the game is the one without the rule.

*One seat.* With a ``count`` of 1, whatever the messengers, the pool and the weights, every field of the state and every
order is that of the default, bit for bit. (``lost`` is left out: a realm of one seat, too, loses staff with it.)

*Nothing lacking.* Levels are given and not bought, messengers are instant, and the capital commands all funds
(``pool`` = 1). Then every order that S seats give and carry out is one that a single seat gives, in the same sequence,
and the world is the same bit for bit: on two islands that never meet, for which it must hold, and on any other land,
since what seats see is seen at once by all. (Void orders are left out. One seat that looks no turn ahead asks its fund
by what claims truly cost and so gives none that would be void for that; where there are several, the planner decides.)
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from math import inf
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import OrderStatus
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.state import PHYSICAL_FIELDS, Orders, State
from civsim.engine.world import World
from civsim.scenarios.loader import load_scenario, override
from civsim.validation.case import How, KnownAnswer, Row, Seed, exact, several, words
from civsim.validation.hand_made import bits, differing, flat_land, hold, scenario

ISLANDS = "two islands"
"""A realm on two islands, beside scenarios of the library."""

WIDTH, HEIGHT, STRAIT = 11, 5, 5
"""The map of the islands, and the column of sea between them."""

HOMES = (2 * WIDTH + 2, 2 * WIDTH + 8)
"""A cell on either island that the realm holds from the start, the capital first."""

SHARES = (0.3, 0.25, 0.1, 0.05, 0.05, 0.1, 0.1, 0.05)
"""Shares of output by category; those closed in a scenario are left out and the rest scaled."""

GIVEN = {"sight": 4, "attention": 6}
"""Levels that are not varied."""

FULL_WORLDS = 16
ONE_SEAT: tuple[dict[str, Any], ...] = (
    {"messenger": 2.0, "pool": 0.5, "weights": "output"},
    {"messenger": 0.1, "pool": 1.0, "weights": (3.0,)},
)
"""Settings of one seat that change nothing."""

_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=32))
Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], *_SEVERAL]
Counts = Annotated[tuple[Annotated[int, Field(ge=2, le=8)], ...], *_SEVERAL]
Horizons = Annotated[tuple[Annotated[int, Field(ge=0, le=64)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K16."""

    scenario: Names = Field(
        (ISLANDS, "baseline", "volatile", "war", "raiders", "marches"),
        description="scenarios: of the library, files, or the two islands",
    )
    h: Horizons = Field((0, 6), description="horizons of every seat (turns)")
    count: Counts = Field((2, 4), description="S, seats of thought")
    turns: int = Field(60, ge=1, le=512, description="turns of a game, at most those of the scenario")
    worlds: int = Field(3, ge=1, le=1000, description="worlds of each; 16 at least with --full")
    seed: Seed = Field(0, description="seed of the worlds")


class Game(NamedTuple):
    """A game, turn by turn."""

    orders: tuple[tuple[bytes, ...], ...]  # by turn: kind, cell, choice and status of every order
    done: tuple[tuple[tuple[int, ...], ...], ...]  # by turn: world, civilization, kind, cell and choice of those done
    state: dict[str, bytes]  # every field at the end


def islands_game() -> Scenario:
    """Return the game of a realm on two islands; nobody can pay for the sea."""
    return scenario(
        {"map.width": WIDTH, "map.height": HEIGHT, "game.civilizations": 1, "game.turns": 60},
        claims__ruggedness_cost=1e6,
    )


def islands_land(game: Scenario, seed: int) -> Land:
    """Return two islands of uneven land."""
    rng, cells = np.random.default_rng([seed, 16]), np.arange(game.n_cells)
    fertility: NDArray[np.float64] = rng.uniform(0.2, 2.0, cells.size)
    sea = cells % WIDTH == STRAIT
    fertility[sea] = 0.0
    rich = dict(zip(cells.tolist(), fertility.tolist(), strict=True))
    rugged = dict(zip(cells.tolist(), np.where(sea, 1.0, 0.0).tolist(), strict=True))
    return flat_land(game, HOMES[:1], rich=rich, ruggedness=rugged)


@functools.lru_cache(maxsize=64)
def base_game(name: str, horizon: int) -> Scenario:
    """Return a scenario in which every level is given."""
    game = islands_game() if name == ISLANDS else load_scenario(name)
    levels = {"horizon": horizon, **GIVEN}
    return override(game, {f"seat_default.levels.{channel}": level for channel, level in levels.items()})


def shares_of(world: World) -> NDArray[np.float64]:
    """Return :data:`SHARES` [B, N, 8] of what is open in a world."""
    row = np.array(SHARES) * world.open
    row = row / row.sum(axis=-1, keepdims=True)
    return np.broadcast_to(row, (world.n_worlds, world.n_civilizations, len(SHARES))).copy()


def played(game: Scenario, islands: bool, settings: Settings, worlds: int) -> Game:
    """Play a game; on the islands the realm holds a cell of either from the start."""
    land = islands_land(game, settings.seed) if islands else None
    world = World(game, worlds, seed=settings.seed, land=land)
    if islands:
        hold(world, 0, *HOMES[1:])
    shares, given, done = shares_of(world), [], []
    for _ in range(min(settings.turns, game.game.turns)):
        world.step(shares)
        given.append(tuple(field.tobytes() for field in world.orders))
        done.append(carried_out(world.orders))
    return Game(tuple(given), tuple(done), bits(world, State._fields))


def carried_out(orders: Orders) -> tuple[tuple[int, ...], ...]:
    """Return world, civilization, kind, cell and choice of every order carried out, in the sequence given."""
    done = orders.status == OrderStatus.DONE
    b, i, _ = np.nonzero(done)
    columns = (b, i, orders.kind[done], orders.cell[done], orders.choice[done])
    return tuple(zip(*(column.tolist() for column in columns), strict=True))


def with_seats(game: Scenario, seats: dict[str, Any]) -> Scenario:
    """Return a game with these seats of thought for everybody."""
    return override(game, {f"thinking.seats.{name}": value for name, value in seats.items()})


def turns_differing(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return in how many turns the orders are not the same."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def _rows(name: str, horizon: int, settings: Settings, worlds: int) -> list[Row]:
    """Rows of one scenario at one horizon."""
    game, islands, made = base_game(name, horizon), name == ISLANDS, []
    plain = played(game, islands, settings, worlds)
    place = words(scenario=name, h=horizon)
    for values in ONE_SEAT:
        table = words(**values)
        one = played(with_seats(game, {"count": 1, **values}), islands, settings, worlds)
        fields = len(differing(plain.state, one.state))
        made.append(exact("fields that one seat changes", f"{place}, {table}", 0.0, fields))
        turns = turns_differing(plain.orders, one.orders)
        made.append(exact("turns in which it changes an order", f"{place}, {table}", 0.0, turns))
    for count in dict.fromkeys(settings.count):
        free = with_seats(game, {"count": count, "cells": 1, "messenger": inf, "pool": 1.0})
        many, at = played(free, islands, settings, worlds), f"{place}, S={count}"
        world = {field: many.state[field] for field in PHYSICAL_FIELDS}
        turns = turns_differing(plain.done, many.done)
        made.append(exact("turns in which S free seats change an order carried out", at, 0.0, turns))
        made.append(exact("fields of the world that they change", at, 0.0, len(differing(world, plain.state))))
    return made


def run(settings: Settings, how: How) -> list[Row]:
    """Play; see the module."""
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    places = [(name, h) for name in dict.fromkeys(settings.scenario) for h in dict.fromkeys(settings.h)]
    rows: list[Row] = []
    for index, (name, horizon) in enumerate(places):
        how.report(index, len(places))
        rows += _rows(name, horizon, settings, worlds)
    return rows


CASE = KnownAnswer(
    "K16",
    "seats of thought: none of it",
    "one seat, whatever its messengers, pool and weights, is the game without the rule; so are S seats with given "
    "levels, instant messengers and pooled funds: every order carried out and all of the world the same, bit for bit",
    "two islands made by hand; the others are scenarios as they are",
    Settings,
    run,
)
