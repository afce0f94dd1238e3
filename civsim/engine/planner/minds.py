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
from civsim.base.kernels import inlined, kernel
from civsim.engine.formulas import claim_cost, fund_of, paid_in
from civsim.engine.planner.heuristic import heuristic_claim
from civsim.engine.planner.known import (
    AFTER,
    RIVALS_PLAN,
    UNSEEN,
    add_front,
    add_in_order,
    add_party,
    know_rivals,
    note_beside,
)
from civsim.engine.planner.known import (
    RIVALS_PLAY as RIVALS_PLAY,
)
from civsim.engine.planner.known import (
    TAKEN as TAKEN,
)
from civsim.engine.planner.order import take_off
from civsim.engine.planner.plan import BaseRule
from civsim.engine.planner.rim import UNLISTED
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import Base, Clock, Fund, Levels, Mind, MindFund, MindPlan, Roll


def _begin_walk(cfg, work):
    """Set the rivals in mind, and the deadlines of a rollout, back to what is known."""
    work.clock[Clock.MIND] += 1
    work.roll[Roll.EXPOSED] = UNLISTED
    work.roll_rival[:] = work.known_at
    for j in range(cfg.n_civs):
        n = work.mind[NOW, j, Mind.FRONT]
        work.mind[ROLLED, j] = work.mind[NOW, j]
        work.mind_purse[ROLLED, j] = work.mind_purse[NOW, j]
        if work.sizes[Base.ORDERED]:
            work.mind_ahead[ROLLED, j] = work.mind_ahead[NOW, j]
        else:
            work.mind_front[ROLLED, j, :n] = work.mind_front[NOW, j, :n]
    if work.sizes[Base.ARMED]:
        for c in range(cfg.n_cells):
            work.mind_beside[ROLLED, c] = work.mind_beside[NOW, c]
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
    n, k, ordered, armed = work.mind_parties[ROLLED], 0, work.sizes[Base.ORDERED], work.sizes[Base.ARMED]
    cells, dues, whose, purses = work.mind_cell[ROLLED], work.mind_due[ROLLED], work.mind_of[ROLLED], work.mind_purse
    while k < n:
        if dues[k] > turn:
            k += 1
            continue
        j, cell = np.int64(whose[k]), cells[k]
        n -= 1
        cells[k], dues[k], whose[k] = cells[n], dues[n], whose[n]
        purses[ROLLED, j, MindFund.OUTPUT] += work.value[cell]
        if ordered:
            add_in_order(cfg, work, ROLLED, j, cell)
        else:
            add_front(state, cfg, work, b, i, ROLLED, j, cell)
        if armed:
            note_beside(cfg, work, ROLLED, j, cell)
    work.mind_parties[ROLLED] = n


rivals_settle = kernel(_rivals_settle)


def _rivals_earn(cfg, work, share, raised):
    """Rivals in mind pay ``share`` of their output into what they settle from, and raise ``raised`` force a unit of it.

    Force joins at once: what is under way now, and is not known, is taken to be like it.
    """
    loss, wear = cfg.depreciation[Category.SETTLEMENT], cfg.depreciation[Category.ARMY]
    minds, now, purses = work.mind[ROLLED], work.mind_purse[NOW], work.mind_purse[ROLLED]
    for j in range(cfg.n_civs):
        if minds[j, Mind.CELLS] > 0:
            output = purses[j, MindFund.OUTPUT]
            purses[j, MindFund.FUND] = paid_in(purses[j, MindFund.FUND], loss, share * output)
            if now[j, MindFund.ARMY] != UNSEEN:
                purses[j, MindFund.ARMY] = paid_in(purses[j, MindFund.ARMY], wear, raised * output)


rivals_earn = kernel(_rivals_earn)


def _has_plan(work, j):
    """Return True where rival ``j`` goes by a plan of its own that is not carried out yet."""
    mind = work.mind[ROLLED, j]
    return work.levels[Levels.MIND] >= RIVALS_PLAN and mind[Mind.STEP] < work.mind_plan[j, MindPlan.LENGTH]


has_plan = kernel(_has_plan)


def _next_of_plan(work, j, arrival):
    """Return the place on its frontier of the next cell of the plan of rival ``j``; -1 where it is forestalled."""
    mind, front = work.mind[ROLLED, j], work.mind_front[ROLLED, j]
    cell = work.mind_path[j, mind[Mind.STEP]]
    if work.roll_rival[cell] >= arrival + AFTER:
        for at in range(mind[Mind.FRONT]):
            if front[at] == cell:
                return at
    mind[Mind.STEP] = work.mind_plan[j, MindPlan.LENGTH]
    return -1


