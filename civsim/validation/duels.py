"""A race for a site solved over both sides: every order of our claims against every order of the rival's, played out.

Only who has the site counts here, so that orders are told apart up to the site: what follows is home, then the rest of
the way. A side comes to the site by the cells on its own side alone, and to wait brings no party there sooner.
"""

from __future__ import annotations

import functools
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, OrderKind
from civsim.engine.world import World
from civsim.validation.races import HOME, OURS, THEIRS, Race, Script, begin, ended, play

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

TOGETHER = 1024
"""Games played at once; no result depends on it."""


class Duel(NamedTuple):
    """Who has the site at the end, by our order (rows) and the rival's (columns)."""

    ours: F64  # [A, B] share of the draws in which it is ours
    theirs: F64  # [A, B] in which it is the rival's
    ours_alone: int  # turn in which our party is there at the soonest if nobody else wants the site; 0 for never
    theirs_alone: int

    @property
    def verdict(self) -> str:
        """``ours`` or ``theirs``, whatever the other does; ``draw`` where timings leave it to a draw, else ``open``."""
        if self.ours.min(axis=1).max() == 1.0:
            return "ours"
        if self.theirs.min(axis=0).max() == 1.0:
            return "theirs"
        # A saddle point in pure orders: neither side can do better alone.
        low, high = float(self.ours.min(axis=1).max()), float(self.ours.max(axis=0).min())
        return "draw" if low == high else "open"

    @property
    def alone(self) -> str:
        """Return the verdict that the soonest arrivals give, each side's found without the other."""
        if self.ours_alone == self.theirs_alone:
            return "draw"
        first = min(turn for turn in (self.ours_alone, self.theirs_alone) if turn)
        return "ours" if first == self.ours_alone else "theirs"

    @property
    def hardest(self) -> int:
        """The rival's order against which ours have the site least often, the first of equals."""
        return int((self.ours.mean(axis=0) - self.theirs.mean(axis=0)).argmin())


def orders_to_site(race: Race, seat: int) -> I64:
    """Return every order in which a seat can claim that differs before it has the site, [orders, claims]."""
    side, away = (race.ours, race.theirs) if seat == OURS else (race.theirs, race.ours)
    capital, step = (HOME, 1) if seat == OURS else (race.rival, -1)
    home = [capital - step * (1 + k) for k in range(HOME)]
    way = [capital + step * (1 + k) for k in range(side + away - 1)]
    found = []
    for before in range(HOME + 1):
        # The site itself comes after all of these.
        for places in combinations(range(side - 1 + before), before):
            left, right = iter(home), iter(way)
            head = [next(left) if k in places else next(right) for k in range(side - 1 + before)]
            found.append([*head, next(right), *left, *right])
    return np.array(found, np.int64)


def _soonest(race: Race, seat: int) -> int:
    """Return the turn, from 1, in which a seat can have the site at the soonest with nobody about; 0 for never."""
    claims = orders_to_site(race, seat)
    world, shares = begin(race, 0, 0, np.zeros(len(claims), np.int64))
    idle = Script(race, 1 - seat, np.zeros((len(claims), 0), np.int64))
    owner = world.state.owner[:, race.site]
    play(world, shares, [Script(race, seat, claims), idle], lambda: bool((owner == seat).any()))
    return int(world.state.turn[0]) if (owner == seat).any() else 0


@functools.lru_cache(maxsize=4096)
def solved(race: Race, draws: int) -> Duel:
    """Play every order against every other, under so many draws of who comes first of two that arrive together."""
    ours, theirs = orders_to_site(race, OURS), orders_to_site(race, THEIRS)
    shape = len(ours), len(theirs), draws
    pairs = np.stack(np.unravel_index(np.arange(np.prod(shape)), shape), axis=1)
    owner = np.zeros(len(pairs), np.int64)
    for start in range(0, len(pairs), TOGETHER):
        a, b, draw = pairs[start : start + TOGETHER].T
        world, shares = begin(race, 0, 0, draw.astype(np.int64))
        both = [Script(race, OURS, ours[a]), Script(race, THEIRS, theirs[b])]
        play(world, shares, both, functools.partial(_taken, world, race.site))
        owner[start : start + TOGETHER] = world.state.owner[:, race.site]
    found = owner.reshape(shape)
    has_it, rival_has_it = (found == OURS).mean(axis=2), (found == THEIRS).mean(axis=2)
    return Duel(has_it, rival_has_it, _soonest(race, OURS), _soonest(race, THEIRS))


def _taken(world: World, site: int) -> bool:
    """Return whether the site is somebody's in every game; nobody can take it back."""
    return bool((world.state.owner[:, site] != NOBODY).all())


class Met(NamedTuple):
    """What a planner did against a rival that goes for the site."""

    won: NDArray[np.bool_]  # [draws] the site is ours at the end
    way: I64  # [draws] claims made on the way to it while it was nobody's and land at home could still be claimed


def met(race: Race, level: int, horizon: int, draws: int) -> Met:
    """Play our planner, at a level of mind, against the rival's hardest order."""
    order = orders_to_site(race, THEIRS)[solved(race, draws).hardest]
    world, shares = begin(race, level, horizon, np.arange(draws))
    way, home, owner = np.zeros(draws, np.int64), np.zeros(draws, np.int64), world.state.owner[:, race.site].copy()

    def watch() -> bool:
        kind, cell = world.orders.kind[:, OURS, 0], world.orders.cell[:, OURS, 0]
        claims = (kind == OrderKind.CLAIM) & (world.state.turn > 0)
        home[claims & (cell < HOME)] += 1
        way[claims & (cell > HOME) & (cell <= race.site) & (home < HOME) & (owner == NOBODY)] += 1
        owner[:] = world.state.owner[:, race.site]
        return False

    play(world, shares, [Script(race, THEIRS, np.tile(order, (draws, 1)))], watch)
    return Met(ended(world, race, np.zeros(draws, np.int64)).won, way)
