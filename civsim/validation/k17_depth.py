"""K17: many seats think broader, one thinks deeper: S seats of H/S turns gain what H/S turns gain, and no more.

A realm lies on S islands, copies of one of K2's lands; nobody can pay for the sea between them. Each island is a
province, and its seat plans H/S turns ahead with the funds that its own province pays (``pool`` = 0). Claims cost the
same however large the realm is, and no cap binds: so no island bears on another, and each is played, claim for claim
in every turn, as the same land is played alone by one seat of H/S turns. (In which order a turn's claims are given is
left out: where a turn pays for two, either order is worth the same, and such ties go by the number of a cell.) What S
seats gain of the headroom between the rule of thumb and the best of every sequence is therefore the share that a
horizon of H/S gains, by exhaustion as in K2.

Beside it stands one seat of H turns that has all the funds. It is not judged: funds that go where they pay most are
more than S funds apart, so that it can gain more than all the headroom of islands that keep their own.
"""

from __future__ import annotations

import functools
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from civsim.base.constants import OrderKind, OrderStatus
from civsim.base.errors import StudyError
from civsim.base.scenario import Frozen, Scenario
from civsim.engine.land.landscape import Land
from civsim.engine.world import World
from civsim.validation.case import How, KnownAnswer, Row, Turns, close, exact, reported, several, words
from civsim.validation.exhaustive import Problem, greedy, optimum
from civsim.validation.hand_made import hold, split
from civsim.validation.small_lands import FAMILIES, SHARE, SmallLand, minded, small_land

F64 = NDArray[np.float64]

HEADROOM = 0.02
"""Islands on which the optimum is worth less than this over the rule of thumb tell nothing, as in K2."""

SEA = 3e5
"""What ruggedness 1 adds to the cost of a claim, as a multiple: that of the sea."""

LEVEL = 1e-4
"""Ruggedness of an island for each of K2's, where ruggedness 1 costs as much as this does here."""

UNLIKE = 0.01
"""Part by which the last cell of an island gives more than K2's, the others less so: none are alike in all they give.

K2 has cells of the same fertility, the most there is. Plans that are worth the same go by the number of a cell, which
is another on each island.
"""

MOST = 8
"""Claims a turn of an island: more than its funds ever pay for."""

TURNS = 24
SAME = 1e-6
"""Relative difference of values that counts as none: output is kept in float32."""

LEAST_LANDS = 3
FULL_LANDS = 24
_SEVERAL = (BeforeValidator(several), Field(min_length=1, max_length=16))
Counts = Annotated[tuple[Annotated[int, Field(ge=2, le=4)], ...], *_SEVERAL]


class Settings(Frozen):
    """Parameters of K17."""

    count: Counts = Field((2, 4), description="S, seats of thought and islands")
    h: Turns = Field((0, 2, 4, 8, 16), description="H/S, turns that each seat looks ahead")
    lands: int = Field(6, ge=1, le=500, description="lands of each of K2's four families; 24 at least with --full")
    first: int = Field(0, ge=0, le=10**6, description="number of the first land")


class Island(NamedTuple):
    """A land of K2 as it is here, what it is worth alone, and its problem."""

    small: SmallLand
    greedy: float  # discounted output of the rule of thumb
    optimum: float  # of the best sequence; nan where there are too many


class PlayedCopies(NamedTuple):
    """A game: the claims of each turn, and the discounted output."""

    claims: tuple[tuple[int, ...], ...]  # by turn, ascending
    value: float


def game_of(small: SmallLand, width: int, count: int) -> Scenario:
    """Return the game of a land on a map ``width`` cells wide, with this many seats of thought, each with its fund."""
    tables = small.game.model_dump(exclude_unset=True)
    tables["map"]["width"] = width
    tables["claims"] |= {"ruggedness_cost": SEA, "growth": 0.0, "per_turn": MOST * count}
    tables["thinking"] = {"seats": {"count": count, "cells": 1, "pool": 0.0}}
    return Scenario.model_validate(tables)


@functools.cache
def island(family: str, seed: int) -> Island:
    """Return a land of a family, its claims no dearer as the realm grows."""
    small = small_land(family, seed, TURNS)
    rough = (small.land.ruggedness * LEVEL).astype(np.float32)
    costs = small.game.claims.cost * (1.0 + SEA * rough.astype(np.float64))
    rich = (small.land.fertility * np.linspace(1.0, 1.0 + UNLIKE, rough.size)).astype(np.float32)
    problem: Problem = small.problem._replace(
        fertility=rich.astype(np.float64), claim_cost=costs, growth=0.0, per_turn=MOST
    )
    made = small._replace(land=small.land._replace(fertility=rich, ruggedness=rough), problem=problem)
    return Island(made, greedy(problem)[0], optimum(problem))


def archipelago(land: Land, width: int, count: int) -> Land:
    """Return ``count`` copies of a land side by side, a column of sea between each two and the next."""

    def beside(values: NDArray, sea: float) -> NDArray:
        rows = values.reshape(-1, width)
        strait = np.full((rows.shape[0], 1), sea, rows.dtype)
        return np.hstack([rows, *[part for _ in range(count - 1) for part in (strait, rows)]]).ravel()

    return Land(
        beside(land.fertility, 0.0),
        beside(land.ore, 0.0),
        beside(land.ruggedness, 1.0),
        beside(land.hazard, 0.0),
        beside(land.site, 0),
        places(land.capitals, width, 0, count),
    )