next_of_plan = kernel(_next_of_plan)


def _next_of_base(key, work, world, j, arrival):
    """Return the place on its frontier of the cell that rival ``j`` claims next where it follows a rule; -1 for none.

    That is the rule of thumb, or for a rival that plans the base that its plan rests on.
    """
    front, n, at = work.mind_front[ROLLED, j], work.mind[ROLLED, j, Mind.FRONT], -1
    if work.levels[Levels.MIND] >= RIVALS_PLAN and work.mind_plan[j, MindPlan.BASE] == BaseRule.INDEX:
        at = heuristic_claim(front, n, work.mind_index[j], work.roll_rival, arrival + AFTER, key, world)
    if at < 0:
        at = heuristic_claim(front, n, work.ratio, work.roll_rival, arrival + AFTER, key, world)
    return at


next_of_base = kernel(_next_of_base)


def _pay_in_mind(cfg, work, j, cell, turn):
    """Let rival ``j`` pay a claim of ``cell`` if its fund can. Return True where it was paid."""
    arrival, purse = turn + cfg.claim_lag, work.mind_purse[ROLLED, j]
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, work.mind[ROLLED, j, Mind.CELLS])
    if cost > purse[MindFund.FUND]:
        return False
    purse[MindFund.FUND] -= cost
    work.roll_rival[cell] = arrival
    add_party(work, ROLLED, j, cell, arrival)
    return True


pay_in_mind = inlined(_pay_in_mind)


def _rival_claims(state, cfg, key, work, b, j, turn):
    """Pay the next claim of rival ``j`` in turn ``turn`` if its fund can. Return True where it was paid."""
    mind, front, arrival = work.mind[ROLLED, j], work.mind_front[ROLLED, j], float(turn + cfg.claim_lag)
    if turn < mind[Mind.READY]:
        return False
    at, planned = np.int64(mind[Mind.TARGET]), has_plan(work, j)
    if planned:
        at = np.int64(next_of_plan(work, j, arrival))
        planned = at >= 0
    if at < 0 or work.roll_rival[front[at]] < arrival + AFTER:
        at = np.int64(next_of_base(key, work, state.world_id[b], j, arrival))
        mind[Mind.TARGET] = at
        if at < 0:
            mind[Mind.FRONT] = 0  # what is left of it is taken for good
            return False
    if not pay_in_mind(cfg, work, j, front[at], turn):
        return False
    mind[Mind.FRONT] -= 1
    front[at] = front[mind[Mind.FRONT]]
    mind[Mind.TARGET] = NOBODY
    if planned:
        mind[Mind.STEP] += 1
        # Once the path is claimed there is nothing to wait for.
        mind[Mind.READY] = turn + cfg.claim_lag if has_plan(work, j) else 0
    return True


rival_claims = kernel(_rival_claims)


def _waits(cfg, work, j, turn):
    """Return True where rival ``j`` claims nothing in turn ``turn``: no cell is left, or its next is still too dear."""
    mind, front = work.mind[ROLLED, j], work.mind_front[ROLLED, j]
    if mind[Mind.FRONT] == 0:
        return True
    if mind[Mind.TARGET] < 0 or has_plan(work, j):
        return False
    cell = front[mind[Mind.TARGET]]
    if work.roll_rival[cell] < turn + cfg.claim_lag + AFTER:
        return False
    cost = claim_cost(work.claim_cost[cell], cfg.claim_growth, mind[Mind.CELLS])
    return cost > work.mind_purse[ROLLED, j, MindFund.FUND]


waits = kernel(_waits)


