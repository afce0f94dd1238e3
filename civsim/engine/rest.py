"""Rows of a batch set back to rest: what a world is before it has land, or anybody in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer, copy_bytes, entry
from civsim.base.scenario import Scenario
from civsim.engine.state import F64, I64, Orders, State, allocate, allocate_orders


class _Places(NamedTuple):
    """Where the rows of arrays lie in memory."""

    places: I64  # [arrays, 3] address of row 0; address of the row at rest; bytes of a row


def _rest_rows(table, rows):
    """Copy the row at rest over ``rows`` (int64 [n]) of every array."""
    for field in range(table.places.shape[0]):
        first, resting, size = table.places[field, 0], table.places[field, 1], table.places[field, 2]
        for row in rows:
            copy_bytes(first + row * size, resting, size)


rest_rows = kernel(_rest_rows)


class Resting:
    """Sets rows of one batch back to rest: every field but the ids, no orders, no shares; one kernel over addresses.

    Args:
        scenario: the game.
        state: the batch's state, which is written.
        orders: its orders, which are written.
        shares: float64 [B, N, 8], the shares of its last step, which are written.
    """

    def __init__(self, scenario: Scenario, state: State, orders: Orders, shares: F64) -> None:
        live = (*state._replace(world_id=state.turn), *orders, shares)
        self._live, one = live, allocate(scenario, 1)
        self._resting = (*one._replace(world_id=one.turn), *allocate_orders(scenario, 1), np.zeros_like(shares[:1]))
        places = [(a.ctypes.data, b.ctypes.data, b.nbytes) for a, b in zip(live, self._resting, strict=True)]
        self._table = Pointer(_Places(np.array(places, np.int64)))
        self._rest: Callable[..., None] = entry(rest_rows, self._table, np.zeros(1, np.int64))

    def __call__(self, rows: I64) -> None:
        """Set ``rows``, int64 [n] and contiguous, each in [0, B), back to rest."""
        self._rest(self._table, rows)
