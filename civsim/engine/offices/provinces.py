"""Provinces: where seats of thought stand, and which own cell belongs to which.

The capital is the first seat. Each further one stands on the own cell c of the greatest (way to the nearest seat that
stands) · (its output in the long run with works): far from the others, where there is much to think about (a greedy
weighted k-centre: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"). Ways lead along own land;
where none does, a cell is as far as any can be. A cell belongs to the seat with the shortest way to it.

Provinces are drawn anew in two events alone: a seat has fallen, or the realm has doubled since. A cell that joins in
between belongs where its nearest own neighbour does.
"""

from __future__ import annotations

from civsim.base.constants import MAX_OFFICES, NOBODY, Draw
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.formulas import cell_output, long_run_fertility, preferred
from civsim.engine.land.geometry import steps_between
from civsim.engine.offices.rows import CAPITAL

DOUBLED = 2


def _has_several(state, cfg, b, i):
    """Return True where civilization ``i`` has more than one seat of thought as its provinces were last drawn."""
    return cfg.most_offices > 1 and state.office_count[b, i] > 1


has_several = kernel(_has_several)


def _spread(state, cfg, work, b, i, office):
    """Give a seat's province every own cell that is nearer to it along own land than to those before it."""
    province, road, owner, queue = state.province[b], state.road[b], state.owner[b], work.queue
    start = state.office_cell[b, i, office]
    province[start], road[start] = office, 0
    queue[0], first, last = start, 0, 1
    while first < last:
        cell = queue[first]
        first += 1
        for side in range(cfg.neighbours.shape[1]):
            other = cfg.neighbours[cell, side]
            if other >= 0 and owner[other] == i and road[cell] + 1 < road[other]:
                province[other], road[other] = office, road[cell] + 1
                queue[last] = other
                last += 1


spread = kernel(_spread)


def _farthest(state, cfg, key, b, i):
    """Return the own cell of the greatest way · output, or -1 where every own cell is a seat."""
    best, most = NOBODY, 0.0
    for c in range(cfg.n_cells):
        if state.owner[b, c] != i or state.road[b, c] == 0:
            continue
        ore = cfg.ore_weight * float(state.ore[b, c])
        worth = state.road[b, c] * cell_output(long_run_fertility(state, cfg, b, c), float(state.works[b, c]), ore)
        if preferred(worth, c, most, best, key, state.world_id[b]):
            best, most = c, worth
    return best


farthest = kernel(_farthest)


def _nearest_office(state, cfg, b, i, cell):
    """Return the seat of thought with the fewest steps to ``cell`` as the crow flies."""
    best, least = CAPITAL, cfg.n_cells
    for office in range(state.office_count[b, i]):
        at = state.office_cell[b, i, office]
        if at >= 0 and steps_between(cfg, at, cell) < least:
            best, least = office, steps_between(cfg, at, cell)
    return best


nearest_office = kernel(_nearest_office)


def _join(state, cfg, b, i, cell):
    """Let ``cell``, newly taken by civilization ``i``, belong where its nearest own neighbour does."""
    best, least = NOBODY, cfg.n_cells
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other >= 0 and state.owner[b, other] == i and other != cell and state.road[b, other] < least:
            best, least = state.province[b, other], state.road[b, other]
    if best == NOBODY:
        best, least = nearest_office(state, cfg, b, i, cell), cfg.n_cells - 1
    state.province[b, cell], state.road[b, cell] = best, least + 1
    state.office_cells[b, i, best] += 1


join = kernel(_join)


def _leave(state, b, i, cell):
    """Take ``cell`` out of its province; a seat that stands there has fallen, and provinces are to be drawn anew."""
    office = state.province[b, cell]
    state.office_cells[b, i, office] -= 1
    state.province[b, cell] = NOBODY
    if state.office_cell[b, i, office] == cell:
        state.office_cell[b, i, office] = NOBODY
        state.drawn_cells[b, i] = 0


leave = kernel(_leave)


def _are_due(state, cfg, b, i):
    """Return True where provinces are to be drawn anew: a seat has fallen, or the realm has doubled."""
    return state.cells[b, i] >= DOUBLED * state.drawn_cells[b, i]


are_due = kernel(_are_due)


