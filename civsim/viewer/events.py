"""What happened in the turn just played: to everybody, and as far as one civilization knows of it."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Draw, OrderKind, OrderStatus, Witness
from civsim.base.randomness import fill_words
from civsim.engine.journal import Journal
from civsim.engine.rules.nature import mark_struck
from civsim.engine.world import World


class Event(IntEnum):
    """Kinds of event; a page names them by :data:`EVENTS`."""

    SETTLED = 0
    TAKEN = 1
    HELD = 2
    SACKED = 3
    WITHSTOOD = 4
    DISASTER = 5
    FALLEN = 6


EVENTS = {
    Event.SETTLED: "a party settled a cell",
    Event.TAKEN: "an attack took a cell",
    Event.HELD: "an attack was beaten off",
    Event.SACKED: "raiders sacked a cell",
    Event.WITHSTOOD: "raiders were beaten off",
    Event.DISASTER: "a disaster struck a cell that is held",
    Event.FALLEN: "a civilization lost its last cell",
}
"""Every kind of event and what it means."""


class Happened(NamedTuple):
    """One event."""

    kind: Event
    cell: int  # -1 where it has none
    seat: int  # who settled, attacked, was raided, was struck or fell
    other: int  # who lost a taken cell; -1 otherwise


class Before(NamedTuple):
    """What an event is told by: how things stood before the turn."""

    turn: int
    owner: NDArray[np.int8]  # [C]
    alive: NDArray[np.uint8]  # [N]
    attacks: NDArray[np.float64]  # [N] attacks that each has witnessed


class Chronicle:
    """Tells the events of one world turn by turn; of a turn it did not see begin it tells none.

    Args:
        world: the batch.
        row: which world of it.
        journal: the batch's journal.
    """

    def __init__(self, world: World, row: int, journal: Journal) -> None:
        self._world, self._row, self._journal = world, row, journal
        self._words, self._struck = np.zeros(world.n_cells, np.uint32), np.zeros(world.n_cells, np.uint8)
        self._before = self._note()

    def _note(self) -> Before:
        state, row = self._world.state, self._row
        witnessed = state.witness[row, :, Witness.ATTACKS].copy()
        return Before(int(state.turn[row]), state.owner[row].copy(), state.alive[row].copy(), witnessed)

    def advance(self) -> tuple[list[Happened], Before]:
        """Return the events of the turn just played and how things stood before; none if it is not the next turn."""
        before, self._before = self._before, self._note()
        if self._before.turn != before.turn + 1:
            return [], self._before
        fought = self._attacks()
        events = [*self._settled(before, fought), *self._battles(before, fought)]
        events += [
            Happened(Event.SACKED if raid.sacked else Event.WITHSTOOD, raid.cell, raid.seat, NOBODY)
            for raid in self._journal.raids(self._row)
        ]
        events += [Happened(Event.DISASTER, c, seat, NOBODY) for c, seat in self._disasters(before, fought)]
        fallen = np.flatnonzero((before.alive == 1) & (self._before.alive == 0))
        return [*events, *(Happened(Event.FALLEN, NOBODY, int(seat), NOBODY) for seat in fallen)], before

    def _attacks(self) -> dict[int, int]:
        """Return who attacked each cell that was attacked; the last in the order of play."""
        orders, row = self._world.orders, self._row
        found: dict[int, int] = {}
        for seat in self._world.state.play_order[row].tolist():
            done = (orders.kind[row, seat] == OrderKind.ATTACK) & (orders.status[row, seat] == OrderStatus.DONE)
            found |= dict.fromkeys(orders.cell[row, seat, done].tolist(), int(seat))
        return found

    def _settled(self, before: Before, fought: dict[int, int]) -> list[Happened]:
        owner = self._before.owner
        cells = np.flatnonzero((before.owner == NOBODY) & (owner != NOBODY)).tolist()
        return [Happened(Event.SETTLED, c, int(owner[c]), NOBODY) for c in cells if c not in fought]

    def _battles(self, before: Before, fought: dict[int, int]) -> list[Happened]:
        """Return one event a cell that was fought for, whatever the number of attacks on it."""
        found, owner = [], self._before.owner
        for cell, attacker in sorted(fought.items()):
            taken = owner[cell] != before.owner[cell]
            kind, seat = (Event.TAKEN, int(owner[cell])) if taken else (Event.HELD, attacker)
            found.append(Happened(kind, cell, seat, int(before.owner[cell])))
        return found

    def _disasters(self, before: Before, fought: dict[int, int]) -> list[tuple[int, int]]:
        """Return (cell, holder) of every held cell that was struck: the draws are keyed, so they are drawn again."""
        world, state, config = self._world, self._world.state, self._world.config
        if not config.hazard_on or config.disaster_turns == 0:
            return []
        fill_words(world._key, state.world_id[self._row], np.int32(before.turn), Draw.DISASTER, self._words)
        mark_struck(self._words, state.hazard[self._row], self._struck)
        # Parties have arrived when nature strikes; battles, and parties without a lag, come later.
        holder = before.owner.copy() if config.claim_lag == 0 else self._before.owner.copy()
        for cell in fought:
            holder[cell] = before.owner[cell]
        cells = np.flatnonzero((self._struck == 1) & (holder != NOBODY))
        return [(int(c), int(holder[c])) for c in cells]


def known_to(seat: int, events: list[Happened]) -> list[Happened]:
    """Return the events that civilization ``seat`` knows of: what it did, and what befell its own land.

    Who attacked in vain it does not learn, so attacks that it beat off are not among them.
    """
    taken = [e for e in events if e.kind == Event.TAKEN and seat in (e.seat, e.other)]
    return [*taken, *(e for e in events if e.kind != Event.TAKEN and e.seat == seat)]
