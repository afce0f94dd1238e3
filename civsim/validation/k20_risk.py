"""K20: eggs in one basket or in many: what is left of the staff where seats of thought fall independently.

A realm houses its staff in S seats by weights w, Σ w = 1, and loses ``lost`` of what a seat holds where its cell is
captured. Of a staff of 1 any set F of seats that fall, in any order, leaves 1 − lost · Σ_F w. Where each falls with
probability q by itself, that has

    mean 1 − q · lost        whatever S and w: spreading buys nothing on average,
    variance lost² · q · (1 − q) · Σ w²,      1/S of one seat's where weights are equal: Σ w² is their concentration,
    chance q^S that all is lost, where ``lost`` is 1.

Seats fall by the rules of war: a rival attacks each of them in one turn, and with decisiveness 1, an army of q against
one of 1 − q and no losses, each battle is won with chance q, by a draw of its own. Sets and orders of falls are set by
attacks that meet no army. Every seat stands on its own cell, and a lost capital moves to a cell that nobody attacks.
"""

from __future__ import annotations

from itertools import islice, permutations
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import COGNITIVE, NOBODY, Category, OrderKind
from civsim.base.scenario import Frozen
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Row, Seed, close, frequency, mean, several, words
from civsim.validation.hand_made import flat_land, hold, no_orders, scenario, split

F64 = NDArray[np.float64]

APART = 3
"""Cells of a province: seats do not stand side by side."""

ROUNDED = 1e-6
"""Staff is kept in float32, rounded at every fall."""

MOST_ORDERS = 2_000
"""Orders of falls tried: all of them up to five seats."""

FULL_WORLDS = 50_000

SETTINGS: dict[str, Any] = {
    "map.height": 2, "map.hazard": 0.0, "game.civilizations": 2, "game.turns": 4,
    "claims.per_turn": 0, "works.per_turn": 0, "walls.per_turn": 0,
    "army.lag": 0, "army.minimum": 0.0, "army.decisiveness": 1.0, "army.projection": float("inf"),
    "army.loss_winner": 0.0, "army.loss_loser": 0.0,
    "economy.depreciation": dict.fromkeys(("army", "strategists", "scouts", "analysts"), 0.0),
}  # fmt: skip

