"""The one check of an allocation: shares of output on the simplex, closed categories exactly 0."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from civsim.base.constants import N_CATEGORIES, Category
from civsim.base.errors import ActionError
from civsim.base.kernels import kernel
from civsim.base.pointer import Pointer, entry
from civsim.engine.formulas import pool
from civsim.engine.state import F64

SUM_TOLERANCE = 1e-4

SOUND = -1
"""What :func:`take_shares` returns where nothing is wrong."""


class Fault(IntEnum):
    """What can be wrong with shares, the gravest first: of several faults anywhere, the gravest is told."""

    NOT_FINITE = 0
    NEGATIVE = 1
    CLOSED = 2
    SUM = 3


N_FAULTS = len(Fault)

_REMEDY = {
    Fault.NOT_FINITE: "is not finite; give shares in 0 … 1",
    Fault.NEGATIVE: "is below 0; give shares in 0 … 1",
    Fault.CLOSED: "is spent on a closed category; make it exactly 0",
}

_READY = (np.dtype(np.float64), np.dtype(np.float32))
"""Types of shares that need no look."""


def _sum_of(row):
    """Return the sum of eight shares, added in the order in which NumPy adds a row of eight."""
    return ((row[0] + row[1]) + (row[2] + row[3])) + ((row[4] + row[5]) + (row[6] + row[7]))


sum_of = kernel(_sum_of)


def _fault_of(share, may_spend):
    """Return what is wrong with one share, a :class:`Fault`, or N_FAULTS where nothing is."""
    if not math.isfinite(share):
        return Fault.NOT_FINITE.value
    if share < 0.0:
        return Fault.NEGATIVE.value
    if share > 0.0 and not may_spend:
        return Fault.CLOSED.value
    return N_FAULTS


fault_of = kernel(_fault_of)


def _find_fault(state, cfg, shares):
    """Return the gravest fault of the rows that count, the first of its kind: Fault · size + place, or SOUND."""
    gravest, place = N_FAULTS, 0
    for b in range(shares.shape[0]):
        if state.turn[b] >= cfg.turns:
            continue
        for i in range(shares.shape[1]):
            if state.alive[b, i] == 0:
                continue
            row, start = shares[b, i], (b * shares.shape[1] + i) * N_CATEGORIES
            for category in range(N_CATEGORIES):
                fault = fault_of(row[category], cfg.open[category] != 0)
                if fault < gravest:
                    gravest, place = fault, start + category
            if gravest == N_FAULTS and abs(sum_of(row) - 1.0) > SUM_TOLERANCE:
                gravest, place = Fault.SUM.value, start
    return SOUND if gravest == N_FAULTS else gravest * shares.size + place


find_fault = kernel(_find_fault)


def _is_sound(row, open_):
    """Return whether a row has none of the faults; a share that is not finite is below 0 or too much for the sum."""
    sound = abs(sum_of(row) - 1.0) <= SUM_TOLERANCE
    for category in range(N_CATEGORIES):
        sound &= (row[category] >= 0.0) & ((row[category] == 0.0) | (open_[category] != 0))
    return sound


is_sound = kernel(_is_sound)


def _take_shares(state, cfg, desk):
    """Write the shares given into those taken, the rows that count divided by their sum and the rest 0.

    With a treasury, what is given to settlement, works and walls is settlement's from here on.

    Returns SOUND; or the fault (see :func:`find_fault`), and then nothing is written.
    """
    given, taken = desk.given, desk.taken
    for b in range(given.shape[0]):
        if state.turn[b] < cfg.turns:
            for i in range(given.shape[1]):
                if state.alive[b, i] != 0 and not is_sound(given[b, i], cfg.open):
                    return find_fault(state, cfg, given)
    for b in range(given.shape[0]):
        over = state.turn[b] >= cfg.turns
        for i in range(given.shape[1]):
            if over or state.alive[b, i] == 0:
                taken[b, i] = 0.0
                continue
            for category in range(N_CATEGORIES):
                taken[b, i, category] = given[b, i, category]
            if cfg.pooled:
                pool(taken[b, i])
            total = sum_of(taken[b, i])
            for category in range(N_CATEGORIES):
                taken[b, i, category] /= total
    return SOUND


take_shares = kernel(_take_shares)


class Desk(NamedTuple):
    """Where shares are handed in and where they are put."""

    given: F64  # [B, N, 8] as they were given
    taken: F64  # [B, N, 8] checked and normalised


class ShareTaker:
    """Takes the shares of one batch: reads, checks and normalises them.

    Args:
        state: the batch's state.
        config: its configuration.
        taken: float64 [B, N, 8], where they are put.

    Attributes:
        given: float64 [B, N, 8], those of the last call as they were given.
    """

    def __init__(self, state: Pointer, config: Pointer, taken: F64) -> None:
        self.given, self._shape = np.zeros_like(taken), taken.shape
        self._desk = Pointer(Desk(self.given, taken))
        self._take = entry(take_shares, state, config, self._desk)

    def __call__(self, shares: ArrayLike, state: Pointer, config: Pointer) -> None:
        """Put ``shares`` where they belong, the rows that count divided by their sum, the rest as zeros.

        A row counts while its civilization holds a cell and its world's game is on.

        Args:
            shares: float array [B, N, 8].
            state: the batch's state.
            config: its configuration.

        Raises:
            ActionError: wrong shape or dtype, or a row that counts is not finite, negative, off the simplex by more
                than 1e-4, or above 0 in a closed category; it names the world row, the civilization and the value.
                Those taken before are still there.
        """
        ready = type(shares) is np.ndarray and shares.shape == self._shape and shares.dtype in _READY
        self.given[...] = shares if ready else _as_shares(shares, self._shape)
        fault = self._take(state, config, self._desk)
        if fault != SOUND:
            raise _error(fault, self.given)


def _as_shares(shares: ArrayLike, shape: tuple[int, ...]) -> F64:
    """Return anything that can be read as shares of this shape as float64.

    Raises:
        ActionError: it cannot be.
    """
    try:
        values = np.asarray(shares)
    except ValueError as error:
        raise ActionError(f"shares are ragged ({error}); give an array of shape {shape}") from error
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise ActionError(f"shares have dtype {values.dtype}; give floating-point numbers")
    if values.shape != shape:
        raise ActionError(f"shares have shape {values.shape}, not {shape} = (worlds, civilizations, categories)")
    return values.astype(np.float64)


def _error(fault: int, shares: F64) -> ActionError:
    """Return the error that words a fault of :func:`find_fault`."""
    kind, place = divmod(fault, shares.size)
    b, i, category = (int(axis) for axis in np.unravel_index(place, shares.shape))
    whose = f"of world row {b}, civilization {i}"
    if kind == Fault.SUM:
        return ActionError(f"shares {whose} sum to {_sum_of(shares[b, i]):.6g}, not 1; normalise them")
    name = Category(category).name.lower()
    return ActionError(f"share of {name} {whose} = {shares[b, i, category]:.6g} {_REMEDY[Fault(kind)]}")
