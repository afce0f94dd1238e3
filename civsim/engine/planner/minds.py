"""Rivals in mind: what the realms that are known would claim, by the rule of thumb, on the land as it is believed.

A rival is taken to be like oneself where nothing better is known of it (a typical mind): it spends the same share on
settlement and has as much in its fund. Its land is what it was last seen to hold, its parties are those in view. From
there its realm is rolled on: output comes in, the best cell on its frontier is claimed when the fund can pay it, and
the party settles after its lag. What it takes is written as a deadline: in how many turns a rival holds the cell.
"""

from __future__ import annotations

import math

import numpy as np

from civsim.base.constants import Category, Variable
from civsim.base.kernels import kernel
from civsim.engine.formulas import claim_cost, fund_of, paid_in
from civsim.engine.planner.foreseen import (
    ANEW,
    NOTED,
    begin_notes,
    follow,
    follows,
    keep_walk,
    may_follow,
    note_wanted,
    strike_own,
    take_up,
)
from civsim.engine.planner.known import (
    AFTER,
    UNSEEN,
    add_front,
    add_in_order,
    know_rivals,
    note_beside,
)
from civsim.engine.planner.known import (
    RIVALS_PLAY as RIVALS_PLAY,
)
from civsim.engine.planner.known import (
    TAKEN as TAKEN,
)
from civsim.engine.planner.listed import rival_claims, waits
from civsim.engine.planner.order import take_off
from civsim.engine.planner.rim import UNLISTED
from civsim.engine.registers import NOW, ROLLED
from civsim.engine.work import KEPT_EVERY, Base, Clock, Fund, Levels, Mind, MindFund, Roll


def _set_back(cfg, work):
    """Set the rivals in mind, and the deadlines of a rollout, back to what is known."""
    work.clock[Clock.MIND] += 1
    work.roll[Roll.FORESEEN] = ANEW
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


set_back = kernel(_set_back)


def _begin_walk(cfg, work):
    """Begin a rollout for the rivals in mind: where they can follow what was foreseen they do, see ``foreseen.py``."""
    if work.sizes[Base.FORESEEN] > 0:
        follow(cfg, work)
    else:
        set_back(cfg, work)


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


def _claims_in_order(state, cfg, work, b, i, turn):
    """Let every rival in mind, frontiers in order, give its claims of turn ``turn``, as :func:`rivals_order` does.

    It claims the first cell on its frontier that none comes to before it. What another comes to is lost for the rest of
    the walk.
    """
    arrival, thumb, deadlines, costs = turn + cfg.claim_lag, work.thumb, work.roll_rival, work.claim_cost
    soonest, minds, purses, notes = (
        arrival + AFTER,
        work.mind[ROLLED],
        work.mind_purse[ROLLED],
        work.roll[Roll.FORESEEN] == NOTED,
    )
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
                if notes:
                    note_wanted(work, cell, turn)
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


def _share_of_settlement(cfg, work, b, i):
    """Return the share of output that rivals are taken to settle from: one's own."""
    return work.shares[b, i, fund_of(cfg, Category.SETTLEMENT)]


share_of_settlement = kernel(_share_of_settlement)


def _pass_anew(state, cfg, work, b, i, turn):
    """A turn begins for rivals in mind that are rolled on: parties settle, output is paid in."""
    rivals_settle(state, cfg, work, b, i, turn)
    raised = work.shares[b, i, Category.ARMY] / work.funds[Fund.FORCE_PRICE]
    rivals_earn(cfg, work, share_of_settlement(cfg, work, b, i), raised)


pass_anew = kernel(_pass_anew)


def _catch_up(state, cfg, work, b, i, turn):
    """Bring rivals who did what was foreseen to where they are before turn ``turn``; they are rolled on from there."""
    if turn == 0:
        set_back(cfg, work)
    else:
        kept = take_up(cfg, work, turn)
        work.roll[Roll.FORESEEN] = ANEW
        for each in range(kept + 1, turn):
            pass_anew(state, cfg, work, b, i, each)
            claims_in_order(state, cfg, work, b, i, each)
    strike_own(cfg, work)


catch_up = kernel(_catch_up)


def _rivals_order(state, cfg, key, work, b, i, turn):
    """Let every rival in mind give its claims of turn ``turn``, one after the other."""
    if work.sizes[Base.ORDERED]:
        if follows(cfg, work, turn):
            return
        if work.roll[Roll.FORESEEN] >= 0:
            catch_up(state, cfg, work, b, i, turn)
            if turn > 0:
                pass_anew(state, cfg, work, b, i, turn)
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


def _rivals_pass(state, cfg, work, b, i, turn):
    """A turn begins for the rivals in mind: parties settle, output is paid in; nothing while they do as foreseen."""
    if work.roll[Roll.FORESEEN] >= 0:
        if turn < work.roll[Roll.FORESEEN]:
            return
        catch_up(state, cfg, work, b, i, turn)
    pass_anew(state, cfg, work, b, i, turn)


rivals_pass = kernel(_rivals_pass)


def _expect_nobody(work):
    """Expect no rival anywhere: of one who looks no turn ahead, is alone, or does not attend to rivals."""
    work.known_at[:] = math.inf
    work.rival_at[:] = math.inf
    work.roll_rival[:] = math.inf
    work.mind[NOW], work.mind_parties[NOW], work.sizes[Base.FORESEEN] = 0, 0, 0


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
    set_back(cfg, work)
    keeps, work.sizes[Base.FORESEEN] = may_follow(cfg, work), 0
    if work.levels[Levels.MIND] > 0 and work.mind[NOW, :, Mind.CELLS].max() > 0:
        last = min(turns, work.levels[Levels.TURNS_LEFT])
        if keeps:
            begin_notes(work)
        for turn in range(last + 1):
            if turn > 0:
                rivals_pass(state, cfg, work, b, i, turn)
            rivals_order(state, cfg, key, work, b, i, turn)
            if keeps and turn % KEPT_EVERY == 0:
                keep_walk(work, turn)
        if keeps:
            work.sizes[Base.FORESEEN] = last + 1
    for c in range(cfg.n_cells):
        if work.roll_rival[c] == TAKEN:
            work.roll_rival[c] = math.inf
    work.rival_at[:] = work.roll_rival


foresee = kernel(_foresee)
expect_rivals = kernel(_expect_rivals)
