"""What a turn brought, copied out of the state: a few hundred bytes, which must cost next to nothing.

An array of its own for every field would cost more time than a small batch's rules. Records are therefore cut from
pages that hold many of them: one kernel writes a record's row of the page, and every field is a view of that row.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer, entry
from civsim.engine.state import F32, F64, I16, I32, U8, State

PAGE_BYTES = 65536
"""About the size of a page: what a record that is kept may keep alive beside itself."""


class StepRecord(NamedTuple):
    """What one turn brought; every array is a copy. B worlds, N civilizations."""

    turn: I32  # [B] turns played, this one included
    reward: F64  # [B, N] flow of the scenario's objective in this turn, not discounted
    output: F32  # [B, N] output
    consumption: F32  # [B, N] consumption, tribute included (output)
    tribute: F32  # [B, N] tribute received (output)
    level: I16  # [B, N, 3] levels h, r, k in force; of several seats of thought the capital's
    alive: U8  # [B, N] 1 while it holds a cell
    cells: I32  # [B, N] cells held
    terminated: NDArray[np.bool_]  # [B] the game is over


class Watcher(Protocol):
    """Who is told what happens to a batch, after it happened: it reads and changes nothing."""

    def played(self, planned: bool) -> None:
        """A turn was played: under orders that were planned, or that were given with the shares."""

    def replaced(self, rows: NDArray[np.int64]) -> None:
        """Rows were begun anew or written over by others, int64 [n]."""


def _write_record(state, cfg, page, at):
    """Write the turn just played into row ``at`` of ``page``, a StepRecord with one more axis in front."""
    for b in range(state.turn.shape[0]):
        page.turn[at, b] = state.turn[b]
        page.terminated[at, b] = state.turn[b] >= cfg.turns
        for i in range(state.alive.shape[1]):
            page.reward[at, b, i] = state.reward[b, i]
            page.output[at, b, i] = state.output[b, i]
            page.consumption[at, b, i] = state.consumption[b, i]
            page.tribute[at, b, i] = state.tribute[b, i]
            page.alive[at, b, i] = state.alive[b, i]
            page.cells[at, b, i] = state.cells[b, i]
            for channel in range(state.level.shape[2]):
                page.level[at, b, i, channel] = state.level[b, i, channel]


write_record = kernel(_write_record)


class Recorder:
    """Makes the records of one batch.

    Args:
        batch: the batch's state.
        state: a pointer to it.
        config: a pointer to its configuration.
    """

    def __init__(self, batch: State, state: Pointer, config: Pointer) -> None:
        fields: dict[str, Any] = batch._asdict()
        # Rows beyond the capitals' are those of other seats of thought.
        fields["level"] = batch.level[:, : batch.alive.shape[1]]
        terminated = np.empty(fields["turn"].shape, np.bool_)
        self._like = StepRecord(*(fields.get(name, terminated) for name in StepRecord._fields))
        self._room = max(1, PAGE_BYTES // sum(values.nbytes for values in self._like))
        page = self._new_page()
        self._begin(page, Pointer(page))
        self._write = entry(write_record, state, config, self._pointer, 0)

    def _new_page(self) -> StepRecord:
        return StepRecord(*(np.empty((self._room, *values.shape), values.dtype) for values in self._like))

    def _begin(self, page: StepRecord, pointer: Pointer) -> None:
        self._pointer, self._rows, self._next = pointer, zip(*page, strict=True), 0

    def __call__(self, state: Pointer, config: Pointer) -> StepRecord:
        """Return the record of the turn just played."""
        at = self._next
        if at == self._room:
            page = self._new_page()
            self._begin(page, self._pointer.to(page))
            at = 0
        self._next = at + 1
        self._write(state, config, self._pointer, at)
        return _record(StepRecord, next(self._rows))


_record = tuple.__new__
"""Makes a StepRecord from a tuple; its own constructor takes longer than the tuple."""