def _clear_roads(state, cfg, b, i):
    """Set every own cell as far from all seats of thought as a cell can be."""
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            state.province[b, c], state.road[b, c] = CAPITAL, cfg.n_cells


clear_roads = kernel(_clear_roads)


def _settle_strays(state, cfg, b, i):
    """Give own cells that no own land joins to a seat to the one that is nearest, and count what each has."""
    for c in range(cfg.n_cells):
        if state.owner[b, c] == i:
            if state.road[b, c] >= cfg.n_cells:
                state.province[b, c] = nearest_office(state, cfg, b, i, c)
            state.office_cells[b, i, state.province[b, c]] += 1


settle_strays = kernel(_settle_strays)


def _draw_provinces(state, cfg, key, work, b, i):
    """Seat thought on own cells and give each own cell to a seat; see the module for how."""
    clear_roads(state, cfg, b, i)
    cells, counts = state.office_cell[b, i], state.office_cells[b, i]
    cells[:], counts[:] = NOBODY, 0
    cells[CAPITAL], state.office_count[b, i] = state.capital[b, i], 1
    spread(state, cfg, work, b, i, CAPITAL)
    for office in range(1, min(cfg.offices[i], state.cells[b, i] // cfg.office_span[i])):
        cells[office] = farthest(state, cfg, key, b, i)
        state.office_count[b, i] = office + 1
        spread(state, cfg, work, b, i, office)
    settle_strays(state, cfg, b, i)
    state.drawn_cells[b, i], state.drawn_turn[b, i] = state.cells[b, i], state.turn[b]


draw_provinces = kernel(_draw_provinces)


def _house_at_capital(state, cfg, b, i):
    """House the thought of civilization ``i`` at its capital until its provinces are drawn, which is due."""
    state.office_count[b, i], state.drawn_cells[b, i] = 1, 0
    if cfg.most_offices > 1:
        state.office_cells[b, i], state.office_cell[b, i] = 0, NOBODY
        state.office_cells[b, i, CAPITAL], state.office_cell[b, i, CAPITAL] = state.cells[b, i], state.capital[b, i]
        clear_roads(state, cfg, b, i)


house_at_capital = kernel(_house_at_capital)


def _adopt(state, b, i, cell, office):
    """Give ``cell`` of civilization ``i`` to the province of a seat of thought."""
    state.office_cells[b, i, state.province[b, cell]] -= 1
    state.office_cells[b, i, office] += 1
    state.province[b, cell] = office


adopt = kernel(_adopt)


def _province_beside(state, cfg, b, i, cell):
    """Return the province of the nearest own land beside ``cell``; the capital's where there is none."""
    best, least = CAPITAL, cfg.n_cells + 1
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other >= 0 and state.owner[b, other] == i and state.road[b, other] < least:
            best, least = state.province[b, other], state.road[b, other]
    return best


province_beside = kernel(_province_beside)


def _send_for(state, b, i, cell, office):
    """Let the party just sent to ``cell``, or the cell where it is taken already, belong to a seat of thought."""
    if state.owner[b, cell] == i:
        adopt(state, b, i, cell, office)
        return
    for slot in range(state.party_cell.shape[2]):
        if state.party_cell[b, i, slot] == cell:
            state.party_by[b, i, slot] = office


send_for = kernel(_send_for)


def _draw_offices(state, cfg, key, work, b, i):
    """Shuffle the order in which the seats of thought of civilization ``i`` decide this turn (Fisher–Yates)."""
    order, count = work.office_order, state.office_count[b, i]
    for office in range(count):
        order[office] = office
    for office in range(count - 1, 0, -1):
        draw = uniform(key, state.world_id[b], state.turn[b], i * MAX_OFFICES + office, Draw.OFFICE_ORDER)
        other = int(draw * (office + 1))
        order[office], order[other] = order[other], order[office]


draw_offices = kernel(_draw_offices)


def _assign_parties(state, cfg, b, i):
    """Let the seat of the nearest own land beside a party's target answer for it from now on."""
    for slot in range(state.party_cell.shape[2]):
        cell = state.party_cell[b, i, slot]
        if cell >= 0:
            state.party_by[b, i, slot] = province_beside(state, cfg, b, i, cell)


assign_parties = kernel(_assign_parties)
