"""Who holds what: the one place where a cell changes hands."""

from __future__ import annotations

from civsim.base.constants import NO_WORK, NOBODY
from civsim.base.kernels import kernel
from civsim.engine.formulas import preferred
from civsim.engine.land.geometry import steps_between
from civsim.engine.offices.provinces import join, leave
from civsim.engine.offices.rows import CAPITAL, row_of
from civsim.engine.offices.staff import lose_staff


def _eliminate(state, b, i):
    """Civilization ``i`` is out: parties, musters and stocks are gone; its row stays."""
    state.alive[b, i] = 0
    state.party_cell[b, i, :] = NOBODY
    state.muster[b, i, :] = 0.0
    state.stock[b, i, :] = 0.0
    state.purse[b, i] = 0.0


eliminate = kernel(_eliminate)


def _move_capital(state, cfg, key, b, i):
    """The capital moves to the held cell nearest the old one; ties by the keyed rank."""
    old = state.capital[b, i]
    best = NOBODY
    nearest = 0.0
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            closeness = -float(steps_between(cfg, old, c))
            if preferred(closeness, c, nearest, best, key, state.world_id[b]):
                best, nearest = c, closeness
    state.capital[b, i] = best
    if cfg.most_offices > 1:
        # Its seat of thought moves with it, and decides on.
        state.office_cell[b, i, CAPITAL] = best


move_capital = kernel(_move_capital)


def _move_border(state, cfg, b, i):
    """Note that the land of civilization ``i`` has changed: each of its seats of thought surveys it anew."""
    for office in range(cfg.most_offices):
        state.near_fresh[b, row_of(cfg, i, office)] = 0


move_border = kernel(_move_border)


def _lose_cell(state, cfg, key, b, cell):
    """Take ``cell`` from its holder: the work under way is lost, a lost capital moves, a realm of none is out."""
    i = state.owner[b, cell]
    lose_staff(state, cfg, b, i, cell)
    state.owner[b, cell] = NOBODY
    state.work_left[b, cell] = 0
    state.work_kind[b, cell] = NO_WORK
    state.cells[b, i] -= 1
    move_border(state, cfg, b, i)
    if cfg.most_offices > 1:
        leave(state, b, i, cell)
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
    move_border(state, cfg, b, i)
    if cfg.most_offices > 1:
        join(state, cfg, b, i, cell)


take_cell = kernel(_take_cell)
