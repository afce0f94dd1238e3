"""Rivals in mind: what the realms that are known would claim, by the rule of thumb, on the land as it is believed.

A rival is taken to be like oneself where nothing better is known of it (a typical mind): it spends the same share on
settlement and has as much in its fund. Its land is what it was last seen to hold, its parties are those in view. From
there its realm is rolled on: output comes in, the best cell on its frontier is claimed when the fund can pay it, and
the party settles after its lag. What it takes is written as a deadline: in how many turns a rival holds the cell.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import NOBODY, Category, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, fund_of, paid_in
from civsim.engine.knowledge.beliefs import believe
from civsim.engine.knowledge.land import known_rival, seems_free
from civsim.engine.knowledge.others import party_seen
from civsim.engine.knowledge.own import party_slots
from civsim.engine.planner.heuristic import heuristic_claim
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import Base, Clock, Fund, Levels, Mind, MindFund

RIVALS_PLAY = 2
"""The level of mind from which on rivals play on in every rollout."""

AFTER = 1.0
"""Turns after which a cell that another rival comes to is lost to a rival in mind: the first to claim it has it."""

TAKEN = -1.0
"""The deadline of a cell that one has claimed oneself in a rollout: no rival takes it."""


def _add_front(state, cfg, work, b, i, row, j, cell):
    """Put the free neighbours of ``cell`` that are not on it yet on the frontier of rival ``j``."""
    clock, mark, mind = work.clock, work.mind_mark[j], work.mind[row, j]
    for side in range(cfg.neighbours.shape[1]):
        other = cfg.neighbours[cell, side]
        if other < 0 or mark[other] == clock[Clock.MIND_NOW] or mark[other] == clock[Clock.MIND]:
            continue
        if seems_free(state, b, i, other):
            believe(state, cfg, work, b, i, other)
            mark[other] = clock[Clock.MIND]
            work.mind_front[row, j, mind[Mind.FRONT]] = other
            mind[Mind.FRONT] += 1
            mind[Mind.TARGET] = NOBODY


add_front = kernel(_add_front)


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
            if cell >= 0 and seems_free(state, b, i, cell):
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


def _know_rivals(state, cfg, work, b, i):
    """Fill ``known_at`` and the row :data:`NOW`: what rivals are known to hold and to be about to hold."""
    minds = work.levels[Levels.MIND] > 0
    work.known_at[:] = math.inf
    work.mind[NOW], work.mind_parties[NOW] = 0, 0
    # Of a rival that shows but a party no land is known: it has a fund as others have.
    work.mind_purse[NOW, :, MindFund.FUND], work.mind_purse[NOW, :, MindFund.OUTPUT] = work.funds[Fund.SETTLEMENT], 0.0
    work.clock[Clock.MIND] += 1
    work.clock[Clock.MIND_NOW] = work.clock[Clock.MIND]
    for each in range(cfg.n_cells):
        c = np.int32(each)
        j = known_rival(state, b, i, c)
        if j >= 0:
            work.known_at[c] = 0.0
            if minds:
                believe(state, cfg, work, b, i, c)
                work.mind[NOW, j, Mind.CELLS] += 1
                work.mind_purse[NOW, j, MindFund.OUTPUT] += work.value[c]
    if not minds:
        return
    see_parties(state, cfg, work, b, i)
    for each in range(cfg.n_cells):
        c = np.int32(each)
        j = known_rival(state, b, i, c)
        if j >= 0:
            add_front(state, cfg, work, b, i, NOW, j, c)


know_rivals = kernel(_know_rivals)


def _begin_walk(cfg, work):
    """Set the rivals in mind, and the deadlines of a rollout, back to what is known."""
    work.clock[Clock.MIND] += 1
    work.roll_rival[:] = work.known_at
    for j in range(cfg.n_civs):
        n = work.mind[NOW, j, Mind.FRONT]
        work.mind[ROLLED, j] = work.mind[NOW, j]
        work.mind_purse[ROLLED, j] = work.mind_purse[NOW, j]
        work.mind_front[ROLLED, j, :n] = work.mind_front[NOW, j, :n]
    for k in range(work.sizes[Base.PENDING]):
        work.roll_rival[work.pending_cell[k]] = TAKEN
    n = work.mind_parties[NOW]
    work.mind_parties[ROLLED] = n
    for k in range(n):
        work.mind_cell[ROLLED, k], work.mind_due[ROLLED, k] = work.mind_cell[NOW, k], work.mind_due[NOW, k]
        work.mind_of[ROLLED, k] = work.mind_of[NOW, k]


begin_walk = kernel(_begin_walk)


def _rivals_play(work):
    """Return True where rivals play on in a rollout."""
    return work.levels[Levels.MIND] >= RIVALS_PLAY and work.attended[Variable.RIVALS] == 1


rivals_play = kernel(_rivals_play)


def _is_lost(work, cell, arrival):
    """Return True where a rival holds ``cell`` in the rolled world before ``arrival`` (turns from now)."""
    return TAKEN < work.roll_rival[cell] < arrival


is_lost = kernel(_is_lost)


def _rivals_settle(state, cfg, work, b, i, turn):
    """Parties of rivals due in turn ``turn`` settle: their output counts from now on, their frontier grows."""
    n, k = work.mind_parties[ROLLED], 0
    while k < n:
        if work.mind_due[ROLLED, k] > turn:
            k += 1
            continue
        j, cell = np.int64(work.mind_of[ROLLED, k]), work.mind_cell[ROLLED, k]
        n -= 1
        for each in (work.mind_cell, work.mind_due, work.mind_of):
            each[ROLLED, k] = each[ROLLED, n]
        work.mind_purse[ROLLED, j, MindFund.OUTPUT] += work.value[cell]
        add_front(state, cfg, work, b, i, ROLLED, j, cell)
    work.mind_parties[ROLLED] = n


rivals_settle = kernel(_rivals_settle)


def _rivals_earn(cfg, work, share):
    """Rivals in mind pay ``share`` of their output into what they settle from."""
    loss = cfg.depreciation[Category.SETTLEMENT]
    for j in range(cfg.n_civs):
        if work.mind[ROLLED, j, Mind.CELLS] > 0:
            purse = work.mind_purse[ROLLED, j]
            purse[MindFund.FUND] = paid_in(purse[MindFund.FUND], loss, share * purse[MindFund.OUTPUT])


rivals_earn = kernel(_rivals_earn)


def _rival_claims(state, cfg, key, work, b, j, turn):
    """Pay the next claim of rival ``j`` in turn ``turn`` if its fund can. Return True where it was paid."""
    mind, purse, front = work.mind[ROLLED, j], work.mind_purse[ROLLED, j], work.mind_front[ROLLED, j]
    arrival = float(turn + cfg.claim_lag)
    at = mind[Mind.TARGET]
    if at < 0 or work.roll_rival[front[at]] < arrival + AFTER:
        n = mind[Mind.FRONT]
        at = heuristic_claim(front, n, work.ratio, work.roll_rival, arrival + AFTER, key, state.world_id[b])
        mind[Mind.TARGET] = at
        if at < 0:
            mind[Mind.FRONT] = 0  # what is left of it is taken for good
            return False
    cell = front[at]
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, mind[Mind.CELLS])
    if cost > purse[MindFund.FUND]:
        return False
    purse[MindFund.FUND] -= cost
    work.roll_rival[cell] = arrival
    add_party(work, ROLLED, j, cell, turn + cfg.claim_lag)
    mind[Mind.FRONT] -= 1
    front[at] = front[mind[Mind.FRONT]]
    mind[Mind.TARGET] = NOBODY
    return True


rival_claims = kernel(_rival_claims)


def _rivals_order(state, cfg, key, work, b, i, turn):
    """Let every rival in mind give its claims of turn ``turn``, one after the other."""
    for j in range(cfg.n_civs):
        allowed = cfg.claims_per_turn
        while allowed > 0 and work.mind[ROLLED, j, Mind.FRONT] > 0 and rival_claims(state, cfg, key, work, b, j, turn):
            allowed -= 1
            if cfg.claim_lag == 0:
                rivals_settle(state, cfg, work, b, i, turn)  # its border has moved: what it claims next may lie there


rivals_order = kernel(_rivals_order)


def _share_of_settlement(cfg, work, b, i):
    """Return the share of output that rivals are taken to settle from: one's own."""
    return work.shares[b, i, fund_of(cfg, Category.SETTLEMENT)]


