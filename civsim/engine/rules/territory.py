"""Who holds what: the one place where a cell changes hands."""

from __future__ import annotations

import numpy as np

from civsim.base.bits import WORD, equal_bits, first_bit, without_first_bit
from civsim.base.constants import NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.land.geometry import steps_between

_NO_WORK = -1
_EMPTY = np.uint64(0)


def _list_own(state, cfg, b, i, out):
    """Write the cells civilization ``i`` holds into ``out`` I32 [C], in ascending order; return how many."""
    owner, held = state.owner[b], 0
    for start in range(0, cfg.n_cells, WORD):
        word = equal_bits(owner, start, i)
        while word != _EMPTY:
            out[held] = start + first_bit(word)
            held += 1
            word = without_first_bit(word)
    return held


list_own = kernel(_list_own)


def _eliminate(state, b, i):
    """Civilization ``i`` is out: parties, musters and stocks are gone; its row stays."""
    state.alive[b, i] = 0
    state.party_cell[b, i, :] = NOBODY
    state.muster[b, i, :] = 0.0
    state.stock[b, i, :] = 0.0


eliminate = kernel(_eliminate)


def _move_capital(state, cfg, key, b, i):
    """The capital moves to the held cell nearest the old one; ties by the keyed rank."""
    old = state.capital[b, i]
    best = -1
    nearest = 0.0
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            closeness = -float(steps_between(cfg, old, c))
            if preferred(closeness, c, nearest, best, key, state.world_id[b]):
                best, nearest = c, closeness
    state.capital[b, i] = best


move_capital = kernel(_move_capital)


def _lose_cell(state, cfg, key, b, cell):
    """Take ``cell`` from its holder: the work under way is lost, a lost capital moves, a realm of none is out."""
    i = state.owner[b, cell]
    state.owner[b, cell] = NOBODY
    state.work_left[b, cell] = 0
    state.work_kind[b, cell] = _NO_WORK
    state.cells[b, i] -= 1
    state.near_fresh[b, i] = 0
    if state.cells[b, i] == 0:
        eliminate(state, b, i)
    elif state.capital[b, i] == cell:
        move_capital(state, cfg, key, b, i)


lose_cell = kernel(_lose_cell)


def _take_cell(state, cfg, key, b, cell, i):
    """Civilization ``i`` takes ``cell``, from its holder if it has one."""
    if state.owner[b, cell] != NOBODY:
        lose_cell(state, cfg, key, b, cell)
    state.owner[b, cell] = i
    state.cells[b, i] += 1
    state.near_fresh[b, i] = 0


take_cell = kernel(_take_cell)
