"""Rivals as known: their land as last seen, their frontier, their parties in view and their armies; row :data:`NOW`."""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, Category
from civsim.base.kernels import inlined, kernel
from civsim.engine.knowledge.beliefs import believe, believe_cells
from civsim.engine.knowledge.others import known_army, knows_army, party_seen
from civsim.engine.knowledge.own import own_fund, party_slots
from civsim.engine.planner.heuristic import heuristic_claim
from civsim.engine.planner.order import UNPLACED, order_land, put_on
from civsim.engine.planner.rim import note_at_rim
from civsim.engine.planner.ways import CLEARLY
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import Base, Clock, Levels, Mind, MindFund

RIVALS_PLAY = 2
"""The level of mind from which on rivals play on in every rollout."""

RIVALS_PLAN = 3
"""The level of mind from which on rivals go by plans of their own."""

AFTER = 1.0
"""Turns after which a cell that another rival comes to is lost to a rival in mind: the first to claim it has it."""

TAKEN = -1.0
"""The deadline of a cell that one has claimed oneself in a rollout: no rival takes it."""

UNSEEN = -1.0
"""The army in mind of a rival that attacks nobody in a rollout: it was never seen, or none attacks there."""


def _add_in_order(cfg, work, row, j, cell):
    """Put the free neighbours of ``cell`` on the frontier of rival ``j``, marks in order, as :func:`add_front` does.

    One that it has claimed since may come on it again: it is lost to all who come later, itself among them.
    """
    marks, mind, near, holder, places = (
        work.mind_ahead[row, j],
        work.mind[row, j],
        cfg.neighbours[cell],
        work.holder,
        work.place,
    )
    first = mind[Mind.TARGET]
    for side in range(near.shape[0]):
        if near[side] < 0:
            continue
        other = np.uint32(near[side])
        place = np.int64(places[other])
        if place != UNPLACED and holder[other] == NOBODY:
            first = put_on(marks, first, place)
    mind[Mind.TARGET], mind[Mind.FRONT] = first, 1 if first >= 0 else 0


add_in_order = inlined(_add_in_order)


def _add_front(state, cfg, work, b, i, row, j, cell):
    """Put the free neighbours of ``cell`` that are not on it yet on the frontier of rival ``j``.

    In a rollout with what is believed of them; of what is known now all is believed at once, once it is listed.
    """
    if work.sizes[Base.ORDERED]:
        add_in_order(cfg, work, row, j, cell)
        return
    clock, mark, mind = work.clock, work.mind_mark[j], work.mind[row, j]
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other < 0 or mark[other] == clock[Clock.MIND_NOW] or mark[other] == clock[Clock.MIND]:
            continue
        if work.holder[other] == NOBODY:
            if row == ROLLED:
                believe(state, cfg, work, b, i, other)
            mark[other] = clock[Clock.MIND]
            work.mind_front[row, j, mind[Mind.FRONT]] = other
            mind[Mind.FRONT] += 1
            at = mind[Mind.TARGET]
            kept = work.mind_front[row, j, at] if at >= 0 else other
            # What it claims next stands where what is new is clearly worse by the rule of thumb that it follows.
            if row == NOW or work.levels[Levels.MIND] >= RIVALS_PLAN or work.ratio[other] >= CLEARLY * work.ratio[kept]:
                mind[Mind.TARGET] = NOBODY


add_front = kernel(_add_front)


def _note_beside(cfg, work, row, j, cell):
    """Note that rival ``j`` holds ``cell``: it may attack what lies beside it."""
    near, beside, bit = cfg.neighbours[cell], work.mind_beside[row], 1 << j
    for side in range(near.shape[0]):
        other = near[side]
        if other < 0 or beside[other] & bit:
            continue
        beside[other] |= bit
        if row == ROLLED:
            note_at_rim(work, other)


note_beside = kernel(_note_beside)


def _add_party(work, row, j, cell, due):
    """Note a party of rival ``j`` on its way to ``cell``, ``due`` in so many turns."""
    n = work.mind_parties[row]
    work.mind_cell[row, n], work.mind_due[row, n], work.mind_of[row, n] = cell, due, j
    work.mind_parties[row] = n + 1
    work.mind[row, j, Mind.CELLS] += 1


add_party = kernel(_add_party)


def _own_arrival(work, cell):
    """Return in how many turns a party of one's own is at ``cell``; inf where none makes for it."""
    for k in range(work.sizes[Base.PENDING]):
        if work.pending_cell[k] == cell:
            return float(work.pending_due[k])
    return math.inf


own_arrival = kernel(_own_arrival)