Weights = Literal["equal", "rising"]
_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Counts = Annotated[tuple[Annotated[int, Field(ge=1, le=8)], ...], *_SEVERAL]
Chances = Annotated[tuple[Annotated[float, Field(ge=0.05, le=0.95)], ...], *_SEVERAL]
Losses = Annotated[tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K20."""

    count: Counts = Field((1, 2, 4), description="S, seats of thought")
    q: Chances = Field((0.1, 0.4), description="probability that a seat falls")
    lost: Losses = Field((0.5, 1.0), description="share of a seat's staff that falls with it")
    weights: Annotated[tuple[Weights, ...], BeforeValidator(several), Field(min_length=1)] = Field(
        ("equal", "rising"), description="shares of the staff: equal, or as 1 : 2 : … : S"
    )
    worlds: int = Field(5000, ge=200, le=200_000, description="worlds; 50,000 at least with --full")
    seed: Seed = Field(0, description="seed of the worlds")


class Falls(NamedTuple):
    """What fell in each world, and what was left."""

    fell: NDArray[np.bool_]  # [worlds, S]
    left: F64  # [worlds, 3] of a staff of 1 of each kind


def shares_of(count: int, weights: Weights) -> F64:
    """Return w, float64 [S], the capital's first."""
    raw = np.ones(count) if weights == "equal" else np.arange(1.0, count + 1.0)
    return raw / raw.sum()


def staff_left(fell: NDArray[np.bool_], shares: F64, lost: float) -> F64:
    """Return 1 − lost · Σ_F w for each set of seats that fall, bool [worlds, S]."""
    return 1.0 - lost * (fell * shares).sum(axis=1)


def expected(q: float, lost: float) -> float:
    """Return the expected staff left of 1, 1 − q · lost."""
    return 1.0 - q * lost


def variance(q: float, lost: float, shares: F64) -> float:
    """Return the variance of the staff left, lost² · q · (1 − q) · Σ w²."""
    return lost**2 * q * (1.0 - q) * float((shares**2).sum())


def all_lost(q: float, count: int) -> float:
    """Return the chance that nothing is left where a seat loses all, q^S."""
    return q**count


def realm(count: int, lost: float, weights: Weights, worlds: int, seed: int) -> World:
    """Return worlds of a realm of seats in a row, its provinces drawn, and of a rival all along it."""
    width = APART * count
    game = scenario(
        SETTINGS,
        map__width=width,
        army__per_turn=count,
        thinking__seats={
            "count": count,
            "cells": APART,
            "lost": lost,
            "weights": "equal" if weights == "equal" else tuple(range(1, count + 1)),
        },
    )
    world = World(game, worlds, seed=seed, land=flat_land(game, (0, width)))
    hold(world, 0, *range(1, width))
    hold(world, 1, *range(width + 1, 2 * width))
    world.step(split(world, consumption=1), no_orders(world))
    return world


def attacked(world: World, offices: NDArray[np.int64], attack: float, defence: float) -> Falls:
    """Attack seats of thought, int [worlds, S] in this order, -1 for none, with an army against another."""
    state, rows, count = world.state, np.arange(world.n_worlds)[:, None], offices.shape[1]
    cells = state.office_cell[:, 0, :count].copy() if count > 1 else state.capital[:, :1].copy()
    state.stock[:, 0, list(COGNITIVE)] = 1.0
    state.stock[:, :, Category.ARMY] = defence, attack
    given = no_orders(world)
    given.kind[:, 1, :count] = np.where(offices == NOBODY, OrderKind.NONE, OrderKind.ATTACK)
    given.cell[:, 1, :count] = np.where(offices == NOBODY, NOBODY, cells[rows, offices])
    world.step(split(world, consumption=1), given)
    fell = state.owner[rows, cells] == 1
    return Falls(fell, state.stock[:, 0, list(COGNITIVE)].astype(np.float64))


def orders_of_falls(count: int) -> NDArray[np.int64]:
    """Return sets and orders in which seats fall, int64 [orders, S], filled up with -1."""
    every = (
        (*order, *[NOBODY] * (count - size)) for size in range(count + 1) for order in permutations(range(count), size)
    )
    return np.array(list(islice(every, MOST_ORDERS)), np.int64)


def _set_rows(count: int, lost: float, weights: Weights, seed: int) -> list[Row]:
    """The row of falls that are set: any set, in any order."""
    orders = orders_of_falls(count)
    world = realm(count, lost, weights, len(orders), seed)
    falls = attacked(world, orders, 1.0, 0.0)
    meant = np.array([[office in order for office in range(count)] for order in orders])
    if not (falls.fell == meant).all():
        raise RuntimeError("a seat stands that was to fall: the world is not set up as the case says")
    off = np.abs(falls.left - staff_left(meant, shares_of(count, weights), lost)[:, None]).max()
    note = f"{len(orders)} orders of falls, within 10⁻⁶: rounding to float32"
    place = words(count=count, lost=lost, weights=weights)
    return [close("largest distance from 1 − lost · Σw", place, 0.0, float(off), ROUNDED, note)]


def _drawn_rows(count: int, lost: float, weights: Weights, q: float, falls: Falls, rows: int) -> list[Row]:
    """Rows of falls that are drawn: mean, variance, and the chance to lose all."""
    shares, left = shares_of(count, weights), falls.left[:, 0]
    place = words(count=count, lost=lost, weights=weights, q=q)
    squares = (left - expected(q, lost)) ** 2
    made = [
        mean("staff left of 1, expected", place, expected(q, lost), left, rows),
        mean("its variance", place, variance(q, lost, shares), squares, rows),
    ]
    if lost == 1.0:
        none = int((left < ROUNDED).sum())
        made.append(frequency("worlds in which all is lost", place, all_lost(q, count), none, left.size, rows))
    return made


def run(settings: Settings, how: How) -> list[Row]:
    """Attack; see the module."""
    worlds = max(settings.worlds, FULL_WORLDS) if how.full else settings.worlds
    counts, losses = dict.fromkeys(settings.count), dict.fromkeys(settings.lost)
    chances, kinds = list(dict.fromkeys(settings.q)), list(dict.fromkeys(settings.weights))
    # The shares of one seat are what they are.
    realms = [(s, lost, kind) for s in counts for lost in losses for kind in (kinds if s > 1 else kinds[:1])]
    rows = sum((3 if lost == 1.0 else 2) * len(chances) for _, lost, _ in realms)
    made: list[Row] = []
    for index, (count, lost, kind) in enumerate(realms):
        how.report(index, len(realms))
        made += _set_rows(count, lost, kind, settings.seed)
        for q in chances:
            world = realm(count, lost, kind, worlds, settings.seed)
            offices = np.broadcast_to(np.arange(count), (worlds, count))
            made += _drawn_rows(count, lost, kind, q, attacked(world, offices, q, 1.0 - q), rows)
    return made


CASE = KnownAnswer(
    "K20",
    "seats of thought: risk",
    "a staff of 1 in S seats of weights w that fall with probability q each, by itself: 1 − q·lost is left on average, "
    "with variance lost²·q·(1 − q)·Σw²; nothing with probability q^S where lost = 1; any set F leaves 1 − lost·Σ_F w",
    "land made by hand, a realm in a row and a rival along it; battles without losses, won with probability q",
    Settings,
    run,
)
