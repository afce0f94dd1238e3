"""What happened in the turn just played: to everybody, and as far as one civilization knows of it."""

from __future__ import annotations

from collections.abc import Container
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from civsim.base.constants import NOBODY, Draw, OrderKind, OrderStatus, Witness
from civsim.base.randomness import fill_words
from civsim.engine.journal import Journal
from civsim.engine.rules.nature import mark_struck
from civsim.engine.world import World
from civsim.faces.drawing import believed_owner


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
    Event.HELD: "an attack in vain",
    Event.SACKED: "raiders sacked a cell",
    Event.WITHSTOOD: "raiders were beaten off",
    Event.DISASTER: "a disaster struck a cell that is held",
    Event.FALLEN: "a civilization lost its last cell",
}
"""Every kind of event and what it means. An attack is in vain where its attacker does not hold the cell in the end."""


class Happened(NamedTuple):
    """One event."""

    kind: Event
    cell: int  # -1 where it has none
    seat: int  # who settled, attacked, was raided, was struck or fell
    other: int  # who had held a cell that was taken, -1 for nobody; -1 for all other kinds


class Before(NamedTuple):
    """What an event is told by: how things stood before the turn."""

    turn: int
    owner: NDArray[np.int8]  # [C]
    alive: NDArray[np.uint8]  # [N]
    attacks: NDArray[np.float64]  # [N] attacks that each has witnessed


class Chronicle:
    """Tells the events of one world turn by turn; of a turn that it did not see begin it tells none.

    Args:
        world: the batch.
        row: which world of it.
        journal: the batch's journal.
    """

    def __init__(self, world: World, row: int, journal: Journal) -> None:
        self._world, self._row, self._journal = world, row, journal
        self._words, self._struck = np.zeros(world.n_cells, np.uint32), np.zeros(world.n_cells, np.uint8)
        self._now = self._note()
        self.before = self._now
        """How things stood before the turn just played; as they stand, where it did not see that turn begin."""

    def _note(self) -> Before:
        state, row = self._world.state, self._row
        witnessed = state.witness[row, :, Witness.ATTACKS].copy()
        return Before(int(state.turn[row]), state.owner[row].copy(), state.alive[row].copy(), witnessed)

    def advance(self) -> None:
        """Take in the turn just played."""
        self.before, self._now = self._now, self._note()
        if self._now.turn != self.before.turn + 1:
            self.before = self._now
        self._draw_disasters()

    @property
    def _idle(self) -> bool:
        """Whether there is no turn to tell of."""
        return self.before is self._now

    def everything(self) -> list[Happened]:
        """Return every event of the turn just played."""
        if self._idle:
            return []
        found = [event for seat in range(self._world.n_civilizations) for event in self._deeds(seat)]
        holder = np.where(self._arrived(), self._now.owner, self.before.owner)
        found += self._raids(range(self._world.n_civilizations))
        found += [Happened(Event.DISASTER, int(c), int(holder[c]), NOBODY) for c in self._struck_cells(holder >= 0)]
        fallen = np.flatnonzero((self.before.alive == 1) & (self._now.alive == 0))
        return found + [Happened(Event.FALLEN, NOBODY, int(seat), NOBODY) for seat in fallen]

    def known_to(self, seat: int, m: int | None = None) -> list[Happened]:
        """Return the events that civilization ``seat`` knows of: what it did, and what befell its own land.

        Who attacked it in vain, and where, it does not learn. Who took a cell is told as the seat of thought knows it
        whose row of knowledge is ``m``, by default the capital.
        """
        if self._idle:
            return []
        now, before = self._now.owner == seat, self.before.owner == seat
        taker = believed_owner(self._world.state, self._row, seat, m)
        lost = [Happened(Event.TAKEN, int(c), int(taker[c]), seat) for c in np.flatnonzero(before & ~now)]
        struck = self._struck_cells(before | (now & self._arrived()))
        fallen = self.before.alive[seat] == 1 and self._now.alive[seat] == 0
        return [
            *self._deeds(seat),
            *lost,
            *self._raids([seat]),
            *(Happened(Event.DISASTER, int(c), seat, NOBODY) for c in struck),
            *([Happened(Event.FALLEN, NOBODY, seat, NOBODY)] if fallen else []),
        ]

    def _deeds(self, seat: int) -> list[Happened]:
        """Return what a civilization did: cells settled, and attacks."""
        orders, at = self._world.orders, (self._row, seat)
        fought = (orders.kind[at] == OrderKind.ATTACK) & (orders.status[at] == OrderStatus.DONE)
        attacked = np.unique(orders.cell[at][fought]).tolist()
        now, before = self._now.owner, self.before.owner
        settled = np.flatnonzero((before == NOBODY) & (now == seat)).tolist()
        found = [Happened(Event.SETTLED, c, seat, NOBODY) for c in settled if c not in attacked]
        for cell in attacked:
            loser = int(before[cell]) if before[cell] != seat else NOBODY
            held = now[cell] == seat
            found.append(Happened(Event.TAKEN if held else Event.HELD, cell, seat, loser if held else NOBODY))
        return found

    def _raids(self, seats: Container[int]) -> list[Happened]:
        return [
            Happened(Event.SACKED if raid.sacked else Event.WITHSTOOD, raid.cell, raid.seat, NOBODY)
            for raid in self._journal.raids(self._row)
            if raid.seat in seats
        ]

    def _arrived(self) -> NDArray[np.bool_]:
        """Return the cells, bool [C], that parties settled before nature struck: without a lag they do so later."""
        free = self.before.owner == NOBODY
        return free if self._world.config.claim_lag > 0 else np.zeros_like(free)

    def _struck_cells(self, among: NDArray[np.bool_]) -> NDArray[np.intp]:
        return np.flatnonzero((self._struck == 1) & among)

    def _draw_disasters(self) -> None:
        """Draw the disasters of the turn just played once more: draws are keyed, so they are the ones that struck."""
        config, state, row = self._world.config, self._world.state, self._row
        self._struck[:] = 0
        if config.hazard_on and config.disaster_turns > 0 and not self._idle:
            fill_words(self._world._key, state.world_id[row], np.int32(self.before.turn), Draw.DISASTER, self._words)
            mark_struck(self._words, state.hazard[row], self._struck)
