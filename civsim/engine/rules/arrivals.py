"""What is under way arrives: the play order is drawn, parties settle, works mature, disruption ends."""

from __future__ import annotations

from civsim.base.constants import NO_WORK, NOBODY, Draw
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.rules.territory import take_cell


def _draw_play_order(state, cfg, key, b):
    """Shuffle the order of play of world ``b`` (Fisher–Yates on keyed draws), afresh each turn."""
    order = state.play_order[b]
    for i in range(cfg.n_civs):
        order[i] = i
    for i in range(cfg.n_civs - 1, 0, -1):
        draw = uniform(key, state.world_id[b], state.turn[b], i, Draw.TURN_ORDER)
        j = int(draw * (i + 1))
        order[i], order[j] = order[j], order[i]


draw_play_order = kernel(_draw_play_order)


def _settle_parties(state, cfg, key, b):
    """Parties due this turn take their cell if nobody holds it; a later one is lost."""
    for rank in range(cfg.n_civs):
        i = state.play_order[b, rank]
        for slot in range(state.party_cell.shape[2]):
            cell = state.party_cell[b, i, slot]
            if cell >= 0 and state.party_due[b, i, slot] <= state.turn[b]:
                state.party_cell[b, i, slot] = NOBODY
                if state.owner[b, cell] == NOBODY:
                    take_cell(state, cfg, key, b, cell, i)


settle_parties = kernel(_settle_parties)


def _advance_cells(state, cfg, b):
    """A turn of disruption passes; works under way come a turn nearer, and add their gain when they mature."""
    for c in range(cfg.n_cells):
        if state.disrupted[b, c] > 0:
            state.disrupted[b, c] -= 1
        if state.work_left[b, c] > 0:
            state.work_left[b, c] -= 1
            if state.work_left[b, c] == 0:
                state.works[b, c] += cfg.work_gain[state.work_kind[b, c]]
                state.work_kind[b, c] = NO_WORK


advance_cells = kernel(_advance_cells)


def _arrivals(state, orders, cfg, key, work):
    """Rule 0 of a turn: draw the play order and let everything under way arrive."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        draw_play_order(state, cfg, key, b)
        settle_parties(state, cfg, key, b)
        advance_cells(state, cfg, b)


arrivals = kernel(_arrivals)
