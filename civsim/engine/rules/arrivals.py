"""What is under way arrives: the play order is drawn, parties settle, works mature, disruption ends."""

from __future__ import annotations

from civsim.base.constants import NO_WORK, NOBODY, Draw
from civsim.base.kernels import kernel
from civsim.base.randomness import uniform
from civsim.engine.land.marks import list_marked
from civsim.engine.offices.provinces import adopt
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


def _parties_due(state, b, i):
    """Return how many parties of civilization ``i`` arrive this turn."""
    party, due, now, count = state.party_cell[b, i], state.party_due[b, i], state.turn[b], 0
    for slot in range(party.shape[0]):
        count += (party[slot] >= 0) & (due[slot] <= now)
    return count


parties_due = kernel(_parties_due)


def _settle_parties(state, cfg, key, b):
    """Parties due this turn take their cell if nobody holds it; a later one is lost."""
    for rank in range(cfg.n_civs):
        i = state.play_order[b, rank]
        # Most slots are empty in most turns: to count them takes no branch.
        if parties_due(state, b, i) == 0:
            continue
        for slot in range(state.party_cell.shape[2]):
            cell = state.party_cell[b, i, slot]
            if cell >= 0 and state.party_due[b, i, slot] <= state.turn[b]:
                state.party_cell[b, i, slot] = NOBODY
                if state.owner[b, cell] == NOBODY:
                    take_cell(state, cfg, key, b, cell, i)
                    if cfg.most_offices > 1:
                        adopt(state, b, i, cell, state.party_by[b, i, slot])


settle_parties = kernel(_settle_parties)


def _count_down(turns):
    """Let a turn pass on every clock that is not at 0."""
    for c in range(turns.shape[0]):
        turns[c] -= turns[c] > 0


count_down = kernel(_count_down)


def _mark_due(turns, due):
    """Mark the clocks at 1. Return True where there are any."""
    found = False
    for c in range(turns.shape[0]):
        last = turns[c] == 1
        due[c] = last
        found |= last
    return found


mark_due = kernel(_mark_due)


def _advance_cells(state, cfg, work, b):
    """A turn of disruption passes; works under way come a turn nearer, and add their gain when they mature."""
    count_down(state.disrupted[b])
    if mark_due(state.work_left[b], work.beside):
        for k in range(list_marked(work.beside, work.queue)):
            c = work.queue[k]
            state.works[b, c] += cfg.work_gain[state.work_kind[b, c]]
            state.work_kind[b, c] = NO_WORK
    count_down(state.work_left[b])


advance_cells = kernel(_advance_cells)


def _arrivals(state, orders, cfg, key, work):
    """Rule 0 of a turn: draw the play order and let everything under way arrive."""
    for b in range(work.lo, work.hi):
        if state.turn[b] >= cfg.turns:
            continue
        draw_play_order(state, cfg, key, b)
        settle_parties(state, cfg, key, b)
        advance_cells(state, cfg, work, b)


arrivals = kernel(_arrivals)