def _see_party(state, cfg, work, b, i, j, cell, due):
    """Note that a party of rival ``j`` is at ``cell`` in ``due`` turns, unless another is there before it."""
    before = work.known_at[cell]
    if due >= before or own_arrival(work, cell) <= due:
        return
    work.known_at[cell] = due
    for k in range(work.mind_parties[NOW]):
        if work.mind_cell[NOW, k] == cell:
            work.mind[NOW, work.mind_of[NOW, k], Mind.CELLS] -= 1
            work.mind[NOW, j, Mind.CELLS] += 1
            work.mind_due[NOW, k], work.mind_of[NOW, k] = due, j
            return
    believe(state, cfg, work, b, i, cell)
    add_party(work, NOW, j, cell, due)


see_party = kernel(_see_party)


def _see_parties(state, cfg, work, b, i):
    """Note the parties of rivals that are in view: where they make for, and when they are there.

    A party of one's own that is there later than a rival's is taken to settle nothing.
    """
    for j in range(cfg.n_civs):
        if j == i:
            continue
        for slot in range(party_slots(state)):
            cell, due = party_seen(state, cfg, b, i, j, slot)
            if cell >= 0 and work.holder[cell] == NOBODY:
                see_party(state, cfg, work, b, i, j, cell, due)
    n, k = work.sizes[Base.PENDING], 0
    while k < n:
        if work.known_at[work.pending_cell[k]] >= work.pending_due[k]:
            k += 1
            continue
        n -= 1
        work.pending_cell[k], work.pending_due[k] = work.pending_cell[n], work.pending_due[n]
    work.sizes[Base.PENDING] = n


see_parties = kernel(_see_parties)


def _see_armies(state, cfg, work, b, i):
    """Note what armies rivals that attack in rollouts were seen to have; of others none is in mind."""
    armed = work.sizes[Base.ARMED] == 1
    for j in range(cfg.n_civs):
        seen = armed and j != i and knows_army(state, b, i, j)
        work.mind_purse[NOW, j, MindFund.ARMY] = known_army(state, b, i, j) if seen else UNSEEN
    if armed:
        for c in range(cfg.n_cells):
            work.mind_beside[NOW, c] = 0


see_armies = kernel(_see_armies)


def _aim(state, cfg, key, work, b, i, j):
    """Note which cell rival ``j`` claims next by the rule of thumb: every walk begins with it.

    Of all cells on its frontier that none is known to hold or to come to. In a walk further ones may be another's: then
    it is looked for again, and what stands is the best of fewer.
    """
    mind, front, world = work.mind[NOW, j], work.mind_front[NOW, j], state.world_id[b]
    believe_cells(state, cfg, work, b, i, front, mind[Mind.FRONT])
    soonest = float(cfg.claim_lag) + AFTER
    mind[Mind.TARGET] = heuristic_claim(front, mind[Mind.FRONT], work.ratio, work.known_at, soonest, key, world)


aim = kernel(_aim)


def _know_rivals(state, cfg, key, work, b, i):
    """Fill ``known_at`` and the row :data:`NOW`: what rivals are known to hold and to be about to hold."""
    minds = work.levels[Levels.MIND] > 0
    work.known_at[:] = math.inf
    work.mind[NOW], work.mind_parties[NOW], work.mind_plan[:], work.sizes[Base.ORDERED] = 0, 0, 0, 0
    # Of a rival that shows but a party no land is known: it has a fund as others have.
    work.mind_purse[NOW, :, MindFund.FUND] = own_fund(state, cfg, b, i, np.int64(Category.SETTLEMENT))
    work.mind_purse[NOW, :, MindFund.OUTPUT] = 0.0
    see_armies(state, cfg, work, b, i)
    work.clock[Clock.MIND] += 1
    work.clock[Clock.MIND_NOW] = work.clock[Clock.MIND]
    known = work.sizes[Base.KNOWN]
    for k in range(known):
        work.known_at[work.rivals[k]] = 0.0
    if not minds:
        return
    believe_cells(state, cfg, work, b, i, work.rivals, known)
    for k in range(known):
        c = work.rivals[k]
        j = np.int64(work.holder[c])
        work.mind[NOW, j, Mind.CELLS] += 1
        work.mind_purse[NOW, j, MindFund.OUTPUT] += work.value[c]
    see_parties(state, cfg, work, b, i)
    if known > 0 and work.levels[Levels.MIND] == RIVALS_PLAY:
        work.sizes[Base.ORDERED] = 1 if order_land(state, cfg, key, work, b, i) else 0
        work.mind_ahead[NOW] = 0
        work.mind[NOW, :, Mind.TARGET] = UNPLACED
    for k in range(known):
        c = work.rivals[k]
        j = np.int64(work.holder[c])
        add_front(state, cfg, work, b, i, NOW, j, c)
        if work.sizes[Base.ARMED]:
            note_beside(cfg, work, NOW, j, c)
    for rival in range(cfg.n_civs):
        if not work.sizes[Base.ORDERED]:
            aim(state, cfg, key, work, b, i, rival)


know_rivals = kernel(_know_rivals)
