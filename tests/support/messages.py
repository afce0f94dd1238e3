"""What seats of thought should know, by plain Python over the truth of every turn: who saw what, and who hears when.

Nothing here reads what the engine keeps of the past: what there was to see is written down as a game goes on.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from realms import as_the_crow_flies, by_rule
from worlds import BUSY, random_orders, random_shares, scenario

from civsim.base.constants import NEVER, NOBODY, Category, Channel, OrderKind
from civsim.engine.noted import Noted, RaidField
from civsim.engine.offices.rows import row_of
from civsim.engine.rules.given import take_orders
from civsim.engine.world import World

GAME: dict[str, Any] = {
    **BUSY,
    "game.civilizations": 2,
    "game.turns": 40,
    "claims.cost": 0.3,
    "claims.per_turn": 2,
    "army.per_turn": 0,
    "raiders.rate": 0.8,
    "seat_default.levels": {"horizon": 0, "sight": 2, "attention": 6},
}
"""Two realms that grow and meet, and lose no land."""
OF_CELLS = {"owner": "known_owner", "works": "known_works", "wall": "known_wall", "site_state": "known_site"}


UNSEEN = (NEVER, NOBODY, NEVER)
"""A band of which nothing is known: when it was seen, where, and since when it was about."""


class Sight(NamedTuple):
    """What there was to see in a turn."""

    cells: dict[str, NDArray[Any]]
    army: NDArray[Any]
    capital: NDArray[Any]
    band: NDArray[Any]
    came: NDArray[Any]


class Mind:
    """What a seat of thought knows."""

    def __init__(self, state: Any, row: int) -> None:
        self.seen = state.seen[0, row].copy()
        self.known = {name: getattr(state, known)[0, row].copy() for name, known in OF_CELLS.items()}
        self.army = {j: (int(t), float(state.force_seen[0, row, j])) for j, t in enumerate(state.force_turn[0, row])}
        self.capitals: dict[int, set[int]] = {j: {int(c)} - {NOBODY} for j, c in enumerate(state.known_capital[0, row])}
        self.bands = dict.fromkeys(range(state.band_cell.shape[1]), UNSEEN)
        self.gone = dict.fromkeys(self.bands, NEVER)

    def copy(self) -> Mind:
        """Return another that knows the same."""
        twin = Mind.__new__(Mind)
        twin.seen, twin.known = self.seen.copy(), {name: values.copy() for name, values in self.known.items()}
        twin.army, twin.bands = dict(self.army), dict(self.bands)
        twin.gone = dict(self.gone)
        twin.capitals = {j: set(cells) for j, cells in self.capitals.items()}
        return twin

    def learn(self, i: int, turn: int, view: NDArray[np.bool_], sight: Sight, now: bool = False) -> int:
        """Take in what was in view in a turn, unless it is known from then on; return how many cells that brought.

        What is in view ``now`` is seen as it is: before its first turn a realm has looked around already.
        """
        news = view & (now | (self.seen < turn))
        self.seen[news] = turn
        for name, values in self.known.items():
            values[news] = sight.cells[name][news]
        for j, army in enumerate(sight.army.tolist()):
            if j != i and (view & (sight.cells["owner"] == j)).any():
                self.army[j] = max(self.army[j], (turn, army), key=lambda pair: pair[0])
                if view[sight.capital[j]]:
                    self.capitals[j].add(int(sight.capital[j]))
        for r, (cell, came) in enumerate(zip(sight.band.tolist(), sight.came.tolist(), strict=True)):
            if cell >= 0 and view[cell] and came > self.gone[r]:
                self.bands[r] = max(self.bands[r], (turn, cell, came), key=lambda band: band[0])
        return int(news.sum())

    def join(self, other: Mind) -> None:
        """Take in what another knows from later."""
        later = other.seen > self.seen
        self.seen[later] = other.seen[later]
        for name, values in self.known.items():
            values[later] = other.known[name][later]
        for j, pair in other.army.items():
            self.army[j] = max(self.army[j], pair, key=lambda one: one[0])
            self.capitals[j] |= other.capitals[j]
        for r, band in other.bands.items():
            self.bands[r] = max(self.bands[r], band, key=lambda one: one[0])


class Messages:
    """A game of two realms with three seats of thought each, and what every seat should know."""

    def __init__(self, messenger: float, key: int) -> None:
        self.world = World(
            scenario({**GAME, "thinking.seats": {"count": 3, "cells": 2, "messenger": messenger}}), 1, seed=key
        )
        self.messenger, self.rng = messenger, np.random.default_rng(key)
        self.world.keep_journal()
        self.past: dict[int, Sight] = {}
        self.views: list[dict[int, list[NDArray[np.bool_]]]] = [{}, {}]
        self.minds = [[Mind(self.world.state, i)] for i in range(2)]
        self.drawn = [0, 0]
        self.heard = self.councils = self.raids = 0

    def play(self) -> None:
        """Play a turn of random claims, walls and works; compare what is known where realms have looked around."""
        world, s = self.world, self.world.state
        some = self.rng.random(world.n_cells) < 0.3
        s.wall[0, some], s.works[0, some] = self.rng.random((2, int(some.sum()))) * 5.0
        s.stock[0, :, Category.ARMY] = self.rng.random(2) * 9.0
        orders = random_orders(world, self.rng)
        orders.kind[orders.kind != OrderKind.CLAIM] = OrderKind.NONE
        take_orders(orders, None, world.orders, world._ordered, world.scenario)
        by_rule(world, random_shares(world, self.rng), self._after, replay=True)

    def _after(self, rule: str) -> None:
        s = self.world.state
        if rule == "arrivals":
            self.came = s.band_came[0].copy()
        if rule == "raiders":
            self._forget_bands()
        if rule == "provinces":
            for i in range(2):
                if s.drawn_turn[0, i] == s.turn[0] and s.drawn_cells[0, i] == s.cells[0, i]:
                    self._hold_council(i)
        if rule == "perception":
            self._look()
            for i in range(2):
                self._hear(i)
                self._compare(i)
        if rule == "deliberation":
            # A party turned back has shown who holds a cell: to the capital, and to whoever hears at once.
            for i in range(2):
                for mind in self.minds[i] if math.isinf(self.messenger) else self.minds[i][:1]:
                    mind.known["owner"] = s.known_owner[0, i].copy()

    def _forget_bands(self) -> None:
        """Let a realm that was raided know that the band is gone, and those that had its slot before.

        Raids are noted in the order of bands.
        """
        s, work = self.world.state, self.world._work[0]
        raided = work.raids[: work.noted[Noted.RAIDS], RaidField.SEAT].tolist()
        gone = np.flatnonzero((self.came >= 0) & (s.band_came[0] != self.came)).tolist()
        for r, i in zip(gone, raided, strict=True):
            self.raids += 1
            for mind in self.minds[i]:
                mind.bands[r] = UNSEEN
                mind.gone[r] = int(self.came[r])

    def _hold_council(self, i: int) -> None:
        """Bring together what all seats know and what is on the road."""
        s, minds, turn = self.world.state, self.minds[i], int(self.world.state.turn[0])
        common = minds[0]
        for other in minds[1:]:
            common.join(other)
        kept = s.past_owner.shape[1]
        if len(minds) > 1:
            for then in range(max(turn - kept, self.drawn[i]), turn):
                for view in self.views[i][then]:
                    common.learn(i, then, view, self.past[then])
        self.minds[i] = [common.copy() for _ in range(int(s.office_count[0, i]))]
        self.drawn[i] = turn
        self.councils += len(minds) > 1

    def _look(self) -> None:
        """Write down what there is to see, and which seat has what in view."""
        s, turn = self.world.state, int(self.world.state.turn[0])
        self.past[turn] = Sight(
            {name: getattr(s, name)[0].copy() for name in OF_CELLS},
            s.stock[0, :, Category.ARMY].copy(),
            s.capital[0].copy(),
            s.band_cell[0].copy(),
            s.band_came[0].copy(),
        )
        for i in range(2):
            views = []
            for office in range(int(s.office_count[0, i])):
                sight = int(s.level[0, row_of(self.world.config, i, office), Channel.SIGHT])
                land = np.flatnonzero((s.owner[0] == i) & (s.province[0] == office))
                near = [min(self._steps(c, int(own)) for own in land) <= sight for c in range(self.world.n_cells)]
                views.append(np.array(near))
            self.views[i][turn] = views

    def _steps(self, a: int, b: int) -> int:
        return as_the_crow_flies(self.world, a, b)

    def _hear(self, i: int) -> None:
        """Let every seat see, be told at once by those at no distance, and hear what is a road old."""
        s, turn = self.world.state, int(self.world.state.turn[0])
        stand = s.office_cell[0, i].tolist()
        for office, mind in enumerate(self.minds[i]):
            roads = [
                math.ceil(round(self._steps(stand[office], stand[p]) / self.messenger, 9))
                for p in range(len(self.minds[i]))
            ]
            for other, road in enumerate(roads):
                then = turn - road
                if then >= self.drawn[i]:
                    brought = mind.learn(i, then, self.views[i][then][other], self.past[then], road == 0)
                    self.heard += brought if road > 0 else 0

    def _compare(self, i: int) -> None:
        """Make sure that every seat knows exactly what it should."""
        s = self.world.state
        for office, mind in enumerate(self.minds[i]):
            row = row_of(self.world.config, i, office)
            assert np.array_equal(s.seen[0, row], mind.seen)
            for name, known in OF_CELLS.items():
                assert np.array_equal(getattr(s, known)[0, row], mind.known[name]), known
            j = 1 - i
            assert (s.force_turn[0, row, j], s.force_seen[0, row, j]) == mind.army[j]
            capital = int(s.known_capital[0, row, j])
            assert capital in mind.capitals[j] if mind.capitals[j] else capital == NOBODY
            for r, band in mind.bands.items():
                assert s.band_turn[0, row, r] == band[0]
                if band != UNSEEN:
                    assert (s.band_seen[0, row, r], s.band_since[0, row, r]) == band[1:]