share_of_settlement = kernel(_share_of_settlement)


def _rivals_pass(state, cfg, work, b, i, turn):
    """A turn begins for the rivals in mind: parties settle, output is paid in."""
    rivals_settle(state, cfg, work, b, i, turn)
    rivals_earn(cfg, work, share_of_settlement(cfg, work, b, i))


rivals_pass = kernel(_rivals_pass)


def _expect_nobody(work):
    """Expect no rival anywhere: of one who looks no turn ahead, is alone, or does not attend to rivals."""
    work.known_at[:] = math.inf
    work.rival_at[:] = math.inf
    work.roll_rival[:] = math.inf
    work.mind[NOW], work.mind_parties[NOW] = 0, 0


expect_nobody = kernel(_expect_nobody)


def _expect_rivals(state, cfg, key, work, b, i):
    """Fill ``rival_at``: turns until a rival is expected to hold each cell, inf for never or where they are unattended.

    At level of mind 0 rivals stay as they are. From level 1 on they are rolled on ``cfg.mind_turns`` turns, while one
    does nothing oneself: what they would take then are the deadlines of a search.
    """
    if not work.attended[Variable.RIVALS] or cfg.n_civs == 1:
        expect_nobody(work)
        return
    know_rivals(state, cfg, work, b, i)
    begin_walk(cfg, work)
    if work.levels[Levels.MIND] > 0 and work.mind[NOW, :, Mind.CELLS].max() > 0:
        for turn in range(min(cfg.mind_turns, work.levels[Levels.TURNS_LEFT]) + 1):
            if turn > 0:
                rivals_pass(state, cfg, work, b, i, turn)
            rivals_order(state, cfg, key, work, b, i, turn)
    for c in range(cfg.n_cells):
        if work.roll_rival[c] == TAKEN:
            work.roll_rival[c] = math.inf
    work.rival_at[:] = work.roll_rival


expect_rivals = kernel(_expect_rivals)