def _claims_in_order(state, cfg, work, b, i, turn):
    """Let every rival in mind, frontiers in order, give its claims of turn ``turn``, as :func:`rivals_order` does.

    It claims the first cell on its frontier that none comes to before it. What another comes to is lost for the rest of
    the walk.
    """
    arrival, thumb, deadlines, costs = turn + cfg.claim_lag, work.thumb, work.roll_rival, work.claim_cost
    soonest, minds, purses = arrival + AFTER, work.mind[ROLLED], work.mind_purse[ROLLED]
    cells, dues, whose, n = (
        work.mind_cell[ROLLED],
        work.mind_due[ROLLED],
        work.mind_of[ROLLED],
        work.mind_parties[ROLLED],
    )
    for j in range(cfg.n_civs):
        first, marks = minds[j, Mind.TARGET], work.mind_ahead[ROLLED, j]
        fund, held, allowed = purses[j, MindFund.FUND], minds[j, Mind.CELLS], cfg.claims_per_turn
        while first >= 0 and allowed > 0:
            cell = np.uint32(thumb[np.uint32(first)])
            free = deadlines[cell] >= soonest
            if free:
                cost = claim_cost(costs[cell], cfg.claim_growth, held)
                if cost > fund:
                    break
                fund, held, allowed = fund - cost, held + 1, allowed - 1
                deadlines[cell] = arrival
                cells[n], dues[n], whose[n] = cell, arrival, j
                n += 1
            first = take_off(marks, first)
            if free and cfg.claim_lag == 0:
                # Its border moves at once: what it claims next may lie there.
                minds[j, Mind.TARGET], work.mind_parties[ROLLED] = first, n
                rivals_settle(state, cfg, work, b, i, turn)
                first, n = minds[j, Mind.TARGET], work.mind_parties[ROLLED]
        purses[j, MindFund.FUND], minds[j, Mind.CELLS] = fund, held
        minds[j, Mind.TARGET], minds[j, Mind.FRONT] = first, 1 if first >= 0 else 0
    work.mind_parties[ROLLED] = n


claims_in_order = kernel(_claims_in_order)


def _rivals_order(state, cfg, key, work, b, i, turn):
    """Let every rival in mind give its claims of turn ``turn``, one after the other."""
    if work.sizes[Base.ORDERED]:
        claims_in_order(state, cfg, work, b, i, turn)
        return
    for j in range(cfg.n_civs):
        # Most rivals in most turns: said here, where it costs no call.
        if waits(cfg, work, j, turn):
            continue
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
    raised = work.shares[b, i, Category.ARMY] / work.funds[Fund.FORCE_PRICE]
    rivals_earn(cfg, work, share_of_settlement(cfg, work, b, i), raised)


rivals_pass = kernel(_rivals_pass)


def _expect_nobody(work):
    """Expect no rival anywhere: of one who looks no turn ahead, is alone, or does not attend to rivals."""
    work.known_at[:] = math.inf
    work.rival_at[:] = math.inf
    work.roll_rival[:] = math.inf
    work.mind[NOW], work.mind_parties[NOW] = 0, 0


expect_nobody = kernel(_expect_nobody)


def _turns_foreseen(cfg, work):
    """Return for how many turns the rivals in mind are rolled on: no further than a plan can look.

    From level of mind 2 on it is also asked whether rivals will take anything at all.
    """
    levels = work.levels
    if levels[Levels.MIND] >= RIVALS_PLAY:
        return np.int64(cfg.mind_turns)
    return np.int64(min(cfg.mind_turns, max(levels[Levels.REACH], levels[Levels.ROLLOUT])))


turns_foreseen = kernel(_turns_foreseen)


def _expect_rivals(state, cfg, key, work, b, i, turns):
    """Fill ``rival_at``: turns until a rival is expected to hold each cell, inf for never or where they are unattended.

    At level of mind 0 rivals stay as they are. From level 1 on they are rolled on for ``turns``, while one does nothing
    oneself: what they would take then are the deadlines of a search.
    """
    if not work.attended[Variable.RIVALS] or cfg.n_civs == 1:
        expect_nobody(work)
        return
    know_rivals(state, cfg, key, work, b, i)
    foresee(state, cfg, key, work, b, i, turns)


def _foresee(state, cfg, key, work, b, i, turns):
    """Fill ``rival_at`` by rolling the rivals in mind on for ``turns`` from what is known of them."""
    begin_walk(cfg, work)
    if work.levels[Levels.MIND] > 0 and work.mind[NOW, :, Mind.CELLS].max() > 0:
        for turn in range(min(turns, work.levels[Levels.TURNS_LEFT]) + 1):
            if turn > 0:
                rivals_pass(state, cfg, work, b, i, turn)
            rivals_order(state, cfg, key, work, b, i, turn)
    for c in range(cfg.n_cells):
        if work.roll_rival[c] == TAKEN:
            work.roll_rival[c] = math.inf
    work.rival_at[:] = work.roll_rival


foresee = kernel(_foresee)
expect_rivals = kernel(_expect_rivals)