def places(cells: NDArray[np.int32], width: int, copy: int, count: int) -> NDArray[np.int32]:
    """Return where cells of an island ``width`` cells wide lie on the map of ``count``, in the copy of this number."""
    row, column = np.divmod(cells, width)
    return (row * (count * (width + 1) - 1) + copy * (width + 1) + column).astype(np.int32)


def played(small: SmallLand, copies: int, count: int, horizon: int) -> PlayedCopies:
    """Play a realm on ``copies`` of a land with ``count`` seats of thought, each ``horizon`` turns deep."""
    width = small.game.map.width
    game = minded(game_of(small, copies * (width + 1) - 1, count), horizon)
    world = World(game, land=archipelago(small.land, width, copies))
    hold(world, 0, *(int(places(small.land.capitals, width, copy, copies)[0]) for copy in range(1, copies)))
    claims = []
    while not world.done.all():
        world.step(split(world, settlement=SHARE, consumption=1 - SHARE))
        orders = world.orders
        made = (orders.kind[0, 0] == OrderKind.CLAIM) & (orders.status[0, 0] == OrderStatus.DONE)
        claims.append(tuple(sorted(orders.cell[0, 0][made].tolist())))
    return PlayedCopies(tuple(claims), float(world.state.utility[0, 0, 1]) / (1 - SHARE))


def of_copy(game: PlayedCopies, width: int, copy: int, count: int) -> tuple[tuple[int, ...], ...]:
    """Return the claims on one of the islands, by turn, as cells of that island."""
    wide, left = count * (width + 1) - 1, copy * (width + 1)
    return tuple(
        tuple(cell // wide * width + cell % wide - left for cell in turn if left <= cell % wide < left + width)
        for turn in game.claims
    )


class Found(NamedTuple):
    """What islands with headroom showed at one depth."""

    differing: int  # turns, of any island, whose claims are not those of the land alone
    room: F64  # [lands] optimum less rule of thumb, of one island
    alone: F64  # [lands] what the land alone gains over the rule of thumb
    seats: F64  # [lands] what an island gains on average, a seat on each
    centre: F64  # [lands] the same, one seat of all the turns and funds

    def share(self, gained: F64) -> float:
        """Return a gain as a share of the headroom, pooled over lands."""
        return float(gained.sum() / self.room.sum())


def found(islands: list[Island], count: int, horizon: int) -> Found:
    """Play every island alone, with its copies and a seat on each, and with one seat for all."""
    differing, rows = 0, []
    for one in islands:
        width = one.small.game.map.width
        alone, seats = played(one.small, 1, 1, horizon), played(one.small, count, count, horizon)
        centre = played(one.small, count, 1, count * horizon)
        for copy in range(count):
            differing += sum(a != b for a, b in zip(alone.claims, of_copy(seats, width, copy, count), strict=True))
        gains = (alone.value, seats.value / count, centre.value / count)
        rows.append((one.optimum - one.greedy, *(value - one.greedy for value in gains)))
    return Found(differing, *(np.array(column, np.float64) for column in zip(*rows, strict=True)))


def _rows(islands: list[Island], count: int, horizon: int) -> list[Row]:
    """Rows of one number of seats and one depth."""
    got = found(islands, count, horizon)
    place = words(count=count, H=count * horizon, each=horizon)
    off = SAME * max(1.0, float(sum(one.greedy for one in islands) / got.room.sum()))
    alone = got.share(got.alone)
    note = "of one such land alone with H/S turns; within rounding to float32"
    return [
        exact(
            "turns in which a claim is not that of the land alone", place, 0.0, got.differing, "a count, all islands"
        ),
        close("share of the headroom gained by S seats of H/S turns", place, alone, got.share(got.seats), off, note),
        reported("one seat of H turns and all funds", place, got.share(got.centre), note="funds apart could gain 1"),
    ]


def run(settings: Settings, how: How) -> list[Row]:
    """Play; see the module."""
    lands = max(settings.lands, FULL_LANDS) if how.full else settings.lands
    every = [island(family, settings.first + k) for family in FAMILIES for k in range(lands)]
    islands = [one for one in every if one.optimum / one.greedy - 1.0 >= HEADROOM]
    if len(islands) < LEAST_LANDS:
        few = f"{len(islands)} with headroom, fewer than {LEAST_LANDS}"
        raise StudyError(f"K17: lands={lands} leave {few}; raise lands")
    pairs = [(count, h) for count in dict.fromkeys(settings.count) for h in dict.fromkeys(settings.h)]
    rows: list[Row] = []
    for index, (count, horizon) in enumerate(pairs):
        how.report(index, len(pairs))
        rows += _rows(islands, count, min(horizon, TURNS))
    return rows


CASE = KnownAnswer(
    "K17",
    "seats of thought: depth",
    "on S islands S seats of H/S turns make, turn by turn, the claims of a seat of H/S turns on one of them, and gain "
    "its share of the headroom between the rule of thumb and exhaustive search",
    "copies of K2's lands with sea between them; claims no dearer for a larger realm, no cap that binds",
    Settings,
    run,
)
